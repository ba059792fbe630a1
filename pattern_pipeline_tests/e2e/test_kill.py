"""Kill -9 in the middle of a run, of the process and of the database: running again ends in the same tables."""

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import psutil
import psycopg
import pytest

from pattern_pipeline.errors import DatabaseDown
from pattern_pipeline.sample import write_sample
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.embedded import EmbeddedServer
from pattern_pipeline.warehouse.servers import PIPELINE_DATABASE
from pattern_pipeline.warehouse.urls import with_database
from pattern_pipeline_tests.e2e.processes import Installation, until
from pattern_pipeline_tests.orchestration.chains import run_everything, runner_on, tables
from pattern_pipeline_tests.tables import Rows, differences

# What is killed a moment after the first rows in a table show that a run has come to this point.
POINTS = {
    "while landing": ("run", "ingested_sources"),
    "while detecting": ("database", "history_hours"),
    "while counting": ("run", "detected_signatures"),
    "while publishing": ("database", "pattern_daily_statistics"),
}
LONGEST_MOMENT = 0.6  # seconds
WORKFLOWS = 600


@contextmanager
def running_server(installation: Installation) -> Iterator[tuple[Installation, EmbeddedServer]]:
    server = EmbeddedServer(installation.home)
    server.ensure_running()
    try:
        yield installation, server
    finally:
        server.stop()


def content(server: EmbeddedServer) -> Rows:
    with Warehouse(with_database(server.ensure_running(), PIPELINE_DATABASE)) as warehouse:
        return tables(warehouse)


def has_rows(server: EmbeddedServer, table: str) -> bool:
    try:
        with psycopg.connect(with_database(server.url, PIPELINE_DATABASE)) as connection:
            return connection.execute(f"SELECT EXISTS (SELECT FROM {table})").fetchone() == (True,)
    except (psycopg.OperationalError, psycopg.errors.UndefinedTable):
        return False


def interrupted(run: subprocess.Popen[str], server: EmbeddedServer, victim: str, table: str, moment: float) -> bool:
    """Kill the run or its database soon after rows are in `table`; whether there was still something to kill."""
    until(lambda: has_rows(server, table) or run.poll() is not None, 120, lambda: table)
    time.sleep(moment)
    was_running = run.poll() is None
    postmaster = server.status().pid
    if victim == "run":
        run.kill()
    elif postmaster is not None:
        psutil.Process(postmaster).kill()
    return was_running


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_a_run_that_is_killed_anywhere_is_made_up_for_by_the_next(
    settings: Settings, dagster_instance: dg.DagsterInstance, warehouse: Warehouse, tmp_path: Path
) -> None:
    sample = [str(path) for path in write_sample(tmp_path / "sample", workflows=WORKFLOWS)]
    with runner_on(settings, dagster_instance) as runner:
        run_everything(runner, *sample)
    undisturbed = tables(warehouse)
    moments, log = random.Random(7), tmp_path / "runs.log"
    killed = 0
    with running_server(Installation(tmp_path / "a home")) as (installation, server):
        for point, (victim, table) in POINTS.items():
            run = installation.start("run", *sample, log=log)
            killed += interrupted(run, server, victim, table, moments.uniform(0, LONGEST_MOMENT))
            assert run.wait(120) in {-signal.SIGKILL, DatabaseDown.exit_code, 0}, (point, log.read_text())
        assert killed >= len(POINTS) - 1, "the sample is too small to be killed in the middle"
        assert installation.json("run", *sample)["workflows"] == WORKFLOWS
        assert differences(content(server), undisturbed) == {}
    assert "Traceback" not in log.read_text()
