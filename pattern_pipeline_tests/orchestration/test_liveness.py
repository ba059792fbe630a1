"""A run whose process is gone is noticed; one whose process works is not taken for it."""

import subprocess
import sys
import time
from collections.abc import Iterator

import dagster as dg
import psycopg
import pytest
from dagster._core.launcher import WorkerStatus

from pattern_pipeline.definitions import build_defs
from pattern_pipeline.launchers import Watchful, WatchfulRunLauncher
from pattern_pipeline.liveness import WATCHED, Lease, is_held
from pattern_pipeline.runs import QUIET
from pattern_pipeline.settings import Settings
from pattern_pipeline_tests.orchestration.chains import runner_on

HOLDER = """
import sys
from pattern_pipeline.liveness import Lease
assert Lease(*sys.argv[1:]).wait(30)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def launcher(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Watchful:
    monkeypatch.setenv("PATTERN_PIPELINE_DATABASE_URL", database_url)
    return WatchfulRunLauncher()


def run_of(instance: dg.DagsterInstance, **tags: str) -> dg.DagsterRun:
    job = build_defs().resolve_job_def("publish")
    return instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags)


def asked(launcher: Watchful, run: dg.DagsterRun, times: int) -> list[WorkerStatus]:
    return [launcher.check_run_worker_health(run).status for _ in range(times)]


def test_a_killed_process_is_noticed_at_the_second_look(
    launcher: Watchful, dagster_instance: dg.DagsterInstance, database_url: str
) -> None:
    run = run_of(dagster_instance, **{WATCHED: "true"})
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, database_url, run.run_id], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert asked(launcher, run, 3) == [WorkerStatus.RUNNING] * 3
        holder.kill()
    assert asked(launcher, run, 2) == [WorkerStatus.RUNNING, WorkerStatus.FAILED]


def test_nothing_is_said_of_a_run_that_never_showed_a_process(
    launcher: Watchful, dagster_instance: dg.DagsterInstance
) -> None:
    assert asked(launcher, run_of(dagster_instance), 3) == [WorkerStatus.RUNNING] * 3


@pytest.fixture
def lease(database_url: str) -> Iterator[Lease]:
    lease = Lease(database_url, "one")
    assert lease.wait(30)
    yield lease
    lease.end()


def test_a_lock_that_was_lost_with_its_connection_is_taken_again(lease: Lease, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        )
    assert not is_held(database_url, "one")
    deadline = time.monotonic() + 30
    while not is_held(database_url, "one"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    lease.end()
    assert not is_held(database_url, "one")


def test_a_run_holds_its_lock_while_it_works_and_is_marked_as_such(
    settings: Settings, dagster_instance: dg.DagsterInstance
) -> None:
    seen = []

    @dg.op(required_resource_keys={"pipeline"})
    def look(context: dg.OpExecutionContext) -> None:
        seen.append(is_held(context.resources.pipeline.warehouse.libpq_url, context.run.run_id))

    @dg.job
    def looking() -> None:
        look()

    with runner_on(settings, dagster_instance) as runner:
        result = looking.execute_in_process(
            instance=dagster_instance, resources={"pipeline": runner.pipeline}, run_config=QUIET
        )
        run = dagster_instance.get_run_by_id(result.run_id)
        assert run is not None
        assert seen == [True]
        assert run.tags[WATCHED] == "true"
        assert not is_held(runner.pipeline.warehouse.libpq_url, run.run_id)
