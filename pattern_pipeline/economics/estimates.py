"""ROI estimates of all patterns at once: the rows of ``roi_estimates``.

Belongs here: putting evidence, intervals, cash flow, simulation and verdict together. Every formula lives in its own
module. Same data, same bytes: a row depends on its own inputs, never on the other patterns or their order.
"""

import numpy as np
import polars as pl

from pattern_pipeline.economics import cashflow, verdicts
from pattern_pipeline.economics.assumptions import RoiPolicy
from pattern_pipeline.economics.bootstrap import mean_interval, row_quantile
from pattern_pipeline.economics.cashflow import Terms
from pattern_pipeline.economics.evidence import Evidence, gather
from pattern_pipeline.economics.exposure import Window
from pattern_pipeline.economics.intervals import FloatArray, garwood, wilson
from pattern_pipeline.economics.montecarlo import SimulatedBlock, simulate

ESTIMATES = pl.Schema(
    {
        "pattern_signature": pl.String(),
        "input_hash": pl.String(),
        "roi_version": pl.String(),
        "assumptions": pl.String(),
        "window_start": pl.Datetime("us", "UTC"),
        "window_end": pl.Datetime("us", "UTC"),
        "exposure_days": pl.Int32(),
        "gap_days": pl.Int32(),
        "occurrences": pl.Int32(),
        "priced_count": pl.Int32(),
        "cost_basis": pl.String(),
        "monthly_rate": pl.Float64(),
        "monthly_rate_low": pl.Float64(),
        "monthly_rate_high": pl.Float64(),
        "cost_per_occurrence": pl.Float64(),
        "cost_low": pl.Float64(),
        "cost_high": pl.Float64(),
        "tool_cost": pl.Float64(),
        "reliability": pl.Float64(),
        "agent_success_low": pl.Float64(),
        "agent_success_high": pl.Float64(),
        "saving_per_occurrence": pl.Float64(),
        "potential_monthly_savings": pl.Float64(),
        "net_monthly_savings": pl.Float64(),
        "net_p10": pl.Float64(),
        "net_p50": pl.Float64(),
        "net_p90": pl.Float64(),
        "npv": pl.Float64(),
        "npv_p10": pl.Float64(),
        "npv_p50": pl.Float64(),
        "npv_p90": pl.Float64(),
        "probability_of_loss": pl.Float64(),
        "payback_months": pl.Int32(),
        "roi_percent": pl.Float64(),
        "break_even_monthly": pl.Float64(),
        "build_cost": pl.Float64(),
        "naive_monthly_savings": pl.Float64(),
        "naive_factor": pl.Float64(),
        "verdict": pl.String(),
        "reasons": pl.List(pl.String()),
        "flags": pl.List(pl.String()),
    }
)
"""Columns of the result: those of ``roi_estimates`` without ``estimated_at``, ``pattern_signature`` for ``pattern_id``.

NULL where unknown, never NaN. ``assumptions`` is JSON text: each value used, with its source and whether it is assumed.
``net_monthly_savings`` and ``npv`` are at the best single value of every input; their P50 usually lies lower, because
building costs more than planned more often than less.
"""

PERCENTILES = {"p10": 0.10, "p50": 0.50, "p90": 0.90}


def estimate(inputs: pl.DataFrame, policy: RoiPolicy, *, window: Window, roi_version: str) -> pl.DataFrame:
    """Estimate what automating each pattern is worth.

    Args:
        inputs: a row per pattern, as `pattern_pipeline.economics.evidence.INPUT` describes.
        policy: the assumptions.
        window: the span that the aggregates are of.
        roi_version: version of the policy's section and of these formulas.

    Returns:
        A frame with the columns of `ESTIMATES`, in the order of the input rows.

    Raises:
        ValueError: the input is impossible; the message names the pattern.
    """
    evidence = gather(inputs, policy, window, roi_version)
    figures = {**_closed_form(evidence, policy), **_simulated(evidence, policy)}
    return (
        evidence.frame.with_columns(
            *(pl.Series(name, values).fill_nan(None) for name, values in figures.items()),
            roi_version=pl.lit(roi_version),
            window_start=pl.lit(window.start),
            window_end=pl.lit(window.end),
        )
        .with_columns(pl.col("skewed", "zero_variance") == 1)
        .with_columns(verdicts.verdict(policy), assumptions=_assumptions(policy))
        .with_columns(verdicts.reasons(policy), verdicts.flags(policy))
        .select(ESTIMATES.names())
        .cast(ESTIMATES)
    )


def point_terms(evidence: Evidence, policy: RoiPolicy) -> Terms:
    """The best single value of each input of the cash-flow model, one per pattern."""
    exposure, cost = evidence.column("exposure_days"), evidence.column("cost_per_occurrence")
    days = np.where(exposure > 0, exposure, np.nan)
    a, b = evidence.column("beta_a"), evidence.column("beta_b")
    return Terms(
        rate=evidence.column("occurrences") / days * policy.month_days,
        cost=cost,
        tool=evidence.column("tool_fixed") + evidence.column("tool_ratio") * cost,
        reliability=a / (a + b),
        coverage=np.asarray(policy.coverage),
        build=evidence.column("build_cost"),
    )


