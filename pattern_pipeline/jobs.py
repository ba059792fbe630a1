"""Jobs: named selections of the graph. What starts them is in `schedules` and `sensors`."""

import dagster as dg

_spine = dg.AssetSelection.assets(
    "raw_workflow_history", "detected_signatures", "pattern_occurrences", "pattern_hourly_statistics"
)
_catalogue = dg.AssetSelection.assets("sequence_catalog")
_tail = dg.AssetSelection.assets("pattern_statistics").downstream()

CHAIN = dg.define_asset_job(
    "pattern_chain",
    selection=dg.AssetSelection.assets("landed_history") | _spine | _tail,
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
    selection=_spine | _catalogue,
    description="Compute hours anew, one or a whole range in one run; sequences are mined before they are counted.",
)
CATALOGUE = dg.define_asset_job(
    "mine_sequences",
    selection=_catalogue,
    description="Mine the sequences of the trailing window; hours in which the new catalogue finds more become stale.",
)
PUBLISH = dg.define_asset_job(
    "publish",
    selection=_tail,
    description="Statistics, estimates and queue from the hours as they are.",
)
