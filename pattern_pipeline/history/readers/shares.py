"""What a model call's tokens and cost are for each of the steps that it issued: even parts, the remainder on the last.

Which steps a call issued belongs to the readers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from typing import Final

from pattern_pipeline.history.pricing import Usage

_PLACES: Final = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class Share:
    """A step's part of the call that issued it; `cost` in USD, None where the call's is not known."""

    input: int
    output: int
    cost: Decimal | None


def shares(usage: Usage, cost: Decimal | None, parts: int) -> Iterator[Share]:
    """The shares of a call's `parts` steps in their order; they add up to the whole."""
    if parts == 1:
        yield Share(usage.input, usage.output, cost)
        return
    part = None if cost is None else (cost / parts).quantize(_PLACES, ROUND_DOWN)
    for _ in range(parts - 1):
        yield Share(usage.input // parts, usage.output // parts, part)
    last = None if cost is None or part is None else cost - part * (parts - 1)
    given = parts - 1
    yield Share(usage.input - usage.input // parts * given, usage.output - usage.output // parts * given, last)
