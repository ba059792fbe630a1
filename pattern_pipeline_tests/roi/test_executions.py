"""Executions are recorded once, whatever is repeated; their savings follow from the approved estimate."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from pattern_pipeline.errors import Conflict, InvalidInput, NotFound
from pattern_pipeline.review.queue import entry
from pattern_pipeline.review.transitions import Action, decide
from pattern_pipeline.roi.executions import SavingReport, record_saving
from pattern_pipeline.roi.realised import Derived, derive_all
from pattern_pipeline.roi.reports import pattern_roi, roi_summary
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.patterns.histories import START
from pattern_pipeline_tests.review.rows import connect, whole_database
from pattern_pipeline_tests.roi.portfolios import (
    DIFF,
    POLICY,
    PYTEST,
    estimated,
    execute,
    publish,
    queued,
    runs,
)


def log(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    with connect(warehouse) as connection:
        return connection.execute(
            "SELECT optimization_type, cost_saved_usd, baseline_tokens, actual_tokens, saved_tokens, workflow_id"
            " FROM cost_savings_log ORDER BY saving_id"
        ).fetchall()


def test_recording_the_same_execution_twice_changes_nothing(approved: Warehouse) -> None:
    first = execute(approved, "k1", tokens=10, error_message="odd", executed_at=START)
    before = whole_database(approved)
    # The same amount and moment, written otherwise.
    again = execute(approved, " k1 ", cost="0.100", tokens=10, error_message="odd", executed_at=START.astimezone())
    assert whole_database(approved) == before
    assert again == first.model_copy(update={"repeated": True})


@pytest.mark.parametrize("other", [{"cost": "0.2"}, {"success": False}, {"pattern": DIFF}, {"tokens": 1}])
def test_the_same_key_with_another_content_is_refused(warehouse: Warehouse, other: dict[str, Any]) -> None:
    estimated(warehouse, [*runs(1), *runs(1, signature=DIFF)])
    execute(warehouse, "k1")
    before = whole_database(warehouse)
    with pytest.raises(Conflict, match="'k1'"):
        execute(warehouse, "k1", **other)
    assert whole_database(warehouse) == before


def test_a_success_saves_baseline_minus_cost_and_a_failure_costs(approved: Warehouse) -> None:
    assert execute(approved, "k1", cost="0.25", tokens=100).cost_saved_usd == Decimal("1.75")
    assert execute(approved, "k2", success=False, cost="0.5", tokens=40).cost_saved_usd == Decimal("-0.5")
    # Without a reported cost nothing is known about the money.
    assert execute(approved, "k3", cost=None).cost_saved_usd is None
    assert log(approved) == [
        ("pattern_offload", Decimal("1.75"), 1000, 100, 900, None),
        ("pattern_offload", Decimal("-0.5"), 1000, 40, -40, None),
        ("pattern_offload", None, 1000, None, None, None),
    ]
    found = pattern_roi(approved, PYTEST)
    assert (found.total_executions, found.successful_executions, found.priced_executions) == (3, 2, 2)
    assert (found.total_cost_saved_usd, found.baseline_cost) == (Decimal("1.25"), 2)


def test_the_reported_estimate_is_kept_and_never_the_baseline(approved: Warehouse) -> None:
    stored = execute(approved, "k1", cost="0.25", estimated_cost=Decimal(1000))
    assert (stored.estimated_cost, stored.cost_saved_usd) == (1000, Decimal("1.75"))


def test_the_baseline_stays_that_of_the_approval_when_estimates_move_on(approved: Warehouse) -> None:
    execute(approved, "k1", cost="0")
    at_approval = entry(approved, PYTEST).evidence_hash
    estimated(approved, runs(cost="5"))
    queued(approved)
    assert execute(approved, "k2", cost="0").cost_saved_usd == 2
    decide(approved, PYTEST, Action.REVOKE, reviewer="ada", version=entry(approved, PYTEST).version, notes="enough")
    assert derive_all(approved, POLICY) == Derived()
    assert pattern_roi(approved, PYTEST).baseline_hash == at_approval


def test_before_an_approval_the_baseline_is_the_current_estimate_and_savings_are_corrected(
    warehouse: Warehouse,
) -> None:
    estimated(warehouse)
    execute(warehouse, "k1", cost="0")
    assert not pattern_roi(warehouse, PYTEST).approved
    estimated(warehouse, runs(cost="3"))
    derived = derive_all(warehouse, POLICY)
    assert (derived.savings, derived.summaries, derived.validations) == (1, 1, 0)
    assert log(warehouse)[0][1] == 3
    assert derive_all(warehouse, POLICY) == Derived()


def test_an_execution_may_precede_its_run_and_outlive_it(warehouse: Warehouse) -> None:
    estimated(warehouse, runs(1))
    assert execute(warehouse, "k1", workflow_id="test:0005").workflow_id == "test:0005"
    assert derive_all(warehouse, POLICY).linked == 0
    estimated(warehouse, runs(2))
    assert derive_all(warehouse, POLICY).linked == 1
    assert log(warehouse)[0][-1] == "test:0005"
    with connect(warehouse) as connection:
        connection.execute("DELETE FROM workflow_history")
        kept = connection.execute("SELECT workflow_id, reported_workflow_id FROM pattern_executions").fetchall()
    assert kept == [(None, "test:0005")]
    assert log(warehouse)[0][-1] is None


def test_secrets_in_error_messages_are_not_stored(approved: Warehouse) -> None:
    secret = "ghp_" + "a1B2" * 9
    stored = execute(approved, "k1", success=False, error_message=f"push with {secret} failed")
    assert stored.error_message is not None
    assert secret not in str(whole_database(approved))
    assert execute(approved, "k1", success=False, error_message=f"push with {secret} failed").repeated


def test_what_cannot_be_is_refused(warehouse: Warehouse) -> None:
    estimated(warehouse, runs(1))
    with pytest.raises(NotFound):
        execute(warehouse, "k1", pattern="no:such:pattern")
    with pytest.raises(InvalidInput, match="future"):
        execute(warehouse, "k1", executed_at=datetime.now(UTC) + timedelta(hours=1))
    for wrong in (
        {"cost": "-1"},
        {"cost": "NaN"},
        {"idempotency": 1},
        {"executed_at": datetime(2026, 1, 1)},
        {"tokens": -1},
    ):
        with pytest.raises(ValidationError):
            execute(warehouse, "k1", **wrong)
    with pytest.raises(ValidationError):
        execute(warehouse, "  ")
    assert roi_summary(warehouse, POLICY).total_executions == 0


def test_direct_savings_are_logged_once_and_summed_by_type(warehouse: Warehouse) -> None:
    estimated(warehouse, runs(1))
    split = SavingReport(
        idempotency_key="s1",
        optimization_type="input_split",
        pattern=PYTEST,
        baseline_tokens=1000,
        actual_tokens=400,
        cost_saved_usd=Decimal("0.02"),
    )
    first = record_saving(warehouse, split, policy=POLICY, reported_by="robot")
    assert (first.saved_tokens, first.cost_saved_usd, first.pattern_signature) == (600, Decimal("0.02"), PYTEST)
    before = whole_database(warehouse)
    assert record_saving(warehouse, split, policy=POLICY, reported_by="robot").repeated
    with pytest.raises(Conflict):
        record_saving(warehouse, split.model_copy(update={"actual_tokens": 1}), policy=POLICY, reported_by="robot")
    assert whole_database(warehouse) == before
    unknown = SavingReport(idempotency_key="s2", optimization_type="input_split")
    record_saving(warehouse, unknown, policy=POLICY, reported_by="robot")
    (row,) = roi_summary(warehouse, POLICY).savings
    assert (row.entries, row.priced, row.cost_saved_usd) == (2, 1, Decimal("0.02"))


def test_measured_executions_replace_assumptions_of_the_next_estimate(approved: Warehouse) -> None:
    for number in range(3):
        execute(approved, f"k{number}", cost="0.5")
    publish(approved)
    with connect(approved) as connection:
        row = connection.execute(
            "SELECT tool_cost, round(reliability, 6), assumptions FROM roi_estimates JOIN operation_patterns p"
            " USING (pattern_id) WHERE input_hash = p.current_estimate"
        ).fetchone()
    assert row is not None
    assert row[:2] == (Decimal("0.5"), Decimal("0.846154"))
    assert not row[2]["tool_cost"]["assumed"]
    assert not row[2]["reliability"]["assumed"]
