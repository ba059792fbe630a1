"""The sensor of hours: late history, and hours that a downtime left out. The newest hours belong to the schedule.

It asks for nothing while hours are being computed, so that an hour is never computed twice for one reason, and at most
`ATTEMPTS` times for what keeps failing.
"""

import hashlib
from collections.abc import Mapping, Set
from datetime import datetime, timedelta
from typing import Final

import dagster as dg
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from pydantic import BaseModel

from pattern_pipeline.history.hours import stale_hours
from pattern_pipeline.jobs import CHAIN, COUNT, DETECT, DUE_HOURS, HOURS
from pattern_pipeline.partitions import SPINE, START, hour_key, last_complete_hour_end, newest_due_hour, range_tags
from pattern_pipeline.patterns.versions import NO_CATALOGUE, activate
from pattern_pipeline.patterns.windows import HOUR, Window, grouped
from pattern_pipeline.resources import Pipeline

LOOKED_AT: Final = 20_000  # stale hours that one tick considers: more than two years
MOST_RUNS: Final = 20  # that one tick asks for
ATTEMPTS: Final = 3
# A job that computes tables as a whole too has no partition set: its schedule makes up for the newest missed tick only.
CAUGHT_UP: Final = timedelta(hours=1)
LOOKBACK: Final = timedelta(days=90)

_HOURLY_JOBS: Final = frozenset(job.name for job in (CHAIN, HOURS, DUE_HOURS, DETECT, COUNT))
_SPINE: Final = frozenset(dg.AssetKey(name) for name in SPINE)
_LAST_OF_SPINE: Final = dg.AssetKey(SPINE[-1])
_UNFINISHED: Final = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


class Asked(BaseModel):
    """Cursor: how many runs were asked for in all, and how often for each window that is due."""

    serial: int = 0
    attempts: dict[str, int] = {}

    def ask(self, due: Mapping[str, Window], job: str) -> dg.SensorResult:
        """Ask for a run of each window, by the key of what is due in it, unless it has had its attempts.

        A serial number keeps a run key from being used again when the same becomes due once more. A tick that is
        repeated because its cursor was lost gives the same keys, and Dagster starts each of them once.
        """
        allowed = [key for key in due if self.attempts.get(key, 0) < ATTEMPTS][:MOST_RUNS]
        exhausted = [f"{window.start:%Y-%m-%d %H:%M}" for key, window in due.items() if key not in allowed]
        attempts = {key: self.attempts.get(key, 0) + (key in allowed) for key in due}
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(
                    run_key=f"{key}/{self.serial}", job_name=job, tags=range_tags(due[key].start, due[key].end)
                )
                for key in allowed
            ],
            skip_reason=None
            if allowed
            else f"Runs from {', '.join(exhausted[:3])} failed {ATTEMPTS} times: see them, then run them by hand.",
            cursor=Asked(serial=self.serial + 1, attempts=attempts).model_dump_json(),
        )


@dg.sensor(
    jobs=[DUE_HOURS, HOURS],
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Computes exactly the hours whose history changed after they were computed, that stand on other rules "
    "than the active ones, or that a downtime of the last 90 days left out: the hourly schedule makes up for the "
    "newest one. Contiguous hours are one run. The first time of all, sequences are mined.",
)
def due_hours(context: dg.SensorEvaluationContext, pipeline: Pipeline) -> dg.SensorResult:
    """Ask for stale and left-out hours that are not the schedule's."""
    if is_busy(context.instance):
        return dg.SensorResult(
            skip_reason="Hours are being computed; what is still due then is asked for after that.",
            cursor=context.cursor,
        )
    asked = Asked.model_validate_json(context.cursor or "{}")
    catalogue = activate(pipeline.warehouse, pipeline.policy)
    with pipeline.warehouse.transaction() as tx:
        stale = stale_hours(tx, START, last_complete_hour_end(), LOOKED_AT)
    done = context.instance.get_materialized_partitions(_LAST_OF_SPINE)
    generations = {
        each.hour: each.generation for each in stale if each.was_closed or not _is_scheduled(each.hour, done)
    }
    hours = sorted(generations.keys() | set(_left_out(done)))
    if not hours:
        return dg.SensorResult(
            skip_reason="Every hour stands on its history and the active rules.",
            cursor=Asked(serial=asked.serial).model_dump_json(),
        )
    is_first_time = catalogue == NO_CATALOGUE and bool(generations)
    windows = [Window(hours[0], hours[-1] + HOUR)] if is_first_time else grouped(hours, MOST_RUNS)
    rules = f"{pipeline.policy.detection_version} {catalogue}"
    return asked.ask(
        {_key(window, generations, rules): window for window in windows},
        HOURS.name if is_first_time else DUE_HOURS.name,
    )


def is_busy(instance: dg.DagsterInstance) -> bool:
    """Whether an unfinished run or a backfill that still launches runs computes hours."""
    runs = instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED), limit=200)
    if any(run.job_name in _HOURLY_JOBS or _SPINE & (run.asset_selection or frozenset()) for run in runs):
        return True
    backfills = instance.get_backfills(BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED]), limit=20)
    return any(_SPINE & set(backfill.asset_selection or ()) for backfill in backfills)


def _scheduled_from() -> datetime:
    """The first hour that the schedule still computes by itself."""
    return newest_due_hour() + HOUR - CAUGHT_UP


def _is_scheduled(hour: datetime, done: Set[str]) -> bool:
    """Whether the schedule has yet to compute an hour for the first time."""
    return hour >= _scheduled_from() and hour_key(hour) not in done


def _left_out(done: Set[str]) -> list[datetime]:
    """Hours without a materialisation behind the first one of `LOOKBACK` that has one."""
    end = _scheduled_from()
    start = max(START, end - LOOKBACK)
    hours = list(Window(start, end).hours()) if start < end else []
    present = [hour_key(hour) in done for hour in hours]
    begin = present.index(True) if any(present) else len(hours)
    return [hour for hour, is_there in zip(hours[begin:], present[begin:], strict=True) if not is_there]


def _key(window: Window, generations: Mapping[datetime, int], rules: str) -> str:
    """The window with what makes it due: the generations of its stale hours, and the rules."""
    inside = [f"{hour.isoformat()} {generations[hour]}" for hour in window.hours() if hour in generations]
    why = hashlib.blake2b("\n".join([rules, *inside]).encode(), digest_size=6).hexdigest()
    return f"{hour_key(window.start)}+{(window.end - window.start) // HOUR} {why}"
