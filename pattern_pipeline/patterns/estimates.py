"""Estimates: feeds the window's aggregates to `economics` and stores what it says, with all that went into it.

No formula lives here. An estimate is never changed: new inputs make a new row, and the pattern points to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.economics.estimates import estimate
from pattern_pipeline.economics.evidence import INPUT
from pattern_pipeline.economics.exposure import Exposure, Window, exposure
from pattern_pipeline.patterns.versions import progress
from pattern_pipeline.warehouse.database import BulkTransaction, Warehouse

FIRST_PATTERN, LAST_PATTERN = 1, 2**31 - 1
"""The range of all pattern numbers."""


@dataclass(frozen=True)
class Estimated:
    """What one pass over all patterns came to."""

    patterns: int
    new: int
    state: str
    verdicts: Mapping[str, int] = field(default_factory=dict)


def estimate_patterns(
    warehouse: Warehouse, policy: Policy, first_pattern: int = FIRST_PATTERN, last_pattern: int = LAST_PATTERN
) -> Estimated:
    """Estimate every pattern of a range, once all hours stand on the active rules; equal inputs add no row."""
    state = progress(warehouse)
    if state.recomputing:
        return Estimated(0, 0, str(state))
    with warehouse.bulk() as tx:
        tx.lock("roi_estimates")
        inputs = roi_inputs(tx, policy, first_pattern, last_pattern)
        if inputs is None:
            return Estimated(0, 0, "no history yet")
        frame, window = inputs
        estimates = estimate(frame, policy.roi, window=window, roi_version=policy.roi_version)
        before = tx.scalar("patterns/count_estimates")
        tx.load("stage_estimates", _with_inputs(estimates, frame), temporary=True, create=True)
        tx.run("patterns/add_estimates")
        new = tx.scalar("patterns/count_estimates") - before
        tx.run("patterns/point_to_estimates")
        tx.run("patterns/prune_estimates")
        tx.run("patterns/drop_staged_estimates")
    verdicts = estimates["verdict"].value_counts(sort=True)
    return Estimated(estimates.height, new, str(state), dict(verdicts.iter_rows()))


def roi_inputs(
    tx: BulkTransaction, policy: Policy, first_pattern: int = FIRST_PATTERN, last_pattern: int = LAST_PATTERN
) -> tuple[pl.DataFrame, Window] | None:
    """Input frame of `economics.estimates.estimate` for a range of patterns, and its window; None without history."""
    days = tx.frame("patterns/history_days", window_days=policy.roi.window_days)
    if days.is_empty():
        return None
    latest = tx.scalar("patterns/latest_event")
    window = Window.ending_with(latest, policy.roi.window_days)
    seen = covered_days(days, window)
    frame = tx.frame(
        "patterns/roi_inputs",
        window_start=window.start,
        window_end=window.end,
        sample_size=policy.roi.sample_size,
        first_pattern=first_pattern,
        last_pattern=last_pattern,
    )
    return frame.with_columns(
        pl.lit(seen.days, pl.Int64).alias("exposure_days"), pl.lit(len(seen.gaps), pl.Int64).alias("gap_days")
    ), window


def _with_inputs(estimates: pl.DataFrame, inputs: pl.DataFrame) -> pl.DataFrame:
    """The estimates, each with the aggregates it was made of; samples stay where they are, in the occurrences."""
    aggregates = [name for name in INPUT.names() if name != "recent_costs"]
    stored = inputs.select("pattern_signature", pl.struct(aggregates).struct.json_encode().alias("inputs"))
    return estimates.join(stored, on="pattern_signature", validate="1:1", maintain_order="left")


def covered_days(days: pl.DataFrame, window: Window) -> Exposure:
    """Exposure from a row per day (`day`, `has_history`, `covered`)."""
    return exposure(days.filter("has_history")["day"], window, days.filter(~pl.col("covered"))["day"])
