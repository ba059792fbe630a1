"""What hours without anything new cost: rows in Dagster's own tables, tick by tick, and no growth of ours."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from psycopg import sql

from pattern_pipeline.definitions import build_defs
from pattern_pipeline.partitions import hour_key
from pattern_pipeline.patterns.windows import HOUR
from pattern_pipeline.runs import QUIET, ChainRunner
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.orchestration.chains import runner_on, stored_instance, tables
from pattern_pipeline_tests.orchestration.test_chain import run_record, write

FIRST = datetime(2026, 6, 1, tzinfo=UTC)
# Of an hour's run: of each of its 12 assets some eight events (announced, begun, output, materialisation, ended), of
# each of 16 checks two and its result, a dozen of the run itself with its tags: 150 were counted.
ROWS_OF_AN_HOUR = 160


def rows(url: str) -> dict[str, int]:
    """How many rows each table of a database has."""
    with psycopg.connect(url) as connection:
        names = [name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        counted = {}
        for name in names:
            found = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))).fetchone()
            assert found is not None
            counted[name] = int(found[0])
    return counted


def size(url: str) -> int:
    """Bytes of a database's tables and indexes."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert found is not None
    return int(found[0])


def tick(runner: ChainRunner, moment: datetime) -> None:
    """The hourly schedule at a moment, and the run that it asks for."""
    defs = build_defs(pipeline=runner.pipeline)
    schedule = defs.resolve_schedule_def("hourly_chain")
    with dg.build_schedule_context(instance=runner.instance, scheduled_execution_time=moment) as context:
        (request,) = schedule.evaluate_tick(context).run_requests or ()
    assert request.partition_key == hour_key(moment - HOUR)
    job = defs.resolve_job_def("pattern_chain")
    done = job.execute_in_process(
        run_config=QUIET, instance=runner.instance, partition_key=request.partition_key, tags=dict(request.tags)
    )
    assert done.success


@pytest.mark.parametrize("hours", [2, pytest.param(168, marks=[pytest.mark.endurance, pytest.mark.timeout(1_200)])])
def test_idle_hours_cost_few_rows_and_none_of_ours(
    settings: Settings, warehouse: Warehouse, tmp_path: Path, hours: int
) -> None:
    with stored_instance(settings, tmp_path) as (instance, url), runner_on(settings, instance) as runner:
        at = (FIRST - HOUR).isoformat()
        runner.ingest([write(tmp_path / "runs.jsonl", run_record(1, 0, started_at=at, ended_at=at))])
        tick(runner, FIRST)  # tables and dictionaries are there from now on
        before, ours, bytes_before = rows(url), tables(warehouse), size(url)
        for number in range(1, hours + 1):
            tick(runner, FIRST + number * HOUR)
        megabytes = (size(url) - bytes_before) / 1e6
        grown = {name: count - before[name] for name, count in rows(url).items() if count > before[name]}
    sys.stdout.write(f"{hours} idle hours: {sum(grown.values())} rows, {megabytes:.1f} MB, {grown}\n")
    assert sum(grown.values()) <= hours * ROWS_OF_AN_HOUR, grown
    found = tables(warehouse)
    assert found["history_hours"]
    assert found == ours
