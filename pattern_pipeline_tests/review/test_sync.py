"""What enters the queue, in which order, and what a later sync may change: on a real PostgreSQL."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import sqlalchemy
from psycopg import sql
from pydantic import ValidationError

from pattern_pipeline.detection.policy import Policy, load_policy
from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.review.filters import SyncFilter
from pattern_pipeline.review.queue import entries, history
from pattern_pipeline.review.sync import SyncResult, sync, sync_statistics
from pattern_pipeline.review.transitions import Action, decide
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.migrations import verify
from pattern_pipeline.warehouse.urls import with_database
from pattern_pipeline_tests.review.rows import (
    add_estimate,
    add_occurrence,
    add_pattern,
    automation_status,
    change_pattern,
    connect,
    queue_row,
    queued,
    usd,
    whole_database,
)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy("default")


@pytest.fixture
def fill(warehouse: Warehouse, policy: Policy) -> Callable[..., SyncResult]:
    """Sync the test's database."""

    def run(chosen: SyncFilter | str = "smart", **options: object) -> SyncResult:
        return sync(warehouse, chosen, policy=policy, **options)  # type: ignore[arg-type]

    return run


def test_a_new_candidate_enters_with_its_evidence(warehouse: Warehouse, fill: Callable[..., SyncResult]) -> None:
    pattern = add_pattern(warehouse, "test:pytest:backend", confidence=81.5, occurrences=12, savings=30, net=(5, 9, 14))
    for day in range(1, 8):
        add_occurrence(warehouse, pattern, f"run-{day}", f"2026-09-0{day}")

    result = fill()

    assert (result.total_candidates, result.synced_count, result.skipped_count, result.error_count) == (1, 1, 0, 0)
    assert result.synced_pattern_ids == ("test:pytest:backend",)
    assert result.sync_duration_ms > 0
    row = queue_row(warehouse, pattern)
    assert (row["status"], row["version"], row["needs_review"]) == ("pending", 1, False)
    assert (row["confidence_score"], row["occurrence_count"]) == (usd(81.5), 12)
    assert (row["potential_monthly_savings"], row["net_p10"], row["net_p50"], row["net_p90"]) == (30, 5, 9, 14)
    assert row["evidence_hash"] == "first"
    assert row["example_workflows"] == ["run-7", "run-6", "run-5", "run-4", "run-3"]
    assert automation_status(warehouse, pattern) == "in_review"


def test_a_second_sync_changes_not_a_single_row(warehouse: Warehouse, fill: Callable[..., SyncResult]) -> None:
    add_pattern(warehouse, "test:pytest:backend")
    fill()
    before = whole_database(warehouse)
    result = fill()
    assert (result.synced_count, result.skipped_count, result.refreshed_count) == (0, 1, 0)
    assert whole_database(warehouse) == before


@pytest.mark.parametrize(
    ("values", "preset", "enters"),
    [
        ({"confidence": 60}, "smart", True),
        ({"confidence": 59.99}, "smart", False),
        ({"confidence": None}, "smart", False),
        ({"confidence": None}, "all", True),
        ({"occurrences": 2, "savings": 0}, "smart", True),
        ({"occurrences": 1}, "smart", False),
        ({"savings": None}, "smart", True),
        ({"confidence": 70, "occurrences": 5, "savings": 1000}, "high-priority", True),
        ({"savings": 999.99}, "high-priority", False),
        ({"verdict": "promising"}, "smart", True),
        ({"verdict": "not_worth_automating"}, "smart", False),
        ({"verdict": "not_worth_automating"}, "all", True),
        ({"verdict": "insufficient_evidence"}, "high-priority", False),
        ({"verdict": "insufficient_evidence"}, "all", True),
        ({"verdict": None}, "smart", False),
        ({"verdict": None}, "all", True),
        ({"verdict": "excluded", "automatable": False}, "all", False),
        ({"verdict": "worth_automating", "automatable": False}, "all", False),
        ({"verdict": "excluded"}, "all", False),
    ],
)
def test_presets_let_in_what_their_floors_and_the_verdict_allow(
    module_warehouse: Warehouse, policy: Policy, values: dict[str, object], preset: str, enters: bool
) -> None:
    pattern = add_pattern(module_warehouse, f"test:pytest:{uuid.uuid4().hex}", **values)  # type: ignore[arg-type]
    sync(module_warehouse, preset, policy=policy)
    assert (pattern in queued(module_warehouse)) is enters


