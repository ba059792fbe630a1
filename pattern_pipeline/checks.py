"""Asset checks: what must hold before anything downstream may read the data.

All are blocking: inside a run they stop bad data before it reaches the queue. Each is one statement that returns the
offending rows, so a failure shows what to look at. Constraints of the schema are not repeated here.
"""

from typing import Any

import dagster as dg

from pattern_pipeline.assets.common import small_table
from pattern_pipeline.assets.history import raw_workflow_history
from pattern_pipeline.assets.patterns import pattern_occurrences
from pattern_pipeline.assets.statistics import pattern_hourly_statistics, pattern_statistics
from pattern_pipeline.partitions import START, last_complete_hour_end
from pattern_pipeline.patterns.versions import progress
from pattern_pipeline.resources import Pipeline


def _window(context: dg.AssetCheckExecutionContext) -> dict[str, Any]:
    """The hours of the run; a check that is run by itself looks at everything."""
    run = context.op_execution_context
    if run.has_partition_key or run.has_partition_key_range:
        window = run.partition_time_window
        return {"window_start": window.start, "window_end": window.end}
    return {"window_start": START, "window_end": last_complete_hour_end()}


def _result(offending: list[dict[str, Any]], holds: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=not offending,
        description=holds if not offending else f"{len(offending)} or more rows break the rule: {holds}",
        metadata={"offending rows": small_table(offending)},
    )


def _rows(pipeline: Pipeline, statement: str, **params: Any) -> list[dict[str, Any]]:
    with pipeline.warehouse.transaction() as tx:
        return [dict(row) for row in tx.rows(statement, **params)]


@dg.asset_check(asset=raw_workflow_history, blocking=True)
def hours_count_their_rows(context: dg.AssetCheckExecutionContext, pipeline: Pipeline) -> dg.AssetCheckResult:
    """Closed hours count exactly the runs that lie in them."""
    return _result(
        _rows(pipeline, "checks/hours_out_of_step", **_window(context)), "closed hours count exactly the runs in them"
    )


@dg.asset_check(asset=pattern_occurrences, blocking=True)
def no_orphan_occurrence(context: dg.AssetCheckExecutionContext, pipeline: Pipeline) -> dg.AssetCheckResult:
    """Every occurrence stands on a detected signature of a run that counts."""
    return _result(
        _rows(pipeline, "checks/orphan_occurrences", **_window(context)),
        "every occurrence stands on something detected in a run that counts",
    )


@dg.asset_check(asset=pattern_occurrences, blocking=True)
def runs_are_not_overspent(context: dg.AssetCheckExecutionContext, pipeline: Pipeline) -> dg.AssetCheckResult:
    """Patterns of a run never claim more than the run cost."""
    return _result(
        _rows(pipeline, "checks/overspent_runs", **_window(context)), "patterns of a run claim at most what it cost"
    )


@dg.asset_check(asset=pattern_occurrences, blocking=True)
def window_is_not_overspent(context: dg.AssetCheckExecutionContext, pipeline: Pipeline) -> dg.AssetCheckResult:
    """Patterns of a window never claim more than was spent in it."""
    return _result(
        _rows(pipeline, "checks/overspent_window", **_window(context)), "patterns of a window claim at most its spend"
    )


@dg.asset_check(asset=pattern_hourly_statistics, blocking=True)
def hours_sum_their_occurrences(context: dg.AssetCheckExecutionContext, pipeline: Pipeline) -> dg.AssetCheckResult:
    """Hourly aggregates are the sums of their occurrences, and days those of their hours."""
    window = _window(context)
    offending = _rows(pipeline, "checks/underived_hours", **window) + _rows(pipeline, "checks/underived_days", **window)
    return _result(offending, "hours are sums of occurrences and days are sums of hours")


@dg.asset_check(asset=pattern_statistics, blocking=True)
def counts_are_derived(pipeline: Pipeline) -> dg.AssetCheckResult:
    """Published counts are the sums of the hours; nothing is ever incremented."""
    state = progress(pipeline.warehouse)
    if state.recomputing:
        return dg.AssetCheckResult(passed=True, description=f"not compared: {state}")
    return _result(_rows(pipeline, "checks/underived_patterns"), "published counts are sums of the hours")


CHECKS = [
    hours_count_their_rows,
    no_orphan_occurrence,
    runs_are_not_overspent,
    window_is_not_overspent,
    hours_sum_their_occurrences,
    counts_are_derived,
]
