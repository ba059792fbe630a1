"""Money over time against the formulas, month by month and by hand."""

import numpy as np
import pytest

from pattern_pipeline.economics import cashflow
from pattern_pipeline.economics.assumptions import RoiPolicy
from pattern_pipeline.economics.cashflow import Terms


def terms(**changes: float) -> Terms:
    values = {"rate": 300.0, "cost": 0.2, "tool": 0.01, "reliability": 0.8, "coverage": 0.8, "build": 75.0} | changes
    return Terms(**{name: np.array([value]) for name, value in values.items()})


def spelled_out(t: Terms, policy: RoiPolicy, month: int) -> float:
    """cash_m word for word from the specification."""
    rate, cost, tool, p, coverage, build = (
        float(getattr(t, name)[0]) for name in ("rate", "cost", "tool", "reliability", "coverage", "build")
    )
    cost *= (1 + policy.cost_drift) ** (month / 12)
    extra = policy.fallback_extra_ratio * cost
    saving = coverage * (p * (cost - tool) - (1 - p) * (tool + extra))
    return float(rate * saving - policy.maintenance_share * build / 12)


@pytest.mark.parametrize(
    "policy", [RoiPolicy(), RoiPolicy(fallback_extra_ratio=0.5, cost_drift=0.3, horizon_months=31)]
)
def test_sums_over_time_equal_the_formula_month_by_month(policy: RoiPolicy) -> None:
    t = terms()
    cash = [spelled_out(t, policy, month) for month in range(1, policy.horizon_months + 1)]
    npv = -75 + sum(c / (1 + policy.discount_rate) ** (m / 12) for m, c in enumerate(cash, 1))
    assert cashflow.net_present_value(t, policy)[0] == pytest.approx(npv)
    assert cashflow.roi_percent(t, policy)[0] == pytest.approx(100 * (sum(cash) - 75) / 75)
    assert cashflow.net_monthly_savings(t, policy)[0] == pytest.approx(spelled_out(t, policy, 0))


def test_hand_computed_case() -> None:
    # saving = 0.8 * (0.8 * 0.19 - 0.2 * 0.01) = 0.12; 300 * 0.12 = 36; M / 12 = 15 / 12 = 1.25.
    policy, t = RoiPolicy(), terms()
    assert cashflow.saving_per_occurrence(t, policy)[0] == pytest.approx(0.12)
    assert cashflow.net_monthly_savings(t, policy)[0] == pytest.approx(34.75)
    assert cashflow.break_even_monthly(t, policy)[0] == pytest.approx((75 / 12 + 1.25) / 0.12)


def test_payback_is_the_first_month_whose_cumulated_cash_covers_the_build() -> None:
    policy = RoiPolicy()
    t = terms()
    cash = np.cumsum([spelled_out(t, policy, month) for month in range(1, 13)])
    assert cashflow.payback_months(t, policy)[0] == 1 + np.argmax(cash >= 75)
    assert np.isnan(cashflow.payback_months(terms(rate=1.0), policy)[0])
    assert cashflow.payback_months(terms(build=0.0), policy)[0] == 1


def test_a_saving_that_does_not_exist_breaks_even_at_no_number() -> None:
    assert np.isnan(cashflow.break_even_monthly(terms(tool=0.2), RoiPolicy())[0])


def test_roi_of_nothing_built_is_unknown() -> None:
    assert np.isnan(cashflow.roi_percent(terms(build=0.0), RoiPolicy())[0])


def test_failures_cost_what_the_fallback_costs() -> None:
    policy = RoiPolicy(fallback_extra_ratio=1.0)
    always_fails = terms(reliability=0.0)
    assert cashflow.saving_per_occurrence(always_fails, policy)[0] == pytest.approx(-0.8 * (0.01 + 0.2))
