"""Realised ROI against the recorded answers of the project it replaces; each deviation is a test of its own."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from pattern_pipeline.economics.assumptions import ConfidencePolicy, RoiPolicy
from pattern_pipeline.economics.confidence import effective_confidence
from pattern_pipeline.economics.realised import effectiveness, recommendations, summarise
from pattern_pipeline_tests.economics.executions import baseline, executions

POLICY = RoiPolicy()
RENAMED = {"failed": "marginal", "unknown": "insufficient"}
ACTIONS = {"rejected": ("revoke", "high"), "manual-review": ("review", "low")}


@pytest.fixture
def recorded(shared_dir: Path) -> dict[str, list[dict[str, Any]]]:
    kinds: dict[str, list[dict[str, Any]]] = {}
    for line in (shared_dir / "conformance" / "roi_legacy.jsonl").read_text().splitlines():
        case = json.loads(line)
        kinds.setdefault(case["kind"], []).append(case)
    return kinds


def grade(success_rate: float | None, roi: float | None, total: int = 10) -> str:
    row = pl.DataFrame({"success_rate": [success_rate], "roi_percentage": [roi], "total_executions": [total]}).cast(
        {"success_rate": pl.Float64, "roi_percentage": pl.Float64}
    )
    return str(row.select(effectiveness(POLICY)).item())


def test_effectiveness_grades_are_the_recorded_ones_but_for_two_names(
    recorded: dict[str, list[dict[str, Any]]],
) -> None:
    for case in recorded["effectiveness"]:
        given, expected = case["input"], case["output"]["effectiveness"]
        got = grade(None, None, 0) if given is None else grade(given["success_rate"], given["roi_percentage"])
        assert got == RENAMED.get(expected, expected), given


def test_deviation_a_grade_between_acceptable_and_poor_is_marginal_not_failed() -> None:
    assert grade(0.75, 25) == "marginal"


def test_deviation_fewer_than_three_executions_are_not_graded() -> None:
    assert grade(1.0, 300, 2) == "insufficient"


def test_recommendations_are_the_recorded_ones(recorded: dict[str, list[dict[str, Any]]]) -> None:
    for case in recorded["status_recommendation"]:
        given, expected = case["input"], case["output"]
        total = given["total_executions"]
        row = pl.DataFrame([given]).with_columns(
            pattern_signature=pl.lit("x"),
            success_rate=pl.col("success_rate").cast(pl.Float64),
            roi_percentage=pl.col("roi_percentage").cast(pl.Float64),
            successful_executions=pl.lit(round(given["success_rate"] * total)),
        )
        got = recommendations(row, POLICY).select("action", "severity").rows()
        assert got == ([] if expected is None else [ACTIONS[expected["recommended_status"]]]), given
    assert len(recorded["status_recommendation"]) == 34


def test_deviation_three_successes_do_not_recommend_an_approval() -> None:
    # The rate alone was above 0.95 after one success; its lower Wilson bound needs 35 of 35.
    def pending(successes: int) -> list[str]:
        row = {"pattern_signature": "x", "status": "pending", "success_rate": 1.0, "roi_percentage": 300.0}
        counts = {"successful_executions": successes, "total_executions": successes}
        return recommendations(pl.DataFrame([row | counts]), POLICY)["action"].to_list()

    assert pending(3) == []
    assert pending(34) == []
    assert pending(35) == ["approve"]


def summary_of(case: dict[str, Any]) -> dict[str, Any]:
    rows = case["input"]["executions"]
    baseline_cost = rows[0]["estimated_cost"]
    return summarise(executions(*rows), baseline(baseline_cost), POLICY).to_dicts()[0]


def test_counts_and_success_rates_are_the_recorded_ones(recorded: dict[str, list[dict[str, Any]]]) -> None:
    for case in recorded["roi_summary"]:
        row, expected = summary_of(case), case["output"]
        for name in ("total_executions", "successful_executions", "success_rate"):
            assert row[name] == pytest.approx(expected[name])


def test_deviation_a_failed_execution_costs_money_and_time(recorded: dict[str, list[dict[str, Any]]]) -> None:
    case = recorded["roi_summary"][0]
    assert case["output"]["total_cost_saved_usd"] == 0
    row = summary_of(case)
    assert row["total_cost_saved_usd"] == pytest.approx(-0.1)
    assert row["total_time_saved_seconds"] == pytest.approx(-10)


def test_deviation_roi_counts_what_was_invested_and_has_no_ceiling() -> None:
    cheap = [{"success": True, "actual_cost": 0.0}] * 400
    row = summarise(executions(*cheap), baseline(2.0, build_cost=75.0), POLICY).to_dicts()[0]
    assert row["roi_percentage"] == pytest.approx(100 * (800 - 75) / 75)
    assert row["effectiveness"] == "excellent"


def test_deviation_success_moves_confidence_instead_of_replacing_it(recorded: dict[str, list[dict[str, Any]]]) -> None:
    # One success made the confidence 1.0; the detection confidence now counts as ten executions.
    assert any(case["output"]["confidence_after_update"] == 1 for case in recorded["roi_summary"][4:6])
    detection, successes, total, roi = (np.array([value]) for value in (55.0, 1.0, 1.0, 90.0))
    once = effective_confidence(detection, successes, total, roi, ConfidencePolicy())
    assert once.tolist() == [55.0]
