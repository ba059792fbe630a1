"""Which server and databases the settings mean, made ready to be used: ours, and Dagster's own.

Everything is a libpq URL here; drivers are chosen by the callers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import psycopg
import sqlalchemy
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection

from pattern_pipeline.errors import DatabaseDown
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.embedded import EmbeddedServer
from pattern_pipeline.warehouse.sqlfiles import statements
from pattern_pipeline.warehouse.urls import described, normalise, parse, with_database

APPLICATION_NAME = "pattern_pipeline"
PIPELINE_DATABASE = "pattern_pipeline"
DAGSTER_DATABASE = "dagster"
OLDEST_MAJOR_VERSION = 15


def embedded_server(settings: Settings) -> EmbeddedServer | None:
    """The embedded server of these settings; None when they name a server of the user's."""
    return EmbeddedServer(settings.state_dir()) if settings.database_url is None else None


@contextmanager
def held_server(settings: Settings) -> Iterator[None]:
    """Keeps the server of these settings running for the block (`EmbeddedServer.hold`); a user's own is left alone."""
    server = embedded_server(settings)
    with server.hold() if server is not None else nullcontext():
        yield


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A psycopg connection of its own, in autocommit mode and with the session settings of ours."""
    with _connect(url) as connection:
        prepare_session(connection)
        yield connection


def revive(engine: sqlalchemy.Engine, server: EmbeddedServer) -> None:
    """Has a pool start the embedded server again when it is gone: nobody else would, for a process that stays."""

    def connect(dialect: Dialect, _: object, args: Sequence[Any], params: Mapping[str, Any]) -> DBAPIConnection | None:
        try:
            return dialect.connect(*args, **params)
        except dialect.loaded_dbapi.OperationalError:
            server.ensure_running()
            return None  # the pool connects itself

    sqlalchemy.event.listen(engine, "do_connect", connect)


def prepare_session(connection: psycopg.Connection[Any]) -> None:
    """Gives a new connection the session settings of ours."""
    for each in statements("warehouse/session"):
        connection.execute(each.named.encode())


def pipeline_url(settings: Settings) -> str:
    """libpq URL of our database, on a running server and created if need be.

    Raises:
        DatabaseDown: the server cannot be started, reached or used.
        InvalidInput: the configured URL is not one.
    """
    if settings.database_url is not None:
        url = normalise(settings.database_url.get_secret_value(), "libpq")
    else:
        url = with_database(EmbeddedServer(settings.state_dir()).ensure_running(), PIPELINE_DATABASE)
    ensure_database(url)
    return url


def dagster_url(settings: Settings) -> str:
    """libpq URL of Dagster's database: as configured, else `dagster` beside ours, on a user's server `<name>_dagster`.

    Raises:
        DatabaseDown: the server cannot be started, reached or used.
        InvalidInput: the configured URL is not one.
    """
    if settings.dagster_url is not None:
        url = normalise(settings.dagster_url.get_secret_value(), "libpq")
    elif settings.database_url is not None:
        pipeline = settings.database_url.get_secret_value()
        url = with_database(pipeline, f"{parse(pipeline).database}_dagster")
    else:
        url = with_database(EmbeddedServer(settings.state_dir()).ensure_running(), DAGSTER_DATABASE)
    ensure_database(url)
    return url


def ensure_database(url: str) -> None:
    """Checks that the database answers and its server is new enough; creates the database when the server lacks it.

    Raises:
        DatabaseDown: no answer, too old, or no right to create the database.
    """
    try:
        with _connect(url) as connection:
            refuse_old_server(url, connection.info.server_version)
    except psycopg.OperationalError as error:
        if not _lacks_database(url):
            raise DatabaseDown(
                f"Cannot reach {described(url)}: {_reason(error, url)} See that the server runs and takes this user; "
                "without PATTERN_PIPELINE_DATABASE_URL the embedded server is used."
            ) from error
        _create_database(url)


def refuse_old_server(url: str, server_version: int) -> None:
    """Checks a version in PostgreSQL's own form, e.g. 150013 for 15.13.

    Raises:
        DatabaseDown: it is older than what the SQL of this package needs.
    """
    if server_version // 10_000 < OLDEST_MAJOR_VERSION:
        raise DatabaseDown(
            f"{described(url)} is on PostgreSQL {server_version // 10_000}; {OLDEST_MAJOR_VERSION} or newer is needed. "
            "Upgrade the server, or unset PATTERN_PIPELINE_DATABASE_URL to use the embedded one."
        )


def _connect(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    conninfo = make_conninfo(url, connect_timeout=10, application_name=APPLICATION_NAME)
    return psycopg.connect(conninfo, autocommit=True)


def _lacks_database(url: str) -> bool:
    """Asked of the server's catalogue: a failed connection carries no error code."""
    try:
        with _connect(with_database(url, "postgres")) as connection:
            query = "SELECT count(*) FROM pg_database WHERE datname = %s"
            return connection.execute(query, [parse(url).database]).fetchone() == (0,)
    except psycopg.OperationalError:
        return False


def _create_database(url: str) -> None:
    create = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'")
    try:
        with _connect(with_database(url, "postgres")) as connection:
            connection.execute(create.format(sql.Identifier(parse(url).database or "")))
    except (errors.DuplicateDatabase, errors.UniqueViolation):
        return  # another process was first
    except psycopg.Error as error:
        raise DatabaseDown(
            f"{described(url)} does not exist and cannot be created: {_reason(error, url)} "
            "Create it on the server and try again."
        ) from error


def _reason(error: psycopg.Error, url: str) -> str:
    """The driver's words in one line; libpq repeats user names, never passwords, but better safe than sorry."""
    password = parse(url).password
    text = " ".join(str(error).split())
    return text.replace(str(password), "***") if password else text
