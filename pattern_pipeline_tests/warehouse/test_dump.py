"""Dump and restore: everything comes back, and nothing is overwritten by accident."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from pattern_pipeline.errors import Conflict, DatabaseDown, InvalidInput
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.dump import DAGSTER_ARCHIVE, PIPELINE_ARCHIVE, dump, restore
from pattern_pipeline.warehouse.migrations import verify
from pattern_pipeline.warehouse.servers import connected, dagster_url
from pattern_pipeline.warehouse.urls import parse, with_database
from pattern_pipeline_tests.warehouse.test_review_history import write_reviews


def with_dagster(url: str) -> Iterator[Settings]:
    settings = Settings(database_url=SecretStr(url))
    dagster = dagster_url(settings)
    yield settings
    with psycopg.connect(with_database(url, "postgres"), autocommit=True) as connection:
        name = psycopg.sql.Identifier(parse(dagster).database or "")
        connection.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def source(database_url: str) -> Iterator[Settings]:
    yield from with_dagster(database_url)


@pytest.fixture
def target(empty_database_url: str) -> Iterator[Settings]:
    yield from with_dagster(empty_database_url)


def reviews(settings: Settings) -> list[tuple[object, ...]]:
    assert settings.database_url is not None
    with connected(settings.database_url.get_secret_value()) as connection:
        assert verify(connection) == []
        return connection.execute("SELECT * FROM pattern_review_history ORDER BY history_id").fetchall()


def test_a_round_trip_brings_back_both_databases_with_an_unbroken_chain(
    source: Settings, target: Settings, tmp_path: Path
) -> None:
    assert source.database_url is not None
    with connected(source.database_url.get_secret_value()) as connection:
        write_reviews(connection, 3)
    with connected(dagster_url(source)) as connection:
        connection.execute("CREATE TABLE runs AS SELECT 1 AS n")

    files = dump(source, tmp_path / "a dump")
    assert [file.name for file in files] == [DAGSTER_ARCHIVE, PIPELINE_ARCHIVE]
    restore(target, tmp_path / "a dump")

    assert reviews(target) == reviews(source)
    assert len(reviews(target)) == 3
    with connected(dagster_url(target)) as connection:
        assert connection.execute("SELECT n FROM runs").fetchall() == [(1,)]


def test_what_a_database_holds_is_replaced_by_force_only(source: Settings, tmp_path: Path) -> None:
    assert source.database_url is not None
    with connected(source.database_url.get_secret_value()) as connection:
        write_reviews(connection, 3)
        dump(source, tmp_path / "dump")
        connection.execute("INSERT INTO touched_hours (hour) VALUES (now())")
        with pytest.raises(Conflict, match="not empty"):
            restore(source, tmp_path / "dump")
        assert connection.execute("SELECT count(*) FROM touched_hours").fetchone() == (1,)
        restore(source, tmp_path / "dump", force=True)
        assert connection.execute("SELECT count(*) FROM touched_hours").fetchone() == (0,)
    assert len(reviews(source)) == 3


def test_an_existing_target_is_left_alone(source: Settings, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="exists already"):
        dump(source, tmp_path)


def test_an_incomplete_dump_is_refused(target: Settings, tmp_path: Path) -> None:
    (tmp_path / PIPELINE_ARCHIVE).write_bytes(b"")
    with pytest.raises(InvalidInput, match=DAGSTER_ARCHIVE):
        restore(target, tmp_path)


def test_a_damaged_dump_leaves_the_database_as_it_was(source: Settings, tmp_path: Path) -> None:
    archive = next(file for file in dump(source, tmp_path / "dump") if file.name == PIPELINE_ARCHIVE)
    archive.write_bytes(archive.read_bytes()[:-2000])
    with pytest.raises(DatabaseDown, match="pg_restore failed"):
        restore(source, tmp_path / "dump", force=True)
    assert reviews(source) == []
