"""What a user may say about a source: names, values, namespace and time zone, and the options of one read.

The TOML form is read and checked here; nothing here touches the data. The built-in names are in `fields`.
"""

import tomllib
from collections.abc import Mapping as Map
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from pattern_pipeline.detection.redaction_policy import RedactionPolicy
from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.history.fields import RUN_FIELDS, STEP_FIELDS, Status
from pattern_pipeline.history.fields import Field as CanonicalField
from pattern_pipeline.history.pricing import PriceBook, shipped_prices


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone; use an IANA name such as 'Europe/Berlin' or 'UTC'") from error
    return name


def _as_names(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _lower_keys(value: object) -> object:
    return {str(key).strip().lower(): target for key, target in value.items()} if isinstance(value, Map) else value


Zone = Annotated[str, AfterValidator(_known_zone)]
Namespace = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$", max_length=100)]
SourceNames = Annotated[tuple[str, ...], BeforeValidator(_as_names), Field(min_length=1)]
StatusValues = Annotated[dict[str, Status], BeforeValidator(_lower_keys)]


class ValueMaps(BaseModel):
    """Source values and the canonical value each stands for; compared without regard to case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: StatusValues = {}


class Mapping(BaseModel):
    """How one kind of source names and writes things. User names go before the built-in aliases.

    Attributes:
        columns: Canonical run field -> source name or names; a dot reaches into a nested object (`payload.prompt`).
        step_columns: The same for the fields of a nested step.
        values: Value maps that go before the built-in ones.
        namespace: Prefix of every workflow id.
        timezone: IANA zone of times without one.
        input_includes_cache: Whether input tokens count the cached ones too; None: only for `cached_input_tokens`.
        run_unit: What a run of a conversation is: a prompt with what follows it, or the whole session.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: dict[str, SourceNames] = {}
    step_columns: dict[str, SourceNames] = {}
    values: ValueMaps = ValueMaps()
    namespace: Namespace | None = None
    timezone: Zone | None = None
    input_includes_cache: bool | None = None
    run_unit: Literal["prompt", "session"] = "prompt"

    @model_validator(mode="after")
    def _only_canonical_fields(self) -> Self:
        for section, given, known in (
            ("columns", self.columns, RUN_FIELDS),
            ("step_columns", self.step_columns, STEP_FIELDS),
        ):
            if unknown := sorted(given.keys() - known.keys()):
                raise ValueError(f"[{section}] {', '.join(unknown)}: no such field; allowed: {', '.join(known)}")
        return self

    def run_fields(self) -> dict[str, CanonicalField]:
        """The run fields with the user's names in front."""
        return _with_names(RUN_FIELDS, self.columns)

    def step_fields(self) -> dict[str, CanonicalField]:
        """The step fields with the user's names in front."""
        return _with_names(STEP_FIELDS, self.step_columns)


class ReadOptions(BaseModel):
    """The options of one read: the caller's own word goes before the mapping's, the mapping's before the reader's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    namespace: Namespace | None = None
    mapping: Mapping = Mapping()
    timezone: Zone | None = None
    redaction: RedactionPolicy = RedactionPolicy()
    prices: PriceBook = Field(default_factory=shipped_prices)
    since: datetime | None = None
    until: datetime | None = None

    def namespace_for(self, kind: str) -> str:
        """The namespace of ids read by a reader of this kind."""
        return self.namespace or self.mapping.namespace or kind

    @property
    def zone(self) -> str:
        """The zone of times that name none."""
        return self.timezone or self.mapping.timezone or "UTC"


def options_of(values: Map[str, Any]) -> ReadOptions:
    """The options of plain values; what is not among them counts as not said.

    Raises:
        InvalidInput: A value cannot be used, or there is no such option; the message names it.
    """
    try:
        return ReadOptions.model_validate(values)
    except ValidationError as error:
        raise InvalidInput("; ".join(_option_fault(values, detail) for detail in error.errors()) + ".") from error


def load_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        InvalidInput: The file cannot be read, is no TOML, or has a wrong key or value; the message names all three.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"Mapping {path} cannot be read: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"Mapping {path} is no valid TOML: {error}.") from error
    try:
        return Mapping.model_validate(content)
    except ValidationError as error:
        faults = "; ".join(_fault(detail["loc"], detail["msg"]) for detail in error.errors())
        allowed = ", ".join(Mapping.model_fields)
        raise InvalidInput(f"Mapping {path}: {faults}. Allowed top-level keys: {allowed}.") from error


def _option_fault(values: Map[str, Any], detail: ErrorDetails) -> str:
    name = str(detail["loc"][0])
    if name == "namespace":
        return f"--namespace {values[name]!r}: use up to 100 letters, digits, dots, dashes and underscores"
    return _fault((f"--{name}", *detail["loc"][1:]), detail["msg"].removeprefix("Value error, "))


def _fault(location: tuple[int | str, ...], message: str) -> str:
    key = ".".join(str(part) for part in location)
    return f"{key}: {message}" if key else message.removeprefix("Value error, ")


def _with_names(fields: Map[str, CanonicalField], names: Map[str, tuple[str, ...]]) -> dict[str, CanonicalField]:
    """Put the user's names first; a source name that the user gives to one field answers for no other."""
    taken = {name for given in names.values() for name in given}
    return {
        field: CanonicalField(known.kind, (*names.get(field, ()), *(name for name in known.names if name not in taken)))
        for field, known in fields.items()
    }
