"""Dump and restore of both databases with PostgreSQL's own tools.

A dump is a directory with one pg_dump archive (custom format) per database. It is complete or absent: it is written
under another name first. It can be restored into the same or a newer major version of PostgreSQL.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pattern_pipeline.errors import Conflict, DatabaseDown, InvalidInput
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.embedded import binary_dir
from pattern_pipeline.warehouse.servers import connected, dagster_url, pipeline_url
from pattern_pipeline.warehouse.sqlfiles import statements
from pattern_pipeline.warehouse.urls import described, parse, without_password

PIPELINE_ARCHIVE = "pattern_pipeline.dump"
DAGSTER_ARCHIVE = "dagster.dump"

Databases = Mapping[str, str]
"""The libpq URL of each archive's database."""


def dump(settings: Settings, target: Path) -> list[Path]:
    """`dump_databases` of the settings' databases."""
    return dump_databases(_databases(settings), target)


def dump_databases(databases: Databases, target: Path) -> list[Path]:
    """Writes a dump of both databases to a new directory; the files.

    Raises:
        Conflict: the target exists.
        DatabaseDown: a database cannot be reached or read.
    """
    if target.exists():
        raise Conflict(f"{target} exists already; name a directory that does not.")
    partial = target.with_name(f"{target.name}.partial-{os.getpid()}")
    try:
        partial.mkdir(parents=True, mode=0o700)
    except OSError as error:
        raise InvalidInput(f"{target} cannot be written: {error.strerror}.") from error
    try:
        for archive, url in databases.items():
            _run_tool("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={partial / archive}")
        partial.rename(target)
    except BaseException:
        shutil.rmtree(partial)
        raise
    return sorted(target.iterdir())


def restore(settings: Settings, source: Path, *, force: bool = False) -> None:
    """`restore_databases` into the settings' databases."""
    restore_databases(_databases(settings), source, force=force)


def restore_databases(databases: Databases, source: Path, *, force: bool = False) -> None:
    """Restores a dump of `dump` into both databases, each in one transaction.

    Args:
        databases: Which databases.
        source: A directory that `dump` wrote.
        force: Replace what the databases hold; without it they must be empty.

    Raises:
        InvalidInput: the source is not a complete dump.
        Conflict: a database is not empty and force is not given.
        DatabaseDown: a database cannot be reached or refuses the dump; it is then as it was.
    """
    missing = [archive for archive in databases if not (source / archive).is_file()]
    if missing:
        raise InvalidInput(f"{source} is not a dump of pattern-pipeline: {', '.join(missing)} is missing.")
    for url in databases.values():
        if not force and not _is_empty(url):
            raise Conflict(f"{described(url)} is not empty. With --force the dump replaces what it holds.")
    for archive, url in databases.items():
        options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
        options += ["--clean", "--if-exists"] if force else []
        _run_tool("pg_restore", url, *options, str(source / archive))


def tool_environment(url: str) -> dict[str, str]:
    """Environment for PostgreSQL's tools: the password goes there, since arguments are visible to every user."""
    password = parse(url).password
    return {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}


def _databases(settings: Settings) -> Databases:
    return {PIPELINE_ARCHIVE: pipeline_url(settings), DAGSTER_ARCHIVE: dagster_url(settings)}


def _is_empty(url: str) -> bool:
    (count_relations,) = statements("warehouse/count_relations")
    with connected(url) as connection:
        return connection.execute(count_relations.named.encode()).fetchone() == (0,)


def _run_tool(name: str, url: str, *options: str) -> None:
    with connected(url) as connection:
        tools = binary_dir(connection.info.server_version // 10_000)
    command = [str(tools / name), f"--dbname={without_password(url)}", *options]
    finished = subprocess.run(command, env=tool_environment(url), capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise DatabaseDown(f"{name} failed on {described(url)}: {finished.stderr.strip()}")
