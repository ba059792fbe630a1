"""A whole estimate: figures by hand, the hash of its inputs, the same bytes in any company."""

import json
import math
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from pattern_pipeline.economics.assumptions import RoiPolicy
from pattern_pipeline.economics.estimates import ESTIMATES, estimate
from pattern_pipeline.economics.verdicts import ranked
from pattern_pipeline_tests.economics.frames import WINDOW, estimates, frame, one, pattern, skewed

MIXED = [
    pattern(skewed(size, seed), f"test:pytest:{seed}")
    for seed, size in enumerate((0, 1, 4, 5, 7, 7, 19, 20, 20, 45, 45, 1000, 1000, 1000))
]


def test_every_point_figure_of_a_hand_computed_pattern() -> None:
    row = one(pattern([0.1, 0.2, 0.3, 0.2, 0.2, 0.2] * 15))
    assert row["monthly_rate"] == pytest.approx(30.4375)
    assert row["cost_per_occurrence"] == pytest.approx(0.2)
    assert row["tool_cost"] == pytest.approx(0.01)
    assert row["reliability"] == pytest.approx(0.8)
    assert row["saving_per_occurrence"] == pytest.approx(0.12)
    assert row["potential_monthly_savings"] == pytest.approx(30.4375 * 0.19)
    assert row["net_monthly_savings"] == pytest.approx(30.4375 * 0.12 - 1.25)
    assert row["break_even_monthly"] == pytest.approx(7.5 / 0.12)
    assert row["build_cost"] == 75
    assert row["naive_monthly_savings"] == pytest.approx(0.95 * 20 * 0.2 * 30.4375)
    assert row["naive_factor"] == pytest.approx(0.95 * 20 / 0.95)
    assert row["payback_months"] is None
    assert row["verdict"] == "not_worth_automating"


def test_columns_are_those_of_the_table() -> None:
    result = estimate(frame(*MIXED), RoiPolicy(), window=WINDOW, roi_version="v1")
    assert result.schema == ESTIMATES
    assert result["pattern_signature"].to_list() == [row["pattern_signature"] for row in MIXED]


def test_same_data_gives_the_same_bytes_whatever_the_other_patterns_and_their_order() -> None:
    together = {row["pattern_signature"]: row for row in estimates(*MIXED)}
    backwards = {row["pattern_signature"]: row for row in estimates(*MIXED[::-1])}
    assert repr(together) == repr({name: backwards[name] for name in together})
    for row in MIXED:
        assert repr(one(row)) == repr(together[row["pattern_signature"]])


def test_the_order_of_a_sample_and_the_type_of_its_money_change_nothing() -> None:
    costs = [round(cost, 6) for cost in skewed(30)]
    in_order = frame(pattern(costs, step_sum=6.5, naive_sum=9.25))
    shuffled = frame(pattern(sorted(costs, reverse=True), step_sum=6.5, naive_sum=9.25)).with_columns(
        pl.col("step_sum", "naive_sum").cast(pl.Decimal(38, 12)),
        pl.col("recent_costs").cast(pl.List(pl.Decimal(24, 12))),
    )
    first, second = (estimate(f, RoiPolicy(), window=WINDOW, roi_version="v") for f in (in_order, shuffled))
    assert first.equals(second)


def test_the_hash_names_everything_that_went_in() -> None:
    costs = skewed(30)
    base = one(pattern(costs))["input_hash"]
    variants = [
        one(pattern(costs, hits=31))["input_hash"],
        one(pattern(costs, exposure_days=89))["input_hash"],
        one(pattern(costs, executions_failed=1))["input_hash"],
        one(pattern([*costs[:-1], costs[-1] + 1e-9], step_sum=float(np.sum(costs))))["input_hash"],
        one(pattern(costs, "test:pytest:frontend"))["input_hash"],
        one(pattern(costs), roi_version="v2")["input_hash"],
    ]
    assert len({base, *variants}) == 7
    assert base == one(pattern(costs))["input_hash"]
    assert len(base) == 32


def test_unknown_is_null_and_never_nan() -> None:
    rows = estimates(*MIXED, pattern([], "test:none", exposure_days=0), pattern([], "fix:x", automatable=False))
    values = [value for row in rows for value in row.values() if isinstance(value, float)]
    assert values
    assert not any(math.isnan(value) or math.isinf(value) for value in values)


def test_without_exposure_nothing_is_estimated() -> None:
    row = one(pattern([], exposure_days=0))
    known = {
        "pattern_signature", "input_hash", "roi_version", "assumptions", "window_start", "window_end", "exposure_days",
        "gap_days", "occurrences", "priced_count", "build_cost", "verdict", "reasons", "flags",
    }  # fmt: skip
    assert {name for name, value in row.items() if value is not None} == known
    assert row["verdict"] == "insufficient_evidence"
    assert "no_exposure" in row["reasons"]


