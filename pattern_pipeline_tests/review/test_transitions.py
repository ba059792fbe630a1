"""Decisions: what may follow what, upon which version and evidence, and the trail that they leave."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from pattern_pipeline.detection.policy import Policy, load_policy
from pattern_pipeline.errors import Conflict, InvalidInput, NotFound, PipelineError
from pattern_pipeline.review.queue import entries, entry, history, statistics
from pattern_pipeline.review.sync import sync
from pattern_pipeline.review.transitions import STATUSES, TRANSITIONS, Action, Decision, VersionRequired, decide
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.review.rows import (
    add_estimate,
    add_pattern,
    automation_status,
    change_pattern,
    connect,
    queue_row,
    whole_database,
)

NAME = "test:pytest:backend"
DECISIONS = [action for action in Action if action is not Action.COMMENT]


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy("default")


@pytest.fixture
def pattern(warehouse: Warehouse, policy: Policy) -> int:
    """A pattern that waits in the queue."""
    number = add_pattern(warehouse, NAME)
    sync(warehouse, policy=policy)
    return number


def _decide(warehouse: Warehouse, action: Action, **given: Any) -> Decision:
    given = {"reviewer": "ada", "version": entry(warehouse, NAME).version, "notes": "because"} | given
    return decide(warehouse, given.pop("pattern", NAME), action, **given)


ALLOWED = {
    ("pending", Action.APPROVE): ("approved", "approved"),
    ("pending", Action.REJECT): ("rejected", "rejected"),
    ("pending", Action.DEFER): ("deferred", "in_review"),
    ("deferred", Action.APPROVE): ("approved", "approved"),
    ("deferred", Action.REJECT): ("rejected", "rejected"),
    ("deferred", Action.DEFER): ("deferred", "in_review"),
    ("approved", Action.REVOKE): ("revoked", "deprecated"),
    ("auto-approved", Action.REVOKE): ("revoked", "deprecated"),
    ("rejected", Action.REOPEN): ("pending", "in_review"),
    ("revoked", Action.REOPEN): ("pending", "in_review"),
    ("auto-rejected", Action.REOPEN): ("pending", "in_review"),
}


@pytest.mark.parametrize("action", DECISIONS)
@pytest.mark.parametrize("status", STATUSES)
def test_exactly_the_listed_transitions_are_possible(
    module_warehouse: Warehouse, policy: Policy, status: str, action: Action
) -> None:
    warehouse, name = module_warehouse, f"test:{status}:{action}"
    pattern = add_pattern(warehouse, name)
    sync(warehouse, policy=policy)
    with connect(warehouse) as connection:
        connection.execute("UPDATE pattern_approvals SET status = %s WHERE pattern_id = %s", (status, pattern))
    if (status, action) not in ALLOWED:
        before = whole_database(warehouse)
        with pytest.raises(Conflict, match=f"is {status}; {action} is for"):
            decide(warehouse, name, action, reviewer="ada", version=1, notes="because")
        assert whole_database(warehouse) == before
        return
    target, automation = ALLOWED[status, action]
    decision = decide(warehouse, name, action, reviewer="ada", version=1, notes="because")
    row = queue_row(warehouse, pattern)
    assert (decision.status, row["status"], row["version"]) == (target, target, 2)
    if target != status:
        assert automation_status(warehouse, pattern) == automation
    (recorded,) = history(warehouse, name)
    assert (recorded.action, recorded.from_status, recorded.to_status) == (
        TRANSITIONS[action].recorded_as,
        status,
        target,
    )


def test_the_table_knows_no_status_that_the_database_does_not(warehouse: Warehouse) -> None:
    with connect(warehouse) as connection:
        checks = {
            table: str(connection.execute(query, (table,)).fetchall())
            for query in [
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c' AND conrelid = %s::regclass"
            ]
            for table in ("pattern_approvals", "pattern_review_history", "operation_patterns")
        }
    for transition in TRANSITIONS.values():
        for status in {*transition.sources, *([transition.target] if transition.target else [])}:
            assert f"'{status}'" in checks["pattern_approvals"]
        assert f"'{transition.recorded_as}'" in checks["pattern_review_history"]
        if transition.automation_status:
            assert f"'{transition.automation_status}'" in checks["operation_patterns"]


def test_a_decision_keeps_who_why_and_upon_what(warehouse: Warehouse, pattern: int) -> None:
    decision = _decide(warehouse, Action.REJECT, reviewer="  grace ", notes="  too rare ")
    row = queue_row(warehouse, pattern)
    assert (row["reviewed_by"], row["approval_notes"]) == ("grace", "too rare")
    assert (row["decided_evidence_hash"], row["decided_confidence"]) == ("first", 80)
    (recorded,) = history(warehouse, NAME)
    assert recorded.history_id == decision.history_id
    assert (recorded.reviewer, recorded.notes, recorded.evidence_hash) == ("grace", "too rare", "first")


def test_a_reason_is_mandatory_and_not_blank(warehouse: Warehouse, pattern: int) -> None:
    before = whole_database(warehouse)
    for action in (Action.REJECT, Action.DEFER, Action.REVOKE, Action.REOPEN, Action.COMMENT):
        for notes in (None, "", " \n\t"):
            with pytest.raises(InvalidInput, match="reason"):
                _decide(warehouse, action, notes=notes)
    assert whole_database(warehouse) == before


def test_an_approval_needs_no_reason(warehouse: Warehouse, pattern: int) -> None:
    assert _decide(warehouse, Action.APPROVE, notes=None).status == "approved"


def test_a_nameless_reviewer_is_refused(warehouse: Warehouse, pattern: int) -> None:
    with pytest.raises(InvalidInput, match="reviewer"):
        _decide(warehouse, Action.APPROVE, reviewer="  ")


def test_a_decision_without_the_version_is_refused(warehouse: Warehouse, pattern: int) -> None:
    for action in DECISIONS:
        with pytest.raises(VersionRequired):
            _decide(warehouse, action, version=None)


def test_a_comment_needs_no_version_and_changes_no_row_of_the_queue(warehouse: Warehouse, pattern: int) -> None:
    before = queue_row(warehouse, pattern)
    decision = _decide(warehouse, Action.COMMENT, version=None, notes="ask the release team")
    assert queue_row(warehouse, pattern) == before
    assert (decision.status, decision.version) == ("pending", 1)
    assert [row.action for row in history(warehouse, NAME)] == ["commented"]


def test_a_second_decision_upon_the_same_version_conflicts_and_names_the_first(
    warehouse: Warehouse, pattern: int
) -> None:
    _decide(warehouse, Action.APPROVE, version=1)
    with pytest.raises(Conflict, match=r"changed since version 1: it is approved \(version 2, last decided by ada"):
        _decide(warehouse, Action.REJECT, reviewer="bob", version=1)
    assert len(history(warehouse, NAME)) == 1


def test_of_two_decisions_at_once_one_wins(warehouse: Warehouse, pattern: int) -> None:
    start = threading.Barrier(2)

    def run(action: Action) -> str:
        start.wait()
        try:
            return _decide(warehouse, action, version=1).status
        except Conflict:
            return "conflict"

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(run, [Action.APPROVE, Action.REJECT]))
    assert outcomes.count("conflict") == 1
    assert entry(warehouse, NAME).status in outcomes
    assert len(history(warehouse, NAME)) == 1


def test_the_hourly_refresh_alone_conflicts_with_nobody(warehouse: Warehouse, pattern: int, policy: Policy) -> None:
    add_estimate(warehouse, pattern, "second", net=(60, 149, 200))
    sync(warehouse, policy=policy)
    _decide(warehouse, Action.APPROVE, version=1, evidence_hash="first")
    assert queue_row(warehouse, pattern)["decided_evidence_hash"] == "first"


def test_material_drift_since_the_seen_estimate_conflicts(warehouse: Warehouse, pattern: int, policy: Policy) -> None:
    add_estimate(warehouse, pattern, "second", net=(100, 151, 200))
    sync(warehouse, policy=policy)
    with pytest.raises(Conflict, match=r"\$151.00, outside of the \$50.00 to \$150.00"):
        _decide(warehouse, Action.APPROVE, evidence_hash="first")
    assert _decide(warehouse, Action.APPROVE, evidence_hash="second").status == "approved"


def test_an_unknown_estimate_cannot_have_been_seen(warehouse: Warehouse, pattern: int) -> None:
    with pytest.raises(Conflict, match="not known"):
        _decide(warehouse, Action.APPROVE, evidence_hash="invented")


def test_a_flagged_decision_can_be_confirmed_upon_the_new_evidence(
    warehouse: Warehouse, pattern: int, policy: Policy
) -> None:
    _decide(warehouse, Action.APPROVE)
    change_pattern(warehouse, pattern, automation_status="active")
    add_estimate(warehouse, pattern, "second", net=(1, 2, 3))
    sync(warehouse, policy=policy)
    with pytest.raises(Conflict):
        _decide(warehouse, Action.REJECT)
    confirmed = _decide(warehouse, Action.APPROVE)
    row = queue_row(warehouse, pattern)
    assert (confirmed.version, row["needs_review"], row["review_reason"]) == (4, False, None)
    assert row["decided_evidence_hash"] == "second"
    assert automation_status(warehouse, pattern) == "active"
    assert sync(warehouse, policy=policy).flagged_pattern_ids == ()


def test_a_reopened_pattern_rests_on_no_decision(warehouse: Warehouse, pattern: int, policy: Policy) -> None:
    _decide(warehouse, Action.REJECT)
    _decide(warehouse, Action.REOPEN)
    row = queue_row(warehouse, pattern)
    assert (row["decided_evidence_hash"], row["decided_confidence"]) == (None, None)
    add_estimate(warehouse, pattern, "second", net=(1, 2, 3))
    assert sync(warehouse, policy=policy).flagged_pattern_ids == ()


def test_a_deferral_can_end_at_a_time_to_come_only(warehouse: Warehouse, pattern: int) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for action, until, message in [
        (Action.DEFER, tomorrow - timedelta(days=2), "is over"),
        (Action.DEFER, tomorrow.replace(tzinfo=None), "zone"),
        (Action.APPROVE, tomorrow, "only a deferral"),
    ]:
        with pytest.raises(InvalidInput, match=message):
            _decide(warehouse, action, until=until)
    _decide(warehouse, Action.DEFER, until=tomorrow)
    assert queue_row(warehouse, pattern)["deferred_until"] == tomorrow
    _decide(warehouse, Action.APPROVE)
    assert queue_row(warehouse, pattern)["deferred_until"] is None


def test_patterns_are_found_by_signature_or_number(warehouse: Warehouse, pattern: int) -> None:
    assert _decide(warehouse, Action.COMMENT, pattern=str(pattern)).pattern_id == NAME
    assert entry(warehouse, str(pattern)).pattern_signature == NAME
    unqueued = add_pattern(warehouse, "git:commit:repo", verdict="not_worth_automating")
    for reference in ("no:such:pattern", "999999", "1 OR true", str(unqueued)):
        with pytest.raises(NotFound):
            _decide(warehouse, Action.COMMENT, pattern=reference)
        with pytest.raises(NotFound):
            entry(warehouse, reference)
    with pytest.raises(NotFound, match="not in the queue"):
        _decide(warehouse, Action.COMMENT, pattern="git:commit:repo")


def test_the_history_refuses_every_change(warehouse: Warehouse, pattern: int) -> None:
    _decide(warehouse, Action.COMMENT)
    with connect(warehouse) as connection:
        for change in ("UPDATE pattern_review_history SET notes = 'x'", "DELETE FROM pattern_review_history"):
            with pytest.raises(psycopg.errors.IntegrityError, match=r"append-only: (UPDATE|DELETE) refused"):
                connection.execute(change)
        with pytest.raises(psycopg.errors.IntegrityError, match="append-only: TRUNCATE refused"):
            connection.execute("TRUNCATE pattern_review_history")
    assert len(history(warehouse, NAME)) == 1


def test_a_failed_history_row_takes_the_decision_back(warehouse: Warehouse, pattern: int) -> None:
    with connect(warehouse) as connection:
        connection.execute("ALTER TABLE pattern_review_history ADD CONSTRAINT no_ada CHECK (reviewer <> 'ada')")
    before = whole_database(warehouse)
    with pytest.raises(Exception, match="no_ada"):
        _decide(warehouse, Action.APPROVE)
    assert whole_database(warehouse) == before


def test_statistics_count_every_status_and_the_rows_that_ask_for_another_look(
    warehouse: Warehouse, policy: Policy
) -> None:
    names = [f"test:pytest:n{number}" for number in range(5)]
    patterns = [add_pattern(warehouse, name) for name in names]
    sync(warehouse, policy=policy)
    for name, action in zip(names, [Action.APPROVE, Action.REJECT, Action.DEFER, Action.APPROVE], strict=False):
        decide(warehouse, name, action, reviewer="ada", version=1, notes="because")
    decide(warehouse, names[3], Action.REVOKE, reviewer="ada", version=2, notes="it broke")
    add_estimate(warehouse, patterns[0], "second", net=(1, 2, 3))
    sync(warehouse, policy=policy)
    found = statistics(warehouse).model_dump()
    assert found == {
        "pending": 1, "approved": 1, "rejected": 1, "auto_approved": 0, "auto_rejected": 0, "deferred": 1, "revoked": 1,
        "reopened": 1, "total": 5,
    }  # fmt: skip


def test_entries_can_be_narrowed_and_bad_choices_are_refused(warehouse: Warehouse, policy: Policy) -> None:
    for name in ("test:pytest:all", "git:commit:repo"):
        add_pattern(warehouse, name)
    sync(warehouse, policy=policy)
    decide(warehouse, "git:commit:repo", Action.APPROVE, reviewer="ada", version=1)

    def names(**given: Any) -> list[str]:
        return [found.pattern_signature for found in entries(warehouse, **given)]

    assert names(statuses=["approved"]) == ["git:commit:repo"]
    assert names(types=["test"]) == ["test:pytest:all"]
    assert names(needs_review=True) == []
    assert len(names(limit=1)) == 1
    refused: list[dict[str, Any]] = [{"statuses": ["wild"]}, {"limit": 0}, {"limit": 201}]
    for given in refused:
        with pytest.raises(PipelineError, match=r"allowed|must be"):
            names(**given)
