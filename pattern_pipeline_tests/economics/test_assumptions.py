"""Assumptions are data: stated in the shipped policy, checked when they are read, and fixed afterwards."""

import pytest
from pydantic import ValidationError

from pattern_pipeline.detection.policy import load_policy
from pattern_pipeline.economics.assumptions import ConfidencePolicy, GradedScoring, Range, RoiPolicy


def test_the_shipped_policy_states_the_defaults() -> None:
    shipped = load_policy("default")
    assert shipped.roi == RoiPolicy()
    assert shipped.confidence == ConfidencePolicy()


def test_a_misspelt_assumption_is_an_error() -> None:
    with pytest.raises(ValidationError, match="covrage"):
        RoiPolicy.model_validate({"covrage": 0.9})


def test_assumptions_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        RoiPolicy().coverage = 0.9  # type: ignore[misc]


@pytest.mark.parametrize(
    "wrong",
    [
        {"coverage": 1.2},
        {"coverage": 0},
        {"discount_rate": -1},
        {"draws": 10},
        {"min_priced": 30},
        {"build_cost_otherwise": -1},
    ],
)
def test_impossible_assumptions_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        RoiPolicy.model_validate(wrong)


def test_weights_fill_the_scale() -> None:
    with pytest.raises(ValidationError, match="add up to 100"):
        GradedScoring(frequency_weight=50)


def test_a_scoring_method_needs_its_own_table() -> None:
    with pytest.raises(ValidationError, match="frequency"):
        ConfidencePolicy.model_validate({"scoring": {"method": "banded"}})
    with pytest.raises(ValidationError, match="method"):
        ConfidencePolicy.model_validate({"scoring": {"method": "guess"}})


def test_a_range_is_ordered() -> None:
    with pytest.raises(ValidationError, match="must not exceed"):
        Range(low=1, high=0)
