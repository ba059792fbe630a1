"""Group `statistics`: partial aggregates by hour, and what they say about each pattern."""

import dagster as dg

from pattern_pipeline.assets.common import (
    Committing,
    add_row_counts,
    add_to_newest,
    hourly_asset,
    table_asset,
    table_metadata,
    window_of,
)
from pattern_pipeline.assets.patterns import pattern_occurrences
from pattern_pipeline.automation import after_its_parents
from pattern_pipeline.checks import evaluate
from pattern_pipeline.patterns.statistics import publish_statistics, replace_statistics
from pattern_pipeline.resources import Pipeline


@hourly_asset(
    "statistics",
    "Mergeable partial aggregates per pattern and hour, rolled up to days.",
    deps=[pattern_occurrences],
)
def pattern_hourly_statistics(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult[None]:
    """Aggregate the hours of the window anew."""
    window = window_of(context)
    with Committing(context) as committed:
        rows = replace_statistics(pipeline.warehouse, window, committed)
    add_row_counts(context, pipeline.warehouse, "patterns/statistics_rows_by_hour", window)
    add_to_newest(context, {"rows": rows, **table_metadata(pipeline.warehouse, "pattern_hourly_statistics")})
    return dg.MaterializeResult(check_results=list(evaluate(pipeline.warehouse, "pattern_hourly_statistics", window)))


@table_asset(
    "statistics",
    "Counts, means and confidence of every pattern, derived from the days and written to operation_patterns.",
    deps=[pattern_hourly_statistics],
    automation=after_its_parents(),
)
def pattern_statistics(pipeline: Pipeline) -> dg.MaterializeResult[None]:
    """Publish the statistics, unless hours still wait to be recomputed on the active rules."""
    published = publish_statistics(pipeline.warehouse, pipeline.policy)
    return dg.MaterializeResult(
        check_results=list(evaluate(pipeline.warehouse, "pattern_statistics")),
        metadata={
            "patterns": published.patterns,
            "state": published.state,
            **table_metadata(pipeline.warehouse, "operation_patterns"),
        },
    )
