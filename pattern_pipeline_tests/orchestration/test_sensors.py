"""Sensors, tick by tick: exactly the runs that are due, each once, whatever is repeated."""

import json
import os
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest

from pattern_pipeline.alerts import Undelivered
from pattern_pipeline.definitions import build_defs
from pattern_pipeline.history.hours import stale_hours
from pattern_pipeline.partitions import SPINE, hour_key, range_tags
from pattern_pipeline.patterns.versions import activate
from pattern_pipeline.patterns.windows import HOUR, floor_hour
from pattern_pipeline.review.filters import EVERYTHING
from pattern_pipeline.review.queue import entry
from pattern_pipeline.review.sync import sync
from pattern_pipeline.review.transitions import Action, decide
from pattern_pipeline.roi.executions import ExecutionReport, record_execution
from pattern_pipeline.runs import QUIET, ChainRunner
from pattern_pipeline.sensors import (
    decisions_and_executions,
    due_hours,
    failure_alert,
    source_changes,
    valuable_patterns,
)
from pattern_pipeline.sensors.hours import ATTEMPTS, CAUGHT_UP
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.orchestration.chains import runner_on
from pattern_pipeline_tests.review.rows import add_pattern
from pattern_pipeline_tests.webhooks import Webhook, webhook

NOW = floor_hour(datetime.now(UTC))
START_TAG, END_TAG = range_tags(NOW, NOW + HOUR)


class Ticks:
    """One sensor as the daemon would tick it: with its cursor kept, and each run key started once."""

    def __init__(self, sensor: dg.SensorDefinition, runner: ChainRunner) -> None:
        self.sensor, self.runner = sensor, runner
        self.cursor: str | None = None
        self.keys: set[str] = set()

    def tick(self, *, keep_cursor: bool = True) -> list[dg.RunRequest]:
        with dg.build_sensor_context(
            instance=self.runner.instance, cursor=self.cursor, resources={"pipeline": self.runner.pipeline}
        ) as context:
            result = self.sensor(context)
        assert isinstance(result, dg.SensorResult)
        if keep_cursor and result.cursor is not None:
            self.cursor = result.cursor
        new = [r for r in result.run_requests or () if r.run_key not in self.keys]
        self.keys.update(str(r.run_key) for r in new)
        return new

    def ranges(self) -> list[tuple[str, str]]:
        """First and last hour of each run that a tick asks for; the runs are carried out."""
        requests = self.tick()
        for each in requests:
            self.execute(each)
        return [(each.tags[START_TAG], each.tags[END_TAG]) for each in requests]

    def execute(self, request: dg.RunRequest) -> None:
        job = self.sensor.job_name if request.job_name is None else request.job_name
        resolved = build_defs(pipeline=self.runner.pipeline).resolve_job_def(job)
        resolved.execute_in_process(run_config=QUIET, instance=self.runner.instance, tags=request.tags)


@pytest.fixture
def runner(settings: Settings, dagster_instance: dg.DagsterInstance) -> Iterator[ChainRunner]:
    with runner_on(settings, dagster_instance) as runner:
        yield runner


def ago(hours: int) -> datetime:
    return NOW - hours * HOUR


def key(hours: int) -> str:
    return hour_key(ago(hours))


def write(path: Path, runs: Sequence[tuple[int, int]], **more: Any) -> str:
    """Runs, each as its number and how many hours ago it was."""
    records = [
        {"run_id": f"r{n}", "task_text": "Run the backend tests", "started_at": ago(at).isoformat(),
         "ended_at": ago(at).isoformat(), "exit_status": "completed", "cost_usd": 0.25, **more}
        for n, at in runs
    ]  # fmt: skip
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    past = time.time_ns() - 60 * 10**9
    os.utime(path, ns=(past, past))
    return str(path)


def materialise(instance: dg.DagsterInstance, hours: Sequence[int]) -> None:
    for at in hours:
        instance.report_runless_asset_event(dg.AssetMaterialization(SPINE[-1], partition=key(at)))


