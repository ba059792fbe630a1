"""Warnings about what came in: silent on a steady history, and each seen when its kind of drift is there."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import psycopg
import pytest

from pattern_pipeline.checks import evaluate, latest_hour
from pattern_pipeline.partitions import SPINE, hour_key, newest_due_hour
from pattern_pipeline.patterns.windows import DAY, HOUR, Window
from pattern_pipeline.warehouse.database import Warehouse

TODAY = datetime(2026, 6, 30, tzinfo=UTC)
HOUR_OF_TODAY = Window(TODAY + 9 * HOUR, TODAY + 10 * HOUR)


def steady(warehouse: Warehouse, days: int = 35, runs: int = 40) -> None:
    """So many priced runs a day at noon, up to yesterday; every field filled."""
    with psycopg.connect(warehouse.libpq_url) as connection:
        connection.execute(
            """INSERT INTO history_hours
                   (hour, generation, workflow_count, step_count, spend_usd, priced_count, content_hash)
               SELECT %s - n * interval '1 day' + interval '12 hours', 1, %s, 1, 1, %s, '-'
               FROM generate_series(1, %s) AS n""",
            (TODAY, runs, runs, days),
        )
        connection.execute(
            """INSERT INTO workflow_history (workflow_id, source, nl_input, project, model_used, status, start_time,
                   total_tokens, step_count, cost_basis, content_hash, event_time)
               SELECT format('test:%%s-%%s', n, m), 'test', 'x', 'p', 'm', 'completed', %s, 5, 1, 'unpriced', '-',
                   %s - n * interval '1 day' + interval '12 hours'
               FROM generate_series(1, %s) AS n, generate_series(1, %s) AS m""",
            (TODAY, TODAY, days, runs),
        )


def change(warehouse: Warehouse, statement: str, *values: Any) -> None:
    with psycopg.connect(warehouse.libpq_url) as connection:
        connection.execute(statement, values)  # type: ignore[arg-type]


def warned(warehouse: Warehouse, window: Window = HOUR_OF_TODAY) -> set[str]:
    results = list(evaluate(warehouse, "raw_workflow_history", window))
    assert all(r.severity == dg.AssetCheckSeverity.WARN for r in results if r.check_name != "hours_count_their_rows")
    return {str(r.check_name) for r in results if not r.passed and r.severity == dg.AssetCheckSeverity.WARN}


YESTERDAY = TODAY - DAY


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("SELECT %s::timestamptz", set()),
        ("UPDATE history_hours SET workflow_count = 9, priced_count = 9 WHERE hour >= %s", {"volume_is_usual"}),
        ("UPDATE history_hours SET workflow_count = 200, priced_count = 200 WHERE hour >= %s", {"volume_is_usual"}),
        ("DELETE FROM history_hours WHERE hour >= %s", {"volume_is_usual"}),
        ("UPDATE history_hours SET priced_count = 30 WHERE hour >= %s", {"unpriced_share_is_usual"}),
        ("UPDATE history_hours SET priced_count = 35 WHERE hour >= %s", set()),
        ("UPDATE workflow_history SET model_used = NULL WHERE event_time >= %s", {"fields_stay_filled"}),
        ("UPDATE workflow_history SET project = NULL WHERE event_time < %s", set()),
    ],
)
def test_the_drift_that_is_there_is_warned_of(warehouse: Warehouse, statement: str, expected: set[str]) -> None:
    steady(warehouse)
    change(warehouse, statement, YESTERDAY)
    assert warned(warehouse) == expected


def test_a_young_history_and_an_empty_one_are_no_drift(warehouse: Warehouse) -> None:
    assert warned(warehouse) == set()
    steady(warehouse, days=3)
    assert warned(warehouse) == set()
    change(warehouse, "UPDATE history_hours SET workflow_count = 900, priced_count = 900 WHERE hour >= %s", YESTERDAY)
    assert warned(warehouse) == set()


def test_a_source_that_is_mostly_put_aside_is_warned_of(warehouse: Warehouse) -> None:
    change(
        warehouse,
        "INSERT INTO ingested_sources (location, reader, namespace, reader_rank, rows_read, rows_quarantined)"
        " VALUES ('/a', 'x', 'g', 1, 100, 4), ('/b', 'x', 'g', 1, 1000, 50), ('/c', 'x', 'g', 1, 90, 6)",
    )
    (result,) = evaluate(warehouse, "landed_history")
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    (row,) = result.metadata["offending rows"].records  # type: ignore[union-attr]
    assert row.data["location"] == "/c"


def test_the_newest_hour_is_missed_when_only_old_ones_are_computed(dagster_instance: dg.DagsterInstance) -> None:
    newest = newest_due_hour()
    old = Window(newest - timedelta(days=3), newest - timedelta(days=2))
    assert not latest_hour(dagster_instance, old).passed
    assert latest_hour(dagster_instance, Window(newest, newest + HOUR)).passed
    dagster_instance.report_runless_asset_event(dg.AssetMaterialization(SPINE[0], partition=hour_key(newest)))
    assert latest_hour(dagster_instance, old).passed
