"""Schedules: what the clock starts. What data starts belongs to sensors."""

import dagster as dg

from pattern_pipeline.jobs import CATALOGUE, CHAIN
from pattern_pipeline.retention import retention
from pattern_pipeline.settings import get_settings

HOURLY_CHAIN = dg.build_schedule_from_partitioned_job(
    CHAIN,
    name="hourly_chain",
    minute_of_hour=get_settings().hourly_minute,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Each complete hour, from the sources to the queue, in one run.",
)

DAILY_CATALOGUE = dg.ScheduleDefinition(
    name="daily_catalogue",
    job=CATALOGUE,
    cron_schedule="35 0 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Sequences of the trailing window, mined once a day.",
)

DAILY_RETENTION = dg.ScheduleDefinition(
    name="daily_retention",
    job=retention,
    cron_schedule="50 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Old logs go from Dagster's own tables.",
)
