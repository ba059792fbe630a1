"""The warehouse: engine, transactions and bulk loads over named SQL statements.

What the statements mean belongs to the rooms that own them; how a server is started belongs to `embedded`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any, Self

import adbc_driver_manager
import polars as pl
import psycopg
import psycopg2
import pyarrow as pa
import sqlalchemy
from sqlalchemy import RowMapping

from pattern_pipeline.settings import Settings, get_settings
from pattern_pipeline.warehouse import migrations
from pattern_pipeline.warehouse.embedded import EmbeddedServer
from pattern_pipeline.warehouse.servers import (
    APPLICATION_NAME,
    connected,
    embedded_server,
    held_server,
    pipeline_url,
    prepare_session,
    revive,
)
from pattern_pipeline.warehouse.sqlfiles import Statement, statements
from pattern_pipeline.warehouse.urls import normalise

if TYPE_CHECKING:
    import adbc_driver_postgresql.dbapi as adbc

DECIMAL = pl.Decimal(38, 12)
"""What `BulkTransaction.frame` makes of the numeric columns it is told about."""

DRIVER_ERRORS = (
    psycopg.OperationalError,
    psycopg2.OperationalError,
    sqlalchemy.exc.OperationalError,
    adbc_driver_manager.OperationalError,
)
"""What the drivers in use raise when the database went away or refused the work."""


class Transaction:
    """Named statements inside one transaction over psycopg, for small reads and writes."""

    def __init__(self, connection: sqlalchemy.Connection) -> None:
        self.connection = connection

    def run(self, name: str, /, **params: Any) -> int:
        """Runs the statements of a file; the number of rows they affected."""
        return sum(max(self._execute(each, name, params).rowcount, 0) for each in statements(name))

    def rows(self, name: str, /, **params: Any) -> Sequence[RowMapping]:
        """All rows of a query, by column name."""
        return self._query(name, params).mappings().all()

    def one(self, name: str, /, **params: Any) -> RowMapping | None:
        """The first row of a query, or None."""
        return self._query(name, params).mappings().first()

    def scalar(self, name: str, /, **params: Any) -> Any:
        """First column of the first row; None without rows."""
        return self._query(name, params).scalar()

    def lock(self, name: str) -> None:
        """Waits for the lock of that name and keeps it until the transaction ends; `BulkTransaction` shares it."""
        self.run("warehouse/lock", name=name)

    def join(self, name: str) -> None:
        """Makes this transaction a part of what `Warehouse.exclusively` of that name encloses."""
        self.run("warehouse/lock_shared", name=_parts_of(name))

    def _query(self, name: str, params: Mapping[str, Any]) -> sqlalchemy.CursorResult[Any]:
        return self._execute(only_statement(name), name, params)

    def _execute(self, prepared: Statement, name: str, params: Mapping[str, Any]) -> sqlalchemy.CursorResult[Any]:
        check_parameters(name, prepared, params)
        return self.connection.exec_driver_sql(prepared.named, dict(params))


class BulkTransaction:
    """Named statements and binary COPY inside one transaction over ADBC, for whole windows of rows."""

    def __init__(self, connection: adbc.Connection) -> None:
        self._connection = connection

    def run(self, name: str, /, **params: Any) -> None:
        """Runs the statements of a file."""
        for each in statements(name):
            with self._executed(each, name, params):
                continue

    def scalar(self, name: str, /, **params: Any) -> Any:
        """First column of the first row; None without rows. A numeric comes as text."""
        with self._executed(only_statement(name), name, params) as cursor:
            row = cursor.fetchone()
        return None if row is None else row[0]

    def frame(self, name: str, /, *, decimals: Iterable[str] = (), **params: Any) -> pl.DataFrame:
        """All rows of a query.

        numeric and jsonb columns come as String, which loses nothing; those named in `decimals` as Decimal(38, 12).
        """
        with self._executed(only_statement(name), name, params) as cursor:
            reader = cursor.fetch_record_batch()
            table = pa.Table.from_batches(map(_plain_batch, reader), _plain_schema(reader.schema))
        return pl.DataFrame(table).with_columns(pl.col(column).cast(DECIMAL) for column in decimals)

    def batches(self, name: str, /, **params: Any) -> Iterator[pa.RecordBatch]:
        """The rows of a query in Arrow batches, in constant memory; columns typed as in `frame`."""
        with self._executed(only_statement(name), name, params) as cursor:
            yield from map(_plain_batch, cursor.fetch_record_batch())

    def load(
        self,
        table: str,
        data: pl.DataFrame | pa.Table | Iterable[pa.RecordBatch],
        *,
        temporary: bool = False,
        create: bool = False,
    ) -> int:
        """Appends rows by binary COPY; the number of rows.

        Args:
            table: Its columns must have the names of the data's and types of the same width; others get their default.
            data: jsonb cannot be copied into: load it as text into a temporary table and cast on INSERT.
            temporary: The table is a temporary one of this transaction's session.
            create: Create it from the data's types first.
        """
        rows: pa.Table | pa.RecordBatchReader
        if isinstance(data, pl.DataFrame):
            rows = data.to_arrow()
        elif isinstance(data, pa.Table):
            rows = data
        else:
            batches = iter(data)
            first = next(batches, None)
            if first is None:
                return 0
            rows = pa.RecordBatchReader.from_batches(first.schema, chain([first], batches))
        with self._connection.cursor() as cursor:
            return int(cursor.adbc_ingest(table, rows, mode="create" if create else "append", temporary=temporary))

    def lock(self, name: str) -> None:
        """Waits for the lock of that name and keeps it until the transaction ends; `Transaction` shares it."""
        self.run("warehouse/lock", name=name)

    def join(self, name: str) -> None:
        """Makes this transaction a part of what `Warehouse.exclusively` of that name encloses."""
        self.run("warehouse/lock_shared", name=_parts_of(name))

    @contextmanager
    def _executed(self, prepared: Statement, name: str, params: Mapping[str, Any]) -> Iterator[adbc.Cursor]:
        check_parameters(name, prepared, params)
        with self._connection.cursor() as cursor:
            cursor.execute(prepared.numbered, [params[each] for each in prepared.names] or None)
            yield cursor


class Warehouse:
    """Our database: open once per process, then transactions from any thread."""

    def __init__(self, url: str, *, pool_timeout: float = 30.0, server: EmbeddedServer | None = None) -> None:
        """Connects to nothing yet; `open` is the usual way.

        Args:
            url: Any form of the URL of an existing database.
            pool_timeout: Seconds to wait for a connection when all 20 of the pool are in use.
            server: The embedded server that it is on, which is started again when it is gone.
        """
        self.url = normalise(url, "psycopg")
        self.libpq_url = normalise(url, "libpq")
        self._idle: list[adbc.Connection] = []
        self.engine = sqlalchemy.create_engine(
            self.url,
            pool_pre_ping=True,
            pool_size=5,
            max_overflow=15,
            pool_timeout=pool_timeout,
            connect_args={"application_name": APPLICATION_NAME},
        )
        sqlalchemy.event.listen(self.engine, "connect", _prepare_pooled)
        self._server = server
        if server is not None:
            revive(self.engine, server)

    @classmethod
    def open(cls, settings: Settings | None = None, *, migrate: bool = True) -> Self:
        """The warehouse of the settings, on a running server, created and migrated if need be.

        Raises:
            DatabaseDown: the server cannot be started, reached or used.
            SchemaTooNew: a newer version of this package migrated the database.
        """
        settings = settings or get_settings()
        warehouse = cls(pipeline_url(settings), server=embedded_server(settings))
        if migrate:
            with connected(warehouse.libpq_url) as connection:
                migrations.migrate(connection)
        return warehouse

    @classmethod
    @contextmanager
    def held(cls, settings: Settings | None = None) -> Iterator[Self]:
        """`open` for one command: an embedded server that it starts stops with it, unless somebody else uses it."""
        settings = settings or get_settings()
        with held_server(settings), cls.open(settings) as warehouse:
            yield warehouse

    def close(self) -> None:
        """Closes the connections that are not in use."""
        self.engine.dispose()
        while (connection := self._taken()) is not None:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """One transaction: commits when the block ends, rolls back when it raises."""
        with self.engine.begin() as connection:
            yield Transaction(connection)

    @contextmanager
    def bulk(self) -> Iterator[BulkTransaction]:
        """One ADBC transaction on a connection of its own: commits when the block ends, rolls back when it raises."""
        connection = self._bulk_connection()
        try:
            yield BulkTransaction(connection)
            connection.commit()
        except BaseException:
            connection.close()  # the server rolls back
            raise
        self._idle.append(connection)

    @contextmanager
    def exclusively(self, name: str) -> Iterator[None]:
        """Holds the lock of that name around several transactions, each of which joins it by `join`.

        A transaction of a killed process may outlive the hold of that process for a moment: it is waited for.
        """
        with self.transaction() as holding:
            holding.run("warehouse/no_idle_timeout")
            holding.lock(name)
            with self.transaction() as former:
                former.lock(_parts_of(name))
            yield

    def _bulk_connection(self) -> adbc.Connection:
        """An idle connection that still answers, else a new one: connecting reads the whole catalogue of types."""
        import adbc_driver_postgresql.dbapi as adbc  # brings pandas, for which commands that load nothing need not wait

        while (connection := self._taken()) is not None:
            try:
                BulkTransaction(connection).scalar("warehouse/ping")
            except adbc.Error:
                connection.close()
            else:
                return connection
        if self._server is not None:
            self._server.ensure_running()
        connection = adbc.connect(self.libpq_url)
        BulkTransaction(connection).run("warehouse/session")
        connection.commit()
        return connection

    def _taken(self) -> adbc.Connection | None:
        """An idle connection, which no other thread takes as well; None: there is none."""
        try:
            return self._idle.pop()
        except IndexError:
            return None


def only_statement(name: str) -> Statement:
    """The one statement of a file that must have exactly one, since its rows are wanted."""
    found = statements(name)
    if len(found) != 1:
        raise ValueError(f"SQL statement {name!r} holds {len(found)} statements, so it has no result to read")
    return found[0]


def check_parameters(name: str, prepared: Statement, params: Mapping[str, Any]) -> None:
    """Refuses missing and surplus parameters, like a function call would.

    Raises:
        TypeError: names what is missing and what is too much.
    """
    missing, surplus = set(prepared.names) - set(params), set(params) - set(prepared.names)
    if missing or surplus:
        details = [f"missing {', '.join(sorted(missing))}"] if missing else []
        details += [f"unexpected {', '.join(sorted(surplus))}"] if surplus else []
        raise TypeError(f"SQL statement {name!r}: {'; '.join(details)}")


def _parts_of(name: str) -> str:
    return f"{name}, its parts"


def _prepare_pooled(connection: psycopg.Connection[Any], _: object) -> None:
    prepare_session(connection)
    connection.commit()


def _plain_schema(schema: pa.Schema) -> pa.Schema:
    """Storage types in place of ADBC's extension types for numeric and jsonb (both text)."""
    return pa.schema([(field.name, getattr(field.type, "storage_type", field.type)) for field in schema])


def _plain_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [column.storage if isinstance(column, pa.ExtensionArray) else column for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, schema=_plain_schema(batch.schema))
