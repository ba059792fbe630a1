"""Hourly partitions: one definition for the whole spine; the days above it; the keys and tags that speak of both."""

from datetime import UTC, datetime, time, timedelta

import dagster as dg

from pattern_pipeline.patterns.windows import HOUR, floor_hour
from pattern_pipeline.settings import get_settings

HOUR_KEY_FORMAT = "%Y-%m-%d-%H:%M"
DAY_KEY_FORMAT = "%Y-%m-%d"

SPINE = ("raw_workflow_history", "detected_signatures", "pattern_occurrences", "pattern_hourly_statistics")
"""The hourly assets that every hour goes through, in order."""

START = datetime.combine(get_settings().start_date, time(), UTC)
"""First hour of every hourly asset, read from the environment once and append-only: changing it later orphans what
Dagster has recorded."""

HOURLY = dg.HourlyPartitionsDefinition(start_date=START.strftime(HOUR_KEY_FORMAT), timezone="UTC")
"""UTC hours; the newest is the last complete one."""


DAILY = dg.DailyPartitionsDefinition(start_date=START.strftime(DAY_KEY_FORMAT), timezone="UTC")
"""UTC days, each of 24 of those hours."""


def hour_key(hour: datetime) -> str:
    """The partition key of the UTC hour that starts at `hour`."""
    return hour.astimezone(UTC).strftime(HOUR_KEY_FORMAT)


def day_key(day: datetime) -> str:
    """The partition key of the UTC day that starts at `day`."""
    return day.astimezone(UTC).strftime(DAY_KEY_FORMAT)


def range_tags(start: datetime, end: datetime) -> dict[str, str]:
    """Run tags that ask for all hours of the half-open range in one run."""
    return {
        "dagster/asset_partition_range_start": hour_key(start),
        "dagster/asset_partition_range_end": hour_key(end - HOUR),
    }


def last_complete_hour_end() -> datetime:
    """The end of the newest partition; the first partition's start while there is none yet."""
    newest = HOURLY.get_last_partition_window()
    return newest.end if newest else START


def newest_due_hour() -> datetime:
    """The hour that the newest tick of the hourly schedule is about."""
    return floor_hour(datetime.now(UTC) - timedelta(minutes=get_settings().hourly_minute)) - HOUR
