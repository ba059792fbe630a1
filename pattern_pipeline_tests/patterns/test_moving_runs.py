"""Runs that change their hour while it is computed: what is derived follows them, whatever the order of chunks."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from pattern_pipeline.patterns import occurrences as counting
from pattern_pipeline.patterns.signatures import WindowDetector
from pattern_pipeline.patterns.windows import HOUR, Window, plan_chunks
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.patterns.histories import START, WINDOW, Run, default_policy, insert, occurrences

TASK = {"task": ("test:pytest:all",)}
POLICY = default_policy()


def move(warehouse: Warehouse, workflow_id: str, hours: float) -> None:
    with warehouse.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE workflow_history SET event_time = %s WHERE workflow_id = %s",
            (START + timedelta(hours=hours), workflow_id),
        )


def test_runs_that_change_places_between_chunks_are_counted_where_they_are(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = insert(warehouse, [Run("1", texts=TASK, hours=number) for number in range(6)], POLICY)
    monkeypatch.setattr(counting, "plan_chunks", partial(plan_chunks, limit=1))
    counting.replace_occurrences(warehouse, POLICY, WINDOW)
    for number, each in enumerate(ids):
        move(warehouse, each, 5 - number)
    with warehouse.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE detected_signatures d SET event_time = w.event_time FROM workflow_history w"
            " WHERE w.workflow_id = d.workflow_id"
        )
    counting.replace_occurrences(warehouse, POLICY, WINDOW)
    found = occurrences(warehouse)
    assert [found["test:pytest:all", each]["occurred_at"] for each in ids] == [
        START + timedelta(hours=5 - number) for number in range(6)
    ]


def test_an_hour_keeps_nothing_of_a_run_that_has_left_it(warehouse: Warehouse) -> None:
    (left,) = insert(warehouse, [Run("1", hours=0)], POLICY)
    with warehouse.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE workflow_history SET nl_input = 'Run pytest on the backend'")
    detector = WindowDetector(POLICY)
    hour = Window(START, START + HOUR)
    assert detector.replace(warehouse, hour).rows > 0
    move(warehouse, left, 30)
    detector.replace(warehouse, hour)
    with warehouse.engine.begin() as connection:
        for table in ("detected_signatures", "workflow_characteristics"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0, table