def _closed_form(evidence: Evidence, policy: RoiPolicy) -> dict[str, FloatArray]:
    """Everything that needs no simulation. Without exposure nothing is estimated."""
    terms = point_terms(evidence, policy)
    exposed = evidence.column("exposure_days") > 0
    rate = garwood(evidence.column("occurrences"), evidence.column("exposure_days"), policy.interval_level)
    known = evidence.column("completed") + evidence.column("failed")
    success = wilson(evidence.column("completed"), known, policy.interval_level)
    gross = terms.rate * (terms.cost - terms.tool)
    naive = _naive_monthly_savings(evidence, policy)
    figures = {
        "monthly_rate": terms.rate,
        "monthly_rate_low": rate.low * policy.month_days,
        "monthly_rate_high": rate.high * policy.month_days,
        "cost_per_occurrence": terms.cost,
        "tool_cost": terms.tool,
        "reliability": terms.reliability,
        "agent_success_low": success.low,
        "agent_success_high": success.high,
        "saving_per_occurrence": cashflow.saving_per_occurrence(terms, policy),
        "potential_monthly_savings": gross,
        "net_monthly_savings": cashflow.net_monthly_savings(terms, policy),
        "npv": cashflow.net_present_value(terms, policy),
        "payback_months": cashflow.payback_months(terms, policy),
        "roi_percent": cashflow.roi_percent(terms, policy),
        "break_even_monthly": cashflow.break_even_monthly(terms, policy),
        "naive_monthly_savings": naive,
        "naive_factor": naive / np.where(gross > 0, gross, np.nan),
    }
    return {name: np.where(exposed, values, np.nan) for name, values in figures.items()}


def _naive_monthly_savings(evidence: Evidence, policy: RoiPolicy) -> FloatArray:
    """What crediting a pattern with the whole cost of every run it was seen in would claim for a month."""
    exposure, whole_runs = evidence.column("exposure_days"), evidence.column("naive_sum")
    known = (exposure > 0) & ((whole_runs > 0) | (evidence.column("priced_count") > 0))
    return policy.naive_share * whole_runs / np.where(known, exposure, np.nan) * policy.month_days


def _simulated(evidence: Evidence, policy: RoiPolicy) -> dict[str, FloatArray]:
    """Intervals of the cost and distributions of savings; NaN for patterns with too few priced occurrences."""
    measures = [f"{measure}_{percentile}" for measure in ("net", "npv") for percentile in PERCENTILES]
    names = ("cost_low", "cost_high", "skewed", "zero_variance", "probability_of_loss", *measures)
    result = {name: np.full(len(evidence.frame), np.nan) for name in names}
    for block in simulate(evidence, policy):
        for name, values in _summary(block, evidence, policy).items():
            result[name][block.rows] = values
    return result


def _summary(block: SimulatedBlock, evidence: Evidence, policy: RoiPolicy) -> dict[str, FloatArray]:
    interval = mean_interval(block.costs, block.bootstrap, block.sample_size, policy.interval_level)
    constant = block.costs.deviation == 0
    mean = evidence.column("cost_per_occurrence")[block.rows]
    skewness = block.costs.skewness
    npv = np.sort(cashflow.net_present_value(block.terms, policy), axis=1)
    net = np.sort(cashflow.net_monthly_savings(block.terms, policy), axis=1)
    return {
        "cost_low": np.where(constant, mean, interval.low),
        "cost_high": np.where(constant, mean, interval.high),
        "zero_variance": constant.astype(np.float64),
        # Cochran (1977), Sampling Techniques, 2.15: below 25 skewness^2 values an interval of the mean is too low.
        "skewed": ((skewness > policy.strong_skewness) & (block.sample_size < 25 * skewness**2)).astype(np.float64),
        "probability_of_loss": (npv < 0).mean(axis=1),
        **{f"net_{name}": row_quantile(net, np.full(len(net), share)) for name, share in PERCENTILES.items()},
        **{f"npv_{name}": row_quantile(npv, np.full(len(npv), share)) for name, share in PERCENTILES.items()},
    }


def _assumptions(policy: RoiPolicy) -> pl.Expr:
    """Each value that went into the row, with its source and whether it is assumed rather than measured."""

    def entry(name: str, value: pl.Expr | float, source: pl.Expr | str, assumed: pl.Expr | bool) -> pl.Expr:
        parts = {"value": value, "source": source, "assumed": assumed}
        return pl.struct(
            [(part if isinstance(part, pl.Expr) else pl.lit(part)).alias(key) for key, part in parts.items()]
        ).alias(name)

    stated = {
        "coverage": policy.coverage,
        "fallback_extra_ratio": policy.fallback_extra_ratio,
        "maintenance_share": policy.maintenance_share,
        "discount_rate": policy.discount_rate,
        "cost_drift": policy.cost_drift,
        "horizon_months": policy.horizon_months,
        "prior_successes": policy.prior_successes,
        "prior_failures": policy.prior_failures,
    }
    few = pl.col("executions") < policy.min_executions
    proof = pl.when(few).then(pl.lit("prior")).otherwise(pl.lit("executions"))
    return pl.struct(
        *(entry(name, value, "policy", True) for name, value in stated.items()),
        entry("build_cost", pl.col("build_cost"), "policy", True),
        entry("tool_cost", pl.col("tool_cost"), pl.col("tool_source"), pl.col("tool_source") == "ratio"),
        entry("reliability", pl.col("reliability"), proof, few),
        entry("month_days", policy.month_days, "calendar", False),
        entry("window_days", policy.window_days, "policy", False),
    ).struct.json_encode()