def test_intervals_equal_scipy() -> None:
    costs = skewed(12)
    row = one(pattern(costs, completed=9, failed=1))
    low, high = stats.t.interval(0.95, 11, np.mean(costs), stats.sem(costs))
    assert (row["cost_low"], row["cost_high"]) == pytest.approx((max(low, 0), high))
    month = 30.4375 / 90
    assert row["monthly_rate_low"] == pytest.approx(stats.chi2.ppf(0.025, 24) / 2 * month)
    assert row["monthly_rate_high"] == pytest.approx(stats.chi2.ppf(0.975, 26) / 2 * month)
    agent = stats.binomtest(9, 10).proportion_ci(method="wilson")
    assert (row["agent_success_low"], row["agent_success_high"]) == pytest.approx((agent.low, agent.high))


def test_below_five_priced_occurrences_there_is_a_mean_and_no_interval() -> None:
    row = one(pattern([0.2] * 4, occurrences=30, distinct_days=9))
    assert row["cost_per_occurrence"] == pytest.approx(0.2)
    assert (row["cost_low"], row["net_p50"], row["npv_p10"], row["probability_of_loss"]) == (None,) * 4
    assert (row["verdict"], row["reasons"]) == ("insufficient_evidence", ["few_priced"])


def test_step_costs_come_before_whole_runs_and_are_never_mixed() -> None:
    both = one(pattern([0.2] * 10, occurrences=20, run_n=10, run_sum=500.0))
    assert (both["cost_basis"], both["priced_count"], both["cost_per_occurrence"]) == ("step", 10, pytest.approx(0.2))
    assert "upper_bound" not in both["flags"]
    runs = one(pattern([1.0] * 10, step_n=0, step_sum=0.0, run_n=10, run_sum=10.0))
    assert (runs["cost_basis"], runs["cost_per_occurrence"]) == ("workflow", 1.0)
    assert "upper_bound" in runs["flags"]


def test_an_unpriced_pattern_has_a_rate_and_no_money() -> None:
    row = one(pattern([], occurrences=40, completed=40, distinct_days=20))
    assert row["monthly_rate"] == pytest.approx(40 / 90 * 30.4375)
    assert (row["cost_per_occurrence"], row["net_monthly_savings"], row["naive_monthly_savings"]) == (None,) * 3
    assert row["reasons"] == ["unpriced"]


def test_tool_cost_is_measured_else_declared_else_an_assumed_ratio() -> None:
    costs = skewed(30)
    declared = RoiPolicy(tool_cost_by_category={"test": 0.004})
    used: dict[str, Any] = {"executions_succeeded": 3, "execution_cost_n": 3, "execution_cost_sum": 0.03, "hits": 60}
    measured = one(pattern(costs, **used), policy=declared)
    assert measured["tool_cost"] == pytest.approx(0.01 * 2)
    assert "assumed_tool_cost" not in measured["flags"]
    assert one(pattern(costs), policy=declared)["tool_cost"] == pytest.approx(0.004)
    assumed = one(pattern(costs))
    assert assumed["tool_cost"] == pytest.approx(0.05 * np.mean(costs))
    assert "assumed_tool_cost" in assumed["flags"]
    assert json.loads(measured["assumptions"])["tool_cost"] == {
        "value": pytest.approx(0.02),
        "source": "measured",
        "assumed": False,
    }


def test_two_executions_measure_nothing_yet() -> None:
    row = one(pattern(skewed(30), executions_succeeded=2, execution_cost_n=2, execution_cost_sum=9.0))
    assert {"assumed_tool_cost", "assumed_reliability"} <= set(row["flags"])
    assert row["reliability"] == pytest.approx(10 / 12)


def test_the_agents_own_success_is_not_the_tools_reliability() -> None:
    perfect, hopeless = one(pattern(skewed(30))), one(pattern(skewed(30), completed=0, failed=30))
    assert perfect["reliability"] == hopeless["reliability"] == pytest.approx(0.8)
    executed = one(pattern(skewed(30), executions_succeeded=2, executions_failed=8))
    assert executed["reliability"] == pytest.approx(10 / 20)
    assert "assumed_reliability" not in executed["flags"]


def test_build_costs_follow_the_category() -> None:
    costs = {name: one(pattern([0.1] * 6, f"{name}:x"))["build_cost"] for name in ("test", "build", "git", "deploy")}
    assert costs == {"test": 75, "build": 75, "git": 50, "deploy": 150}


