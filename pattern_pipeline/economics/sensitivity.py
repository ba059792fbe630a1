"""What would change the verdict: switching values and tornado data.

Belongs here: varying one input at a time. Does not belong here: the model (`cashflow`) and the distributions
(`montecarlo`), which are used as they are. Made for the few patterns that a person looks at, but works for all at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pattern_pipeline.economics import cashflow, intervals
from pattern_pipeline.economics.assumptions import RoiPolicy
from pattern_pipeline.economics.cashflow import Terms
from pattern_pipeline.economics.estimates import estimate, point_terms
from pattern_pipeline.economics.evidence import Evidence, gather
from pattern_pipeline.economics.exposure import Window
from pattern_pipeline.economics.intervals import FloatArray
from pattern_pipeline.economics.montecarlo import simulate

INPUTS = {
    "rate": "monthly_rate",
    "cost": "cost_per_occurrence",
    "tool": "tool_cost",
    "reliability": "reliability",
    "coverage": "coverage",
    "build": "build_cost",
}
"""Terms of the cash-flow model and their public names. The NPV is linear in each of them."""

SHARES = ("reliability", "coverage")
THRESHOLDS = {"worth_at": 0.10, "promising_at": 0.50}
"""The quantile of the NPV that must be positive for the verdict."""
SWITCHING = pl.Schema(
    {"pattern_signature": pl.String(), "input": pl.String()} | dict.fromkeys(("value", *THRESHOLDS), pl.Float64())
)


@dataclass(frozen=True)
class Sensitivity:
    """Both frames have a row per pattern and input.

    Attributes:
        switching: pattern_signature, input, value (now), worth_at, promising_at: the value of that input, all others as
            they are, from which on the verdict would be that one; NULL when no possible value brings it about.
        tornado: pattern_signature, input, low, high, npv_low, npv_high, swing; widest swing first in each pattern.
    """

    switching: pl.DataFrame
    tornado: pl.DataFrame


def analyse(inputs: pl.DataFrame, policy: RoiPolicy, *, window: Window, roi_version: str) -> Sensitivity:
    """Switching values and tornado of the input frame of `pattern_pipeline.economics.estimates.estimate`."""
    evidence = gather(inputs, policy, window, roi_version)
    estimates = estimate(inputs, policy, window=window, roi_version=roi_version)
    return Sensitivity(switching(evidence, policy), _tornado(evidence, estimates, policy))


def switching_factors(terms: Terms, name: str, policy: RoiPolicy) -> dict[str, FloatArray]:
    """The multiple of one input at which a quantile of the NPV crosses zero, for each row of draws; inf if none does.

    Each draw's NPV is a + b k in the multiple k of the input, so it breaks even at k = -a / b. With b > 0 the NPV's P10
    is positive exactly when k exceeds the 90th percentile of these break-even multiples; with b < 0 (a cost), when k
    stays below their 10th.
    """
    full = cashflow.net_present_value(terms, policy)
    without = cashflow.net_present_value(replace(terms, **{name: np.zeros_like(getattr(terms, name))}), policy)
    slope = full - without
    is_cost = name in ("tool", "build")
    helps = slope < 0 if is_cost else slope > 0
    # Where the input has no such effect, the draw's NPV is positive at any multiple or at none.
    indifferent = np.where((without > 0) == is_cost, np.inf, -np.inf)
    multiples = np.where(helps, np.divide(-without, slope, out=np.zeros_like(full), where=helps), indifferent)
    ordered = np.sort(multiples, axis=1)
    last = ordered.shape[1] - 1
    # Order statistics without interpolation: infinite multiples stay infinite.
    return {
        threshold: ordered[:, int(np.floor(share * last) if is_cost else np.ceil((1 - share) * last))]
        for threshold, share in THRESHOLDS.items()
    }


def switching(evidence: Evidence, policy: RoiPolicy) -> pl.DataFrame:
    """`Sensitivity.switching` alone, which needs no estimate."""
    signatures = evidence.frame["pattern_signature"]
    now = point_terms(evidence, policy)
    rows: list[NDArray[np.int64]] = []
    inputs: list[str] = []
    columns: dict[str, list[FloatArray]] = {name: [] for name in ("value", *THRESHOLDS)}
    for block in simulate(evidence, policy):
        for name, public in INPUTS.items():
            value = np.broadcast_to(getattr(now, name), len(signatures))[block.rows]
            rows.append(block.rows)
            inputs += [public] * len(value)
            columns["value"].append(value)
            for threshold, factor in switching_factors(block.terms, name, policy).items():
                columns[threshold].append(_possible(value, factor, name))
    if not rows:
        return pl.DataFrame(schema=SWITCHING)
    figures = {name: pl.Series(np.concatenate(parts)).fill_nan(None) for name, parts in columns.items()}
    found = pl.DataFrame({"pattern_signature": signatures.gather(np.concatenate(rows)), "input": inputs, **figures})
    return found.sort("pattern_signature", maintain_order=True)


def _possible(value: FloatArray, factor: FloatArray, name: str) -> FloatArray:
    """Multiples of the values that the input can take, NaN elsewhere."""
    switched = value * np.where(np.isfinite(factor), factor, np.nan)
    return np.where((switched >= 0) & ((switched <= 1) | (name not in SHARES)), switched, np.nan)


def _tornado(evidence: Evidence, estimates: pl.DataFrame, policy: RoiPolicy) -> pl.DataFrame:
    terms = point_terms(evidence, policy)
    rows = []
    for public, ends, npvs in _variations(evidence, estimates, terms, policy):
        low, high = (np.broadcast_to(end, len(estimates)).astype(np.float64) for end in ends)
        rows.append(
            pl.DataFrame(
                {"pattern_signature": estimates["pattern_signature"], "low": low, "high": high}
                | dict(zip(("npv_low", "npv_high"), npvs, strict=True))
            ).with_columns(input=pl.lit(public))
        )
    return (
        pl.concat(rows)
        .with_columns(pl.col("low", "high", "npv_low", "npv_high").fill_nan(None))
        .with_columns(swing=(pl.col("npv_high") - pl.col("npv_low")).abs())
        .drop_nulls("swing")
        .select("pattern_signature", "input", "low", "high", "npv_low", "npv_high", "swing")
        .sort("pattern_signature", "swing", "input", descending=[False, True, False])
    )


def _variations(
    evidence: Evidence, estimates: pl.DataFrame, terms: Terms, policy: RoiPolicy
) -> Iterator[tuple[str, tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]]:
    """Each input's name, its plausible ends, and the NPV at them with everything else at its best value."""
    ranges = policy.sensitivity
    reliability = intervals.beta(evidence.column("beta_a"), evidence.column("beta_b"), policy.interval_level)
    ends: dict[str, tuple[FloatArray, FloatArray]] = {
        "rate": (estimates["monthly_rate_low"].to_numpy(), estimates["monthly_rate_high"].to_numpy()),
        "cost": (estimates["cost_low"].to_numpy(), estimates["cost_high"].to_numpy()),
        "tool": (terms.tool * ranges.tool_cost_factor.low, terms.tool * ranges.tool_cost_factor.high),
        "reliability": (reliability.low, reliability.high),
        "coverage": (np.asarray(ranges.coverage.low), np.asarray(ranges.coverage.high)),
        "build": (terms.build * policy.build_cost_low_factor, terms.build * policy.build_cost_high_factor),
    }
    for name, (low, high) in ends.items():
        npvs = tuple(cashflow.net_present_value(replace(terms, **{name: end}), policy) for end in (low, high))
        yield INPUTS[name], (low, high), (npvs[0], npvs[1])
    for field in ("cost_drift", "discount_rate"):
        span = getattr(ranges, field)
        npvs = tuple(
            cashflow.net_present_value(terms, policy.model_copy(update={field: end})) for end in (span.low, span.high)
        )
        yield field, (np.asarray(span.low), np.asarray(span.high)), (npvs[0], npvs[1])
