"""Group `history`: from configured sources to closed hours."""

from typing import Any

import dagster as dg
from pydantic import Field

from pattern_pipeline.assets.common import (
    Committing,
    add_hour_metadata,
    add_to_newest,
    hourly_asset,
    table_asset,
    table_metadata,
    window_of,
)
from pattern_pipeline.checks import evaluate, latest_hour
from pattern_pipeline.history.hours import close_hours
from pattern_pipeline.history.landing import land
from pattern_pipeline.history.mapping import options_of
from pattern_pipeline.history.requests import handed_over
from pattern_pipeline.patterns.windows import by_day
from pattern_pipeline.resources import Pipeline

# Every hour is downstream of the landing: a data version that moved with each ingest would make them all stale.
LANDED = dg.DataVersion("workflow_history-1")


class LandingConfig(dg.Config):
    """What to read, and how; it is stored with the run, so that no password belongs here."""

    sources: list[str] = Field(default_factory=list, description="Sources to read; none: every configured source.")
    source_type: str = Field("", description="Reader of the sources; empty: as given before, else found by content.")
    options: dict[str, Any] = Field(
        default_factory=dict, description="namespace, timezone and mapping; what is left out is as given before."
    )


@table_asset(
    "history",
    "Whatever is new in the sources, normalised, redacted, de-duplicated and merged once into "
    "workflow_history and tool_calls. Nothing new: milliseconds.",
)
def landed_history(config: LandingConfig, pipeline: Pipeline) -> dg.MaterializeResult[None]:
    """Read the sources; late rows touch exactly their hours."""
    given = handed_over()
    report = land(
        pipeline.warehouse,
        [given.specs.get(spec, spec) for spec in config.sources],
        options=options_of(config.options),
        source_type=config.source_type or None,
        policy=pipeline.policy,
        settings=pipeline.settings,
        progress=given.progress,
    )
    return dg.MaterializeResult(
        data_version=LANDED,
        check_results=list(evaluate(pipeline.warehouse, "landed_history")),
        metadata={
            "report": dg.MetadataValue.json(report.to_dict()),
            **table_metadata(pipeline.warehouse, "workflow_history"),
        },
    )


@hourly_asset(
    "history",
    "Closes each hour: counts, spend, content hash and the generation that was read. Stores no copy.",
    deps=[landed_history],
)
def raw_workflow_history(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult[None]:
    """Close the hours of the window."""
    window = window_of(context)
    hours = []
    with Committing(context) as committed:
        for part in by_day(window):
            with pipeline.warehouse.transaction() as tx:
                hours += close_hours(tx, part.start, part.end)
            committed(part)
    add_hour_metadata(
        context,
        {
            h.hour: {
                "dagster/partition_row_count": h.workflow_count,
                "steps": h.step_count,
                "spend_usd": float(h.spend_usd),
                "content hash": h.content_hash,
            }
            for h in hours
        },
    )
    add_to_newest(context, {"hours with history": len(hours), **table_metadata(pipeline.warehouse, "history_hours")})
    return dg.MaterializeResult(
        check_results=[
            *evaluate(pipeline.warehouse, "raw_workflow_history", window),
            latest_hour(context.instance, window),
        ]
    )
