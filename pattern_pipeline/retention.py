"""The job `retention`: keeps Dagster's tables from growing for ever.

What may go is decided by `warehouse.pruning`; ticks are purged by Dagster itself, as dagster.yaml says.
"""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import dagster as dg

from pattern_pipeline.resources import Pipeline
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.pruning import prune
from pattern_pipeline.warehouse.servers import dagster_url


@dg.op
def prune_dagster_tables(context: dg.OpExecutionContext, pipeline: Pipeline) -> None:
    """Remove logs that are older than PATTERN_PIPELINE_KEEP_LOG_DAYS."""
    before = datetime.now(UTC) - timedelta(days=pipeline.settings.keep_log_days)
    with Warehouse(dagster_url(pipeline.settings)) as dagster:
        pruned = prune(dagster, before)
    context.add_output_metadata(asdict(pruned))
    context.log.info(f"Removed {pruned.events} events, {pruned.runs} runs and {pruned.checks} check results.")


@dg.job(
    description="Removes logs and replaced events that are older than PATTERN_PIPELINE_KEEP_LOG_DAYS from Dagster's "
    "tables; never the newest materialisation of a partition.",
)
def retention() -> None:
    """Dagster's own tables, kept small."""
    prune_dagster_tables()
