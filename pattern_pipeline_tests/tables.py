"""Comparing the content of tables: what "identical tables" means in a test."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import sqlalchemy

from pattern_pipeline.warehouse.database import Warehouse

BOOKKEEPING = frozenset(
    {
        # surrogate ids
        "quarantine_id",
        "source_id",
        "evidence_id",
        "signature_id",
        "pattern_id",
        # clock times
        "landed_at",
        "quarantined_at",
        "closed_at",
        "detected_at",
        "created_at",
        "updated_at",
        "estimated_at",
        "added_at",
        "first_used",
        # the wording of a quarantined record, whose natural key is its source, position and reason
        "detail",
        "excerpt",
        # how often something was read or touched
        "pass",
        "generation",
    }
)
"""Columns that two ways to the same history may fill differently (spec/statistics_and_roi.md, section 6)."""

HISTORY = ("workflow_history", "tool_calls", "quarantined_records")

# A surrogate id is compared as what it stands for.
_NATURAL = {
    "quarantined_records": "JOIN ingested_sources USING (source_id)",
    "run_sources": "JOIN ingested_sources USING (source_id)",
}

Rows = dict[str, list[str]]


def snapshot(warehouse: Warehouse, tables: Iterable[str] = HISTORY) -> Rows:
    """The rows of `tables` as sorted JSON text, without the columns of `BOOKKEEPING`; equal means identical."""
    with warehouse.transaction() as tx:
        return {table: _rows(tx.connection, table) for table in tables}


def differences(found: Rows, expected: Rows) -> dict[str, tuple[list[str], list[str]]]:
    """Of each table that differs, the first rows that only one side has: surplus and missing."""
    surplus = {name: sorted((Counter(found[name]) - Counter(rows)).elements())[:5] for name, rows in expected.items()}
    missing = {name: sorted((Counter(rows) - Counter(found[name])).elements())[:5] for name, rows in expected.items()}
    return {name: (surplus[name], missing[name]) for name in expected if surplus[name] or missing[name]}


def _rows(connection: sqlalchemy.Connection, table: str) -> list[str]:
    location = "|| jsonb_build_object('location', ingested_sources.location)" if table in _NATURAL else ""
    query = (
        f"SELECT (to_jsonb({table}) - CAST(:ignored AS text[]) {location})::text FROM {table} {_NATURAL.get(table, '')}"
    )
    rows: Any = connection.execute(sqlalchemy.text(query), {"ignored": sorted(BOOKKEEPING)}).scalars()
    return sorted(rows)
