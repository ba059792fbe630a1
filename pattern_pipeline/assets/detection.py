"""Group `detection`: what the policy's rules see in the runs and steps of each hour."""

import dagster as dg

from pattern_pipeline.assets.common import HOURLY_ASSET, table_metadata, window_of
from pattern_pipeline.assets.history import raw_workflow_history
from pattern_pipeline.patterns.versions import activate
from pattern_pipeline.resources import Pipeline


@dg.asset(
    group_name="detection",
    deps=[raw_workflow_history],
    description="One narrow row per (run, signature, layer, step): ids of dictionaries, no text.",
    **HOURLY_ASSET,
)
def detected_signatures(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult[None]:
    """Detect the signatures of the window anew."""
    activate(pipeline.warehouse, pipeline.policy)
    found = pipeline.detector.replace(pipeline.warehouse, window_of(context))
    return dg.MaterializeResult(
        metadata={
            "runs": found.workflows,
            "rows": found.rows,
            "detection version": pipeline.policy.detection_version,
            **table_metadata(pipeline.warehouse, "detected_signatures"),
        }
    )
