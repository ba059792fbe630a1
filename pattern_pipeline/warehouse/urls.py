"""Database URLs: one form for every driver, and one that may be shown.

Nothing here connects. A bare `postgresql://` means psycopg 3 in SQLAlchemy 2.1 and breaks dagster-postgres at its first
event, so every URL given to a library goes through `normalise` and names its driver.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote, unquote, urlencode

import sqlalchemy
from sqlalchemy.engine import URL

from pattern_pipeline.errors import InvalidInput

Driver = Literal["psycopg", "psycopg2", "libpq"]

_SECRET_QUERY_KEYS = frozenset({"password", "sslpassword"})


def parse(url: str) -> URL:
    """Parses any usual form of a PostgreSQL URL: `postgres://`, `postgresql://`, `+driver`, sockets in query or host.

    Raises:
        InvalidInput: not a PostgreSQL URL, unreadable, or without a database name. The text is never repeated, since it
            may hold a password.
    """
    try:
        parsed = sqlalchemy.make_url(url.strip())
    except (sqlalchemy.exc.ArgumentError, ValueError) as error:
        raise InvalidInput(
            "The database URL cannot be read: expected postgresql://user:password@host:5432/database, "
            "with special characters of the password percent-encoded."
        ) from error
    if parsed.drivername.partition("+")[0] not in {"postgres", "postgresql"}:
        raise InvalidInput(f"The database URL is for {parsed.drivername!r}: expected postgresql://...")
    if not parsed.database:
        raise InvalidInput(
            "The database URL names no database: expected postgresql://user:password@host:5432/database."
        )
    socket_host = unquote(parsed.host) if parsed.host else ""
    if socket_host.startswith("/"):
        parsed = parsed.set(host=None).update_query_dict({"host": socket_host})
    return parsed


def normalise(url: str, driver: Driver) -> str:
    """The same database for one client library: SQLAlchemy over psycopg or psycopg2, or libpq itself (ADBC, psql)."""
    parsed = parse(url)
    scheme = "postgresql" if driver == "libpq" else f"postgresql+{driver}"
    return scheme + _after_scheme(parsed)


def with_database(url: str, database: str) -> str:
    """The libpq URL of another database on the same server."""
    return normalise(parse(url).set(database=database).render_as_string(hide_password=False), "libpq")


def without_password(url: str) -> str:
    """The libpq URL without its password, for a command line; the password then goes through the environment."""
    return "postgresql" + _after_scheme(parse(url)._replace(password=None))


def redacted(url: str) -> str:
    """The URL without password, to be shown or logged; unreadable text is replaced as a whole."""
    try:
        parsed = parse(url)
    except InvalidInput:
        return "<unreadable database URL>"
    query = {key: "***" if key in _SECRET_QUERY_KEYS else value for key, value in parsed.query.items()}
    return "postgresql" + _after_scheme(parsed.set(password="***" if parsed.password else None, query=query))


def described(url: str) -> str:
    """Database and server in words, for messages; never user or password."""
    parsed = parse(url)
    host = parsed.host or parsed.query.get("host") or "the default socket"
    port = f":{parsed.port}" if parsed.port else ""
    return f"database {parsed.database!r} at {host}{port}"


def _after_scheme(url: URL) -> str:
    """Renders everything percent-encoded, which libpq and SQLAlchemy decode alike; SQLAlchemy's own form is not."""
    credentials = ""
    if url.username is not None:
        credentials = quote(url.username, safe="")
        if url.password is not None:
            credentials += ":" + quote(str(url.password), safe="*")
        credentials += "@"
    host = f"[{url.host}]" if url.host and ":" in url.host else url.host or ""
    port = f":{url.port}" if url.port else ""
    query = f"?{urlencode(dict(url.query), doseq=True, quote_via=quote, safe='*')}" if url.query else ""
    return f"://{credentials}{host}{port}/{quote(url.database or '', safe='')}{query}"
