"""Frames of executions and baselines for tests of realised ROI."""

from datetime import UTC, datetime
from typing import Any

import polars as pl

from pattern_pipeline.economics.realised import BASELINES, EXECUTIONS

START = datetime(2026, 1, 1, tzinfo=UTC)


def executions(*rows: dict[str, Any], signature: str = "x") -> pl.DataFrame:
    """A frame of executions; what a row leaves out is NULL, the time `START`."""
    defaults = dict.fromkeys(EXECUTIONS.names()) | {"pattern_signature": signature, "executed_at": START}
    return pl.DataFrame(
        [defaults | {key: value for key, value in row.items() if key in EXECUTIONS} for row in rows], schema=EXECUTIONS
    )


def baseline(cost: float | None, signature: str = "x", **changes: Any) -> pl.DataFrame:
    row = {
        "pattern_signature": signature,
        "baseline_cost": cost,
        "saving_per_occurrence": None,
        "build_cost": 75.0,
        "in_service_since": None,
    }
    return pl.DataFrame([row | changes], schema=BASELINES)
