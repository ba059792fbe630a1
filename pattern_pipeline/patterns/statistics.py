"""Statistics: mergeable partial aggregates by hour and day, and what they say about each pattern.

Counts are always derived from rows, and published only while every hour stands on the active versions. Estimating
money belongs to `estimates`.
"""

import math
from contextlib import closing
from dataclasses import dataclass
from functools import partial

import polars as pl

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.economics.confidence import detection_confidence, effective_confidence
from pattern_pipeline.patterns.versions import progress
from pattern_pipeline.patterns.windows import DAY, HOUR, Committed, Window, by_day, floor_day, nobody
from pattern_pipeline.warehouse.ahead import side_by_side
from pattern_pipeline.warehouse.database import Warehouse

LOCK = "pattern_statistics"
RECENT = 1000  # occurrences that medians, projects and models look at: bounded at any length of history


def replace_statistics(warehouse: Warehouse, window: Window, committed: Committed = nobody) -> int:
    """Aggregate the window's hours anew, and the days that hold them; returns the rows of the hours."""
    parts = by_day(window)
    rows = 0
    work = partial(_replace_part, warehouse)
    with warehouse.exclusively(LOCK), closing(side_by_side(work, parts)) as aggregating:
        for part, written in zip(parts, aggregating, strict=True):
            rows += written
            committed(part)
    return rows


def _replace_part(warehouse: Warehouse, part: Window) -> int:
    days = {"first_day": floor_day(part.start), "next_day": floor_day(part.end - HOUR) + DAY}
    with warehouse.transaction() as tx:
        tx.join(LOCK)
        tx.run("patterns/clear_hourly_statistics", **part.params)
        rows = tx.run("patterns/insert_hourly_statistics", **part.params)
        tx.run("patterns/clear_daily_statistics", **days)
        tx.run("patterns/insert_daily_statistics", **days)
    return rows


@dataclass(frozen=True)
class Published:
    """What the publication came to; with hours waiting, the figures published before stay as they are."""

    patterns: int
    state: str


def publish_statistics(warehouse: Warehouse, policy: Policy) -> Published:
    """Write totals, means and confidence of every pattern from the days, once all hours stand on the active rules."""
    state = progress(warehouse)
    if state.recomputing:
        return Published(0, str(state))
    with warehouse.bulk() as tx:
        tx.lock(LOCK)
        tx.run("patterns/collect_totals")
        totals = tx.frame("patterns/totals")
        tx.run("patterns/stage_confidence")
        tx.load("stage_confidence", _confidence(totals, policy), temporary=True)
        tx.run("patterns/note_confidence_changes", confidence_version=policy.confidence_version)
        tx.run("patterns/publish_statistics", recent=RECENT, confidence_version=policy.confidence_version)
        tx.run("patterns/publish_typical")
    return Published(totals.height, str(state))


def _confidence(totals: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Detection confidence, and what executions make of it."""
    detected = detection_confidence(totals, policy.confidence)
    successes, executions, roi = (
        totals[name].cast(pl.Float64).fill_null(math.nan).to_numpy()
        for name in ("successful_executions", "total_executions", "roi_percentage")
    )
    effective = effective_confidence(detected, successes, executions, roi, policy.confidence)
    return totals.select(
        "pattern_id",
        detection_confidence=pl.Series(detected),
        confidence_score=pl.Series(effective),
    ).with_columns(pl.col("detection_confidence", "confidence_score").cast(pl.Decimal(5, 2)))
