"""Rows that the tests of the queue put into the database, and the whole database as text for comparisons."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql

from pattern_pipeline.warehouse.database import Warehouse


def connect(warehouse: Warehouse) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection of the test's own, in autocommit mode."""
    return psycopg.connect(warehouse.libpq_url, autocommit=True)


def add_pattern(
    warehouse: Warehouse,
    signature: str,
    *,
    verdict: str | None = "worth_automating",
    confidence: float | None = 80,
    occurrences: int = 10,
    savings: float | None = 2000,
    net: tuple[float, float, float] | None = (50, 100, 150),
    npv_p10: float | None = 500,
    automatable: bool = True,
) -> int:
    """A detected pattern with its current estimate (without one when `verdict` is None); its number."""
    with connect(warehouse) as connection:
        row = connection.execute(
            """
            WITH signature AS (INSERT INTO signatures (signature) VALUES (%(signature)s) RETURNING signature_id)
            INSERT INTO operation_patterns (pattern_id, pattern_signature, pattern_type, kind, readable, automatable,
                exclusion_reason, detection_version, occurrence_count, confidence_score, potential_monthly_savings)
            SELECT signature_id, %(signature)s, split_part(%(signature)s, ':', 1), 'operation', %(readable)s,
                %(automatable)s, %(reason)s, 'v1', %(occurrences)s, %(confidence)s, %(savings)s
            FROM signature RETURNING pattern_id
            """,
            {
                "signature": signature,
                "readable": signature.replace(":", " "),
                "automatable": automatable,
                "reason": None if automatable else "plumbing",
                "occurrences": occurrences,
                "confidence": confidence,
                "savings": savings,
            },
        ).fetchone()
        assert row is not None
    pattern_id = int(row[0])
    if verdict is not None:
        add_estimate(warehouse, pattern_id, "first", verdict=verdict, net=net, npv_p10=npv_p10)
    return pattern_id


def add_estimate(
    warehouse: Warehouse,
    pattern_id: int,
    input_hash: str,
    *,
    verdict: str = "worth_automating",
    net: tuple[float, float, float] | None = (50, 100, 150),
    npv_p10: float | None = 500,
) -> None:
    """A newer estimate that becomes the current one."""
    low, middle, high = net or (None, None, None)
    with connect(warehouse) as connection:
        connection.execute(
            """
            INSERT INTO roi_estimates (pattern_id, input_hash, roi_version, assumptions, window_start, window_end,
                exposure_days, occurrences, priced_count, net_p10, net_p50, net_p90, npv_p10, verdict)
            VALUES (%s, %s, 'v1', '{}', '2026-09-01', '2026-10-01', 30, 10, 10, %s, %s, %s, %s, %s)
            """,
            (pattern_id, input_hash, low, middle, high, npv_p10, verdict),
        )
        change_pattern(warehouse, pattern_id, current_estimate=input_hash)


def change_pattern(warehouse: Warehouse, pattern_id: int, **values: Any) -> None:
    """Set columns of a pattern, as the statistics would."""
    assignments = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(n), sql.Literal(v)) for n, v in values.items()
    )
    with connect(warehouse) as connection:
        connection.execute(
            sql.SQL("UPDATE operation_patterns SET {} WHERE pattern_id = {}").format(
                assignments, sql.Literal(pattern_id)
            )
        )


def add_occurrence(warehouse: Warehouse, pattern_id: int, workflow_id: str, occurred_at: str) -> None:
    """A run in which the pattern was seen."""
    with connect(warehouse) as connection:
        connection.execute(
            "INSERT INTO workflow_history (workflow_id, source, cost_basis, content_hash, event_time)"
            " VALUES (%s, 'test', 'unpriced', '-', %s)",
            (workflow_id, occurred_at),
        )
        connection.execute(
            "INSERT INTO pattern_occurrences (pattern_id, workflow_id, occurred_at, layer, similarity_score, hit_count,"
            " secondary_hits, cost_basis, detection_version, catalogue_version)"
            " VALUES (%s, %s, %s, 'step', 100, 1, 0, 'unpriced', 'v1', 'none')",
            (pattern_id, workflow_id, occurred_at),
        )


def add_step(
    warehouse: Warehouse, pattern_id: int, workflow_id: str, command: str, *, template: str | None = None
) -> None:
    """One more shell command of a run of `add_occurrence`, in which the pattern was seen, with a known template."""
    with connect(warehouse) as connection:
        row = connection.execute(
            "INSERT INTO tool_calls (workflow_id, tool_call_id, seq, tool_name, command, event_time)"
            " SELECT workflow_id, next::text, next, 'Bash', %s, event_time FROM workflow_history,"
            " (SELECT count(*)::integer AS next FROM tool_calls WHERE workflow_id = %s) AS steps"
            " WHERE workflow_id = %s RETURNING seq",
            (command, workflow_id, workflow_id),
        ).fetchone()
        assert row is not None
        connection.execute(
            "INSERT INTO detected_signatures"
            " (workflow_id, event_time, step_seq, part, signature_id, evidence_id, template_id)"
            " SELECT workflow_id, event_time, %s, 0, %s, 0,"
            " (SELECT template_id FROM command_templates WHERE template = %s)"
            " FROM workflow_history WHERE workflow_id = %s",
            (row[0], pattern_id, template, workflow_id),
        )


def queue_row(warehouse: Warehouse, pattern_id: int) -> dict[str, Any]:
    """All columns of a queued pattern."""
    with connect(warehouse) as connection:
        cursor = connection.execute("SELECT * FROM pattern_approvals WHERE pattern_id = %s", (pattern_id,))
        row = cursor.fetchone()
        assert row is not None, "the pattern is not in the queue"
        assert cursor.description is not None
        return {column.name: value for column, value in zip(cursor.description, row, strict=True)}


def queued(warehouse: Warehouse) -> list[int]:
    """Numbers of the queued patterns."""
    with connect(warehouse) as connection:
        return [row[0] for row in connection.execute("SELECT pattern_id FROM pattern_approvals ORDER BY 1")]


def automation_status(warehouse: Warehouse, pattern_id: int) -> str:
    with connect(warehouse) as connection:
        row = connection.execute(
            "SELECT automation_status FROM operation_patterns WHERE pattern_id = %s", (pattern_id,)
        ).fetchone()
        assert row is not None
        return str(row[0])


def whole_database(warehouse: Warehouse) -> dict[str, list[str]]:
    """Every row of every table as text with its system columns, and the state of every sequence."""
    with connect(warehouse) as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, relname)::text FROM pg_stat_user_tables ORDER BY 1"
        ).fetchall()
        found = {
            name: [
                str(row)
                for row in connection.execute(
                    sql.SQL("SELECT ctid, xmin, t::text FROM {} AS t ORDER BY t::text").format(sql.SQL(name))
                )
            ]
            for (name,) in tables
        }
        found["sequences"] = [
            str(row)
            for row in connection.execute("SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2")
        ]
        return found


def usd(amount: float) -> Decimal:
    return Decimal(str(amount))
