"""Group `detection`: what the policy's rules see in the runs and steps of each hour, and which sequences repeat."""

import dagster as dg

from pattern_pipeline.assets.common import (
    EVERY_DAY,
    Committing,
    add_row_counts,
    add_to_newest,
    hourly_asset,
    table_asset,
    table_metadata,
    window_of,
)
from pattern_pipeline.assets.history import raw_workflow_history
from pattern_pipeline.patterns.catalogue import mine_catalogue
from pattern_pipeline.patterns.versions import activate
from pattern_pipeline.resources import Pipeline


@hourly_asset(
    "detection",
    "One narrow row per (run, signature, layer, step): ids of dictionaries, no text.",
    deps=[raw_workflow_history],
)
def detected_signatures(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult[None]:
    """Detect the signatures of the window anew."""
    activate(pipeline.warehouse, pipeline.policy)
    window = window_of(context)
    with Committing(context) as committed:
        found = pipeline.detector.replace(pipeline.warehouse, window, committed)
    add_row_counts(context, pipeline.warehouse, "patterns/detected_rows_by_hour", window)
    add_to_newest(
        context,
        {
            "runs": found.workflows,
            "rows": found.rows,
            "detection version": pipeline.policy.detection_version,
            **table_metadata(pipeline.warehouse, "detected_signatures"),
        },
    )
    return dg.MaterializeResult()


@table_asset(
    "detection",
    "The closed sequences of 2 to 8 steps that repeat over the trailing window, as one versioned catalogue. "
    "An equal catalogue is a no-op; a changed one makes stale exactly the hours in which it finds something else.",
    deps=[detected_signatures],
    freshness=EVERY_DAY,
)
def sequence_catalog(pipeline: Pipeline) -> dg.MaterializeResult[None]:
    """Mine the trailing window of the history."""
    activate(pipeline.warehouse, pipeline.policy)
    mined = mine_catalogue(pipeline.warehouse, pipeline.policy)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(mined.version),
        metadata={
            "sequences": mined.sequences,
            "automatable": mined.automatable,
            "steps": mined.steps,
            "hours to recompute": mined.touched_hours,
            **table_metadata(pipeline.warehouse, "sequence_catalog"),
        },
    )
