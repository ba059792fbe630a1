"""A filled warehouse in seconds: patterns with estimates, runs, steps, statistics and a queue, by set-based SQL.

The same rows for the same numbers. Figures are plausible and consistent with each other, not computed by the chain.
"""

from __future__ import annotations

from pathlib import Path

import psycopg

from pattern_pipeline.warehouse.database import Warehouse

_SCRIPT = Path(__file__).with_name("seed.sql")


def seed(
    warehouse: Warehouse, *, patterns: int = 30, occurrences: int = 600, runs: int = 200, waiting: int = 8
) -> None:
    """Fill an empty warehouse.

    Args:
        warehouse: Migrated, without rows.
        patterns: Queued patterns; the first has a twentieth of all occurrences, the rest share the others evenly.
        occurrences: About how many; a pair of pattern and run is counted once.
        runs: Workflows that they are in.
        waiting: Of ten patterns, how many are pending; the others are approved, rejected or deferred.
    """
    figures = {"patterns": patterns, "occurrences": occurrences, "runs": runs, "waiting": waiting}
    with psycopg.connect(warehouse.libpq_url) as connection:
        connection.execute("SET timezone TO 'UTC'")
        with psycopg.ClientCursor(connection) as cursor:
            cursor.execute(_SCRIPT.read_bytes(), figures)
    with psycopg.connect(warehouse.libpq_url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
