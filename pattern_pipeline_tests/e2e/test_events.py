"""A day in the life of an installation under a real `dagster dev`: each event starts exactly the runs that it should.

A downtime of eight hours, a late file, a correction, a decision, a failure with its alert, and an hourly tick, on the
shipped definitions with everything on. Runs are counted by what asked for them; two daily schedules are switched off,
since the clock decides whether they come.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import InstigatorState, ScheduleInstigatorData

from pattern_pipeline.detection.policy import load_policy
from pattern_pipeline.partitions import hour_key
from pattern_pipeline.patterns.windows import HOUR, Window, floor_hour
from pattern_pipeline.review.filters import EVERYTHING
from pattern_pipeline.review.queue import entry
from pattern_pipeline.review.sync import sync
from pattern_pipeline.review.transitions import Action, decide
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.embedded import EmbeddedServer
from pattern_pipeline.warehouse.servers import PIPELINE_DATABASE
from pattern_pipeline.warehouse.urls import with_database
from pattern_pipeline_tests.e2e.processes import DagsterUi, Installation, dagster_dev, until
from pattern_pipeline_tests.orchestration.chains import runner_on, tables
from pattern_pipeline_tests.tables import differences
from pattern_pipeline_tests.webhooks import webhook

LOCATION = "pattern_pipeline.definitions"
BEFORE_DOWNTIME, DOWNTIME = 6, 8  # hours
PATTERN = "test:generic:backend"
BY_HAND = "by hand"
PATIENCE = 240.0
DATA_DRIVEN = ("source_changes", "due_hours", "decisions_and_executions", "tables_follow_their_parents")
DAILY = ("daily_catalogue", "daily_retention")

Started = tuple[str, str, str]
"""What asked for a run, its job, and how it ended."""


def write(path: Path, *records: dict[str, Any]) -> None:
    """A source whose clock is in the past: one that was just written is looked at once more."""
    path.write_text("".join(json.dumps(each) + "\n" for each in records))
    past = time.time_ns() - 60 * 10**9
    os.utime(path, ns=(past, past))


def record(number: int, at: datetime, cost: float = 0.25) -> dict[str, Any]:
    moment = (at + timedelta(minutes=1)).isoformat()
    return {
        "run_id": f"r{number}", "task_text": "Run the backend tests", "started_at": moment, "ended_at": moment,
        "exit_status": "completed", "cost_usd": cost,
    }  # fmt: skip


def queued(warehouse: Warehouse) -> int:
    """Put the pattern into the queue, whatever it is worth after so few hours; the version of its row."""
    sync(warehouse, EVERYTHING, policy=load_policy("default"))
    return entry(warehouse, PATTERN).version


class Served:
    """The installation under `dagster dev`, which can be served anew with another minute of the hourly schedule."""

    def __init__(self, installation: Installation, instance: dg.DagsterInstance, logs: Path) -> None:
        self.installation, self.instance, self.logs = installation, instance, logs
        self.expected = self.started()
        self._serving = ExitStack()
        self.ui: DagsterUi

    def serve(self, minute: int, last_seen: datetime | None = None) -> None:
        """Serve from now on, with the hourly tick at a minute of the hour.

        The schedule takes up what has been due since it was `last_seen`, which is what a downtime looks like to it.
        """
        self._serving.close()
        self.installation.environment["PATTERN_PIPELINE_HOURLY_MINUTE"] = str(minute)
        if last_seen is not None:
            state = self.state("hourly_chain")
            assert state is not None
            begun = ScheduleInstigatorData(f"{minute} * * * *", start_timestamp=last_seen.timestamp())
            self.instance.update_instigator_state(state.with_data(begun))
        self.ui = self._serving.enter_context(dagster_dev(self.installation, self.logs / "dagster.log"))

    def close(self) -> None:
        self._serving.close()

    def started(self) -> Counter[Started]:
        return Counter(
            (_asker(run.tags), run.job_name, run.status.value)
            for run in self.instance.get_runs()
            if run.tags.get("dagster/schedule_name") not in DAILY
        )

    def settles_at(self, *further: Started) -> None:
        """Wait for these runs beside the earlier ones, and until everything that data starts has looked once more."""
        self.expected.update(further)
        until(lambda: self.started() == self.expected, PATIENCE, self._explain)
        quiet_since = time.time()
        until(lambda: self._have_all_looked(quiet_since), PATIENCE, self._explain)
        assert self.started() == self.expected

    def state(self, name: str) -> InstigatorState | None:
        return next((each for each in self.instance.all_instigator_state() if each.instigator_name == name), None)

    def _have_all_looked(self, since: float) -> bool:
        """Whether each of the sensors has ended a tick that began after a moment."""
        for name in DATA_DRIVEN:
            state = self.state(name)
            ticks = self.instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1) if state else []
            if not ticks or ticks[0].timestamp < since or ticks[0].end_timestamp is None:
                return False
        return True

    def _explain(self) -> str:
        surplus, missing = self.started() - self.expected, self.expected - self.started()
        return f"surplus {surplus}, missing {missing}\n{(self.logs / 'dagster.log').read_text()[-4000:]}"


def _asker(tags: Mapping[str, str]) -> str:
    return tags.get("dagster/schedule_name") or tags.get("dagster/sensor_name") or BY_HAND


@contextmanager
def served(installation: Installation, logs: Path) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as environment:
        for name in ("PATTERN_PIPELINE_HOME", "PATTERN_PIPELINE_START_DATE"):
            environment.setenv(name, installation.environment[name])
        try:
            with dg.DagsterInstance.from_config(str(installation.home / "dagster_home")) as instance:
                found = Served(installation, instance, logs)
                try:
                    yield found
                finally:
                    found.close()
        finally:
            installation.run("db", "stop", "--force")


def by(asker: str) -> Callable[[str], Started]:
    return lambda job: (asker, job, "SUCCESS")


@pytest.mark.e2e
@pytest.mark.timeout(1_200)
def test_every_event_starts_exactly_its_runs_and_the_tables_are_right(
    settings: Settings, dagster_instance: dg.DagsterInstance, warehouse: Warehouse, tmp_path: Path
) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    now = datetime.now(UTC)
    passed = (now.minute - 2) % 60  # the next tick is almost an hour away
    due = floor_hour(now - timedelta(minutes=passed)) - HOUR
    first = due - (BEFORE_DOWNTIME + DOWNTIME) * HOUR
    with webhook() as hook:
        installation = Installation(
            tmp_path / "a home",
            PATTERN_PIPELINE_ALERT_URL=hook.url,
            PATTERN_PIPELINE_HOURLY_MINUTE=str(passed),
            PATTERN_PIPELINE_START_DATE=f"{first:%Y-%m-%d}",
        )
        before = [record(n, first + n * HOUR) for n in range(BEFORE_DOWNTIME)]
        write(sources / "before.jsonl", *before)
        installation.json("run", str(sources))
        meanwhile = [record(100 + n, first + (BEFORE_DOWNTIME + n) * HOUR) for n in range(DOWNTIME + 1)]
        write(sources / "meanwhile.jsonl", *meanwhile)
        installation.json("ingest", str(sources))
        with served(installation, tmp_path) as its:
            its.serve(passed)
            for name in DAILY:
                its.ui.stop_schedule(LOCATION, name)

            # Eight hours without a daemon: the sensor asks for all but the newest, in one run; the tail follows.
            its.settles_at(by("due_hours")("due_hours"), by("tables_follow_their_parents")("__ASSET_JOB"))
            ranges = [run.tags for run in its.instance.get_runs(dg.RunsFilter(job_name="due_hours"))]
            assert [tags["dagster/asset_partition_range_end"] for tags in ranges] == [hour_key(due - HOUR)]

            # A file that comes late and a record that is corrected are one ingest, and each hour is computed alone.
            late, corrected = record(900, first + 3 * HOUR + timedelta(minutes=7)), record(1, first + HOUR, cost=0.75)
            write(sources / "late.jsonl", late)
            write(sources / "before.jsonl", before[0], corrected, *before[2:])
            its.settles_at(
                by("source_changes")("ingest"),
                *[by("due_hours")("due_hours")] * 2,
                by("tables_follow_their_parents")("__ASSET_JOB"),
            )

            # A decision is followed by its templates; one upon a stale look fails, and somebody hears of it.
            with Warehouse(with_database(EmbeddedServer(installation.home).url, PIPELINE_DATABASE)) as found:
                version = queued(found)
            decision = {"pattern": PATTERN, "action": "APPROVE", "reviewer": "ada", "version": version}
            for _ in range(2):
                its.ui.start_run(LOCATION, "record_decision", config={"ops": {"record": {"config": decision}}})
                until(lambda: its.ui.runs()[0]["status"] in {"SUCCESS", "FAILURE"}, PATIENCE, its.ui.runs)
            its.settles_at(
                by(BY_HAND)("record_decision"),
                (BY_HAND, "record_decision", "FAILURE"),
                by("decisions_and_executions")("validate_roi"),
            )
            until(lambda: any(each["kind"] == "run_failed" for each in hook.received), 90, lambda: hook.received)
            (alert,) = [each for each in hook.received if each["kind"] == "run_failed"]
            assert (alert["job"], alert["steps"]) == ("record_decision", ["record"])

            # Of the ticks that it has missed the schedule makes up for the newest; then comes the next one of the
            # clock. Each is one run over its hour and everything that stands on it.
            tick = (datetime.now(UTC) + timedelta(seconds=130)).replace(second=0, microsecond=0)
            its.serve(tick.minute, last_seen=tick - DOWNTIME * HOUR)
            its.settles_at(*[by("hourly_chain")("pattern_chain")] * 2)
            hour = floor_hour(tick) - HOUR
            chains = its.instance.get_runs(dg.RunsFilter(job_name="pattern_chain"))
            assert [run.tags["dagster/partition"] for run in chains] == [hour_key(hour), hour_key(hour - HOUR)]

            with Warehouse(with_database(EmbeddedServer(installation.home).url, PIPELINE_DATABASE)) as found:
                computed = tables(found)
                assert entry(found, PATTERN).status == "approved"

    with runner_on(settings, dagster_instance) as runner:
        runner.ingest([str(sources)])
        runner.recompute(Window(first, hour + HOUR))
        runner.publish("smart")
        decide(warehouse, PATTERN, Action.APPROVE, reviewer="ada", version=queued(warehouse))
    undisturbed = tables(warehouse)
    for each in (computed, undisturbed):
        del each["pattern_approvals"]
    assert differences(computed, undisturbed) == {}
