"""Group `patterns`: how often each pattern occurs, and what it really cost."""

import dagster as dg

from pattern_pipeline.assets.common import (
    Committing,
    add_row_counts,
    add_to_newest,
    hourly_asset,
    table_metadata,
    window_of,
)
from pattern_pipeline.assets.detection import detected_signatures, sequence_catalog
from pattern_pipeline.checks import evaluate
from pattern_pipeline.patterns.occurrences import replace_occurrences
from pattern_pipeline.patterns.versions import activate
from pattern_pipeline.resources import Pipeline


@hourly_asset(
    "patterns",
    "One row per (pattern, run) with its attributed cost; new patterns appear in operation_patterns.",
    deps=[detected_signatures, sequence_catalog],
)
def pattern_occurrences(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult[None]:
    """Count the occurrences of the window anew."""
    activate(pipeline.warehouse, pipeline.policy)
    window = window_of(context)
    with Committing(context) as committed:
        counted = replace_occurrences(pipeline.warehouse, pipeline.policy, window, committed)
    add_row_counts(context, pipeline.warehouse, "patterns/occurrence_rows_by_hour", window)
    add_to_newest(
        context,
        {
            "occurrences": counted.occurrences,
            "new patterns": counted.new_patterns,
            **table_metadata(pipeline.warehouse, "pattern_occurrences"),
        },
    )
    return dg.MaterializeResult(check_results=list(evaluate(pipeline.warehouse, "pattern_occurrences", window)))
