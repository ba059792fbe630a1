"""The composition root: everything Dagster loads, put together once.

No asset, check or schedule is defined here.
"""

import dagster as dg

from pattern_pipeline.assets import detection, history, library, patterns, review, roi, statistics
from pattern_pipeline.assets.versions import with_basis
from pattern_pipeline.decisions import record_decision
from pattern_pipeline.jobs import JOBS
from pattern_pipeline.resources import Pipeline
from pattern_pipeline.retention import retention
from pattern_pipeline.schedules import DAILY_CATALOGUE, DAILY_RETENTION, HOURLY_CHAIN
from pattern_pipeline.sensors import SENSORS

ASSETS = [
    history.landed_history,
    history.raw_workflow_history,
    detection.detected_signatures,
    detection.sequence_catalog,
    patterns.pattern_occurrences,
    statistics.pattern_hourly_statistics,
    statistics.pattern_statistics,
    roi.roi_estimates,
    roi.roi_validation,
    review.approval_queue,
    library.pattern_templates,
    library.pattern_usage_events,
    library.pattern_relationships,
    library.pattern_quality,
    library.pattern_analytics,
]


def build_defs(*, pipeline: Pipeline | None = None) -> dg.Definitions:
    """A fresh `Definitions`; `pipeline` stands in for the installation's own warehouse and policy."""
    pipeline = pipeline or Pipeline()
    return dg.Definitions(
        assets=[with_basis(asset, pipeline.policy) for asset in ASSETS],
        jobs=[*JOBS, record_decision, retention],
        schedules=[HOURLY_CHAIN, DAILY_CATALOGUE, DAILY_RETENTION],
        sensors=SENSORS,
        resources={"pipeline": pipeline},
        executor=dg.in_process_executor,
    )


defs = build_defs()
