"""Confidence in a pattern, 0 to 100: from what was detected, and from how its automation fared.

Belongs here: the scoring methods and the one function of effective confidence. Which method and which numbers apply is
policy data (`pattern_pipeline.economics.assumptions.ConfidencePolicy`). Every function takes all patterns at once.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl

from pattern_pipeline.economics.assumptions import BandedScoring, ConfidencePolicy, GradedScoring
from pattern_pipeline.economics.intervals import FloatArray, wilson

AGGREGATES = pl.Schema(
    {
        "occurrences": pl.Float64,
        "workflows": pl.Float64,
        "distinct_days": pl.Float64,
        "completed": pl.Float64,
        "failed": pl.Float64,
        "error_n": pl.Float64,
        "error_sum": pl.Float64,
        "retry_sum": pl.Float64,
        "seconds_n": pl.Float64,
        "seconds_sum": pl.Float64,
        "seconds_sumsq": pl.Float64,
    }
)
"""Columns that confidence reads, a row per pattern; any numeric type.

occurrences: how often it was seen (workflows); workflows: rows that retries are averaged over, the same number in the
pipeline's own aggregates; the others as in ``pattern_hourly_statistics``, summed: durations in seconds over rows above
zero, errors over runs that report a count.
"""


def detection_confidence(aggregates: pl.DataFrame, policy: ConfidencePolicy) -> FloatArray:
    """Score of each pattern from its aggregates.

    Args:
        aggregates: a row per pattern with the columns of `AGGREGATES`; others are ignored.
        policy: the scoring method and its numbers.

    Returns:
        Scores from 0 to 100, rounded to 2 places, in the order of the rows.
    """
    columns = {name: aggregates[name].cast(kind).to_numpy() for name, kind in AGGREGATES.items()}
    scoring = policy.scoring
    scores = _graded(columns, scoring) if isinstance(scoring, GradedScoring) else _banded(columns, scoring)
    return scores.clip(0, 100).round(2)


def effective_confidence(
    detection: FloatArray,
    successes: FloatArray,
    executions: FloatArray,
    roi_percent: FloatArray,
    policy: ConfidencePolicy,
) -> FloatArray:
    """Detection confidence, moved by the executions of the automation once there are enough of them.

    The detection confidence c0 is the mean of a Beta prior worth ``prior_count`` executions, so that the posterior mean
    of success is (prior_count * c0 + successes) / (prior_count + executions); the realised ROI moves it by at most
    ``roi_limit``. A function of facts alone: computing it again changes nothing.

    Args:
        detection: detection confidence, 0 to 100.
        successes: successful executions.
        executions: all executions.
        roi_percent: realised ROI in percent, NaN where unknown (moves nothing).
        policy: the weight of prior and ROI.

    Returns:
        Scores from 0 to 100, rounded to 2 places.
    """
    rule = policy.executions
    prior = rule.prior_count
    posterior = (prior * detection / 100 + successes) / (prior + executions)
    swing = np.clip(np.nan_to_num(roi_percent) / rule.roi_scale_percent, -rule.roi_limit, rule.roi_limit)
    updated = 100 * np.clip(posterior + swing, 0, 1)
    return np.where(executions < rule.min_executions, detection, updated).round(2)


def aggregates_from_workflows(
    workflows: Iterable[Mapping[str, object]], occurrences: float | None = None
) -> pl.DataFrame:
    """The aggregates of one pattern from its workflows: the readable definition of what SQL sums up.

    Args:
        workflows: mappings with ``duration_seconds``, ``error_count``, ``retry_count``, ``status`` and ``day``, each
            optional.
        occurrences: how often the pattern was seen, if not once per workflow.

    Returns:
        A frame of one row with the columns of `AGGREGATES`.
    """
    fields = {
        "duration_seconds": pl.Float64,
        "error_count": pl.Float64,
        "retry_count": pl.Float64,
        "status": pl.String,
        "day": pl.String,
    }
    rows = pl.DataFrame([{name: row.get(name) for name in fields} for row in workflows], schema=fields)
    seconds = pl.col("duration_seconds").filter(pl.col("duration_seconds") > 0)
    return rows.select(
        (pl.len() if occurrences is None else pl.lit(occurrences)).alias("occurrences"),
        pl.len().alias("workflows"),
        pl.col("day").drop_nulls().n_unique().alias("distinct_days"),
        (pl.col("status") == "completed").sum().alias("completed"),
        (pl.col("status") == "failed").sum().alias("failed"),
        pl.col("error_count").count().alias("error_n"),
        pl.col("error_count").sum().alias("error_sum"),
        pl.col("retry_count").sum().alias("retry_sum"),
        seconds.len().alias("seconds_n"),
        seconds.sum().alias("seconds_sum"),
        seconds.pow(2).sum().alias("seconds_sumsq"),
    ).cast(AGGREGATES)


def _graded(columns: Mapping[str, FloatArray], scoring: GradedScoring) -> FloatArray:
    """Frequency on a logarithmic scale, consistency shrunk towards neutral, success by its lower Wilson bound."""
    n = columns["occurrences"]
    frequency = np.minimum(1, np.log1p(n) / np.log1p(scoring.saturation_count))
    frequency = np.where(columns["distinct_days"] == 1, scoring.single_day_factor * frequency, frequency)

    mean, variance = _duration_moments(columns)
    two_or_more = columns["seconds_n"] >= 2
    steadiness = 1 / (1 + np.divide(np.sqrt(variance), mean, out=np.zeros_like(mean), where=two_or_more))
    steadiness = np.where(two_or_more, steadiness, scoring.neutral_consistency)
    weight = n / np.maximum(n + scoring.consistency_prior_count, 1)
    consistency = weight * steadiness + (1 - weight) * scoring.neutral_consistency

    success = np.nan_to_num(wilson(columns["completed"], columns["completed"] + columns["failed"], scoring.level).low)
    score = (
        scoring.frequency_weight * frequency
        + scoring.consistency_weight * consistency
        + scoring.success_weight * success
    )
    return np.where(n > 0, score, 0.0)


def _banded(columns: Mapping[str, FloatArray], scoring: BandedScoring) -> FloatArray:
    """Points read from the tables of bands; in each table the first band that applies."""
    n, workflows = columns["occurrences"], columns["workflows"]
    frequency = np.select(
        [n >= band.at_least for band in scoring.frequency],
        [band.points for band in scoring.frequency],
        scoring.frequency_otherwise,
    )

    _, variance = _duration_moments(columns)
    consistency = np.select(
        [columns["seconds_n"] < 2, *(variance < band.below for band in scoring.consistency)],
        [scoring.consistency_unknown, *(band.points for band in scoring.consistency)],
        scoring.consistency_otherwise,
    )

    errors = columns["error_sum"] / np.maximum(columns["error_n"], 1)
    retries = columns["retry_sum"] / np.maximum(workflows, 1)
    success = np.select(
        [
            (errors == 0) & (retries == 0),
            *(
                (errors < band.errors_below)
                & (retries < (np.inf if band.retries_below is None else band.retries_below))
                for band in scoring.success
            ),
        ],
        [scoring.success_flawless, *(band.points for band in scoring.success)],
        scoring.success_otherwise,
    )
    return np.where(workflows > 0, frequency + consistency + success, scoring.score_without_workflows)


def _duration_moments(columns: Mapping[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Mean and population variance (n * Sxx - Sx^2) / n^2 of the durations, clamped at zero; zeros without rows."""
    n, total, squares = (columns[name] for name in ("seconds_n", "seconds_sum", "seconds_sumsq"))
    size = np.maximum(n, 1)
    return total / size, np.maximum((n * squares - total**2) / size**2, 0)
