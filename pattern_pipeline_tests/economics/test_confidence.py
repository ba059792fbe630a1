"""Confidence: what evidence adds up to, and how executions move it; every bound computed by hand or by scipy."""

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from pattern_pipeline.economics.assumptions import ConfidencePolicy
from pattern_pipeline.economics.confidence import (
    AGGREGATES,
    aggregates_from_workflows,
    detection_confidence,
    effective_confidence,
)

POLICY = ConfidencePolicy()


def score(**changes: float) -> float:
    row = dict.fromkeys(AGGREGATES.names(), 0.0) | {"distinct_days": 4.0} | changes
    return float(detection_confidence(pl.DataFrame([row | {"workflows": row["occurrences"]}]), POLICY)[0])


def test_graded_score_of_a_hand_computed_pattern() -> None:
    # Durations 8 and 12: mean 10, population standard deviation 2, cv 0.2.
    wilson = stats.binomtest(9, 10).proportion_ci(method="wilson").low
    frequency = 40 * math.log(11) / math.log(21)
    consistency = 30 * (10 / 15 / 1.2 + 5 / 15 * 0.5)
    result = score(occurrences=10, completed=9, failed=1, seconds_n=2, seconds_sum=20, seconds_sumsq=208)
    assert result == round(frequency + consistency + 30 * wilson, 2)


def test_frequency_saturates_at_twenty_workflows() -> None:
    assert score(occurrences=20) - score(occurrences=19.999999) == pytest.approx(0, abs=0.01)
    assert score(occurrences=500) == pytest.approx(40 + 15, abs=0.01)


def test_one_day_halves_the_frequency() -> None:
    assert score(occurrences=30) - score(occurrences=30, distinct_days=1) == pytest.approx(20)


def test_nothing_seen_scores_nothing() -> None:
    assert score(occurrences=0) == 0


def test_long_jobs_are_not_punished_for_their_length() -> None:
    def steadiness(*seconds: float) -> float:
        return score(
            occurrences=2, seconds_n=2, seconds_sum=sum(seconds), seconds_sumsq=sum(second**2 for second in seconds)
        )

    assert steadiness(36_000, 36_100) == pytest.approx(steadiness(3.6, 3.61), abs=0.01)
    assert steadiness(36_000, 36_100) > steadiness(1, 10)


def test_one_duration_says_nothing_about_consistency() -> None:
    assert score(occurrences=5, seconds_n=1, seconds_sum=9, seconds_sumsq=81) == score(occurrences=5)


def test_runs_with_unknown_outcome_count_on_neither_side() -> None:
    assert score(occurrences=50, completed=3) == score(occurrences=50) + round(
        30 * stats.binomtest(3, 3).proportion_ci(method="wilson").low, 2
    )


def test_patterns_are_scored_each_on_its_own() -> None:
    rows = pl.DataFrame(
        {name: np.random.default_rng(k).integers(1, 50, 20).astype(float) for k, name in enumerate(AGGREGATES.names())}
    )
    together = detection_confidence(rows, POLICY)
    assert [float(detection_confidence(rows[[k]], POLICY)[0]) for k in range(20)] == together.tolist()
    assert ((together >= 0) & (together <= 100)).all()


def test_aggregates_of_workflows_count_what_is_known() -> None:
    workflows: list[dict[str, Any]] = [
        {"status": "completed", "duration_seconds": 2.0, "error_count": 1, "day": "2026-03-01"},
        {"status": "failed", "duration_seconds": 0, "error_count": None, "retry_count": 3, "day": "2026-03-01"},
        {"status": None, "duration_seconds": 3.0},
    ]
    assert aggregates_from_workflows(workflows).to_dicts() == [
        {
            "occurrences": 3,
            "workflows": 3,
            "distinct_days": 1,
            "completed": 1,
            "failed": 1,
            "error_n": 1,
            "error_sum": 1,
            "retry_sum": 3,
            "seconds_n": 2,
            "seconds_sum": 5,
            "seconds_sumsq": 13,
        }
    ]


def effective(detection: float, successes: float, executions: float, roi: float = 0.0) -> float:
    scores = effective_confidence(
        np.array([detection]), np.array([successes]), np.array([executions]), np.array([roi]), POLICY
    )
    return float(scores[0])


def test_one_execution_does_not_make_certainty() -> None:
    assert effective(60, 1, 1, 5000) == 60
    assert effective(60, 2, 2, 5000) == 60


def test_executions_outweigh_detection_as_they_grow() -> None:
    assert effective(60, 3, 3) == pytest.approx(100 * (6 + 3) / 13, abs=0.005)
    assert effective(60, 1000, 1000) > 99
    assert effective(60, 0, 1000) < 1


def test_roi_moves_confidence_by_ten_points_at_most() -> None:
    base = effective(50, 5, 10)
    assert effective(50, 5, 10, 50) - base == pytest.approx(5)
    assert effective(50, 5, 10, 1e9) - base == pytest.approx(10)
    assert effective(50, 5, 10, -1e9) - base == pytest.approx(-10)
    assert effective(50, 5, 10, math.nan) == base
    assert effective(100, 1000, 1000, 1e9) == 100


def test_updating_again_changes_nothing() -> None:
    assert effective(60, 8, 9, 120) == effective(60, 8, 9, 120)
    assert effective(60, 8, 9, 120) != effective(effective(60, 8, 9, 120), 8, 9, 120)
