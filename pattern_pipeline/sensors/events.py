"""Sensors of single events: sources that changed, decisions of people, executions of automations."""

import dagster as dg
from pydantic import BaseModel

from pattern_pipeline.history.watching import changed_files, digest
from pattern_pipeline.jobs import INGEST, VALIDATE
from pattern_pipeline.resources import Pipeline

SHOWN = 5


class SeenFiles(BaseModel):
    """Cursor of `source_changes`: the state of the files that a run was asked for last."""

    digest: str = ""


class SeenEvents(BaseModel):
    """Cursor of `decisions_and_executions`: the newest of each that a run was asked for."""

    decision: int = 0
    execution: int = 0


@dg.sensor(
    job=INGEST,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Reads configured files as soon as they are new or changed; one run for all of them. "
    "Database sources are read by the hourly run.",
)
def source_changes(context: dg.SensorEvaluationContext, pipeline: Pipeline) -> dg.SensorResult:
    """Ask for one ingest per state of the sources."""
    seen = SeenFiles.model_validate_json(context.cursor or "{}")
    changed = changed_files(pipeline.warehouse)
    if not changed:
        return dg.SensorResult(skip_reason="Every configured file is as it was read.")
    state = digest(changed)
    if state == seen.digest:
        return dg.SensorResult(skip_reason=f"An ingest of the {len(changed)} changed files was asked for already.")
    context.log.info("Changed: %s", ", ".join(each.location for each in changed[:SHOWN]))
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=state)], cursor=SeenFiles(digest=state).model_dump_json()
    )


@dg.sensor(
    job=VALIDATE,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="After a decision or an execution: compares the estimates with reality anew, and brings the "
    "templates in line with what is approved.",
)
def decisions_and_executions(context: dg.SensorEvaluationContext, pipeline: Pipeline) -> dg.SensorResult:
    """Ask for one run per newest pair of decision and execution."""
    seen = SeenEvents.model_validate_json(context.cursor or "{}")
    with pipeline.warehouse.transaction() as tx:
        newest = SeenEvents.model_validate(
            {name: number or 0 for name, number in dict(tx.one("review/newest_events") or {}).items()}
        )
    if newest == seen:
        return dg.SensorResult(skip_reason="No decision and no execution since the last run was asked for.")
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=f"{newest.decision}/{newest.execution}")], cursor=newest.model_dump_json()
    )