def test_an_unknown_preset_is_refused_with_the_known_names(fill: Callable[..., SyncResult]) -> None:
    with pytest.raises(InvalidInput, match="'wild': unknown; the policy has all, high-priority, smart"):
        fill("wild")


def test_a_filter_takes_what_it_does_not_say_from_smart(warehouse: Warehouse, fill: Callable[..., SyncResult]) -> None:
    add_pattern(warehouse, "test:pytest:low", confidence=50)
    add_pattern(warehouse, "test:pytest:poor", verdict="not_worth_automating")
    good = add_pattern(warehouse, "test:pytest:good", confidence=60, occurrences=2)
    fill(SyncFilter(min_occurrences=1))
    assert queued(warehouse) == [good]


def test_types_can_be_chosen_and_left_out(warehouse: Warehouse, fill: Callable[..., SyncResult]) -> None:
    test, git = add_pattern(warehouse, "test:pytest:all"), add_pattern(warehouse, "git:commit:repo")
    build = add_pattern(warehouse, "build:npm:all")
    fill(SyncFilter(only_types=("test", "git"), exclude_types=("git",)))
    assert queued(warehouse) == [test]
    fill(SyncFilter(exclude_types=("git",)))
    assert queued(warehouse) == sorted([test, build])
    fill()
    assert queued(warehouse) == sorted([test, build, git])


HOSTILE = "test'); DROP TABLE pattern_approvals; --"


def test_sql_in_a_type_filter_is_refused_and_would_stay_text(
    warehouse: Warehouse, fill: Callable[..., SyncResult]
) -> None:
    pattern = add_pattern(warehouse, "test:pytest:all")
    with pytest.raises(ValidationError):
        SyncFilter(only_types=(HOSTILE,))
    fill(SyncFilter.model_construct(only_types=(HOSTILE,), exclude_types=()))
    assert queued(warehouse) == []
    fill(SyncFilter.model_construct(only_types=(), exclude_types=(HOSTILE, "' OR true --")))
    assert queued(warehouse) == [pattern]


@pytest.mark.parametrize(
    "values",
    [{"min_confidence": 101}, {"max_patterns": 0}, {"max_patterns": 201}, {"min_savings": -1}, {"min_occurences": 1}],
)
def test_a_filter_out_of_range_or_misspelt_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        SyncFilter.model_validate(values)


def test_the_best_enter_first_and_unknown_value_comes_last(
    warehouse: Warehouse, fill: Callable[..., SyncResult]
) -> None:
    for name, npv in (("unknown", None), ("low", -5), ("b-tie", 70), ("a-tie", 70), ("high", 900)):
        add_pattern(warehouse, f"test:pytest:{name}", npv_p10=npv)
    result = fill()
    order = ["high", "a-tie", "b-tie", "low", "unknown"]
    assert list(result.synced_pattern_ids) == [f"test:pytest:{name}" for name in order]
    assert [found.pattern_signature for found in entries(warehouse)] == list(result.synced_pattern_ids)


def test_queued_patterns_do_not_starve_new_ones(warehouse: Warehouse, fill: Callable[..., SyncResult]) -> None:
    old = [add_pattern(warehouse, f"test:old:n{number}", npv_p10=1000) for number in range(5)]
    fill(SyncFilter(max_patterns=5))
    new = [add_pattern(warehouse, f"test:new:n{number}", npv_p10=10 - number) for number in range(3)]
    result = fill(SyncFilter(max_patterns=2))
    assert queued(warehouse) == old + new[:2]
    assert (result.total_candidates, result.synced_count, result.skipped_count) == (8, 2, 6)


