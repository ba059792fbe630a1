"""What can be asked of the library: one frozen model per operation, told apart by `operation`.

Whatever is wrong with a request in itself is refused when it is made. What requests are made of is in `fields`; what an
operation does is in `storage`, `queries`, `recording` and `analytics`.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, ClassVar, Final, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from pattern_pipeline.library.fields import (
    MAX_BATCH,
    Bucket,
    Conditions,
    Context,
    Instant,
    Milliseconds,
    NewTemplate,
    RelationshipChanges,
    RelationshipType,
    Score,
    Tags,
    TemplateChanges,
    Text,
    Uses,
    Version,
    Word,
    Words,
)


class Contract(BaseModel):
    """A request. The correlation id comes back unchanged with the result; without one, the call gets its own.

    Attributes:
        changes: Whether it writes: only reviewers may ask for it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    changes: ClassVar[bool] = False

    correlation_id: UUID | None = None


class Page(Contract):
    """A request for rows."""

    limit: Annotated[int, Field(ge=1, le=1_000)] = 10
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class Insert(Contract):
    """Add a template: its id, name and time of creation."""

    changes = True
    operation: Literal["insert"] = "insert"
    template: NewTemplate


class Update(Contract):
    """Change the given fields of a template, if it still has the version that was seen."""

    changes = True
    operation: Literal["update"] = "update"
    pattern_id: UUID
    fields: TemplateChanges
    version: Version | None = None

    @model_validator(mode="after")
    def _something(self) -> Update:
        if not self.fields.model_fields_set:
            raise ValueError("fields: name at least one to change")
        return self


class Delete(Contract):
    """Delete a template that was never used; one that was is deprecated instead."""

    changes = True
    operation: Literal["delete"] = "delete"
    pattern_id: UUID


class BatchInsert(Contract):
    """Add templates, all or none. With `upsert`, those whose name, type and language are known are changed instead."""

    changes = True
    operation: Literal["batch_insert"] = "batch_insert"
    templates: Annotated[tuple[NewTemplate, ...], Field(min_length=1, max_length=MAX_BATCH)]
    upsert: bool = False

    @model_validator(mode="after")
    def _each_once(self) -> BatchInsert:
        if self.upsert and len({each.key for each in self.templates}) < len(self.templates):
            raise ValueError("templates: two of them have the same name, type and language")
        return self


class QueryTemplates(Page):
    """Templates by conditions on their columns, newest first, deprecated ones among them."""

    operation: Literal["query"] = "query"
    where: Conditions = Conditions()


class GetById(Contract):
    """One template, deprecated or not."""

    operation: Literal["get_by_id"] = "get_by_id"
    pattern_id: UUID


class Search(Page):
    """Templates in whose name, description or code every word of the query begins a word; the likest names first."""

    operation: Literal["search"] = "search"
    query: Words
    language: Word | None = None
    pattern_type: Word | None = None
    category: Word | None = None
    min_confidence_score: Score = Decimal(0)
    min_success_rate: Score = Decimal(0)


class Filter(Page):
    """Templates in force that have all the tags and at least the minimums, best first."""

    operation: Literal["filter"] = "filter"
    tags: Tags = ()
    language: Word | None = None
    pattern_type: Word | None = None
    category: Word | None = None
    source: Word | None = None
    min_confidence_score: Score = Decimal(0)
    min_success_rate: Score = Decimal(0)
    min_usage_count: Uses = 0


class GetRelated(Page):
    """Templates that a template is related to, in either direction, strongest first."""

    operation: Literal["get_related"] = "get_related"
    pattern_id: UUID
    relationship_type: RelationshipType | None = None
    min_strength: Score = Decimal(0)


class GetTop(Page):
    """The templates in force, best first."""

    operation: Literal["get_top"] = "get_top"
    language: Word | None = None


class GetByType(Page):
    """The templates in force of one type, best first."""

    operation: Literal["get_by_type"] = "get_by_type"
    pattern_type: Word
    language: Word | None = None


