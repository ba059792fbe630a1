"""The counts of the queue are kept beside it and are always those of its rows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from pattern_pipeline.detection.policy import Policy, load_policy
from pattern_pipeline.review.queue import statistics
from pattern_pipeline.review.sync import sync
from pattern_pipeline.review.transitions import Action, decide
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.migrations import verify
from pattern_pipeline_tests.review.rows import add_estimate, add_pattern, connect, whole_database


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy("default")


def counted(warehouse: Warehouse) -> dict[str, int]:
    """What the statistics should say, from the rows."""
    with connect(warehouse) as connection:
        by_status = dict(
            connection.execute("SELECT status, count(*) FROM pattern_approvals GROUP BY status").fetchall()
        )
        asking = connection.execute("SELECT count(*) FROM pattern_approvals WHERE needs_review").fetchone()
    assert asking is not None
    names = ("pending", "approved", "rejected", "auto-approved", "auto-rejected", "deferred", "revoked")
    found = {name.replace("-", "_"): by_status.get(name, 0) for name in names}
    return {**found, "reopened": asking[0], "total": sum(by_status.values())}


def rows_of_counts(warehouse: Warehouse) -> int:
    with connect(warehouse) as connection:
        row = connection.execute("SELECT count(*) FROM pattern_approval_counts").fetchone()
    assert row is not None
    return int(row[0])


def test_counts_follow_whatever_changes_the_queue(warehouse: Warehouse, policy: Policy) -> None:
    names = [f"test:pytest:n{number}" for number in range(6)]
    patterns = [add_pattern(warehouse, name) for name in names]
    sync(warehouse, policy=policy)
    assert statistics(warehouse).model_dump() == counted(warehouse)
    for name, action in zip(names, (Action.APPROVE, Action.REJECT, Action.DEFER, Action.APPROVE), strict=False):
        decide(warehouse, name, action, reviewer="ada", version=1, notes="because")
    decide(warehouse, names[3], Action.REVOKE, reviewer="ada", version=2, notes="it broke")
    add_estimate(warehouse, patterns[0], "second", net=(1, 2, 3))
    sync(warehouse, policy=policy)
    found = statistics(warehouse).model_dump()
    assert found == counted(warehouse)
    assert (found["pending"], found["approved"], found["reopened"]) == (2, 1, 1)
    with connect(warehouse) as connection:
        connection.execute("DELETE FROM pattern_approvals WHERE status = 'pending'")
        connection.execute("UPDATE pattern_approvals SET status = 'auto-rejected' WHERE status = 'rejected'")
        assert statistics(warehouse).model_dump() == counted(warehouse)
        assert verify(connection) == []


def test_a_decision_that_is_not_committed_counts_for_nobody_else_and_keeps_nobody_waiting(
    warehouse: Warehouse, policy: Policy
) -> None:
    for number in range(2):
        add_pattern(warehouse, f"test:pytest:n{number}")
    sync(warehouse, policy=policy)
    with psycopg.connect(warehouse.libpq_url) as deciding:
        deciding.execute(
            "UPDATE pattern_approvals SET status = 'rejected'"
            " WHERE pattern_id = (SELECT min(pattern_id) FROM pattern_approvals)"
        )
        assert statistics(warehouse).rejected == 0
        decide(warehouse, "test:pytest:n1", Action.APPROVE, reviewer="ada", version=1)
        assert statistics(warehouse).model_dump() == counted(warehouse)
        deciding.rollback()
    assert statistics(warehouse).model_dump() == counted(warehouse)


def test_changes_are_folded_by_a_sync_while_people_decide(warehouse: Warehouse, policy: Policy) -> None:
    names = [f"test:pytest:n{number}" for number in range(12)]
    for name in names:
        add_pattern(warehouse, name)
    sync(warehouse, policy=policy)

    def approve(name: str) -> None:
        decide(warehouse, name, Action.APPROVE, reviewer="ada", version=1)

    with ThreadPoolExecutor(4) as pool:
        decisions = [pool.submit(approve, name) for name in names]
        syncs = [pool.submit(sync, warehouse, policy=policy) for _ in range(4)]
        for done in [*decisions, *syncs]:
            done.result()
    sync(warehouse, policy=policy)
    assert statistics(warehouse).model_dump() == counted(warehouse)
    assert rows_of_counts(warehouse) == 1
    before = whole_database(warehouse)
    sync(warehouse, policy=policy)
    assert whole_database(warehouse) == before
