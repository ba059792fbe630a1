"""What requests to the library are made of: values with their limits, templates, changes of them, conditions on them.

Column names never come from a caller: each that may be set or asked for is a field of a model here. What can be asked
with them is in `contracts`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import orjson
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

MAX_BATCH: Final = 1_000
MAX_CONTEXT: Final = 100_000
"""Bytes of JSON."""
_ESCAPED_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
MINED: Final = "mined"
"""The `source` of templates that the pipeline publishes; nobody else may claim it."""


def _storable(document: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        text = orjson.dumps(document)
    except orjson.JSONEncodeError as error:
        raise ValueError("holds what JSON in a database cannot") from error
    if len(text) > MAX_CONTEXT:
        raise ValueError(f"more than {MAX_CONTEXT:,} bytes of JSON")
    if _ESCAPED_NUL.search(text):
        raise ValueError("a text with a NUL character cannot be stored")
    return document


def _in_range(instant: datetime) -> datetime:
    if not 2000 <= instant.year < 2200:
        raise ValueError("must be between the years 2000 and 2200")
    return instant


def _not_mined(source: str) -> str:
    if source == MINED:
        raise ValueError(f"{MINED!r} is what the pipeline's own templates are marked by")
    return source


def _written(text: object) -> object:
    """Refuse in words what the patterns below refuse too, which is how other programs are told."""
    if isinstance(text, str) and not text.strip():
        raise ValueError("must not be blank")
    return _without_nul(text)


def _without_nul(text: object) -> object:
    if isinstance(text, str) and "\0" in text:
        raise ValueError("must not hold a NUL character")
    return text


_NO_NUL: Final = r"^[^\x00]*$"
_NOT_BLANK: Final = r"^[^\x00]*[^\x00\s][^\x00]*$"
Name = Annotated[str, StringConstraints(pattern=_NOT_BLANK, max_length=300), BeforeValidator(_written)]
"""With type and language it must fit into a row of an index."""
Word = Annotated[str, StringConstraints(pattern=_NOT_BLANK, max_length=100), BeforeValidator(_written)]
Text = Annotated[str, StringConstraints(pattern=_NO_NUL, max_length=20_000), BeforeValidator(_without_nul)]
Code = Annotated[str, StringConstraints(pattern=_NOT_BLANK, max_length=200_000), BeforeValidator(_written)]
Part = Annotated[str, StringConstraints(pattern=_NO_NUL, max_length=200), BeforeValidator(_without_nul)]
Words = Annotated[str, StringConstraints(pattern=_NOT_BLANK, max_length=200), BeforeValidator(_written)]
Source = Annotated[Word, AfterValidator(_not_mined)]
Score = Annotated[Decimal, Field(ge=0, le=1, allow_inf_nan=False, max_digits=24)]
Complexity = Annotated[int, Field(ge=0, le=10)]
Milliseconds = Annotated[Decimal, Field(ge=0, le=10**12, allow_inf_nan=False, max_digits=24)]
Uses = Annotated[int, Field(ge=0, le=2**62)]
Instant = Annotated[AwareDatetime, AfterValidator(_in_range)]
Tags = Annotated[tuple[Word, ...], Field(max_length=50)]
Context = Annotated[dict[str, Any], AfterValidator(_storable)]
Version = Annotated[int, Field(ge=1, le=2_147_483_647)]
RelationshipType = Literal["similar", "extends", "conflicts", "uses", "composed_of"]
Bucket = Literal["day", "week", "month"]


class NewTemplate(BaseModel):
    """A template as somebody adds it; its uses are counted from events, never stated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pattern_name: Name
    pattern_type: Word
    language: Word
    template_code: Code
    category: Word | None = None
    description: Text | None = None
    example_usage: Text | None = None
    source: Source | None = None
    confidence_score: Score = Decimal("0.5")
    complexity_score: Complexity | None = None
    maintainability_score: Score | None = None
    performance_score: Score | None = None
    parent_pattern_id: UUID | None = None
    discovered_at: Instant | None = None
    tags: Tags = ()
    context: Context = {}

    @property
    def key(self) -> tuple[str, str, str]:
        """The natural key."""
        return self.pattern_name, self.pattern_type, self.language


class TemplateChanges(BaseModel):
    """The columns that may be changed. Only those that are given are; None empties one that may be empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pattern_name: Name = Field(default="", validate_default=False)
    pattern_type: Word = Field(default="", validate_default=False)
    language: Word = Field(default="", validate_default=False)
    template_code: Code = Field(default="", validate_default=False)
    category: Word | None = None
    description: Text | None = None
    example_usage: Text | None = None
    confidence_score: Score = Decimal("0.5")
    complexity_score: Complexity | None = None
    maintainability_score: Score | None = None
    performance_score: Score | None = None
    parent_pattern_id: UUID | None = None
    is_deprecated: bool = False
    deprecated_by_id: UUID | None = None
    tags: Tags = ()
    context: Context = {}


class RelationshipChanges(BaseModel):
    """The columns of a relationship that may be changed; only those that are given are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    strength: Score = Decimal("0.5")
    description: Text | None = None
    context: Context = {}


class _Condition(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TextCondition(_Condition):
    """What a text must be; `contains` is taken literally, `%` and `_` included, and without regard to case."""

    eq: Name | None = None
    any_of: Annotated[tuple[Name, ...], Field(min_length=1, max_length=100)] | None = None
    contains: Part | None = None


class NumberCondition(_Condition):
    """Where a number must lie."""

    eq: Decimal | None = Field(None, allow_inf_nan=False, max_digits=30)
    ge: Decimal | None = Field(None, allow_inf_nan=False, max_digits=30)
    gt: Decimal | None = Field(None, allow_inf_nan=False, max_digits=30)
    le: Decimal | None = Field(None, allow_inf_nan=False, max_digits=30)
    lt: Decimal | None = Field(None, allow_inf_nan=False, max_digits=30)


class TimeCondition(_Condition):
    """When something must have been: from `ge` on, before `lt`."""

    ge: Instant | None = None
    lt: Instant | None = None


class Conditions(_Condition):
    """What must hold of a template, all of it; the names are those of its columns."""

    pattern_name: TextCondition = TextCondition()
    pattern_type: TextCondition = TextCondition()
    language: TextCondition = TextCondition()
    category: TextCondition = TextCondition()
    source: TextCondition = TextCondition()
    created_by: TextCondition = TextCondition()
    confidence_score: NumberCondition = NumberCondition()
    usage_count: NumberCondition = NumberCondition()
    success_rate: NumberCondition = NumberCondition()
    complexity_score: NumberCondition = NumberCondition()
    created_at: TimeCondition = TimeCondition()
    last_used_at: TimeCondition = TimeCondition()
    is_deprecated: bool | None = None
    tags: Tags = ()