class RecordUsage(Contract):
    """One use of a template. With an id of the sender's, the same report counts once, and another one is refused."""

    changes = True
    operation: Literal["record_usage"] = "record_usage"
    pattern_id: UUID
    event_id: UUID | None = None
    success: bool
    file_path: Text | None = None
    project_id: Word | None = None
    execution_time_ms: Milliseconds | None = None
    error_message: Text | None = None
    quality_before: Score | None = None
    quality_after: Score | None = None
    used_at: Instant | None = None
    context: Context = {}
    tags: Tags = ()


class UpdateStats(Contract):
    """Count the uses of a template anew, or of all of them."""

    changes = True
    operation: Literal["update_stats"] = "update_stats"
    pattern_id: UUID | None = None


class _Edge(Contract):
    source_pattern_id: UUID
    target_pattern_id: UUID
    relationship_type: RelationshipType

    @property
    def ends(self) -> tuple[UUID, UUID]:
        """Source and target as they are stored: what holds both ways is stored once."""
        ends = (self.source_pattern_id, self.target_pattern_id)
        return (min(ends), max(ends)) if self.relationship_type in ("similar", "conflicts") else ends

    @model_validator(mode="after")
    def _two_templates(self) -> _Edge:
        if self.source_pattern_id == self.target_pattern_id:
            raise ValueError("target_pattern_id: a template is not related to itself")
        return self


class CreateRelationship(_Edge):
    """State how two templates are related; said again, it replaces what was said before."""

    changes = True
    operation: Literal["create_relationship"] = "create_relationship"
    strength: Score = Decimal("0.5")
    description: Text | None = None
    context: Context = {}


class UpdateRelationship(_Edge):
    """Change the given fields of a relationship."""

    changes = True
    operation: Literal["update_relationship"] = "update_relationship"
    fields: RelationshipChanges

    @model_validator(mode="after")
    def _something(self) -> UpdateRelationship:
        if not self.fields.model_fields_set:
            raise ValueError("fields: name at least one to change")
        return self


class _Period(Contract):
    """A half-open period; by default the last 30 days of UTC, today included."""

    period_start: Instant | None = None
    period_end: Instant | None = None

    @model_validator(mode="after")
    def _in_order(self) -> _Period:
        if self.period_start and self.period_end:
            if self.period_start >= self.period_end:
                raise ValueError("period_start: must be before period_end")
            if self.period_end - self.period_start > timedelta(days=3_660):
                raise ValueError("period_start: at most ten years before period_end")
        return self


class ComputeAnalytics(_Period):
    """Compute and store the analytics of a period: of one template, or of all together."""

    changes = True
    operation: Literal["compute_analytics"] = "compute_analytics"
    pattern_id: UUID | None = None


class UsageTrends(_Period):
    """Uses of a template, or of all, by day, week or month."""

    operation: Literal["usage_trends"] = "usage_trends"
    pattern_id: UUID | None = None
    bucket: Bucket = "day"


class QualityTrends(_Period):
    """What the uses of a template changed, by day."""

    operation: Literal["quality_trends"] = "quality_trends"
    pattern_id: UUID


class Effectiveness(Page):
    """How one template does, or the best ones: uses, missed uses, adoption, quality."""

    operation: Literal["effectiveness"] = "effectiveness"
    pattern_id: UUID | None = None


class GlobalStats(Contract):
    """The library as a whole; averages count each template once."""

    operation: Literal["global_stats"] = "global_stats"


Operation: TypeAlias = (
    Insert
    | Update
    | Delete
    | BatchInsert
    | QueryTemplates
    | GetById
    | Search
    | Filter
    | GetRelated
    | GetTop
    | GetByType
    | RecordUsage
    | UpdateStats
    | CreateRelationship
    | UpdateRelationship
    | ComputeAnalytics
    | UsageTrends
    | QualityTrends
    | Effectiveness
    | GlobalStats
)
OPERATION: Final[TypeAdapter[Operation]] = TypeAdapter(Annotated[Operation, Field(discriminator="operation")])
"""Reads a request from plain data: `OPERATION.validate_python({"operation": "get_top"})`."""
