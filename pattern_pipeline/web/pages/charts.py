"""Small charts as SVG text: an interval with its middle, and a row of daily counts.

Pure: numbers in, markup out. Colours and sizes are the style sheet's; every chart says in words what it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from markupsafe import Markup, escape

WIDTH: Final = 240
_HEIGHT: Final = 20
_MIDDLE: Final = _HEIGHT / 2
_SPARK_HEIGHT: Final = 40
_THINNEST: Final = 2.0


@dataclass(frozen=True)
class Scale:
    """Maps amounts to places: from the lowest to the highest amount, zero always among them."""

    low: float
    high: float

    @classmethod
    def around(cls, amounts: Iterable[float | Decimal | None]) -> Scale:
        """The scale that all known amounts fit on."""
        known = [0.0, *(float(amount) for amount in amounts if amount is not None)]
        low, high = min(known), max(known)
        return cls(low, high if high > low else low + 1)

    def place(self, amount: float) -> float:
        """Distance from the left edge, within the chart."""
        share = (float(amount) - self.low) / (self.high - self.low)
        return round(min(max(share, 0.0), 1.0) * WIDTH, 2)


def interval_bar(p10: float, p50: float, p90: float, scale: Scale, label: str) -> Markup:
    """A bar from P10 to P90 with a mark at P50 and a line at zero; what is below zero has a class of its own."""
    left, zero, middle, right = scale.place(p10), scale.place(0), scale.place(p50), scale.place(p90)
    if right - left < _THINNEST:
        left = min(left, WIDTH - _THINNEST)
        right = left + _THINNEST
    parts = [_rect("gain", max(left, zero), right)] if right > zero or p90 > 0 else []
    if left < zero:
        parts.insert(0, _rect("loss", left, min(right, zero)))
    return _svg(
        "interval",
        _HEIGHT,
        label,
        f'<line class="track" x1="0" x2="{WIDTH}" y1="{_MIDDLE}" y2="{_MIDDLE}"/>',
        *parts,
        f'<line class="zero" x1="{zero}" x2="{zero}" y1="1" y2="{_HEIGHT - 1}"/>',
        f'<line class="middle" x1="{middle}" x2="{middle}" y1="2" y2="{_HEIGHT - 2}"/>',
    )


def plain_bar(amount: float, scale: Scale, label: str) -> Markup:
    """A bar from zero to one amount."""
    left, right = sorted((scale.place(0), scale.place(amount)))
    return _svg("interval", _HEIGHT, label, _rect("claim", left, max(right, left + _THINNEST)))


def sparkline(counts: Sequence[int], label: str) -> Markup:
    """A column per day, the highest at full height; a day without any leaves its place empty."""
    step, highest = WIDTH / max(len(counts), 1), max([1, *counts])
    columns = [
        f'<rect class="day" x="{round(index * step, 2)}" y="{round(_SPARK_HEIGHT * (1 - count / highest), 2)}"'
        f' width="{round(max(step - 1, 1), 2)}" height="{round(_SPARK_HEIGHT * count / highest, 2)}"/>'
        for index, count in enumerate(counts)
        if count
    ]
    base = f'<line class="track" x1="0" x2="{WIDTH}" y1="{_SPARK_HEIGHT}" y2="{_SPARK_HEIGHT}"/>'
    return _svg("sparkline", _SPARK_HEIGHT, label, *columns, base)


def _rect(kind: str, left: float, right: float) -> str:
    width = round(max(right - left, 0), 2)
    return f'<rect class="{kind}" x="{left}" y="5" width="{width}" height="{_HEIGHT - 10}" rx="2"/>'


def _svg(kind: str, height: int, label: str, *parts: str) -> Markup:
    head = f'<svg class="{kind}" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}"'
    # All but the label is numbers and names of this module; formatting each piece as markup took a third of a page.
    return Markup(f'{head} preserveAspectRatio="none">{"".join(parts)}</svg>')  # noqa: S704
