"""What automations turned out to be worth: grades, validation and the ratio of a portfolio, against the formulas."""

from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pattern_pipeline.economics.assumptions import RoiPolicy
from pattern_pipeline.economics.realised import (
    executions_needed,
    minimum_detectable_effect,
    portfolio_ratio,
    realised_savings,
    recommendations,
    summarise,
    validate,
)
from pattern_pipeline_tests.economics.executions import START, baseline, executions

POLICY = RoiPolicy()
NAN = float("nan")


def runs(*costs: float, success: bool = True, **more: Any) -> pl.DataFrame:
    return executions(*({"success": success, "actual_cost": cost} for cost in costs), **more)


def validation(saved: list[float], estimated: float | None) -> dict[str, Any]:
    """Executions that save exactly `saved` against an estimate of one execution."""
    promise = None if estimated is None else estimated * POLICY.coverage
    frame = runs(*(10 - value for value in saved))
    return validate(frame, baseline(10.0, saving_per_occurrence=promise), POLICY).to_dicts()[0]


def test_a_success_saves_the_difference_and_a_failure_costs() -> None:
    frame = executions({"success": True, "actual_cost": 0.1}, {"success": False, "actual_cost": 0.1})
    policy = RoiPolicy(fallback_extra_ratio=0.5)
    saved = realised_savings(frame, baseline(1.0), policy)["cost_saved_usd"].to_list()
    assert saved == pytest.approx([0.9, -0.6])


def test_an_unreported_cost_is_unknown_and_not_free() -> None:
    frame = executions({"success": True, "actual_cost": None}, {"success": True, "actual_cost": 0.4})
    row = summarise(frame, baseline(1.0), POLICY).to_dicts()[0]
    assert (row["total_executions"], row["priced_executions"]) == (2, 1)
    assert (row["total_cost_saved_usd"], row["average_cost_saved_usd"]) == (0.6, 0.6)


def test_roi_includes_build_and_maintenance_since_the_approval() -> None:
    frame = runs(0.5, 0.5, 0.5, 0.5)
    half_a_year = START - timedelta(days=365.25 / 2)
    row = summarise(frame, baseline(3.0, build_cost=2.0, in_service_since=half_a_year), POLICY).to_dicts()[0]
    invested = 2.0 + 0.5 * 0.2 * 2.0
    assert row["invested_usd"] == pytest.approx(invested)
    assert row["roi_percentage"] == pytest.approx(100 * (10 - invested) / (invested + 2))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.none() | st.floats(0, 5), st.floats(0, 90)), min_size=1, max_size=12),
    st.floats(0, 200),
)
def test_a_summary_equals_the_definition_row_by_row(runs: list[tuple[bool, float | None, float]], build: float) -> None:
    frame = executions(
        *(
            {"success": success, "actual_cost": cost, "executed_at": START + timedelta(days=day)}
            for success, cost, day in runs
        )
    )
    saved = [(2.0 if success else 0.0) - cost for success, cost, _ in runs if cost is not None]
    days = [day for *_, day in runs]
    invested = build + 0.2 * build * (max(days) - min(days)) / 365.25
    spent = invested + sum(cost for _, cost, _ in runs if cost is not None)
    row = summarise(frame, baseline(2.0, build_cost=build), POLICY).to_dicts()[0]
    assert row["invested_usd"] == pytest.approx(invested, rel=1e-6)
    assert row["success_rate"] == pytest.approx(sum(success for success, *_ in runs) / len(runs))
    if not saved:
        assert row["total_cost_saved_usd"] is row["roi_percentage"] is None
    elif spent > 1e-6:
        assert row["total_cost_saved_usd"] == pytest.approx(sum(saved))
        assert row["roi_percentage"] == pytest.approx(100 * (sum(saved) - invested) / spent, rel=1e-6, abs=1e-6)


def test_roi_of_nothing_spent_is_unknown() -> None:
    row = summarise(runs(0.0, 0.0, 0.0), baseline(1.0, build_cost=0.0), POLICY).to_dicts()[0]
    assert row["roi_percentage"] is None
    assert row["effectiveness"] == "insufficient"


def test_a_pattern_without_baseline_has_counts_and_no_money() -> None:
    row = summarise(runs(0.1, 0.2, 0.3), baseline(None, "other"), POLICY).to_dicts()[0]
    assert (row["total_executions"], row["success_rate"]) == (3, 1.0)
    assert (row["total_cost_saved_usd"], row["roi_percentage"]) == (None, None)


def test_two_baselines_for_one_pattern_are_refused() -> None:
    with pytest.raises(pl.exceptions.ComputeError):
        realised_savings(runs(0.1), pl.concat([baseline(1.0), baseline(2.0)]), POLICY)


