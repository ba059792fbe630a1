"""The shape of `[sequences]`: which runs of steps count as a repeated sequence.

Only the data model belongs here; mining is in `sequences.py`.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from pattern_pipeline.detection.text_policy import PolicyModel


class SequencePolicy(PolicyModel):
    """Section `[sequences]`.

    Attributes:
        min_workflows: Distinct workflows that must contain a sequence.
        min_days: UTC days on which it must have been seen.
        min_length, max_length: Elements of a sequence.
        window_days: The trailing window that is mined.
    """

    min_workflows: int = Field(ge=1)
    min_days: int = Field(ge=1)
    min_length: int = Field(ge=2)
    max_length: int = Field(ge=2)
    window_days: int = Field(ge=1)

    @model_validator(mode="after")
    def _lengths_ascend(self) -> Self:
        if self.min_length > self.max_length:
            raise ValueError("min_length must not exceed max_length")
        return self
