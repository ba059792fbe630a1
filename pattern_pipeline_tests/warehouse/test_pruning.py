"""Pruning Dagster's tables: what tells the state of an asset stays, at any age."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster import AssetKey
from pydantic import SecretStr

from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.pruning import Pruned, prune
from pattern_pipeline.warehouse.servers import dagster_url
from pattern_pipeline.warehouse.sqlfiles import shipped
from pattern_pipeline.warehouse.urls import parse, with_database

HOURS = dg.HourlyPartitionsDefinition("2026-01-01-00:00", end_date="2026-01-01-06:00")
KEYS = HOURS.get_partition_keys()
FUTURE = datetime.now(UTC) + timedelta(days=1)


@dg.asset(
    partitions_def=HOURS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[dg.AssetCheckSpec("sound", asset="counted")],
)
def counted(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Fails for the last hour the first time."""
    if KEYS[-1] in context.partition_keys and "again" not in context.run.tags:
        raise ValueError("not yet")
    return dg.MaterializeResult(metadata={"n": 1}, check_results=[dg.AssetCheckResult(passed=True, check_name="sound")])


@pytest.fixture
def dagster(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Warehouse]:
    monkeypatch.setenv("PATTERN_PIPELINE_DATABASE_URL", database_url)
    url = dagster_url(Settings(database_url=SecretStr(database_url)))
    with Warehouse(url) as warehouse:
        yield warehouse
    with psycopg.connect(with_database(url, "postgres"), autocommit=True) as connection:
        name = psycopg.sql.Identifier(parse(url).database or "")
        connection.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def instance(dagster: Warehouse, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster.yaml").write_text(shipped("dagster.yaml").read_text())
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def materialise(instance: dg.DagsterInstance, key: str, **tags: str) -> None:
    dg.materialize([counted], instance=instance, partition_key=key, tags=tags, raise_on_error=False)


def state(instance: dg.DagsterInstance) -> tuple[object, ...]:
    """All that Dagster knows of the asset: newest materialisation of each hour, status of each, and the check."""
    key = AssetKey("counted")
    newest = {
        hour: record.storage_id
        for hour in KEYS
        for record in instance.fetch_materializations(
            dg.AssetRecordsFilter(key, asset_partitions=[hour]), limit=1
        ).records
    }
    statuses = instance.get_status_by_partition(key, KEYS, HOURS)
    checks = instance.event_log_storage.get_latest_asset_check_execution_by_key([dg.AssetCheckKey(key, "sound")])
    return (
        newest,
        statuses,
        instance.get_latest_materialization_event(key),
        {str(check): execution.id for check, execution in checks.items()},
    )


def count(dagster: Warehouse, table: str) -> int:
    with psycopg.connect(dagster.libpq_url) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # type: ignore[arg-type]
    assert row is not None
    return int(row[0])


def test_the_state_of_every_partition_survives(dagster: Warehouse, instance: dg.DagsterInstance) -> None:
    for key in (*KEYS, *KEYS[:3], KEYS[0]):
        materialise(instance, key)
    before, events = state(instance), count(dagster, "event_logs")
    pruned = prune(dagster, FUTURE, batch=7)
    assert pruned.events > events / 2
    assert pruned.runs == 4, "those that were replaced entirely"
    assert state(instance) == before
    assert prune(dagster, FUTURE) == Pruned()
    materialise(instance, KEYS[-1], again="yes")
    assert len(instance.get_materialized_partitions(AssetKey("counted"))) == len(KEYS)


def test_what_is_young_or_unfinished_stays(dagster: Warehouse, instance: dg.DagsterInstance) -> None:
    materialise(instance, KEYS[0])
    materialise(instance, KEYS[0])
    assert prune(dagster, datetime.now(UTC) - timedelta(hours=1)) == Pruned()
    (running, _) = instance.get_runs()
    with psycopg.connect(dagster.libpq_url) as connection:
        connection.execute("UPDATE runs SET status = 'STARTED'")
    events = count(dagster, "event_logs")
    prune(dagster, FUTURE)
    assert count(dagster, "event_logs") == events
    assert instance.get_run_by_id(running.run_id) is not None


def test_a_database_that_is_not_dagsters_is_left_alone(dagster: Warehouse) -> None:
    assert prune(dagster, FUTURE) == Pruned()
