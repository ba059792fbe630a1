"""Realised ROI: what automations saved once they ran, and whether the estimate was right.

Belongs here: what an execution saved, summaries, effectiveness, recommendations, validation. Does not belong here: the
estimate itself, applying a recommendation. Patterns are handled all at once; NULL where unknown, never NaN.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import special

from pattern_pipeline.economics.assumptions import RoiPolicy
from pattern_pipeline.economics.intervals import FloatArray, student_t, wilson

EXECUTIONS = pl.Schema(
    {
        "pattern_signature": pl.String(),
        "executed_at": pl.Datetime("us", "UTC"),
        "success": pl.Boolean(),
        "actual_cost": pl.Float64(),
        "execution_time_seconds": pl.Float64(),
        "estimated_time_seconds": pl.Float64(),
    }
)
"""A row per use of an automation. NULL where not reported: ``actual_cost`` and the times."""

BASELINES = pl.Schema(
    {
        "pattern_signature": pl.String(),
        "baseline_cost": pl.Float64(),
        "saving_per_occurrence": pl.Float64(),
        "build_cost": pl.Float64(),
        "in_service_since": pl.Datetime("us", "UTC"),
    }
)
"""A row per pattern: ``cost_per_occurrence``, ``saving_per_occurrence`` and ``build_cost`` of the estimate that was
current at its approval, and the time of the approval. All but the signature may be NULL."""

DAYS_A_YEAR = 365.25
INSUFFICIENT = "insufficient"


def realised_savings(executions: pl.DataFrame, baselines: pl.DataFrame, policy: RoiPolicy) -> pl.DataFrame:
    """What each execution saved, in money and in time; a failure costs.

    r = baseline - actual on success, -(actual + x) on failure, x = fallback_extra_ratio * baseline. Time likewise:
    estimated - actual on success, -actual on failure.

    Returns:
        The rows of ``executions`` with the columns of both frames, ``cost_saved_usd`` and ``time_saved_seconds``.
    """
    credit = pl.when("success").then("baseline_cost").otherwise(-policy.fallback_extra_ratio * pl.col("baseline_cost"))
    time_credit = pl.when("success").then("estimated_time_seconds").otherwise(0.0)
    return (
        executions.select(EXECUTIONS.names())
        .cast(EXECUTIONS)
        .join(baselines.select(BASELINES.names()).cast(BASELINES), on="pattern_signature", how="left", validate="m:1")
        .with_columns(
            cost_saved_usd=credit - pl.col("actual_cost"),
            time_saved_seconds=time_credit - pl.col("execution_time_seconds"),
        )
    )


def summarise(executions: pl.DataFrame, baselines: pl.DataFrame, policy: RoiPolicy) -> pl.DataFrame:
    """Summary of each pattern that has executions, in order of signature.

    ROI % = 100 (sum r - B - maintenance) / (B + maintenance + sum actual), with maintenance from the approval (else the
    first execution) to the latest execution; NULL when the denominator is 0 or B unknown. It has no upper limit. An
    execution without a reported cost counts in the success rate and is left out of money: ``priced_executions``.

    Returns:
        Columns pattern_signature, total_executions, successful_executions, success_rate, priced_executions,
        total_cost_saved_usd, average_cost_saved_usd, total_time_saved_seconds, average_time_saved_seconds,
        total_actual_cost, invested_usd (build and maintenance), roi_percentage, effectiveness, last_executed_at.
    """
    years = (pl.col("last_executed_at") - pl.col("since")).dt.total_seconds().clip(0) / (DAYS_A_YEAR * 86_400)
    spent = pl.col("invested_usd") + pl.col("total_actual_cost")
    return (
        realised_savings(executions, baselines, policy)
        .group_by("pattern_signature")
        .agg(
            pl.len().alias("total_executions"),
            pl.col("success").sum().alias("successful_executions"),
            pl.col("success").mean().alias("success_rate"),
            pl.col("cost_saved_usd").count().alias("priced_executions"),
            _sum_of_known("cost_saved_usd").alias("total_cost_saved_usd"),
            pl.col("cost_saved_usd").mean().alias("average_cost_saved_usd"),
            _sum_of_known("time_saved_seconds").alias("total_time_saved_seconds"),
            pl.col("time_saved_seconds").mean().alias("average_time_saved_seconds"),
            _sum_of_known("actual_cost").alias("total_actual_cost"),
            pl.col("build_cost").first(),
            pl.col("executed_at").max().alias("last_executed_at"),
            pl.coalesce(pl.col("in_service_since").first(), pl.col("executed_at").min()).alias("since"),
        )
        .with_columns(invested_usd=pl.col("build_cost") * (1 + policy.maintenance_share * years))
        .with_columns(
            roi_percentage=pl.when(spent > 0).then(
                100 * (pl.col("total_cost_saved_usd") - pl.col("invested_usd")) / spent
            )
        )
        .with_columns(effectiveness(policy))
        .drop("build_cost", "since")
        .sort("pattern_signature")
    )


def effectiveness(policy: RoiPolicy) -> pl.Expr:
    """Grade from ``success_rate``, ``roi_percentage`` and ``total_executions``: the best tier that is reached.

    Below all tiers: ``poor`` when it mostly fails or loses money, else ``marginal``. ``insufficient`` below
    ``min_executions``, and while the ROI is unknown.
    """
    rate, roi = pl.col("success_rate"), pl.col("roi_percentage")
    few = pl.col("total_executions").fill_null(0) < policy.min_executions
    reached = [
        pl.when((rate >= tier.success_rate) & (roi >= tier.roi_percent)).then(pl.lit(tier.name))
        for tier in policy.realised.tiers
    ]
    return (
        pl.when(few)
        .then(pl.lit(INSUFFICIENT))
        .when(pl.coalesce(reached).is_not_null())
        .then(pl.coalesce(reached))
        .when((rate < policy.realised.poor_success_rate) | (roi < 0))
        .then(pl.lit("poor"))
        .when(roi.is_null())
        .then(pl.lit(INSUFFICIENT))
        .otherwise(pl.lit("marginal"))
        .alias("effectiveness")
    )


def recommendations(summaries: pl.DataFrame, policy: RoiPolicy) -> pl.DataFrame:
    """What a reviewer should consider; nothing is applied here.

    Args:
        summaries: rows of `summarise` with a column ``status`` (of ``pattern_approvals``).
        policy: the thresholds.

    Returns:
        pattern_signature, status, action (revoke, approve, review) and severity, for patterns with a recommendation.
    """
    rule = policy.realised
    rate, roi, status = pl.col("success_rate"), pl.col("roi_percentage"), pl.col("status")
    lower = wilson(summaries["successful_executions"].to_numpy(), summaries["total_executions"].to_numpy()).low
    return (
        summaries.with_columns(success_low=pl.Series(lower))
        .filter(pl.col("total_executions") >= policy.min_executions)
        .with_columns(
            action=pl.when(status.is_in(["approved", "auto-approved"]) & ((rate < rule.poor_success_rate) | (roi < 0)))
            .then(pl.lit("revoke"))
            .when(
                (status == "pending")
                & (pl.col("success_low") > rule.approve_success_rate)
                & (roi > rule.approve_roi_percent)
            )
            .then(pl.lit("approve"))
            .when((status == "approved") & ((rate < rule.review_success_rate) | (roi < rule.review_roi_percent)))
            .then(pl.lit("review"))
        )
        .filter(pl.col("action").is_not_null())
        .select(
            "pattern_signature",
            "status",
            "action",
            severity=pl.col("action").replace_strict({"revoke": "high", "approve": "medium", "review": "low"}),
        )
    )


def validate(executions: pl.DataFrame, baselines: pl.DataFrame, policy: RoiPolicy) -> pl.DataFrame:
    """Was the estimate right? A verdict per pattern that has executions, in order of signature.

    With e = estimated saving / coverage (the estimate of one execution) and D = mean r - e with its t-interval:
    ``refuted`` when D is surely below -tolerance * |e|, ``confirmed`` when it surely is not, else ``inconclusive``.

    Returns:
        pattern_signature, executions (priced), realised_mean, deviation (of r), estimated, difference, difference_low,
        difference_high, minimum_detectable_effect, validation, more_executions (until the half-width is within the
        tolerance, at least 1; NULL when decided, or when no number of them would decide).
    """
    grouped = (
        realised_savings(executions, baselines, policy)
        .group_by("pattern_signature")
        .agg(
            pl.col("cost_saved_usd").count().alias("executions"),
            pl.col("cost_saved_usd").mean().alias("realised_mean"),
            pl.col("cost_saved_usd").std().alias("deviation"),
            (pl.col("saving_per_occurrence").first() / policy.coverage).alias("estimated"),
        )
        .sort("pattern_signature")
    )
    n, mean, deviation, expected = (
        grouped[name].cast(pl.Float64).to_numpy() for name in ("executions", "realised_mean", "deviation", "estimated")
    )
    enough = n >= policy.min_executions
    low, high = student_t(mean - expected, np.where(enough, deviation, np.nan), n, policy.interval_level)
    margin = policy.realised.tolerance * np.abs(expected)
    needed = executions_needed(deviation, margin, policy.interval_level)
    more = np.where(enough, np.maximum(needed - n, 1), policy.min_executions - n)
    decided = (high < -margin) | (low >= -margin)
    verdict = np.select([high < -margin, low >= -margin], ["refuted", "confirmed"], "inconclusive")
    figures = {
        "difference": mean - expected,
        "difference_low": low,
        "difference_high": high,
        "minimum_detectable_effect": minimum_detectable_effect(
            np.where(enough, deviation, np.nan), n, policy.interval_level, policy.realised.power
        ),
        "more_executions": np.where(decided | np.isnan(expected) | np.isinf(more), np.nan, more),
    }
    return grouped.with_columns(
        *(pl.Series(name, values).fill_nan(None) for name, values in figures.items())
    ).with_columns(pl.Series("validation", verdict.astype(str)), pl.col("more_executions").cast(pl.Int64))


def minimum_detectable_effect(deviation: FloatArray, n: FloatArray, level: float, power: float) -> FloatArray:
    """The smallest true difference of a mean that n executions would reveal with the given power.

    Bloom (1995), "Minimum detectable effects", Evaluation Review 19: (t_{1 - a/2} + t_{power}) * s / sqrt n with n - 1
    degrees of freedom. NaN below two executions.
    """
    size = np.where(n >= 2, n, np.nan)
    return (special.stdtrit(size - 1, (1 + level) / 2) + special.stdtrit(size - 1, power)) * deviation / np.sqrt(size)


def executions_needed(deviation: FloatArray, half_width: FloatArray, level: float) -> FloatArray:
    """The least n >= 2 with t_{n-1} * s / sqrt n <= half_width; inf when no n up to 2^40 does, NaN where unknown.

    The left side falls in n, so n is found by bisection, for all patterns at once.
    """

    def narrow(n: FloatArray) -> NDArray[np.bool_]:
        return special.stdtrit(n - 1, (1 + level) / 2) * deviation / np.sqrt(n) <= half_width

    low, high = np.ones_like(deviation), np.full_like(deviation, 2.0**40)
    reachable = narrow(high)
    for _ in range(40):
        middle = np.maximum(np.floor((low + high) / 2), 2)
        enough = narrow(middle)
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    unknown = np.isnan(deviation) | np.isnan(half_width)
    return np.where(unknown, np.nan, np.where(reachable, high, np.inf))


@dataclass(frozen=True)
class RealisationRatio:
    """Realised over estimated saving of a portfolio, with its interval and what it rests on."""

    ratio: float
    low: float
    high: float
    patterns: int
    executions: int


def portfolio_ratio(validations: pl.DataFrame, policy: RoiPolicy) -> RealisationRatio | None:
    """Realised saving of all executions over what the estimates promised for as many; None when nothing can be said.

    A stratified total (Cochran 1977, Sampling Techniques, 5.4): Var(sum r) = sum over patterns of n s^2, Student's t
    with Satterthwaite's degrees of freedom. Only patterns with ``min_executions`` and an estimate enter, on both sides.

    Args:
        validations: columns executions, realised_mean, deviation and estimated; others are ignored.
        policy: how many executions count, and the level of the interval.
    """
    strata = validations.filter(pl.col("executions") >= policy.min_executions, pl.col("estimated").is_not_null())
    n, mean, expected, deviation = (
        strata[name].cast(pl.Float64).to_numpy() for name in ("executions", "realised_mean", "estimated", "deviation")
    )
    promised = float(n @ expected)
    if promised <= 0:
        return None
    parts = n * deviation**2
    degrees = parts.sum() ** 2 / (parts**2 / (n - 1)).sum() if parts.any() else 1.0
    half = float(special.stdtrit(degrees, (1 + policy.interval_level) / 2) * np.sqrt(parts.sum()))
    realised = float(n @ mean)
    return RealisationRatio(
        realised / promised, (realised - half) / promised, (realised + half) / promised, len(n), int(n.sum())
    )


def _sum_of_known(name: str) -> pl.Expr:
    return pl.when(pl.col(name).count() > 0).then(pl.col(name).sum())