def test_the_result_says_what_only_the_savings_floor_kept_out(
    warehouse: Warehouse, fill: Callable[..., SyncResult]
) -> None:
    add_pattern(warehouse, "test:pytest:small", savings=40)
    add_pattern(warehouse, "test:pytest:rare", savings=40, occurrences=3)
    result = fill("high-priority")
    assert (result.total_candidates, result.synced_count, result.kept_out_by_savings) == (0, 0, 1)


def test_fresh_evidence_reaches_queued_patterns_without_a_new_version(
    warehouse: Warehouse, fill: Callable[..., SyncResult]
) -> None:
    pattern = add_pattern(warehouse, "test:pytest:all")
    fill()
    change_pattern(warehouse, pattern, occurrence_count=99, confidence_score=91, potential_monthly_savings=7)
    add_estimate(warehouse, pattern, "second", verdict="promising", net=(1, 2, 3), npv_p10=-4)
    result = fill()
    row = queue_row(warehouse, pattern)
    assert result.refreshed_count == 1
    assert (row["occurrence_count"], row["confidence_score"], row["potential_monthly_savings"]) == (99, 91, 7)
    assert (row["net_p50"], row["npv_p10"], row["verdict"], row["evidence_hash"]) == (2, -4, "promising", "second")
    assert (row["version"], row["status"], row["needs_review"]) == (1, "pending", False)


@pytest.mark.parametrize(
    ("action", "status"), [(Action.APPROVE, "approved"), (Action.REJECT, "rejected"), (Action.DEFER, "deferred")]
)
def test_drift_asks_for_another_look_and_leaves_the_decision(
    warehouse: Warehouse, fill: Callable[..., SyncResult], action: Action, status: str
) -> None:
    pattern = add_pattern(warehouse, "test:pytest:all", net=(50, 100, 150))
    fill()
    decide(warehouse, "test:pytest:all", action, reviewer="ada", version=1, notes="because")
    before = queue_row(warehouse, pattern)
    add_estimate(warehouse, pattern, "second", net=(10, 49.99, 90))

    result = fill()

    assert result.flagged_pattern_ids == ("test:pytest:all",)
    row = queue_row(warehouse, pattern)
    assert (row["status"], row["needs_review"], row["version"]) == (status, True, before["version"] + 1)
    assert "$49.99" in row["review_reason"]
    assert "$50.00 to $150.00" in row["review_reason"]
    decided = ("decided_evidence_hash", "decided_confidence", "reviewed_by", "reviewed_at", "approval_notes")
    assert {name: row[name] for name in decided} == {name: before[name] for name in decided}
    flagged = history(warehouse, "test:pytest:all")[-1]
    assert (flagged.action, flagged.from_status, flagged.to_status) == ("flagged", status, status)
    assert flagged.evidence_hash == "second"
    assert fill().flagged_pattern_ids == ()


@pytest.mark.parametrize(
    ("change", "flagged"),
    [
        ({"confidence_score": 95}, False),
        ({"confidence_score": 95.01}, True),
        ({"confidence_score": 64.99}, True),
        ({"confidence_score": 65}, False),
        ({"occurrence_count": 9999}, False),
    ],
)
def test_confidence_drifts_beyond_the_points_of_the_policy(
    warehouse: Warehouse, fill: Callable[..., SyncResult], change: dict[str, float], flagged: bool
) -> None:
    pattern = add_pattern(warehouse, "test:pytest:all", confidence=80)
    fill()
    decide(warehouse, "test:pytest:all", Action.APPROVE, reviewer="ada", version=1)
    change_pattern(warehouse, pattern, **change)
    assert bool(fill().flagged_pattern_ids) is flagged


def test_an_estimate_within_the_decided_interval_is_no_drift(
    warehouse: Warehouse, fill: Callable[..., SyncResult]
) -> None:
    pattern = add_pattern(warehouse, "test:pytest:all", net=(50, 100, 150))
    fill()
    decide(warehouse, "test:pytest:all", Action.APPROVE, reviewer="ada", version=1)
    add_estimate(warehouse, pattern, "second", net=(140, 150, 160))
    assert fill().flagged_pattern_ids == ()
    add_estimate(warehouse, pattern, "third", verdict="insufficient_evidence", net=None, npv_p10=None)
    assert fill().flagged_pattern_ids == ()


