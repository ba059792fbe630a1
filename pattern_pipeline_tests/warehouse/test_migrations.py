"""Migrations: once, in order, by one process at a time, and never over something unknown."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from pattern_pipeline.errors import Conflict, SchemaTooNew
from pattern_pipeline.warehouse.migrations import migrate, shipped_migrations, verify
from pattern_pipeline.warehouse.servers import connected
from pattern_pipeline.warehouse.sqlfiles import sql_root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the package's SQL that a test may change."""
    return shutil.copytree(sql_root(), tmp_path / "sql")


def small_root(directory: Path, **files: str) -> Path:
    (directory / "migrations").mkdir(parents=True)
    for name, text in files.items():
        (directory / "migrations" / f"{name.lstrip('_')}.sql").write_text(text)
    return directory


def test_a_second_run_does_nothing_and_the_result_verifies(empty_database_url: str) -> None:
    with connected(empty_database_url) as connection:
        assert verify(connection) == ["The database has never been migrated: run `pattern-pipeline db migrate`."]
        applied = migrate(connection)
        assert [name[:4] for name in applied[:2]] == ["0001", "0002"]
        assert migrate(connection) == []
        assert verify(connection) == []


def test_two_processes_at_once_apply_everything_exactly_once(empty_database_url: str) -> None:
    def run(_: int) -> list[str]:
        with connected(empty_database_url) as connection:
            return migrate(connection)

    with ThreadPoolExecutor(4) as pool:
        results = sorted(pool.map(run, range(4)), key=len)
    assert results[:3] == [[], [], []]
    assert len(results[3]) >= len(shipped_migrations())


def test_a_migration_that_fails_leaves_nothing_of_itself(empty_database_url: str, tmp_path: Path) -> None:
    root = small_root(tmp_path, _0001_good="CREATE TABLE a ();", _0002_bad="CREATE TABLE b (); SELECT 1 / 0;")
    with connected(empty_database_url) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            migrate(connection, root)
        assert connection.execute("SELECT to_regclass('a'), to_regclass('b')").fetchone() == ("a", None)
        (root / "migrations" / "0002_bad.sql").write_text("CREATE TABLE b ();")
        assert migrate(connection, root) == ["0002_bad"]


@pytest.mark.parametrize("names", [("_0001_a", "_0001_b"), ("_0001_a", "_0003_b"), ("_0001_a", "_2_b"), ("_0000_a",)])
def test_duplicate_missing_and_misnamed_numbers_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"number|NNNN_name"):
        shipped_migrations(small_root(tmp_path, **dict.fromkeys(names, "SELECT 1;")))


def test_a_newer_schema_is_refused_with_both_versions(empty_database_url: str, root: Path) -> None:
    newest = len(shipped_migrations(root))
    (root / "migrations" / f"{newest + 1:04d}_future.sql").write_text("CREATE TABLE future ();")
    with connected(empty_database_url) as connection:
        migrate(connection, root)
        with pytest.raises(SchemaTooNew, match=f"version {newest + 1}.*knows {newest}"):
            migrate(connection)
        assert verify(connection) == [f"Migration {newest + 1:04d}_future is unknown to this code."]


def test_an_altered_migration_is_refused_and_reported(empty_database_url: str, root: Path) -> None:
    with connected(empty_database_url) as connection:
        migrate(connection, root)
        altered = next((root / "migrations").glob("0002_*.sql"))
        altered.write_text(altered.read_text() + "-- one more word\n")
        with pytest.raises(Conflict, match=f"{altered.stem} was applied with another text"):
            migrate(connection, root)
        assert verify(connection, root) == [f"Migration {altered.stem} was applied with another text than it has now."]


def test_a_missing_migration_is_reported(empty_database_url: str, root: Path) -> None:
    with connected(empty_database_url) as connection:
        migrate(connection, root)
        newest = len(shipped_migrations(root))
        (root / "migrations" / f"{newest + 1:04d}_next.sql").write_text("CREATE TABLE next ();")
        assert verify(connection, root) == [
            f"Migration {newest + 1:04d}_next is not applied: run `pattern-pipeline db migrate`."
        ]


def test_views_are_created_anew_when_a_text_changes(empty_database_url: str, root: Path) -> None:
    view = root / "views" / "z_doubled.sql"
    view.write_text(
        "DROP VIEW IF EXISTS z_doubled; CREATE VIEW z_doubled AS SELECT generation * 2 AS y FROM touched_hours;"
    )
    with connected(empty_database_url) as connection:
        assert "z_doubled" in migrate(connection, root)
        assert migrate(connection, root) == []
        view.write_text(view.read_text().replace("AS y", "AS z, hour"))
        assert verify(connection, root) == [
            "View file z_doubled is not applied as it is now: run `pattern-pipeline db migrate`."
        ]
        assert "z_doubled" in migrate(connection, root)
        assert connection.execute("SELECT z FROM z_doubled").fetchall() == []


def test_a_dropped_review_history_is_reported(empty_database_url: str) -> None:
    with connected(empty_database_url) as connection:
        migrate(connection)
        connection.execute("DROP TABLE pattern_review_history CASCADE")
        assert verify(connection) == ["Table pattern_review_history is missing: restore a dump."]