def test_a_changed_source_is_ingested_once_per_state(runner: ChainRunner, tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    runner.ingest([write(path, [(1, 30)])])
    sensor = Ticks(source_changes, runner)
    sensor.tick()  # a file that was read within its clock's grain is looked at once more
    runner.ingest([])
    time.sleep(2.1)
    runner.ingest([])
    assert sensor.tick() == []
    write(path, [(1, 30), (2, 31)])
    lost = sensor.tick(keep_cursor=False)
    assert len(lost) == 1
    assert sensor.tick() == [], "a tick that is repeated asks under the same key"
    runner.ingest([])
    assert sensor.tick() == []


def test_a_source_that_is_gone_or_new_is_no_failure(runner: ChainRunner, tmp_path: Path) -> None:
    directory = tmp_path / "sources"
    directory.mkdir()
    runner.ingest([write(directory / "a.jsonl", [(1, 30)]), str(directory)])
    sensor = Ticks(source_changes, runner)
    (directory / "a.jsonl").unlink()
    assert sensor.tick() == []
    write(directory / "b.jsonl", [(2, 30)])
    assert len(sensor.tick()) == 1


def test_exactly_the_touched_hours_are_computed_contiguous_ones_as_a_range(runner: ChainRunner, tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    runner.ingest([write(path, [(n, 40 - n) for n in range(10)])])
    runner.catch_up()
    materialise(runner.instance, range(1, 48))
    sensor = Ticks(due_hours, runner)
    assert sensor.ranges() == []
    write(path, [*((n, 40 - n) for n in range(10)), (20, 36), (21, 35), (22, 20)])
    runner.ingest([])
    assert sensor.ranges() == [(key(36), key(35)), (key(20), key(20))]
    assert sensor.ranges() == []
    with runner.pipeline.warehouse.transaction() as tx:
        assert stale_hours(tx, ago(100), NOW) == []


def test_the_first_history_is_computed_in_one_run_with_its_sequences(runner: ChainRunner, tmp_path: Path) -> None:
    runner.ingest([write(tmp_path / "runs.jsonl", [(n, 300 - 9 * n) for n in range(30)])])
    sensor = Ticks(due_hours, runner)
    (request,) = sensor.tick()
    assert (request.job_name, request.tags[START_TAG], request.tags[END_TAG]) == ("recompute_hours", key(300), key(39))


def test_hours_of_the_schedule_are_left_to_it(runner: ChainRunner, tmp_path: Path) -> None:
    activate(runner.pipeline.warehouse, runner.pipeline.policy)
    runner.ingest([write(tmp_path / "runs.jsonl", [(1, 1), (2, 30)])])
    sensor = Ticks(due_hours, runner)
    materialise(runner.instance, range(40, 1, -1))
    assert sensor.ranges() == [(key(30), key(30))]
    assert sensor.ranges() == []
    materialise(runner.instance, [1])
    assert sensor.tick()[0].tags[START_TAG] == key(1), "it was computed before its history came"


def test_a_downtime_is_made_up_for_by_one_range(runner: ChainRunner) -> None:
    sensor = Ticks(due_hours, runner)
    reach = CAUGHT_UP // HOUR
    assert sensor.tick() == [], "nothing ran yet, so nothing was left out"
    materialise(runner.instance, [*range(30, 20, -1), *range(reach + 1, 0, -1)])
    (request,) = sensor.tick()
    assert (request.tags[START_TAG], request.tags[END_TAG]) == (key(20), key(reach + 2))
    sensor.execute(request)
    assert sensor.tick() == []


def test_nothing_is_asked_for_while_hours_are_computed(runner: ChainRunner, tmp_path: Path) -> None:
    runner.ingest([write(tmp_path / "runs.jsonl", [(1, 30)])])
    job = build_defs(pipeline=runner.pipeline).resolve_job_def("pattern_chain")
    run = runner.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    sensor = Ticks(due_hours, runner)
    assert sensor.tick() == []
    runner.instance.delete_run(run.run_id)
    assert len(sensor.tick()) == 1


def test_what_keeps_failing_is_asked_for_a_few_times_and_then_named(runner: ChainRunner, tmp_path: Path) -> None:
    runner.ingest([write(tmp_path / "runs.jsonl", [(1, 30)])])
    sensor = Ticks(due_hours, runner)
    keys = [request.run_key for _ in range(ATTEMPTS + 2) for request in sensor.tick()]
    assert len(keys) == len(set(keys)) == ATTEMPTS
    runner.ingest([write(tmp_path / "runs.jsonl", [(1, 30), (2, 30)])])
    assert len(sensor.tick()) == 1, "new history is a new reason"


def test_the_same_hours_can_become_due_again(runner: ChainRunner, tmp_path: Path) -> None:
    runner.ingest([write(tmp_path / "runs.jsonl", [(1, 30)])])
    sensor = Ticks(due_hours, runner)
    materialise(runner.instance, range(30, 0, -1))
    assert sensor.ranges() == [(key(30), key(30))]
    assert sensor.ranges() == []
    with psycopg.connect(runner.pipeline.warehouse.libpq_url) as connection:
        connection.execute("UPDATE history_hours SET detection_version = 'another'")
    assert sensor.ranges() == [(key(30), key(30))]


def test_a_decision_and_an_execution_start_one_run_each(runner: ChainRunner) -> None:
    warehouse, policy = runner.pipeline.warehouse, runner.pipeline.policy
    sensor = Ticks(decisions_and_executions, runner)
    assert sensor.tick() == []
    add_pattern(warehouse, "test:pytest:all")
    sync(warehouse, EVERYTHING, policy=policy)
    assert sensor.tick() == []
    version = entry(warehouse, "test:pytest:all").version
    decide(warehouse, "test:pytest:all", Action.APPROVE, reviewer="ada", version=version)
    assert len(sensor.tick()) == 1
    assert sensor.tick() == []
    report = ExecutionReport(idempotency_key="1", pattern="test:pytest:all", success=True)
    record_execution(warehouse, report, policy=policy, reported_by="bot")
    (request,) = sensor.tick()
    sensor.execute(request)
    assert sensor.tick() == []


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    with webhook() as hook:
        monkeypatch.setenv("PATTERN_PIPELINE_ALERT_URL", hook.url)
        yield hook


def test_a_valuable_pattern_is_told_once_and_again_when_nobody_heard_it(
    hook: Webhook, runner: ChainRunner, warehouse: Warehouse
) -> None:
    sensor = Ticks(valuable_patterns, runner)
    sensor.tick()
    add_pattern(warehouse, "test:pytest:all", net=(150, 200, 300))
    add_pattern(warehouse, "git:diff:all", net=(99, 300, 400))
    sync(warehouse, EVERYTHING, policy=runner.pipeline.policy)
    hook.statuses = [403]
    with pytest.raises(Undelivered, match="refused the alert"):
        sensor.tick()
    sensor.tick()
    sensor.tick()
    (alert,) = hook.received
    assert (alert["kind"], alert["count"]) == ("valuable_patterns", 1)
    assert alert["patterns"][0] | {"readable": ""} == {
        "pattern": "test:pytest:all", "readable": "", "net_p10": 150, "net_p50": 200, "occurrences": 10
    }  # fmt: skip


def test_a_failed_run_is_told_with_its_step_and_without_secrets(hook: Webhook, runner: ChainRunner) -> None:
    @dg.op
    def falls_over() -> None:
        raise ValueError("no such host; password=correct-horse-battery")

    @dg.job
    def doomed() -> None:
        falls_over()

    result = doomed.execute_in_process(instance=runner.instance, raise_on_error=False, run_config=QUIET)
    with dg.build_run_status_sensor_context(
        sensor_name="failure_alert",
        dagster_instance=runner.instance,
        dagster_run=result.dagster_run,
        dagster_event=result.get_run_failure_event(),
        resources={"pipeline": runner.pipeline},
    ).for_run_failure() as context:
        failure_alert(context)
    (alert,) = hook.received
    assert (alert["kind"], alert["job"], alert["steps"]) == ("run_failed", "doomed", ["falls_over"])
    assert "no such host" in alert["error"]
    assert "correct-horse-battery" not in json.dumps(hook.received)