def test_a_pending_pattern_is_never_flagged(warehouse: Warehouse, fill: Callable[..., SyncResult]) -> None:
    pattern = add_pattern(warehouse, "test:pytest:all", net=(50, 100, 150))
    fill()
    add_estimate(warehouse, pattern, "second", net=(1, 2, 3))
    assert fill().flagged_pattern_ids == ()


def test_a_deferral_that_is_over_asks_again(warehouse: Warehouse, fill: Callable[..., SyncResult]) -> None:
    pattern = add_pattern(warehouse, "test:pytest:all")
    fill()
    decide(warehouse, "test:pytest:all", Action.DEFER, reviewer="ada", version=1, notes="after the freeze")
    with connect(warehouse) as connection:
        connection.execute("UPDATE pattern_approvals SET deferred_until = now() - interval '1 minute'")
    assert fill().flagged_pattern_ids == ("test:pytest:all",)
    row = queue_row(warehouse, pattern)
    assert (row["status"], row["needs_review"]) == ("deferred", True)


def test_a_dry_run_writes_nothing_and_foresees_the_sync(warehouse: Warehouse, fill: Callable[..., SyncResult]) -> None:
    drifting = add_pattern(warehouse, "test:pytest:drifting")
    fill()
    decide(warehouse, "test:pytest:drifting", Action.APPROVE, reviewer="ada", version=1)
    add_estimate(warehouse, drifting, "second", net=(1, 2, 3))
    for number in range(4):
        add_pattern(warehouse, f"test:new:n{number}", npv_p10=number)
    chosen = SyncFilter(max_patterns=3)
    before = whole_database(warehouse)

    foreseen = fill(chosen, dry_run=True)

    assert whole_database(warehouse) == before
    assert foreseen.dry_run
    happened = fill(chosen)
    not_compared = {"dry_run", "sync_duration_ms", "refreshed_count"}
    assert foreseen.model_dump(exclude=not_compared) == happened.model_dump(exclude=not_compared)
    assert happened.synced_count == 3
    assert happened.flagged_pattern_ids == ("test:pytest:drifting",)


def test_nothing_is_synced_while_hours_wait_to_be_recomputed(
    warehouse: Warehouse, fill: Callable[..., SyncResult]
) -> None:
    add_pattern(warehouse, "test:pytest:all")
    before = whole_database(warehouse)
    result = fill(recomputing=True)
    assert result.held_back is not None
    assert "recomputed" in result.held_back
    assert whole_database(warehouse) == before


def test_a_pattern_that_the_database_refuses_does_not_stop_the_others(
    warehouse: Warehouse, fill: Callable[..., SyncResult]
) -> None:
    patterns = [add_pattern(warehouse, f"test:pytest:n{number}") for number in range(3)]
    bad = patterns[1]
    with connect(warehouse) as connection:
        constraint = "ALTER TABLE pattern_approvals ADD CONSTRAINT no_bad_rows CHECK (pattern_id <> {})"
        connection.execute(sql.SQL(constraint).format(sql.Literal(bad)))
    result = fill()
    assert queued(warehouse) == [patterns[0], patterns[2]]
    assert (result.synced_count, result.error_count, result.skipped_count, result.total_candidates) == (2, 1, 0, 3)
    (error,) = result.errors
    assert error.pattern_id == "test:pytest:n1"
    assert "no_bad_rows" in error.reason
    assert automation_status(warehouse, bad) == "detected"


def test_a_refused_refresh_leaves_the_others_fresh(warehouse: Warehouse, fill: Callable[..., SyncResult]) -> None:
    patterns = [add_pattern(warehouse, f"test:pytest:n{number}") for number in range(3)]
    fill()
    for pattern in patterns:
        change_pattern(warehouse, pattern, occurrence_count=50)
    with connect(warehouse) as connection:
        constraint = (
            "ALTER TABLE pattern_approvals ADD CONSTRAINT frozen CHECK (pattern_id <> {} OR occurrence_count < 20)"
        )
        connection.execute(sql.SQL(constraint).format(sql.Literal(patterns[0])))
    result = fill()
    assert (result.refreshed_count, result.error_count) == (2, 1)
    assert [queue_row(warehouse, pattern)["occurrence_count"] for pattern in patterns] == [10, 50, 50]


