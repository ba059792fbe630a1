"""Brings a database to the schema of this code, and says whether it still is that schema.

Migrations are the files sql/migrations/NNNN_name.sql: applied in order, each once and in a transaction of its own,
remembered with their checksums. Views and functions in sql/views are re-created when their text changes. The schema
itself is in those files, not here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from pattern_pipeline.errors import Conflict, SchemaTooNew
from pattern_pipeline.warehouse.sqlfiles import sql_root, statements

Connection = psycopg.Connection[tuple[Any, ...]]

_FILE_NAME = re.compile(r"(?P<version>\d{4})_(?P<name>[a-z0-9_]+)\.sql")
_LOCK = "schema_migrations"


@dataclass(frozen=True)
class SqlFile:
    """A migration, or a view with version 0."""

    version: int
    name: str
    text: str

    @property
    def checksum(self) -> str:
        """sha256 of the text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.version:04d}_{self.name}" if self.version else self.name


def shipped_migrations(root: Path | None = None) -> list[SqlFile]:
    """The migrations of this code in order.

    Args:
        root: Directory that holds migrations/; the package's own by default.

    Raises:
        ValueError: a file name is not NNNN_name.sql, or a number is used twice or left out.
    """
    found = []
    for path in sorted(((root or sql_root()) / "migrations").glob("*.sql")):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None:
            raise ValueError(f"{path.name}: a migration is named NNNN_name.sql")
        found.append(SqlFile(int(match["version"]), match["name"], path.read_text(encoding="utf-8")))
    for expected, migration in enumerate(found, start=1):
        if migration.version != expected:
            raise ValueError(f"migration {migration}: number {expected:04d} was expected, each number exactly once")
    return found


def shipped_views(root: Path | None = None) -> list[SqlFile]:
    """The view files of this code, in the order of their names."""
    paths = sorted(((root or sql_root()) / "views").glob("*.sql"))
    return [SqlFile(0, path.stem, path.read_text(encoding="utf-8")) for path in paths]


def migrate(connection: Connection, root: Path | None = None) -> list[str]:
    """Applies what is missing; the names of what was applied. Processes that migrate at once wait for each other.

    Args:
        connection: In autocommit mode.
        root: Directory that holds migrations/ and views/; the package's own by default.

    Raises:
        SchemaTooNew: the database has migrations that this code does not know.
        Conflict: a migration that was applied has another text now.
    """
    migrations, views = shipped_migrations(root), shipped_views(root)
    with _exclusive(connection):
        if not _value(connection, "warehouse/has_bookkeeping"):
            _run(connection, "warehouse/create_bookkeeping")
        applied = _applied(connection)
        _refuse_newer(applied, migrations)
        if altered := _altered(applied, migrations):
            raise Conflict(
                f"Migration {altered[0]} was applied with another text than it has now. Restore the file: a change of "
                "the schema needs a migration of its own."
            )
        missing = [migration for migration in migrations if migration.version not in applied]
        for migration in missing:
            with connection.transaction():
                _execute(connection, migration.text)
                _run(connection, "warehouse/record_migration", **_record(migration))
        return [str(each) for each in missing] + _recreate_views(connection, views, schema_changed=bool(missing))


def verify(connection: Connection, root: Path | None = None) -> list[str]:
    """What is wrong with the database, in sentences; empty when nothing is.

    Compares migrations and views with this code, recomputes the hash chain of the review history, looks for decisions
    that it should end with, and checks that the triggers which keep it append-only are there, always on and unaltered.
    Changes nothing.
    """
    migrations = shipped_migrations(root)
    if not _value(connection, "warehouse/has_bookkeeping"):
        return ["The database has never been migrated: run `pattern-pipeline db migrate`."]
    applied = _applied(connection)
    known = {migration.version for migration in migrations}
    unknown = {version: name for version, (name, _) in applied.items() if version not in known}
    altered = _altered(applied, migrations)
    problems = [f"Migration {version:04d}_{name} is unknown to this code." for version, name in unknown.items()]
    problems += [f"Migration {each} was applied with another text than it has now." for each in altered]
    missing = [each for each in migrations if each.version not in applied]
    problems += [f"Migration {each} is not applied: run `pattern-pipeline db migrate`." for each in missing]
    recorded = _recorded_views(connection)
    problems += [
        f"View file {view} is not applied as it is now: run `pattern-pipeline db migrate`."
        for view in shipped_views(root)
        if recorded.get(view.name) != view.checksum
    ]
    return problems if missing else problems + _review_problems(connection, migrations)


