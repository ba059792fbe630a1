"""Runs as Celery tasks: two workers, one of them killed in the middle, make the same tables as one process."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import psycopg
import pytest
import yaml

from pattern_pipeline.partitions import hour_key, range_tags
from pattern_pipeline.patterns.windows import HOUR, Window
from pattern_pipeline.sample import write_sample
from pattern_pipeline.settings import PROJECT_ROOT, Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.embedded import EmbeddedServer
from pattern_pipeline.warehouse.servers import PIPELINE_DATABASE
from pattern_pipeline.warehouse.urls import with_database
from pattern_pipeline_tests.e2e import unattended
from pattern_pipeline_tests.e2e.processes import DagsterUi, Installation, dagster_dev, free_port, until
from pattern_pipeline_tests.orchestration.chains import runner_on, tables
from pattern_pipeline_tests.tables import differences

DEPLOYMENT = PROJECT_ROOT / "deploy" / "celery"
LOCATION = unattended.__name__
FIRST = datetime(2026, 9, 20, tzinfo=UTC)
HOURS = 48
WINDOWS = [Window(FIRST + number * HOURS * HOUR, FIRST + (number + 1) * HOURS * HOUR) for number in range(3)]

needs_celery = pytest.mark.skipif(
    importlib.util.find_spec("dagster_celery") is None, reason="dagster-celery is missing: pip install -e '.[celery]'"
)


def configuration(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_the_instance_differs_from_the_default_one_in_its_launcher_alone() -> None:
    ours, default = configuration(DEPLOYMENT / "dagster.yaml"), configuration(PROJECT_ROOT / "dagster.yaml")
    assert ours.pop("run_launcher") != default.pop("run_launcher")
    assert ours == default


@contextmanager
def redis() -> Iterator[str]:
    """A broker on loopback that writes nothing to the disk; its URL."""
    port = free_port()
    server = subprocess.Popen(
        ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
    )
    try:
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


@contextmanager
def worker(installation: Installation, name: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of one process, started as the README has it, and the leader of its process group."""
    command = [sys.executable, "-m", "dagster_celery.cli", "worker", "start", "-A", "dagster_celery.app"]
    command += ["-y", str(DEPLOYMENT / "worker.yaml"), "-q", "pattern_pipeline", "-n", name, "--", "--concurrency", "1"]
    with log.open("w") as output:
        started = subprocess.Popen(
            command,
            cwd=PROJECT_ROOT,
            env=installation.environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield started
    finally:
        kill(started)


def kill(started: subprocess.Popen[bytes]) -> None:
    if started.poll() is None:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def workers_that_answer(broker: str) -> int:
    from celery import Celery

    return len(Celery(broker=broker).control.ping(timeout=2))


def statuses(ui: DagsterUi) -> Counter[str]:
    return Counter(run["status"] for run in ui.runs())


def all_succeed(ui: DagsterUi, runs: int) -> None:
    until(lambda: statuses(ui) == {"SUCCESS": runs}, 120, ui.runs)


class Cluster(NamedTuple):
    """A daemon and two workers on an installation of its own."""

    installation: Installation
    database: str
    ui: DagsterUi
    first: subprocess.Popen[bytes]


@contextmanager
def cluster(home: Path, logs: Path) -> Iterator[Cluster]:
    server, dagster_home = EmbeddedServer(home), home / "dagster_home"
    dagster_home.mkdir(parents=True)
    instance = configuration(DEPLOYMENT / "dagster.yaml")
    instance["run_monitoring"]["poll_interval_seconds"] = 2
    (dagster_home / "dagster.yaml").write_text(yaml.safe_dump(instance))
    with redis() as broker:
        installation = Installation(
            home,
            PATTERN_PIPELINE_CELERY_BROKER=f"{broker}/0",
            PATTERN_PIPELINE_CELERY_BACKEND=f"{broker}/1",
            DAGSTER_HOME=str(dagster_home),
        )
        database = with_database(server.ensure_running(), PIPELINE_DATABASE)
        try:
            with (
                worker(installation, "first", logs / "first.log") as first,
                worker(installation, "second", logs / "second.log"),
                dagster_dev(installation, logs / "dagster.log", "-m", LOCATION) as ui,
            ):
                until(lambda: workers_that_answer(broker) == 2, 60, lambda: (logs / "first.log").read_text())
                yield Cluster(installation, database, ui, first)
        finally:
            server.stop()


@needs_celery
@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is missing: apt-get install it")
@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_two_workers_and_the_kill_of_one_make_the_tables_of_one_process(
    settings: Settings, dagster_instance: dg.DagsterInstance, warehouse: Warehouse, tmp_path: Path
) -> None:
    files = [str(path) for path in write_sample(tmp_path / "sample", workflows=100)]
    with runner_on(settings, dagster_instance) as runner:
        runner.ingest(files)
        runner.recompute(*WINDOWS)
        runner.publish("smart")

    with cluster(tmp_path / "a home", tmp_path) as (installation, database, ui, victim):
        ui.start_run(LOCATION, "ingest", {}, {"ops": {"landed_history": {"config": {"sources": files}}}})
        all_succeed(ui, 1)
        for window in WINDOWS:
            hours = [hour_key(window.start + number * HOUR) for number in range(HOURS)]
            ui.start_backfill(["raw_workflow_history", "detected_signatures"], hours)
        all_succeed(ui, 1 + len(WINDOWS))
        ui.start_run(LOCATION, "mine_sequences")
        all_succeed(ui, 2 + len(WINDOWS))

        with psycopg.connect(database) as connection:
            connection.execute("LOCK TABLE pattern_occurrences")  # runs come this far, and wait
            for window in WINDOWS:
                ui.start_run(LOCATION, "count_hours", range_tags(window.start, window.end))
            until(lambda: statuses(ui)["STARTED"] == 2, 60, ui.runs)  # one on each worker
            kill(victim)
        with worker(installation, "first", tmp_path / "first again.log"):
            until(lambda: statuses(ui) == {"SUCCESS": 2 + 2 * len(WINDOWS), "FAILURE": 1}, 120, ui.runs)
            (failed,) = [run["runId"] for run in ui.runs() if run["status"] == "FAILURE"]
            assert [run["jobName"] for run in ui.runs() if run["parentRunId"] == failed] == ["count_hours"]
            ui.start_run(LOCATION, "publish")
            until(lambda: ui.runs()[0]["status"] == "SUCCESS", 60, ui.runs)
        with Warehouse(database) as found:
            assert differences(tables(found), tables(warehouse)) == {}
