"""Sensors: what data starts. What the clock starts belongs to `schedules`."""

from pattern_pipeline.sensors.alerts import failure_alert, valuable_patterns
from pattern_pipeline.sensors.events import decisions_and_executions, source_changes
from pattern_pipeline.sensors.hours import due_hours

SENSORS = [
    source_changes,
    due_hours,
    decisions_and_executions,
    failure_alert,
    valuable_patterns,
]
