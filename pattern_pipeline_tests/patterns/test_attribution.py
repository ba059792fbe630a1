"""What an occurrence costs: each call once, never more than the run, unknown stays unknown."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pattern_pipeline.patterns.occurrences import replace_occurrences
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.patterns.histories import WINDOW, Run, Step, default_policy, insert, occurrences

PYTEST, DIFF, PIP = "test:pytest:all", "git:diff:summary", "deps:pip:update"
POLICY = default_policy()
CHECKS = ("orphan_occurrences", "overspent_runs", "overspent_window")

Count = Callable[[list[Run]], dict[tuple[str, str], dict[str, object]]]


@pytest.fixture
def count(module_warehouse: Warehouse) -> Count:
    def counted(runs: list[Run]) -> dict[tuple[str, str], dict[str, object]]:
        insert(module_warehouse, runs, POLICY)
        replace_occurrences(module_warehouse, POLICY, WINDOW)
        return occurrences(module_warehouse)

    return counted


def test_a_call_belongs_to_the_operation_that_names_its_step(count: Count) -> None:
    found = count([Run("1.0", [Step("0.2", (PYTEST, DIFF)), Step("0.3", (PYTEST,)), Step("0.4")])])
    named, beside = found[PYTEST, "test:0000"], found[DIFF, "test:0000"]
    assert (named["attributed_cost_usd"], named["hit_count"], named["secondary_hits"]) == (Decimal("0.5"), 2, 0)
    assert (beside["attributed_cost_usd"], beside["hit_count"], beside["secondary_hits"]) == (0, 1, 1)
    assert named["cost_basis"] == beside["cost_basis"] == "step"


def test_a_run_without_steps_is_split_evenly_over_its_signatures(count: Count) -> None:
    found = count([Run("0.9", texts={"task": (PYTEST,), "error": (PIP, DIFF)})])
    assert {row["attributed_cost_usd"] for row in found.values()} == {Decimal("0.3")}
    assert {row["cost_basis"] for row in found.values()} == {"workflow"}


def test_what_was_only_asked_for_has_no_cost(count: Count) -> None:
    found = count([Run("1.0", [Step("0.2", (PYTEST,))], {"task": (PIP,)})])
    assert found[PIP, "test:0000"]["cost_basis"] == "intent"
    assert found[PIP, "test:0000"]["attributed_cost_usd"] is None


def test_a_signature_seen_in_steps_and_text_is_one_occurrence_of_its_step(count: Count) -> None:
    found = count([Run("1.0", [Step("0.2", (PYTEST,))], {"task": (PYTEST,)})])
    assert list(found) == [(PYTEST, "test:0000")]
    assert found[PYTEST, "test:0000"]["layer"] == "step"


@pytest.mark.parametrize("run", [Run(None, texts={"task": (PYTEST,)}), Run("1.0", [Step(None, (PYTEST,))])])
def test_an_unknown_cost_is_unpriced_and_never_zero(count: Count, run: Run) -> None:
    row = count([run])[PYTEST, "test:0000"]
    assert (row["cost_basis"], row["attributed_cost_usd"], row["portfolio_cost_usd"]) == ("unpriced", None, None)


def test_steps_that_claim_more_than_their_run_are_scaled_to_it(count: Count) -> None:
    found = count([Run("0.5", [Step("0.75", (PYTEST,)), Step("0.25", (DIFF,))])])
    assert found[PYTEST, "test:0000"]["attributed_cost_usd"] == Decimal("0.375")
    assert found[DIFF, "test:0000"]["attributed_cost_usd"] == Decimal("0.125")


def test_a_run_without_a_cost_is_worth_its_priced_steps(count: Count) -> None:
    row = count([Run(None, [Step("0.75", (PYTEST,)), Step(None, (DIFF,))])])[PYTEST, "test:0000"]
    assert (row["attributed_cost_usd"], row["run_cost_usd"]) == (Decimal("0.75"), Decimal("0.75"))


def test_a_free_run_costs_zero_and_is_priced(count: Count) -> None:
    row = count([Run("0", texts={"task": (PYTEST,)})])[PYTEST, "test:0000"]
    assert (row["cost_basis"], row["attributed_cost_usd"]) == ("workflow", 0)


def test_outcomes_that_are_not_final_are_unknown(count: Count) -> None:
    runs = [Run("1", texts={"task": (PYTEST,)}, status=status) for status in ("completed", "failed", "running", None)]
    found = count(runs)
    assert [found[PYTEST, f"test:{n:04d}"]["succeeded"] for n in range(4)] == [True, False, None, None]


costs = st.none() | st.decimals("0", "9", places=6).map(str)
signature_lists = st.lists(st.sampled_from([PYTEST, DIFF, PIP]), unique=True, max_size=3).map(tuple)
steps = st.builds(Step, cost=costs, signatures=signature_lists)
runs_with_texts = st.builds(
    Run,
    cost=costs,
    steps=st.lists(steps, max_size=5),
    texts=signature_lists.map(lambda names: {"task": names}),
    hours=st.integers(0, 5).map(float),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs=st.lists(runs_with_texts, max_size=6))
def test_no_history_makes_patterns_claim_more_than_was_spent(
    count: Count, module_warehouse: Warehouse, runs: list[Run]
) -> None:
    found = count(runs)
    for number, run in enumerate(runs):
        priced = [Decimal(step.cost) for step in run.steps if step.cost is not None]
        worth = Decimal(run.cost) if run.cost is not None else sum(priced, Decimal(0))
        mine = [row for (_, workflow), row in found.items() if workflow == f"test:{number:04d}"]
        claimed = sum((row["portfolio_cost_usd"] or Decimal(0) for row in mine), Decimal(0))  # type: ignore[misc]
        assert claimed <= worth
        assert {row["pattern_signature"] for row in mine} == {s for step in run.steps for s in step.signatures} | {
            s for names in run.texts.values() for s in names
        }
    with module_warehouse.transaction() as tx:
        assert {name: list(tx.rows(f"checks/{name}", **WINDOW.params)) for name in CHECKS} == {n: [] for n in CHECKS}
