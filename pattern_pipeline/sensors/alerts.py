"""Sensors that tell people: a run failed, or a pattern that is worth much waits for a decision."""

from typing import Final

import dagster as dg
import polars as pl
from pydantic import BaseModel

from pattern_pipeline.alerts import Alert, send
from pattern_pipeline.history.redaction import Redactor
from pattern_pipeline.resources import Pipeline

MOST_PATTERNS: Final = 200
_ERROR_LENGTH: Final = 500


class Told(BaseModel):
    """Cursor of `valuable_patterns`: the valuable patterns that were there at the last tick."""

    pattern_ids: list[int] = []


@dg.run_failure_sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A failed run goes to the log and to PATTERN_PIPELINE_ALERT_URL. Crashed workers are retried first.",
)
def failure_alert(context: dg.RunFailureSensorContext, pipeline: Pipeline) -> None:
    """Tell that a run failed for good."""
    run = context.dagster_run
    if run.tags.get("dagster/will_retry") == "true":
        context.log.info(f"Run {run.run_id} of {run.job_name} crashed and is started again.")
        return
    steps = [event for event in context.get_step_failure_events() if event.step_key]
    error = "\n".join(filter(None, [context.failure_event.message, *(_error(event) for event in steps)]))
    clean, _ = Redactor(pipeline.policy.redaction).text(pl.Series([error]))
    facts = {
        "run_id": run.run_id,
        "job": run.job_name,
        "steps": [event.step_key for event in steps],
        "partition": run.tags.get("dagster/partition"),
        "range": [run.tags.get(f"dagster/asset_partition_range_{edge}") for edge in ("start", "end")],
        "error": clean.item()[:_ERROR_LENGTH],
    }
    where = f" in {', '.join(map(str, facts['steps']))}" if steps else ""
    text = f"Run {run.run_id[:8]} of {run.job_name} failed{where}."
    send(Alert("run_failed", text, facts), pipeline.settings.alert_url, context.log)


@dg.sensor(
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Patterns that newly wait for a decision and would save at least "
    "PATTERN_PIPELINE_ALERT_MONTHLY_SAVINGS USD a month by their cautious estimate go to the log and to "
    "PATTERN_PIPELINE_ALERT_URL, together.",
)
def valuable_patterns(context: dg.SensorEvaluationContext, pipeline: Pipeline) -> dg.SensorResult:
    """Tell of valuable patterns that were not there at the last tick."""
    told = Told.model_validate_json(context.cursor or "{}")
    settings = pipeline.settings
    with pipeline.warehouse.transaction() as tx:
        found = tx.rows("review/valuable_patterns", threshold=settings.alert_monthly_savings, most=MOST_PATTERNS)
    new = [row for row in found if row["pattern_id"] not in told.pattern_ids]
    if new:
        shown = [
            {
                "pattern": row["pattern_signature"],
                "readable": row["readable"],
                "net_p10": float(row["net_p10"]),
                "net_p50": float(row["net_p50"]),
                "occurrences": row["occurrence_count"],
            }
            for row in new[:10]
        ]
        best = f"{shown[0]['pattern']} at {shown[0]['net_p10']:,.0f} USD a month or more"
        text = f"{len(new)} new {'pattern waits' if len(new) == 1 else 'patterns wait'} for a decision, first {best}."
        send(Alert("valuable_patterns", text, {"count": len(new), "patterns": shown}), settings.alert_url, context.log)
    return dg.SensorResult(
        skip_reason=f"{len(new)} new valuable patterns." if new else "No new valuable pattern.",
        cursor=Told(pattern_ids=[row["pattern_id"] for row in found]).model_dump_json(),
    )


def _error(event: dg.DagsterEvent) -> str | None:
    """The innermost message of a failed step: the outer one only says that the step failed."""
    error = event.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return None if error is None else error.message.strip()