def _review_problems(connection: Connection, migrations: list[SqlFile]) -> list[str]:
    if not _value(connection, "warehouse/has_review_history"):
        return ["Table pattern_review_history is missing: restore a dump."]
    triggers = [str(name) for (name,) in _rows(connection, "warehouse/missing_review_triggers")]
    problems = [f"Trigger {name} of pattern_review_history is missing or not enabled always." for name in triggers]
    problems += [
        f"Function {name} of pattern_review_history is not that of the migrations."
        for name, body in _rows(connection, "warehouse/review_functions")
        if not any(body in migration.text for migration in migrations)
    ]
    broken = [str(row) for (row,) in _rows(connection, "warehouse/broken_review_history")]
    if broken:
        problems.append(f"The chain of pattern_review_history is broken at history_id {', '.join(broken)}.")
    missing = [str(signature) for (signature,) in _rows(connection, "warehouse/missing_reviews")]
    if missing:
        problems.append(f"Decisions are missing at the end of pattern_review_history: {', '.join(missing)}.")
    if _value(connection, "warehouse/wrong_queue_counts"):
        problems.append("The counts of the queue are not those of its rows.")
    return problems


def _recreate_views(connection: Connection, views: list[SqlFile], *, schema_changed: bool) -> list[str]:
    """Re-creates all view files when one differs: a file may drop what later files build upon."""
    if not schema_changed and _recorded_views(connection) == {view.name: view.checksum for view in views}:
        return []
    with connection.transaction():
        _run(connection, "warehouse/forget_views")
        for view in views:
            _execute(connection, view.text)
            _run(connection, "warehouse/record_view", name=view.name, checksum=view.checksum)
    return [str(view) for view in views]


def _refuse_newer(applied: dict[int, tuple[str, str]], migrations: list[SqlFile]) -> None:
    newest_applied, newest_known = max(applied, default=0), len(migrations)
    if newest_applied > newest_known:
        raise SchemaTooNew(
            f"The database has schema version {newest_applied}, and this version of pattern-pipeline knows "
            f"{newest_known}. Use the newer version of pattern-pipeline that migrated it, or restore an older dump."
        )


def _altered(applied: dict[int, tuple[str, str]], migrations: list[SqlFile]) -> list[SqlFile]:
    return [each for each in migrations if each.version in applied and applied[each.version][1] != each.checksum]


def _applied(connection: Connection) -> dict[int, tuple[str, str]]:
    return {version: (name, checksum) for version, name, checksum in _rows(connection, "warehouse/applied_migrations")}


def _recorded_views(connection: Connection) -> dict[str, str]:
    return dict(_rows(connection, "warehouse/recorded_views"))


def _record(migration: SqlFile) -> dict[str, Any]:
    return {"version": migration.version, "name": migration.name, "checksum": migration.checksum}


@contextmanager
def _exclusive(connection: Connection) -> Iterator[None]:
    """Holds an advisory lock of the session, since the work spans several transactions."""
    _run(connection, "warehouse/lock_session", name=_LOCK)
    try:
        yield
    finally:
        _run(connection, "warehouse/unlock_session", name=_LOCK)


def _execute(connection: Connection, text: str) -> None:
    connection.execute(text.encode())


def _run(connection: Connection, statement: str, /, **params: Any) -> None:
    for each in statements(statement):
        connection.execute(each.named.encode(), params)


def _rows(connection: Connection, name: str) -> list[tuple[Any, ...]]:
    (only,) = statements(name)
    return connection.execute(only.named.encode()).fetchall()


def _value(connection: Connection, name: str) -> Any:
    ((value,),) = _rows(connection, name)
    return value
