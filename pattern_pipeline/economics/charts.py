"""Charts of economic figures as small, self-contained SVG text: ranked intervals, tornado, estimate against reality.

Belongs here: geometry and marks. Does not belong here: which rows are shown, files, pages. Each chart has a title and a
text for those who cannot see it, and reads on a light and on a dark ground. Money is US dollars.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from pattern_pipeline.economics.words import INPUT_NAMES, usd

Row = Mapping[str, Any]

WIDTH, LABELS, RIGHT, LINE, HEAD, FOOT = 760, 250, 24, 24, 44, 28
STYLE = (
    "<style>text{font:12px system-ui,sans-serif;fill:#1f2933}.t{font-weight:600;font-size:14px}.a{fill:#52606d}"
    ".g{stroke:#cbd2d9}.z{stroke:#52606d}.r{stroke:#3e7cb1;stroke-width:6;stroke-linecap:round;opacity:.55}"
    ".m{fill:#12507b}.l{fill:#b5651d}.h{fill:#3e7cb1}.e{stroke:#b5651d;stroke-width:3}"
    "@media(prefers-color-scheme:dark){text{fill:#e4e7eb}.a{fill:#9aa5b1}.g{stroke:#3e4c59}.z{stroke:#9aa5b1}"
    ".m{fill:#a9d1f5}.l{fill:#e39b5a}.e{stroke:#e39b5a}}</style>"
)


@dataclass(frozen=True)
class _Scale:
    """A linear scale of dollars over the plot's width, with round ticks."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Sequence[float]) -> "_Scale":
        """Covers the values and zero, with a little room."""
        low, high = min([0.0, *values]), max([0.0, *values])
        room = 0.04 * (high - low) or 1.0
        return cls(low - room * (low < 0), high + room)

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(LABELS + share * (WIDTH - LABELS - RIGHT), 1)

    def ticks(self) -> list[float]:
        """About five values at 1, 2 or 5 times a power of ten."""
        raw = (self.high - self.low) / 5
        power = 10.0 ** np.floor(np.log10(raw))
        step = float(next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw))
        first, last = int(np.ceil(self.low / step)), int(np.floor(self.high / step))
        return [number * step for number in range(first, last + 1)]


def ranked_intervals(rows: Sequence[Row], title: str = "Net present value, P10 to P90") -> str:
    """A line per row from low to high with a mark in the middle.

    Args:
        rows: label, low, middle and high; rows with an unknown end are left out.
        title: what the figures are.
    """
    known = [row for row in rows if None not in (row["low"], row["middle"], row["high"])]
    scale = _Scale.over([row[key] for row in known for key in ("low", "high")])
    marks = [
        _label(place, row["label"])
        + f'<line class="r" x1="{scale(row["low"])}" x2="{scale(row["high"])}" y1="{_y(place)}" y2="{_y(place)}"/>'
        + f'<circle class="m" cx="{scale(row["middle"])}" cy="{_y(place)}" r="4"><title>{_span(row)}</title></circle>'
        for place, row in enumerate(known)
    ]
    return _svg(title, "; ".join(f"{row['label']}: {_span(row)}" for row in known), scale, marks)


def tornado(rows: Sequence[Row], title: str) -> str:
    """A bar per input from the value at its low end to that at its high end, widest first.

    Args:
        rows: of `pattern_pipeline.economics.sensitivity.Sensitivity.tornado`, of one pattern.
        title: whose value it is.
    """
    scale = _Scale.over([row[key] for row in rows for key in ("npv_low", "npv_high")])
    marks = []
    for place, row in enumerate(rows):
        ends = sorted((scale(row["npv_low"]), scale(row["npv_high"])))
        shade = "h" if row["npv_high"] >= row["npv_low"] else "l"
        marks.append(
            _label(place, INPUT_NAMES[row["input"]])
            + f'<rect class="{shade}" x="{ends[0]}" y="{_y(place) - 7}" width="{max(ends[1] - ends[0], 1):.1f}"'
            + ' height="14">'
            + f"<title>{_swing(row)}</title></rect>"
        )
    text = "; ".join(f"{INPUT_NAMES[row['input']]}: {_swing(row)}" for row in rows)
    return _svg(title, text, scale, marks)


def estimate_against_reality(
    rows: Sequence[Row], title: str = "Saving of one execution: estimated and realised"
) -> str:
    """A line per pattern with the realised mean and its interval, and a bar where the estimate said it would be.

    Args:
        rows: label, validation, estimated, realised_mean, difference_low and difference_high; rows without an estimate
            or a mean are left out.
        title: what the figures are.
    """
    known = [row for row in rows if None not in (row["estimated"], row["realised_mean"])]
    lines = [(row, *_interval(row)) for row in known]
    scale = _Scale.over([value for row, low, high in lines for value in (row["estimated"], low, high)])
    marks = [
        _label(place, f"{row['label']} ({row['validation']})")
        + f'<line class="r" x1="{scale(low)}" x2="{scale(high)}" y1="{_y(place)}" y2="{_y(place)}"/>'
        + f'<circle class="m" cx="{scale(row["realised_mean"])}" cy="{_y(place)}" r="4"/>'
        + f'<line class="e" x1="{scale(row["estimated"])}" x2="{scale(row["estimated"])}"'
        + f' y1="{_y(place) - 8}" y2="{_y(place) + 8}"><title>estimated {usd(row["estimated"])}</title></line>'
        for place, (row, low, high) in enumerate(lines)
    ]
    text = "; ".join(
        f"{row['label']}: estimated {usd(row['estimated'])}, realised {usd(row['realised_mean'])}, {row['validation']}"
        for row in known
    )
    return _svg(title, text, scale, marks)


def _interval(row: Row) -> tuple[float, float]:
    """Of the realised mean, from that of its difference to the estimate; the mean alone where it is unknown."""
    ends = (row["difference_low"], row["difference_high"])
    low, high = (row["realised_mean"] if end is None else row["estimated"] + end for end in ends)
    return low, high


def _svg(title: str, text: str, scale: _Scale, marks: Sequence[str]) -> str:
    height = HEAD + LINE * max(len(marks), 1) + FOOT
    body = "".join(_axis(scale, height)) + "".join(marks) if marks else _note("Nothing to show yet.")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' role="img">'
        f"<title>{escape(title)}</title><desc>{escape(text or 'Nothing to show yet.')}</desc>{STYLE}"
        f'<text class="t" x="8" y="20">{escape(title)}</text>{body}</svg>'
    )


def _axis(scale: _Scale, height: int) -> Iterator[str]:
    for tick in scale.ticks():
        x = scale(tick)
        yield f'<line class="{"z" if tick == 0 else "g"}" x1="{x}" x2="{x}" y1="{HEAD - 10}" y2="{height - FOOT}"/>'
        yield f'<text class="a" x="{x}" y="{height - 10}" text-anchor="middle">{usd(tick)}</text>'


def _label(place: int, text: str) -> str:
    short = text if len(text) <= 36 else f"{text[:35]}…"
    return f'<text x="8" y="{_y(place) + 4}">{escape(short)}</text>'


def _note(text: str) -> str:
    return f'<text class="a" x="8" y="{HEAD + 12}">{text}</text>'


def _y(place: int) -> int:
    return HEAD + LINE * place + LINE // 2


def _span(row: Row) -> str:
    return f"{usd(row['low'])} to {usd(row['high'])}, middle {usd(row['middle'])}"


def _swing(row: Row) -> str:
    return f"{usd(row['npv_low'])} at {row['low']:.4g}, {usd(row['npv_high'])} at {row['high']:.4g}"
