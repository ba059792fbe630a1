"""Jobs: named selections of the graph. What starts them is in `schedules` and `sensors`."""

import dagster as dg

from pattern_pipeline.partitions import SPINE

_detection = dg.AssetSelection.assets(*SPINE[:2])
_counting = dg.AssetSelection.assets(*SPINE[2:])
_catalogue = dg.AssetSelection.assets("sequence_catalog")
_uses = dg.AssetSelection.assets("pattern_usage_events")
_days = dg.AssetSelection.assets("pattern_quality", "pattern_analytics")
_tail = dg.AssetSelection.assets("pattern_statistics").downstream() - _uses - _days

CHAIN = dg.define_asset_job(
    "pattern_chain",
    selection=dg.AssetSelection.assets("landed_history") | _detection | _counting | _tail | _uses,
    description="From the sources to the queue: new history, the hours asked for, then what stands on all of them. "
    "One green run means an up-to-date queue.",
    tags={"dagster/max_runtime": 4 * 3600},
)
INGEST = dg.define_asset_job(
    "ingest",
    selection=dg.AssetSelection.assets("landed_history"),
    description="Only read what is new in the sources.",
)
HOURS = dg.define_asset_job(
    "recompute_hours",
    selection=_detection | _catalogue | _counting | _uses,
    description="Compute hours anew, one or a whole range in one run; sequences are mined before they are counted.",
)
DUE_HOURS = dg.define_asset_job(
    "due_hours",
    selection=_detection | _counting | _uses,
    description="Compute hours anew with the sequences of the day: what the sensor of late and missing hours starts.",
    tags={"dagster/max_runtime": 4 * 3600},
)
DETECT = dg.define_asset_job(
    "detect_hours",
    selection=_detection,
    description="Close and detect hours, and count nothing yet: for several ranges that one catalogue is mined from.",
)
COUNT = dg.define_asset_job(
    "count_hours",
    selection=_counting | _uses,
    description="Count and aggregate hours that are detected.",
)
CATALOGUE = dg.define_asset_job(
    "mine_sequences",
    selection=_catalogue,
    description="Mine the sequences of the trailing window; hours in which the new catalogue finds more become stale.",
)
PUBLISH = dg.define_asset_job(
    "publish",
    selection=_tail,
    description="Statistics, estimates, queue and templates from the hours as they are.",
)
DAYS = dg.define_asset_job(
    "library_days",
    selection=_days,
    description="Quality of the templates and analytics of their uses, one day or a whole range in one run.",
)
VALIDATE = dg.define_asset_job(
    "validate_roi",
    selection=dg.AssetSelection.assets("roi_validation", "pattern_templates", "pattern_relationships"),
    description="Estimate against reality, and the templates of what is approved, after a decision or an execution.",
)

JOBS = (CHAIN, INGEST, HOURS, DUE_HOURS, DETECT, COUNT, CATALOGUE, PUBLISH, DAYS, VALIDATE)
