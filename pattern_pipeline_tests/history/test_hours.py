"""Closing hours, and knowing which of them changed since."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal

from pattern_pipeline.history.content import Prepared
from pattern_pipeline.history.hours import close_hours, stale_hours
from pattern_pipeline.history.merge import merge
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.history.batches import NOON, batch, begin, run, step, supply

START, END = NOON, NOON + timedelta(hours=6)


def test_a_closed_hour_counts_runs_steps_and_spend(warehouse: Warehouse) -> None:
    unpriced = run(1, workflow_id="generic:x", actual_cost_total=None, cost_basis="unpriced")
    supply(warehouse, "a", batch([run(1), run(3), unpriced], [step(1, 0), step(1, 1)]))
    with warehouse.transaction() as tx:
        first, second = close_hours(tx, START, END)
    assert (first.hour, first.workflow_count, first.step_count, first.priced_count) == (
        NOON + timedelta(hours=1),
        2,
        2,
        1,
    )
    assert (first.spend_usd, first.generation) == (Decimal("0.5"), 1)
    assert second.hour == NOON + timedelta(hours=3)


def test_an_hour_is_stale_until_it_is_closed_detected_and_counted_by_the_active_versions(warehouse: Warehouse) -> None:
    supply(warehouse, "a", batch([run(1), run(3)]))
    activate(warehouse, detection="d1", catalogue="c1")
    both = [NOON + timedelta(hours=1), NOON + timedelta(hours=3)]
    assert stale(warehouse) == both
    close(warehouse)
    assert stale(warehouse) == both, "closed, but not yet detected"
    mark(warehouse, detection="d1", catalogue="c1")
    assert stale(warehouse) == []
    activate(warehouse, detection="d2", catalogue="c1")
    assert stale(warehouse) == both
    mark(warehouse, detection="d2", catalogue="c0")
    assert stale(warehouse) == both


def test_late_rows_make_exactly_their_hours_stale(warehouse: Warehouse) -> None:
    supply(warehouse, "a", batch([run(1), run(3)]))
    activate(warehouse, detection="d1", catalogue="c1")
    close(warehouse)
    mark(warehouse, detection="d1", catalogue="c1")
    supply(warehouse, "b", batch([run(3, workflow_id="generic:late")]))
    assert stale(warehouse) == [NOON + timedelta(hours=3)]
    close(warehouse)
    assert stale(warehouse) == [NOON + timedelta(hours=3)], "its signatures are those of the old content"
    mark(warehouse, detection="d1", catalogue="c1")
    close(warehouse)
    assert stale(warehouse) == [], "closing again what did not change keeps the marks"


def test_an_hour_that_lost_its_last_run_is_closed_as_empty(warehouse: Warehouse) -> None:
    supply(warehouse, "a", batch([run(1)]))
    close(warehouse)
    supply(warehouse, "a", batch([run(3)]))
    with warehouse.transaction() as tx:
        assert [hour.workflow_count for hour in close_hours(tx, START, END)] == [0, 1]


def test_superseded_runs_leave_every_count(warehouse: Warehouse) -> None:
    supply(warehouse, "a", batch([run(1)]))
    execute(warehouse, "UPDATE workflow_history SET superseded_by = 'other'")
    with warehouse.transaction() as tx:
        assert [hour.workflow_count for hour in close_hours(tx, START, END)] == [0]


def test_the_content_hash_tells_equal_hours_from_different_ones(warehouse: Warehouse) -> None:
    def content_hash() -> str:
        with warehouse.transaction() as tx:
            return close_hours(tx, START, END)[0].content_hash

    supply(warehouse, "a", batch([run(1), run(1, workflow_id="generic:x")]))
    original = content_hash()
    supply(warehouse, "a", batch([run(1, workflow_id="generic:x"), run(1, nl_input="other")]))
    assert content_hash() != original
    supply(warehouse, "a", batch([run(1, workflow_id="generic:x"), run(1)]))
    assert content_hash() == original


def test_a_landing_during_a_close_leaves_the_hour_stale(warehouse: Warehouse) -> None:
    supply(warehouse, "a", batch([run(1)]))
    activate(warehouse, detection="d1", catalogue="c1")
    late = threading.Thread(target=supply, args=(warehouse, "b", batch([run(1, workflow_id="generic:late")])))
    with warehouse.transaction() as tx:
        [closed] = close_hours(tx, START, END)
        late.start()
        late.join(0.5)
        assert late.is_alive(), "the merge waits for the hour's lock"
    late.join()
    mark(warehouse, detection="d1", catalogue="c1")
    assert closed.workflow_count == 1
    assert stale(warehouse) == [closed.hour]


def test_a_close_during_a_landing_counts_what_the_landing_commits(warehouse: Warehouse) -> None:
    supply(warehouse, "a", batch([run(1)]))
    source = begin(warehouse, "b")
    closing = threading.Thread(target=close, args=(warehouse,))
    with warehouse.bulk() as bulk:
        merge(bulk, source, Prepared.of(batch([run(1, workflow_id="generic:late")])), pass_is_complete=True)
        closing.start()
        closing.join(0.5)
        assert closing.is_alive(), "the close waits for the merge"
    closing.join()
    with warehouse.transaction() as tx:
        assert tx.connection.exec_driver_sql("SELECT workflow_count FROM history_hours").scalars().all() == [2]


def close(warehouse: Warehouse) -> None:
    """Closes every hour of the tests."""
    with warehouse.transaction() as tx:
        close_hours(tx, START, END)


def stale(warehouse: Warehouse) -> list[object]:
    """Stale hours of the tests."""
    with warehouse.transaction() as tx:
        return [each.hour for each in stale_hours(tx, START, END)]


def activate(warehouse: Warehouse, **versions: str) -> None:
    """Makes these the active versions."""
    for stage, version in versions.items():
        execute(
            warehouse,
            "INSERT INTO active_versions VALUES (%s, %s) ON CONFLICT (stage) DO UPDATE SET version = excluded.version",
            (stage, version),
        )


def mark(warehouse: Warehouse, *, detection: str, catalogue: str) -> None:
    """Says that every closed hour was detected and counted by these versions."""
    execute(
        warehouse, "UPDATE history_hours SET detection_version = %s, catalogue_version = %s", (detection, catalogue)
    )


def execute(warehouse: Warehouse, query: str, values: tuple[str, ...] = ()) -> None:
    """Runs one statement."""
    with warehouse.transaction() as tx:
        tx.connection.exec_driver_sql(query, values)