def test_an_automatic_approval_that_loses_money_should_be_revoked() -> None:
    row = {"pattern_signature": "x", "status": "auto-approved", "success_rate": 0.9, "roi_percentage": -1.0}
    counts = {"successful_executions": 9, "total_executions": 10}
    result = recommendations(pl.DataFrame([row | counts]), POLICY)
    assert result.rows() == [("x", "auto-approved", "revoke", "high")]


def test_an_estimate_is_confirmed_when_the_shortfall_is_surely_small() -> None:
    row = validation([0.95, 1.0, 1.05, 1.0, 0.98, 1.02], 1.0)
    assert (row["validation"], row["more_executions"]) == ("confirmed", None)


def test_an_estimate_is_refuted_when_the_shortfall_is_surely_large() -> None:
    row = validation([0.4, 0.5, 0.6, 0.5, 0.45, 0.55], 1.0)
    assert (row["validation"], row["more_executions"]) == ("refuted", None)
    expected = stats.t.interval(0.95, 5, -0.5, stats.sem([0.4, 0.5, 0.6, 0.5, 0.45, 0.55]))
    assert (row["difference_low"], row["difference_high"]) == pytest.approx(expected)


def test_an_open_question_says_how_many_executions_would_settle_it() -> None:
    saved = [0.2, 1.8, 0.9, 1.4, 0.3]
    row = validation(saved, 1.0)
    assert row["validation"] == "inconclusive"
    n = len(saved) + row["more_executions"]
    half = [stats.t.ppf(0.975, size - 1) * np.std(saved, ddof=1) / np.sqrt(size) for size in (n - 1, n)]
    assert half[1] <= 0.2 < half[0]


def test_fewer_than_three_executions_decide_nothing() -> None:
    assert validation([1.0, 1.0], 1.0)["validation"] == "inconclusive"
    assert validation([1.0, 1.0], 1.0)["more_executions"] == 1
    assert validation([-5.0, -5.0], 1.0)["difference_high"] is None


def test_without_an_estimate_nothing_can_be_validated() -> None:
    row = validation([1.0, 2.0, 3.0, 4.0], None)
    assert (row["validation"], row["more_executions"], row["difference"]) == ("inconclusive", None, None)


def test_an_estimate_of_nothing_is_settled_by_no_number_of_executions() -> None:
    row = validation([-0.5, 0.5, 0.1], 0.0)
    assert (row["validation"], row["more_executions"]) == ("inconclusive", None)


def test_executions_needed_is_the_least_number() -> None:
    needed = executions_needed(np.array([0.5, 0.0, NAN, 1.0]), np.array([0.1, 0.1, 0.1, 0.0]), 0.95)
    reference = next(n for n in range(2, 1000) if stats.t.ppf(0.975, n - 1) * 0.5 / np.sqrt(n) <= 0.1)
    assert needed[:2].tolist() == [reference, 2]
    assert np.isnan(needed[2])
    assert np.isinf(needed[3])


def test_minimum_detectable_effect_has_the_stated_power() -> None:
    effect = minimum_detectable_effect(np.array([1.0]), np.array([200.0]), 0.95, 0.8)[0]
    critical, shift = stats.t.ppf(0.975, 199), effect * np.sqrt(200)
    assert stats.nct.sf(critical, 199, shift) == pytest.approx(0.8, abs=0.005)


def test_realisation_ratio_weighs_patterns_by_their_executions() -> None:
    first, second = [1.0, 1.2, 0.8, 1.0], [0.5, 0.4, 0.6]
    frame = pl.concat([runs(*(10 - v for v in first)), runs(*(10 - v for v in second), signature="y")])
    promises: dict[str, Any] = {"saving_per_occurrence": 1.0 * POLICY.coverage}
    baselines = pl.concat([baseline(10.0, **promises), baseline(10.0, "y", **promises)])
    ratio = portfolio_ratio(validate(frame, baselines, POLICY), POLICY)
    assert ratio is not None
    assert ratio.ratio == pytest.approx((4.0 + 1.5) / 7)
    parts = np.array([4 * np.var(first, ddof=1), 3 * np.var(second, ddof=1)])
    degrees = parts.sum() ** 2 / (parts[0] ** 2 / 3 + parts[1] ** 2 / 2)
    half = stats.t.ppf(0.975, degrees) * np.sqrt(parts.sum()) / 7
    assert (ratio.low, ratio.high) == pytest.approx((5.5 / 7 - half, 5.5 / 7 + half))
    assert (ratio.patterns, ratio.executions) == (2, 7)


def test_a_portfolio_that_promised_nothing_has_no_ratio() -> None:
    assert portfolio_ratio(validate(runs(1.0, 1.0, 1.0), baseline(10.0), POLICY), POLICY) is None
