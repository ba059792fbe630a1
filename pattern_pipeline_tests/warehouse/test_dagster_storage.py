"""Dagster on our storage class, loaded from the shipped dagster.yaml as `dagster dev` does it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest
import yaml
from pydantic import SecretStr

from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.servers import dagster_url
from pattern_pipeline.warehouse.sqlfiles import shipped
from pattern_pipeline.warehouse.urls import parse, with_database

HOURS = dg.HourlyPartitionsDefinition("2026-01-01-00:00", end_date="2026-01-09-08:00")


@dg.asset(partitions_def=HOURS, backfill_policy=dg.BackfillPolicy.single_run())
def counted() -> None:
    """An asset that costs nothing, so that what remains is the storage."""


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """URL of the database that Dagster will use, beside the test's own."""
    monkeypatch.setenv("PATTERN_PIPELINE_DATABASE_URL", database_url)
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "")
    monkeypatch.delenv("DAGSTER_EVENT_BATCH_SIZE")
    url = dagster_url(Settings())
    yield url
    with psycopg.connect(with_database(url, "postgres"), autocommit=True) as connection:
        name = psycopg.sql.Identifier(parse(url).database or "")
        connection.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def instance(database: str, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    shutil.copy(shipped("dagster.yaml"), tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


def test_a_range_of_hours_runs_on_few_connections(database: str, instance: dg.DagsterInstance) -> None:
    keys = HOURS.get_partition_keys()
    tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
    assert dg.materialize([counted], instance=instance, tags=tags).success

    assert len(keys) == 200
    assert instance.get_materialized_partitions(counted.key) == set(keys)
    (run,) = instance.get_runs()
    assert events_of(database, run.run_id) == {"ASSET_MATERIALIZATION": 200, "ASSET_MATERIALIZATION_PLANNED": 200}
    assert os.environ["DAGSTER_EVENT_BATCH_SIZE"] == "1000"
    with psycopg.connect(database) as connection:
        connections = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    assert connections is not None
    assert 1 <= connections[0] <= 2


@dg.asset(
    partitions_def=HOURS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[dg.AssetCheckSpec("sound", asset="checked")],
)
def checked() -> dg.MaterializeResult:
    """A range has one result of each check."""
    return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True, check_name="sound")])


def test_the_check_of_a_range_is_one_row(database: str, instance: dg.DagsterInstance) -> None:
    keys = HOURS.get_partition_keys()
    tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
    assert dg.materialize([checked], instance=instance, tags=tags).success
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT check_name, execution_status FROM asset_check_executions").fetchall()
    assert found == [("sound", "SUCCEEDED")]


def test_a_worker_process_finds_the_same_storage(instance: dg.DagsterInstance) -> None:
    with dg.DagsterInstance.from_ref(instance.get_ref()) as same:
        assert dg.materialize([counted], instance=instance, partition_key=HOURS.get_partition_keys()[0]).success
        assert same.get_materialized_partitions(counted.key) == set(HOURS.get_partition_keys()[:1])


def test_it_recovers_when_the_server_drops_its_connections(database: str, instance: dg.DagsterInstance) -> None:
    assert instance.get_runs() == []
    with psycopg.connect(database) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert instance.get_runs() == []


def test_dagsters_database_can_be_anywhere(database_url: str, empty_database_url: str) -> None:
    settings = Settings(database_url=SecretStr(database_url), dagster_url=SecretStr(empty_database_url))
    assert dagster_url(settings) == empty_database_url


def test_the_workspace_loads_our_definitions_from_the_clone() -> None:
    (entry,) = yaml.safe_load(shipped("workspace.yaml").read_text())["load_from"]
    assert entry == {"python_module": {"module_name": "pattern_pipeline.definitions", "working_directory": "."}}


def events_of(database: str, run_id: str) -> dict[str, int]:
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "SELECT dagster_event_type, count(*) FROM event_logs"
            " WHERE run_id = %s AND partition IS NOT NULL GROUP BY 1",
            (run_id,),
        ).fetchall()
    return dict(rows)
