"""Money over time: what an automation saves, what it costs to build and keep, and when it has paid for itself.

Belongs here: the cash-flow model as closed formulas. They hold for one value per pattern and for a matrix of draws
alike. Does not belong here: where the terms come from, and how uncertain they are.

The tool's cost is paid at every automated occurrence, whether it succeeds or not, and stays what it is today; the
model's cost drifts. So with reliability p, x = fallback_extra_ratio and d_m = (1 + drift)^(m/12), month m = 1..H brings

    cash_m = rate * coverage * (cost * d_m * (p - (1 - p) x) - tool) - maintenance / 12

which is the specification's rate * coverage * (p (c_llm - c_tool) - (1 - p)(c_tool + x c_llm)) - M / 12 with
c_llm = cost * d_m, rearranged. Everything below is a sum of it, with or without the discount factor (1 + r)^(-m/12).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pattern_pipeline.economics.assumptions import RoiPolicy
from pattern_pipeline.economics.intervals import FloatArray

MONTHS_A_YEAR = 12


@dataclass(frozen=True)
class Terms:
    """The inputs of the model; arrays of one shape, or of shapes that broadcast. NaN where unknown.

    Attributes:
        rate: occurrences a month.
        cost: what the model costs per occurrence, now.
        tool: what the tool costs per occurrence.
        reliability: probability that an automated occurrence succeeds.
        coverage: share of the occurrences that the automation takes over.
        build: one-off cost of building the automation; maintenance is a share of it.
    """

    rate: FloatArray
    cost: FloatArray
    tool: FloatArray
    reliability: FloatArray
    coverage: FloatArray
    build: FloatArray


class Annuity(NamedTuple):
    """The sum over the horizon of 1 and of the drift of the model's cost, each month weighed by its discount factor."""

    level: float
    drifted: float


def annuity(policy: RoiPolicy, *, discounted: bool) -> Annuity:
    """Sums over months 1..H of v_m and of d_m v_m, v_m being 1 when money is not discounted."""
    years = _months(policy) / MONTHS_A_YEAR
    discount = (1 + policy.discount_rate) ** -years if discounted else np.ones_like(years)
    return Annuity(float(discount.sum()), float(((1 + policy.cost_drift) ** years * discount).sum()))


def saving_per_occurrence(terms: Terms, policy: RoiPolicy, drift: FloatArray | float = 1.0) -> FloatArray:
    """Saving per occurrence, coverage included, at a drift factor of the model's cost (1: today)."""
    kept = terms.reliability - (1 - terms.reliability) * policy.fallback_extra_ratio
    return terms.coverage * (terms.cost * drift * kept - terms.tool)


def monthly_maintenance(terms: Terms, policy: RoiPolicy) -> FloatArray:
    """Maintenance in a month."""
    return terms.build * (policy.maintenance_share / MONTHS_A_YEAR)


def net_monthly_savings(terms: Terms, policy: RoiPolicy) -> FloatArray:
    """cash_0: the net saving of a month at today's cost."""
    return terms.rate * saving_per_occurrence(terms, policy) - monthly_maintenance(terms, policy)


def total_cash(terms: Terms, policy: RoiPolicy, *, discounted: bool) -> FloatArray:
    """Sum of cash_m over the horizon, before the build cost."""
    over = annuity(policy, discounted=discounted)
    # Mean drift over the horizon times its length is the drifted annuity: the saving is linear in the drift.
    saved = terms.rate * saving_per_occurrence(terms, policy, over.drifted / over.level) * over.level
    return saved - monthly_maintenance(terms, policy) * over.level


def net_present_value(terms: Terms, policy: RoiPolicy) -> FloatArray:
    """NPV = -B + sum of cash_m (1 + r)^(-m/12)."""
    return total_cash(terms, policy, discounted=True) - terms.build


def roi_percent(terms: Terms, policy: RoiPolicy) -> FloatArray:
    """100 (sum cash - B) / B, not discounted; NaN when nothing is built."""
    built = np.where(terms.build > 0, terms.build, np.nan)
    return 100 * (total_cash(terms, policy, discounted=False) - terms.build) / built


def break_even_monthly(terms: Terms, policy: RoiPolicy) -> FloatArray:
    """Occurrences a month that pay for build and maintenance at today's saving: (B/H + M/12) / saving.

    NaN when an occurrence saves nothing: no number of them would do.
    """
    saving = saving_per_occurrence(terms, policy)
    needed = terms.build / policy.horizon_months + monthly_maintenance(terms, policy)
    return needed / np.where(saving > 0, saving, np.nan)


def payback_months(terms: Terms, policy: RoiPolicy) -> FloatArray:
    """First month in which the cumulated cash reaches the build cost, one value per pattern; NaN if none does."""
    months = _months(policy)
    drift = ((1 + policy.cost_drift) ** (months / MONTHS_A_YEAR))[:, None]
    cash = terms.rate * saving_per_occurrence(terms, policy, drift) - monthly_maintenance(terms, policy)
    paid = cash.cumsum(axis=0) >= terms.build
    return np.where(paid.any(axis=0), months[paid.argmax(axis=0)], np.nan)


def _months(policy: RoiPolicy) -> FloatArray:
    return np.arange(1, policy.horizon_months + 1, dtype=np.float64)
