"""Input frames for estimates: plausible defaults that a test overrides where it matters."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from pattern_pipeline.economics.assumptions import RoiPolicy
from pattern_pipeline.economics.estimates import estimate
from pattern_pipeline.economics.evidence import INPUT
from pattern_pipeline.economics.exposure import Window

WINDOW = Window.ending_with(datetime(2026, 3, 31, 12, tzinfo=UTC), 90)


def pattern(costs: Sequence[float], signature: str = "test:pytest:backend", **changes: Any) -> dict[str, Any]:
    """A row whose occurrences are all priced on basis ``step`` by ``costs``."""
    n = len(costs)
    defaults = {
        "pattern_signature": signature,
        "category": signature.split(":")[0],
        "automatable": True,
        "exclusion_reason": None,
        "exposure_days": 90,
        "gap_days": 0,
        "occurrences": n,
        "hits": n,
        "completed": n,
        "failed": 0,
        "distinct_days": min(n, 60),
        "step_n": n,
        "step_sum": float(np.sum(costs)),
        "run_n": 0,
        "run_sum": 0.0,
        "naive_sum": 20 * float(np.sum(costs)),
        "executions_succeeded": 0,
        "executions_failed": 0,
        "execution_cost_n": 0,
        "execution_cost_sum": 0.0,
        "recent_costs": list(costs)[:1000],
    }
    return defaults | changes


def skewed(n: int, seed: int = 0, scale: float = 0.2) -> list[float]:
    return [float(cost) for cost in scale * np.random.default_rng(seed).lognormal(0, 1, n)]


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=INPUT)


def estimates(*rows: dict[str, Any], policy: RoiPolicy | None = None, roi_version: str = "v1") -> list[dict[str, Any]]:
    result = estimate(frame(*rows), policy or RoiPolicy(), window=WINDOW, roi_version=roi_version)
    return result.to_dicts()


def one(row: dict[str, Any], **options: Any) -> dict[str, Any]:
    return estimates(row, **options)[0]
