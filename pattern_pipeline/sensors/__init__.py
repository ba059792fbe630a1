"""Sensors: what data starts. What the clock starts belongs to `schedules`."""

import dagster as dg

from pattern_pipeline.sensors.alerts import failure_alert, valuable_patterns
from pattern_pipeline.sensors.events import decisions_and_executions, source_changes
from pattern_pipeline.sensors.hours import due_hours

AUTOMATION = dg.AutomationConditionSensorDefinition(
    "tables_follow_their_parents",
    target=dg.AssetSelection.all(),
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description="Computes statistics, estimates, queue and daily tables after runs that computed hours and not these.",
)

SENSORS = [
    AUTOMATION,
    source_changes,
    due_hours,
    decisions_and_executions,
    failure_alert,
    valuable_patterns,
]