def test_an_outage_is_an_error_and_not_an_empty_result(warehouse: Warehouse, policy: Policy) -> None:
    with (
        Warehouse(with_database(warehouse.libpq_url, "no_such_database")) as gone,
        pytest.raises(sqlalchemy.exc.OperationalError),
    ):
        sync(gone, policy=policy)


def test_two_syncs_at_once_add_every_pattern_once(warehouse: Warehouse, policy: Policy) -> None:
    patterns = [add_pattern(warehouse, f"test:pytest:n{number:02}", npv_p10=number) for number in range(40)]
    start = threading.Barrier(4)

    def run(_: int) -> SyncResult:
        start.wait()
        return sync(warehouse, SyncFilter(max_patterns=10), policy=policy)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(run, range(4)))
    assert queued(warehouse) == patterns
    assert [result.synced_count for result in results] == [10, 10, 10, 10]
    assert len({name for result in results for name in result.synced_pattern_ids}) == 40


def test_a_sync_during_a_decision_waits_and_keeps_the_decision(
    warehouse: Warehouse, fill: Callable[..., SyncResult]
) -> None:
    pattern = add_pattern(warehouse, "test:pytest:all")
    fill()
    decide(warehouse, "test:pytest:all", Action.DEFER, reviewer="ada", version=1, notes="later")
    add_estimate(warehouse, pattern, "second", net=(1, 2, 3))
    with psycopg.connect(warehouse.libpq_url) as deciding, ThreadPoolExecutor(1) as pool:
        deciding.execute(
            "UPDATE pattern_approvals SET status = 'approved', version = version + 1, decided_evidence_hash = 'second'"
        )
        running = pool.submit(fill)
        _wait_until_blocked(warehouse)
        deciding.commit()
        result = running.result(timeout=20)
    row = queue_row(warehouse, pattern)
    assert (row["status"], row["version"], row["needs_review"]) == ("approved", 3, False)
    assert row["evidence_hash"] == "second"
    assert result.flagged_pattern_ids == ()


def _wait_until_blocked(warehouse: Warehouse) -> None:
    """Until some session of the test's database waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with connect(warehouse) as connection:
        for _ in range(2000):
            row = connection.execute(waiting).fetchone()
            assert row is not None
            if row[0]:
                return
            connection.execute("SELECT pg_sleep(0.005)")
    raise AssertionError("the sync did not wait for the decision")


def test_the_history_chain_stays_whole_over_many_flags(warehouse: Warehouse, fill: Callable[..., SyncResult]) -> None:
    names = [f"test:pytest:n{number}" for number in range(12)]
    patterns = [add_pattern(warehouse, name) for name in names]
    fill()
    for name, pattern in zip(names, patterns, strict=True):
        decide(warehouse, name, Action.APPROVE, reviewer="ada", version=1)
        add_estimate(warehouse, pattern, "second", net=(1, 2, 3))
    assert len(fill().flagged_pattern_ids) == 12
    with connect(warehouse) as connection:
        assert verify(connection) == []


def test_sync_statistics_count_source_review_and_pending(warehouse: Warehouse, policy: Policy) -> None:
    assert sync_statistics(warehouse, policy=policy).sync_percentage == 0
    for number in range(3):
        add_pattern(warehouse, f"test:pytest:n{number}")
    add_pattern(warehouse, "inspect:ls:files", verdict="excluded", automatable=False)
    sync(warehouse, SyncFilter(max_patterns=1), policy=policy)
    found = sync_statistics(warehouse, policy=policy)
    assert (found.patterns_in_source, found.patterns_in_review, found.pending_sync) == (4, 1, 2)
    assert found.sync_percentage == 33.33
