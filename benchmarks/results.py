"""What a benchmark found, in one form for all: printed when it runs by itself, collected when every one is run."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

COLLECTED: Final = "PATTERN_PIPELINE_BENCHMARK_RESULTS"
"""Environment variable: the file to which results are added, one JSON document a line."""


class Result(BaseModel):
    """One measured quantity.

    Attributes:
        name: What was measured, with its size.
        reference: What a ratio is a ratio to; None for quantities that are none.
        unit: Of the values: `x` for ratios, else ms, MB, a share.
        values: One for each repeat.
        goal: At most this, or at least this when `more_is_better`.
        gated: Whether the check for regressions compares it with the baseline; for ratios only.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    values: tuple[float, ...]
    unit: str = "x"
    reference: str | None = None
    goal: float | None = None
    more_is_better: bool = False
    gated: bool = False

    @property
    def median(self) -> float:
        """The figure that is told."""
        return statistics.median(self.values)

    @property
    def spread(self) -> str:
        """From the least to the greatest of the repeats; nothing when there was one."""
        return f"{min(self.values):.3g} to {max(self.values):.3g}" if len(self.values) > 1 else ""

    def within(self) -> bool | None:
        """Whether the median keeps to the goal; None without a goal."""
        if self.goal is None:
            return None
        return self.median >= self.goal if self.more_is_better else self.median <= self.goal

    def worse_than(self, before: Result) -> float:
        """How many times worse than it was; below 1 when it is better."""
        return before.median / self.median if self.more_is_better else self.median / before.median


def report(
    name: str,
    values: float | Sequence[float],
    *,
    unit: str = "x",
    reference: str | None = None,
    goal: float | None = None,
    more_is_better: bool = False,
    gated: bool = False,
) -> Result:
    """Add a result to those that are collected, if they are."""
    result = Result(
        name=name,
        values=tuple(values) if isinstance(values, Sequence) else (values,),
        unit=unit,
        reference=reference,
        goal=goal,
        more_is_better=more_is_better,
        gated=gated,
    )
    if path := os.environ.get(COLLECTED):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(result.model_dump_json() + "\n")
    return result
