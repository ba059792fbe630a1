"""Why the big tables are plain ones (docs/scaling.md): what PostgreSQL asks of partitions by time."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("table", ["workflow_history", "tool_calls"])
def test_months_take_the_key_away_and_hashes_leave_it(connection: psycopg.Connection, table: str) -> None:
    with pytest.raises(errors.FeatureNotSupported, match="must include all partitioning columns"):
        connection.execute(f"CREATE TABLE monthly (LIKE {table} INCLUDING ALL) PARTITION BY RANGE (event_time)")
    connection.execute(f"CREATE TABLE hashed (LIKE {table} INCLUDING ALL) PARTITION BY HASH (workflow_id)")


def test_a_run_could_be_in_two_months_at_once(connection: psycopg.Connection) -> None:
    connection.execute(
        """
        CREATE TABLE monthly (workflow_id text, event_time timestamptz, PRIMARY KEY (workflow_id, event_time))
            PARTITION BY RANGE (event_time);
        CREATE TABLE january PARTITION OF monthly FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
        CREATE TABLE february PARTITION OF monthly FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
        INSERT INTO monthly VALUES ('run', '2026-01-15'), ('run', '2026-02-15')
        """
    )
    with pytest.raises(errors.InvalidForeignKey, match="no unique constraint"):
        connection.execute("CREATE TABLE steps (workflow_id text REFERENCES monthly (workflow_id))")
