"""What may enter the queue: presets of the policy, or a filter of the caller's. What a sync does is in `sync`."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.errors import InvalidInput

DEFAULT_PRESET: Final = "smart"
EVERYTHING: Final = "all"
"""The one preset that lets in patterns whose estimate does not speak for them."""

_PROMISING: Final = ("worth_automating", "promising")
_OTHERS: Final = ("not_worth_automating", "insufficient_evidence")

PatternType = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.+-]+$")]


class SyncFilter(BaseModel):
    """What may enter the queue. A field that is not given is that of the policy's preset `smart`.

    Attributes:
        min_confidence: Points, 0 to 100.
        min_occurrences: Workflows.
        min_savings: Potential monthly savings, USD; unknown savings count as none.
        max_patterns: How many enter at most, best first.
        only_types: Categories to consider; empty: all.
        exclude_types: Categories to leave out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_confidence: float | None = Field(None, ge=0, le=100)
    min_occurrences: int | None = Field(None, ge=0, le=2_147_483_647)
    min_savings: float | None = Field(None, ge=0, allow_inf_nan=False)
    max_patterns: int | None = Field(None, ge=1, le=200)
    only_types: tuple[PatternType, ...] = ()
    exclude_types: tuple[PatternType, ...] = ()


def filter_arguments(chosen: SyncFilter | str, policy: Policy) -> dict[str, Any]:
    """Parameters of the statement that chooses candidates.

    Raises:
        InvalidInput: There is no preset of that name.
    """
    name = chosen if isinstance(chosen, str) else DEFAULT_PRESET
    preset = policy.queue.presets.get(name)
    if preset is None:
        raise InvalidInput(f"queue preset {name!r}: unknown; the policy has {', '.join(sorted(policy.queue.presets))}")
    given = SyncFilter() if isinstance(chosen, str) else chosen
    return {
        **preset.model_dump(),
        **given.model_dump(exclude_none=True),
        "only_types": list(given.only_types),
        "exclude_types": list(given.exclude_types),
        "verdicts": [*_PROMISING, *(_OTHERS if chosen == EVERYTHING else ())],
    }
