"""Group `review`: the queue that a person decides upon."""

import dagster as dg
from pydantic import Field

from pattern_pipeline.assets.common import table_asset, table_metadata
from pattern_pipeline.assets.roi import roi_estimates
from pattern_pipeline.automation import after_its_parents
from pattern_pipeline.patterns.versions import progress
from pattern_pipeline.resources import Pipeline
from pattern_pipeline.review.sync import sync

REVIEW_PAGE = "http://127.0.0.1:3001"  # where `pattern-pipeline up` and `review` serve it unless told otherwise


class QueueConfig(dg.Config):
    """How much enters the queue."""

    preset: str = Field(default="", description="Preset of the policy's [queue]; empty: its scheduled_preset.")


@table_asset(
    "review",
    "pattern_approvals: new candidates by expected value, fresh evidence beside old ones; never a decision.",
    deps=[roi_estimates],
    automation=after_its_parents(),
)
def approval_queue(config: QueueConfig, pipeline: Pipeline) -> dg.MaterializeResult[None]:
    """Put what deserves a decision into the queue."""
    preset = config.preset or pipeline.policy.queue.scheduled_preset
    waiting = progress(pipeline.warehouse).recomputing
    result = sync(pipeline.warehouse, preset, policy=pipeline.policy, recomputing=waiting)
    return dg.MaterializeResult(
        metadata={
            "preset": preset,
            "review page": dg.MetadataValue.url(REVIEW_PAGE),
            "result": dg.MetadataValue.json(result.model_dump(mode="json")),
            **table_metadata(pipeline.warehouse, "pattern_approvals"),
        }
    )
