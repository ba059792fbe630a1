"""Tables of any database that SQLAlchemy knows, read by a server-side cursor.

Where the rows are and how they are fetched belongs here; what the columns mean belongs to the readers.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
import sqlalchemy as sa

from pattern_pipeline.errors import InvalidInput, NotFound
from pattern_pipeline.history.mapping import ReadOptions
from pattern_pipeline.history.readers.base import Location
from pattern_pipeline.history.records import Fields

_ROWS: Final = 5_000
_HIDDEN: Final = "***"
# Parameters without which a stored URL might mean another database, or none; any other may hold a secret.
_HARMLESS_QUERY: Final = frozenset({"host", "port", "service", "sslmode", "charset", "unix_socket"})
_EVENT_TIME: Final = ("end_time", "start_time")


def table_location(spec: str) -> Location:
    """The location of a URL with a table after `#`, e.g. `postgresql+psycopg://user@host/db#schema.runs`.

    Raises:
        InvalidInput: The URL cannot be used or names no table; the message lists the tables there are.
        NotFound: There is no such table.
    """
    address, _, name = spec.partition("#")
    engine = _engine(address)
    try:
        inspector = sa.inspect(engine)
        schema, table = _qualified(name)
        tables = sorted([*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)])
    except sa.exc.SQLAlchemyError as error:
        raise InvalidInput(f"{shown_url(address)} cannot be opened: {_reason(error)}.") from error
    finally:
        engine.dispose()
    if table not in tables:
        told = f"Tables there: {', '.join(tables[:30]) or 'none'}; name one as {shown_url(address)}#table."
        raise (NotFound if name else InvalidInput)(f"{shown_url(address)}: no table {table!r}. {told}")
    return Location("table", f"{shown_url(address)}#{name}", url=address)


def table_rows(
    location: Location, options: ReadOptions, fields: Fields
) -> Iterator[tuple[list[dict[str, Any]], pl.Series]]:
    """Rows of a table and their positions, in parts of bounded size; `options.since` and `until` limit them in time.

    Raises:
        InvalidInput: The table cannot be read.
    """
    engine = _engine(location.url or "")
    schema, name = _qualified(location.location.rpartition("#")[2])
    try:
        table = sa.Table(name, sa.MetaData(), schema=schema, autoload_with=engine)
        # Plain strings: the names that reflection gives are of a class of their own, which JSON refuses as keys.
        names = [f"{each.name}" for each in table.columns]
        keys = [f"{each.name}" for each in table.primary_key.columns]
        query = sa.select(*_values(table, engine)).where(*_window(table, engine, options, fields))
        query = query.order_by(*table.primary_key.columns)
        with engine.connect().execution_options(stream_results=True, yield_per=_ROWS) as connection:
            first = 1
            for part in connection.execute(query).partitions(_ROWS):
                rows = [dict(zip(names, row, strict=True)) for row in part]
                yield rows, _positions(rows, keys, first)
                first += len(rows)
    except sa.exc.SQLAlchemyError as error:
        raise InvalidInput(f"{location.location} cannot be read: {_reason(error)}.") from error
    finally:
        engine.dispose()


def _positions(rows: list[dict[str, Any]], keys: list[str], first: int) -> pl.Series:
    """The primary key of each row, else its number."""
    if not keys:
        return "row " + pl.int_range(first, first + len(rows), eager=True).cast(pl.String)
    return pl.Series([" ".join(f"{key}={row[key]}" for key in keys) for row in rows], dtype=pl.String)


def _values(table: sa.Table, engine: sa.Engine) -> list[sa.ColumnElement[Any]]:
    """What is selected: in SQLite, where a column holds values of any type, each as it stands there."""
    if engine.dialect.name != "sqlite":
        return list(table.columns)
    return [sa.type_coerce(each, sa.types.NullType()) for each in table.columns]


def _window(table: sa.Table, engine: sa.Engine, options: ReadOptions, fields: Fields) -> list[sa.ColumnElement[bool]]:
    """Conditions on the first time columns that hold times in the database's own type; in SQLite that is text."""
    is_sqlite = engine.dialect.name == "sqlite"
    types = (sa.DateTime, sa.Date, sa.String) if is_sqlite else (sa.DateTime, sa.Date)
    names = [name for field in _EVENT_TIME for name in fields[field].names if name in table.columns]
    times = [table.columns[name] for name in names if isinstance(table.columns[name].type, types)]
    if not times:
        return []
    moment: sa.ColumnElement[Any] = sa.func.coalesce(*times) if len(times) > 1 else times[0]
    if is_sqlite:
        moment = sa.func.datetime(moment, type_=sa.String())
    since, until = ((_sqlite_text(each) if is_sqlite and each else each) for each in (options.since, options.until))
    return [*([moment >= since] if since else []), *([moment < until] if until else [])]


def _sqlite_text(moment: datetime) -> str:
    """A time in the form that SQLite's `datetime` gives."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _engine(address: str) -> sa.Engine:
    try:
        url = _parsed(address)
        if url.password == _HIDDEN:
            url = url._replace(password=None)  # A client of PostgreSQL takes it from PGPASSWORD or ~/.pgpass then.
        if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).is_file():
            raise NotFound(f"{url.database}: no such SQLite file.")
        return sa.create_engine(url, poolclass=sa.NullPool)
    except (sa.exc.ArgumentError, ImportError, ValueError) as error:
        raise InvalidInput(
            f"{shown_url(address)} is no database URL that can be used here ({_fault(error)}); "
            "expected e.g. postgresql+psycopg://user@host/database#table or sqlite:///file.db#table."
        ) from error


def _parsed(address: str) -> sa.URL:
    """The URL in the form that SQLAlchemy wants; a file means the same from every working directory."""
    url = sa.make_url(address)
    if url.drivername == "postgres":
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        url = url.set(database=str(Path(url.database).absolute()))
    return url


def _fault(error: Exception) -> str:
    """What is wrong with a URL, without repeating it."""
    match error:
        case sa.exc.NoSuchModuleError():
            return "there is no such kind of database"
        case ImportError():
            return f"its driver is not installed: {error}"
        case _:
            return "it cannot be parsed"


def shown_url(address: str) -> str:
    """The URL without a password: fit to be shown and stored, and to connect with where the client finds one itself."""
    try:
        url = _parsed(address)
    except (sa.exc.ArgumentError, ValueError):
        return address.partition("://")[0] + "://..."
    secret = [name for name in url.query if name.lower() not in _HARMLESS_QUERY]
    return url.difference_update_query(secret).render_as_string(hide_password=True)


def _qualified(name: str) -> tuple[str | None, str]:
    schema, _, table = name.rpartition(".")
    return schema or None, table


def _reason(error: sa.exc.SQLAlchemyError) -> str:
    """The database's own words, without the statement."""
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
