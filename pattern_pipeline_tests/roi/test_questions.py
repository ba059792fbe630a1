"""Questions that store nothing: is an estimate reproducible, what if, what does the month cost."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from pattern_pipeline.economics.assumptions import RoiPolicy
from pattern_pipeline.errors import InvalidInput, NotFound
from pattern_pipeline.roi.budget import budget
from pattern_pipeline.roi.portfolio import assumed_inputs, portfolio
from pattern_pipeline.roi.questions import explained, recomputed
from pattern_pipeline.roi.what_if import assumptions, changed_policy, what_if
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.patterns.histories import START, Run, Step
from pattern_pipeline_tests.review.rows import connect, whole_database
from pattern_pipeline_tests.roi.portfolios import DIFF, POLICY, PYTEST, approve, estimated, execute, publish, runs

UNPRICED = "build:make:all"


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def varied(days: int = 10) -> list[Run]:
    """Four runs a day whose costs differ."""
    return [
        Run("9", [Step(f"{1 + (7 * n) % 13 / 10}", (PYTEST,))], hours=24 * (n // 4) + n % 4) for n in range(4 * days)
    ]


def test_an_estimate_is_computed_again_from_what_is_stored(warehouse: Warehouse) -> None:
    estimated(warehouse, varied())
    approve(warehouse)
    for number in range(4):
        execute(warehouse, f"k{number}")
    publish(warehouse)
    with warehouse.transaction() as tx:
        rows = list(tx.rows("roi/current_estimates", pattern_id=None, limit=10))
        rows += tx.connection.exec_driver_sql(
            "SELECT e.* FROM roi_estimates e JOIN operation_patterns p USING (pattern_id)"
            " WHERE p.current_estimate <> e.input_hash"
        ).mappings()
        assert len(rows) == 2
        for row in rows:
            again = recomputed(tx, dict(row))
            assert again is not None
            found = again.drop("pattern_signature").to_dicts()[0]
            assert found.pop("input_hash") == row["input_hash"]
            assert json.loads(found.pop("assumptions")) == row["assumptions"]
            # numeric keeps 15 digits of a float.
            close = {n: pytest.approx(v, rel=1e-14) if isinstance(v, float) else v for n, v in found.items()}
            assert {name: _number(row[name]) for name in found} == close


def test_an_estimate_whose_costs_were_corrected_says_so(warehouse: Warehouse) -> None:
    estimated(warehouse, varied())
    assert explained(warehouse, PYTEST).reproducible
    with connect(warehouse) as connection:
        connection.execute("UPDATE pattern_occurrences SET attributed_cost_usd = 7 WHERE workflow_id = 'test:0000'")
    found = explained(warehouse, PYTEST)
    assert (found.reproducible, found.switching, found.tornado) == (False, (), ())


def test_an_estimate_is_explained_in_every_respect(warehouse: Warehouse) -> None:
    estimated(warehouse, varied())
    found = explained(warehouse, "1")
    assert all(found.in_words[theme] for theme in ("verdict", "seen", "costs", "saves", "certainty", "would_change"))
    assert {row["input"] for row in found.switching} >= {"monthly_rate", "build_cost"}
    assert found.tornado[0]["swing"] >= found.tornado[-1]["swing"]
    with pytest.raises(NotFound):
        explained(warehouse, "no:such:pattern")


def test_what_if_writes_nothing_and_changes_nothing_when_nothing_is_changed(warehouse: Warehouse) -> None:
    estimated(warehouse, [*varied(), *runs(signature=DIFF, cost="0.01")])
    before = whole_database(warehouse)
    same = what_if(warehouse, POLICY, ["coverage=0.8"])
    assert all(row.now == row.then for row in same.patterns)
    assert len(same.patterns) == 2
    dear = what_if(warehouse, POLICY, ["build_cost_by_category.test=100000"], PYTEST)
    (row,) = dear.patterns
    assert row.turned
    assert row.then["verdict"] == "not_worth_automating"
    assert (dear.changes[0].policy, dear.changes[0].asked) == (75, 100000)
    assert whole_database(warehouse) == before


def test_a_category_without_a_cost_of_its_own_can_be_given_one() -> None:
    changed, (change,) = changed_policy(RoiPolicy(), ["tool_cost_by_category.docs=0.5"])
    assert changed.tool_cost_by_category == {"docs": 0.5}
    assert change.policy is None


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        ([], "at least one"),
        (["coverage"], "key=value"),
        (["coverage="], "key=value"),
        (["coverag=0.5"], "did you mean coverage"),
        (["coverage=2"], "coverage: .*less than or equal to 1"),
        (["coverage=much"], "'much' is not a number"),
        (["coverage=NaN"], "not a number"),
        (["coverage=true"], "not a number"),
        (["realised.tiers=1"], "no such assumption"),
        (["coverage.low=1"], "no such assumption"),
        (["min_priced=50"], "must not exceed bootstrap_from"),
        (["horizon_months=1.5"], "horizon_months"),
    ],
)
def test_an_assumption_that_cannot_be_is_named(assignments: list[str], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        changed_policy(RoiPolicy(), assignments)


def test_every_single_assumption_can_be_asked_about() -> None:
    for key, value in assumptions(RoiPolicy()):
        changed, _ = changed_policy(RoiPolicy(), [f"{key}={value}"])
        assert changed == RoiPolicy(), key


def test_a_history_where_nothing_is_worth_automating_says_so(warehouse: Warehouse) -> None:
    estimated(warehouse, runs(cost="0.0001"))
    found = portfolio(warehouse, POLICY)
    assert found.in_words.startswith("Nothing here is worth automating: of 1 pattern")
    assert [row.verdict for row in found.estimates] == ["not_worth_automating"]
    assert len(found.tornadoes) == 1
    assert {row["input"]: row["assumed"] for row in assumed_inputs(warehouse)}["coverage"] == 1


def test_a_window_of_three_days_is_flagged(warehouse: Warehouse) -> None:
    estimated(warehouse, varied(3))
    (row,) = portfolio(warehouse, POLICY).estimates
    assert "short_window" in row.flags
    assert any("history is short" in said for said in explained(warehouse, PYTEST).in_words["certainty"])


def test_an_unpriced_model_never_costs_nothing(warehouse: Warehouse) -> None:
    unpriced = [Run(None, [Step(None, (UNPRICED,))], hours=24 * n) for n in range(6)]
    estimated(warehouse, [*varied(6), *unpriced])
    with connect(warehouse) as connection:
        connection.execute("UPDATE workflow_history SET model_used = coalesce(actual_cost_total::text, 'mystery')")
    ranked = {row.pattern_signature: row for row in portfolio(warehouse, POLICY).estimates}
    assert (ranked[UNPRICED].net_p50, ranked[UNPRICED].verdict) == (None, "insufficient_evidence")
    assert "not known" in explained(warehouse, UNPRICED).in_words["costs"][0]
    found = budget(warehouse, POLICY)
    assert found is not None
    assert [(row.model, row.usd) for row in found.models][-1] == ("mystery", None)
    assert [row.pattern_signature for row in found.patterns] == [PYTEST]
    assert (found.priced_runs, found.runs) == (24, 30)


def test_the_budget_is_of_the_month_of_the_latest_event_and_adds_up(warehouse: Warehouse) -> None:
    # Twenty days with a pause, each active day four runs of $9, of which $2 belong to a pattern.
    estimated(warehouse, [run for run in runs(20) if (run.hours // 24) % 3])
    found = budget(warehouse, POLICY)
    assert found is not None
    active = [day for day in range(20) if day % 3]
    assert (found.month, found.last_day) == (START.date(), (START + timedelta(days=19)).date())
    assert found.spent == pytest.approx(36 * len(active))
    assert found.days_left == 11
    assert found.low is not None
    assert found.spent <= found.low <= found.expected
    assert sum(row.usd for row in found.patterns) + found.unattributed_usd == pytest.approx(found.spent)
    assert sum(row.share or 0 for row in found.models) == pytest.approx(1)


def test_without_history_there_is_no_budget_and_no_portfolio(warehouse: Warehouse) -> None:
    assert budget(warehouse, POLICY) is None
    assert portfolio(warehouse, POLICY).in_words == "No repeated operation has been estimated yet."
    assert what_if(warehouse, POLICY, ["coverage=0.5"]).patterns == ()
