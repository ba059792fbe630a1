"""The portfolio's figures as charts: which rows go into which chart of `economics.charts`."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from pattern_pipeline.economics import charts
from pattern_pipeline.roi.portfolio import Ranked, Tornado
from pattern_pipeline.roi.reports import Validation


def estimates_chart(estimates: Sequence[Ranked]) -> str:
    """Net present values, ranked, as SVG."""
    return charts.ranked_intervals(
        [
            {"label": row["pattern_signature"], "low": row["npv_p10"], "middle": row["npv_p50"], "high": row["npv_p90"]}
            for row in (each.model_dump(mode="json") for each in estimates)
        ],
        "Net present value of automating, P10 to P90",
    )


def tornado_chart(tornado: Tornado) -> str:
    """What moves the value of one pattern, as SVG."""
    return charts.tornado(tornado.rows, f"What moves the value of {tornado.pattern_signature}")


def reality_chart(validations: Sequence[Validation]) -> str:
    """Estimate against reality, as SVG."""
    return charts.estimate_against_reality(
        [row | {"label": row["pattern_signature"]} for row in (each.model_dump(mode="json") for each in validations)]
    )


def as_markdown(svg: str, name: str) -> str:
    """A chart as a Markdown image that carries its data."""
    return f"![{name}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"
