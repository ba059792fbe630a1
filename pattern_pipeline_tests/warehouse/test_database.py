"""Transactions over psycopg and ADBC on a real server."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from decimal import Decimal

import polars as pl
import psycopg
import pyarrow as pa
import pytest
import sqlalchemy

from pattern_pipeline.errors import DatabaseDown
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.servers import ensure_database, refuse_old_server
from pattern_pipeline.warehouse.urls import parse, with_database

HOUR = datetime(2026, 4, 10, 6, tzinfo=UTC)
HOURS = pl.DataFrame({"hour": [HOUR, HOUR.replace(hour=7)], "generation": [1, 2]})


def count(warehouse: Warehouse, table: str) -> int:
    with warehouse.engine.connect() as connection:
        return connection.execute(
            sqlalchemy.select(sqlalchemy.func.count()).select_from(sqlalchemy.table(table))
        ).scalar_one()


def test_sessions_are_utc_on_both_paths(warehouse: Warehouse) -> None:
    with warehouse.transaction() as transaction:
        assert transaction.connection.exec_driver_sql("SHOW timezone").scalar() == "UTC"
    with warehouse.bulk() as bulk:
        assert bulk.frame("warehouse/applied_migrations").height > 0


def test_a_transaction_commits_as_a_whole_or_not_at_all(warehouse: Warehouse) -> None:
    with pytest.raises(ZeroDivisionError), warehouse.transaction() as transaction:
        transaction.run("warehouse/record_view", name="half", checksum="x")
        raise ZeroDivisionError
    with warehouse.transaction() as transaction:
        assert transaction.run("warehouse/record_view", name="whole", checksum="x") == 1
    with warehouse.transaction() as transaction:
        names = {row["name"] for row in transaction.rows("warehouse/recorded_views")}
    assert "whole" in names
    assert "half" not in names


def test_a_bulk_transaction_commits_as_a_whole_or_not_at_all(warehouse: Warehouse) -> None:
    with pytest.raises(ZeroDivisionError), warehouse.bulk() as bulk:
        bulk.load("touched_hours", HOURS)
        raise ZeroDivisionError
    assert count(warehouse, "touched_hours") == 0
    with warehouse.bulk() as bulk:
        assert bulk.load("touched_hours", HOURS) == 2
    assert count(warehouse, "touched_hours") == 2


def test_loads_take_frames_tables_and_batches_and_can_stage_in_a_temporary_table(warehouse: Warehouse) -> None:
    table = HOURS.to_arrow()
    with warehouse.bulk() as bulk:
        assert bulk.load("staged", HOURS, temporary=True, create=True) == 2
        assert bulk.load("staged", table, temporary=True) == 2
        assert bulk.load("staged", iter(table.to_batches(max_chunksize=1)), temporary=True) == 2
        assert bulk.load("staged", iter([]), temporary=True) == 0


def test_numbers_texts_and_times_come_back_as_they_went_in(warehouse: Warehouse) -> None:
    money = Decimal("0.000378140001")
    runs = pl.DataFrame(
        {
            "workflow_id": ["w:1"],
            "source": ["test"],
            "actual_cost_total": pl.Series([money], dtype=pl.Decimal(24, 12)),
            "cost_basis": ["billed"],
            "content_hash": ["h"],
            "event_time": [HOUR],
        }
    )
    with warehouse.bulk() as bulk:
        bulk.load("workflow_history", runs)
    with warehouse.engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT actual_cost_total, event_time FROM workflow_history").one()
    assert (row[0], row[1]) == (money, HOUR)


def test_frames_give_money_exactly_and_batches_the_same_rows(warehouse: Warehouse) -> None:
    with warehouse.bulk() as bulk:
        frame = bulk.frame("warehouse/applied_migrations", decimals=["version"])
        batches = pa.Table.from_batches(bulk.batches("warehouse/applied_migrations"))
    assert frame.schema["version"] == pl.Decimal(38, 12)
    assert batches.column_names == frame.columns
    assert batches["name"].to_pylist() == frame["name"].to_list()


@pytest.mark.parametrize(
    ("params", "words"),
    [({"name": "a"}, "missing checksum"), ({"name": "a", "checksum": "b", "colour": 1}, "unexpected colour")],
)
def test_missing_and_surplus_parameters_are_named(warehouse: Warehouse, params: dict[str, object], words: str) -> None:
    with warehouse.transaction() as transaction, pytest.raises(TypeError, match=f"warehouse/record_view.*{words}"):
        transaction.run("warehouse/record_view", **params)
    with warehouse.bulk() as bulk, pytest.raises(TypeError, match=words):
        bulk.run("warehouse/record_view", **params)


def test_a_file_of_several_statements_runs_on_both_paths_but_has_no_rows(warehouse: Warehouse) -> None:
    with warehouse.bulk() as bulk:
        bulk.run("warehouse/session")
    with warehouse.transaction() as transaction:
        for _ in range(7):  # more often than psycopg's threshold for preparing a statement
            transaction.run("warehouse/session")
        with pytest.raises(ValueError, match="no result"):
            transaction.rows("warehouse/session")


def test_results_of_one_row_and_one_value(warehouse: Warehouse) -> None:
    with warehouse.transaction() as transaction:
        first = transaction.one("warehouse/applied_migrations")
        assert first is not None
        assert first["version"] == 1
        assert transaction.scalar("warehouse/applied_migrations") == 1
        assert transaction.one("warehouse/broken_review_history") is None
    with warehouse.bulk() as bulk:
        assert bulk.scalar("warehouse/applied_migrations") == 1
        assert bulk.scalar("warehouse/broken_review_history") is None


def test_the_same_lock_excludes_ordinary_and_bulk_transactions_from_each_other(warehouse: Warehouse) -> None:
    entered = threading.Event()

    def wait_for_lock() -> None:
        with warehouse.bulk() as bulk:
            bulk.lock("window")
            entered.set()

    with warehouse.transaction() as transaction:
        transaction.lock("window")
        waiting = threading.Thread(target=wait_for_lock)
        waiting.start()
        assert not entered.wait(0.3)
    assert entered.wait(10)
    waiting.join()


def test_what_is_done_exclusively_waits_for_the_former_holder_and_for_what_is_left_of_his_transactions(
    warehouse: Warehouse,
) -> None:
    entered = threading.Event()

    def wait_for_both() -> None:
        with warehouse.exclusively("table"), warehouse.bulk() as part:
            part.join("table")
            entered.set()

    waiting = threading.Thread(target=wait_for_both)
    with warehouse.transaction() as left_behind:
        with warehouse.exclusively("table"):
            left_behind.join("table")
            waiting.start()
            assert not entered.wait(0.3)
        assert not entered.wait(0.3)
    assert entered.wait(10)
    waiting.join()


def test_a_pooled_connection_that_the_server_dropped_is_replaced(warehouse: Warehouse) -> None:
    with warehouse.transaction() as transaction:
        pid = transaction.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    with psycopg.connect(warehouse.libpq_url) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    with warehouse.transaction() as transaction:
        assert transaction.scalar("warehouse/applied_migrations") == 1


def test_open_creates_and_migrates_a_missing_database(server_url: str, settings: Settings) -> None:
    assert settings.database_url is not None
    name = f"{parse(settings.database_url.get_secret_value()).database}_new"
    url = with_database(server_url, name)
    with Warehouse.open(Settings(database_url=url)) as warehouse, warehouse.transaction() as transaction:
        assert transaction.scalar("warehouse/applied_migrations") == 1
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(psycopg.sql.Identifier(name)))


def test_a_server_that_is_down_is_named_without_its_password() -> None:
    with pytest.raises(DatabaseDown) as failure:
        Warehouse.open(Settings(database_url="postgresql://me:geheim@127.0.0.1:1/work"))
    assert "'work' at 127.0.0.1:1" in str(failure.value)
    assert "geheim" not in str(failure.value)


def test_a_database_that_cannot_be_created_is_named(server_url: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE visitor LOGIN")
    try:
        visitor = parse(server_url).set(username="visitor", database="not_there")
        url = visitor.render_as_string(hide_password=False)
        with pytest.raises(DatabaseDown, match=r"'not_there'.*cannot be created"):
            ensure_database(url)
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute("DROP ROLE visitor")


def test_an_old_server_is_refused_with_both_versions() -> None:
    with pytest.raises(DatabaseDown, match=r"PostgreSQL 14; 15 or newer"):
        refuse_old_server("postgresql://u@h/work", 140012)
    refuse_old_server("postgresql://u@h/work", 150000)
