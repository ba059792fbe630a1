"""The shape of `[queue]`: which patterns a person gets to see, and when a decision is put before them again.

Only the data model belongs here; the sync itself is a service of `review`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from pattern_pipeline.detection.text_policy import PolicyModel

PresetName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]+$")]


class QueuePreset(PolicyModel):
    """A named filter of the sync.

    Attributes:
        min_confidence: Points, 0 to 100.
        min_occurrences: Workflows.
        min_savings: Potential monthly savings, USD.
        max_patterns: How many a sync adds at most.
    """

    min_confidence: float = Field(ge=0, le=100)
    min_occurrences: int = Field(ge=1)
    min_savings: float = Field(ge=0, allow_inf_nan=False)
    max_patterns: int = Field(ge=1, le=200)


class QueuePolicy(PolicyModel):
    """Section `[queue]`.

    Attributes:
        scheduled_preset: The preset of the hourly run.
        drift_confidence_points: A decided pattern needs review when its confidence moved by more than this.
    """

    presets: Mapping[PresetName, QueuePreset] = Field(min_length=1)
    scheduled_preset: PresetName
    drift_confidence_points: float = Field(ge=0, le=100)

    @model_validator(mode="after")
    def _scheduled_preset_exists(self) -> Self:
        if self.scheduled_preset not in self.presets:
            raise ValueError(
                f"scheduled_preset: no preset {self.scheduled_preset!r}; allowed: {', '.join(sorted(self.presets))}"
            )
        return self