@pytest.mark.parametrize(
    ("changes", "verdict", "reasons"),
    [
        ({"automatable": False, "exclusion_reason": "destructive"}, "excluded", ["destructive"]),
        ({"exclusion_reason": "shell_plumbing", "occurrences": 2000}, "excluded", ["shell_plumbing"]),
        ({"distinct_days": 2}, "insufficient_evidence", ["few_days"]),
        ({}, "worth_automating", ["npv_p10_positive"]),
    ],
)
def test_verdicts_come_in_order(changes: dict[str, Any], verdict: str, reasons: list[str]) -> None:
    row = one(pattern([1.0, 2.0] * 300, **changes))
    assert (row["verdict"], row["reasons"]) == (verdict, reasons)


def test_between_worth_it_and_not_lies_promising() -> None:
    row = one(pattern([0.25, 0.3] * 100))
    assert row["npv_p10"] < 0 < row["npv_p50"]
    assert (row["verdict"], row["reasons"]) == ("promising", ["npv_p50_positive", "npv_p10_not_positive"])


def test_a_tool_dearer_than_the_model_saves_nothing() -> None:
    row = one(pattern(skewed(30)), policy=RoiPolicy(tool_cost_by_category={"test": 5}))
    assert row["saving_per_occurrence"] < 0
    assert row["break_even_monthly"] is None
    assert row["reasons"] == ["npv_p50_not_positive", "saving_not_positive"]


def test_evidence_is_missing_for_each_reason_at_once() -> None:
    assert one(pattern([0.1] * 4, distinct_days=2))["reasons"] == ["few_occurrences", "few_days", "few_priced"]


def test_flags_say_what_a_reader_must_know() -> None:
    plain = pattern(np.random.default_rng(3).normal(1, 0.1, 50).tolist())
    known = {"assumed_tool_cost", "assumed_reliability"}
    assert set(one(plain)["flags"]) == known
    assert set(one(plain | {"exposure_days": 13})["flags"]) == known | {"short_window"}
    assert set(one(plain | {"gap_days": 2})["flags"]) == known | {"gaps"}
    assert set(one(plain | {"occurrences": 60})["flags"]) == known | {"partly_priced"}
    assert set(one(pattern([0.1] * 50))["flags"]) == known | {"zero_variance"}
    assert "skewed_understated" in one(pattern(skewed(50)))["flags"]
    drifted = pattern([0.1, 0.2] * 500, occurrences=5000, step_n=5000, step_sum=5000.0)
    assert "recent_cost_differs" in one(drifted)["flags"]


def test_without_variance_the_interval_is_the_mean() -> None:
    for n in (7, 50):
        row = one(pattern([0.1] * n))
        assert row["cost_low"] == row["cost_high"] == row["cost_per_occurrence"]


def test_percentiles_are_ordered_and_probability_agrees_with_them() -> None:
    for row in estimates(*MIXED):
        if row["npv_p50"] is not None:
            assert row["npv_p10"] <= row["npv_p50"] <= row["npv_p90"]
            assert row["net_p10"] <= row["net_p50"] <= row["net_p90"]
            assert (row["probability_of_loss"] > 0.5) == (row["npv_p50"] < 0)


def test_ranking_puts_the_surest_value_first_and_the_unknown_last() -> None:
    rows = pl.DataFrame({"pattern_signature": ["d", "c", "b", "a"], "npv_p10": [None, 5.0, 7.0, 5.0]})
    assert ranked(rows)["pattern_signature"].to_list() == ["b", "a", "c", "d"]


def test_every_assumption_is_stated() -> None:
    stated = json.loads(one(pattern(skewed(30)))["assumptions"])
    assert stated["coverage"] == {"value": 0.8, "source": "policy", "assumed": True}
    assert stated["reliability"]["assumed"]
    assert {name for name, entry in stated.items() if not entry["assumed"]} == {"month_days", "window_days"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hits": None}, "NULL"),
        ({"occurrences": -1}, "negative"),
        ({"step_sum": math.nan}, "not finite"),
        ({"occurrences": 3}, "more priced than occurrences"),
        ({"recent_costs": [0.1] * 31}, "larger than its basis"),
        ({"recent_costs": [0.1, -0.1]}, "negative"),
        ({"recent_costs": [0.1, None]}, "NULL"),
    ],
)
def test_impossible_input_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"test:pytest:backend.*{message}"):
        one(pattern([0.1] * 30, **changes))


def test_a_repeated_signature_is_refused() -> None:
    with pytest.raises(ValueError, match="repeats"):
        estimates(pattern([0.1] * 30), pattern([0.2] * 30))


def test_no_patterns_are_no_error() -> None:
    assert estimate(frame(), RoiPolicy(), window=WINDOW, roi_version="v").schema == ESTIMATES


def test_decimal_sums_count_exactly() -> None:
    row = pattern([0.1] * 30) | {"step_sum": 3.0}
    exact = frame(row).with_columns(step_sum=pl.Series([Decimal("3.000000000000")]))
    result = estimate(exact, RoiPolicy(), window=WINDOW, roi_version="v1")
    assert result["cost_per_occurrence"][0] == 0.1
