"""What the data says about each pattern, before any simulation: the input frame and what follows from it directly.

Belongs here: the contract of the input, cost basis, tool cost, reliability, build cost, and the hash that names an
estimate. Does not belong here: intervals, cash flow, verdicts.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pattern_pipeline.economics.assumptions import RoiPolicy
from pattern_pipeline.economics.exposure import Window
from pattern_pipeline.economics.intervals import FloatArray

INPUT = pl.Schema(
    {
        "pattern_signature": pl.String(),
        "category": pl.String(),
        "automatable": pl.Boolean(),
        "exclusion_reason": pl.String(),
        "exposure_days": pl.Int64(),
        "gap_days": pl.Int64(),
        "occurrences": pl.Int64(),
        "hits": pl.Int64(),
        "completed": pl.Int64(),
        "failed": pl.Int64(),
        "distinct_days": pl.Int64(),
        "step_n": pl.Int64(),
        "step_sum": pl.Float64(),
        "run_n": pl.Int64(),
        "run_sum": pl.Float64(),
        "naive_sum": pl.Float64(),
        "executions_succeeded": pl.Int64(),
        "executions_failed": pl.Int64(),
        "execution_cost_n": pl.Int64(),
        "execution_cost_sum": pl.Float64(),
        "recent_costs": pl.List(pl.Float64()),
    }
)
"""The input of an estimate: a row per pattern, unique by signature, in any order; further columns are ignored.

Money is US dollars and may come as Decimal. NULL is allowed in ``exclusion_reason`` only. Everything is of the window.

* ``pattern_signature``, ``category`` (``operation_patterns.pattern_type``), ``automatable``, ``exclusion_reason``.
* ``exposure_days``, ``gap_days``: of `pattern_pipeline.economics.exposure.exposure`, the same for every pattern.
* ``occurrences``: workflows in the window, ``intent`` rows apart; ``hits``: how often inside them.
* ``completed``, ``failed``: those of them whose outcome is known.
* ``distinct_days``: calendar days (UTC) with an occurrence.
* ``step_n``, ``step_sum``, ``run_n``, ``run_sum``: count and sum of attributed cost on basis ``step``, ``workflow``.
* ``naive_sum``: whole-run cost of the same runs, as in ``pattern_hourly_statistics``.
* ``executions_*``, ``execution_cost_*``: uses of the automation so far, not only of the window; the cost columns are of
  those that report an actual cost. All zero before it exists.
* ``recent_costs``: attributed costs of the most recent ``RoiPolicy.sample_size`` occurrences that are priced on the
  best basis present (``step`` if ``step_n`` > 0, else ``workflow``); any order; empty if none.
"""


@dataclass(frozen=True)
class Evidence:
    """The patterns of an estimate with what follows from their aggregates.

    Attributes:
        frame: the input (without samples), plus ``cost_basis``, ``priced_count``, ``cost_per_occurrence``,
            ``tool_fixed`` and ``tool_ratio`` (tool cost = fixed + ratio * cost), ``tool_source``, ``executions``,
            ``beta_a`` and ``beta_b`` (posterior of the reliability), ``build_cost``, ``input_hash``.
        samples: all cost samples, one pattern after the other, each in ascending order.
        sizes: size of each pattern's sample.
        seeds: four words per pattern (patterns x 4), the bits of its input hash.
    """

    frame: pl.DataFrame
    samples: FloatArray
    sizes: NDArray[np.int64]
    seeds: NDArray[np.int64]

    def column(self, name: str) -> FloatArray:
        """A numeric column as floats, NaN where unknown."""
        return self.frame[name].to_numpy().astype(np.float64)

    def sample_block(self, rows: NDArray[np.int64]) -> FloatArray:
        """Samples of patterns that have equally many costs (rows x n)."""
        starts = np.cumsum(self.sizes) - self.sizes
        return np.ascontiguousarray(self.samples[starts[rows][:, None] + np.arange(self.sizes[rows[0]])])


def gather(inputs: pl.DataFrame, policy: RoiPolicy, window: Window, roi_version: str) -> Evidence:
    """Check the input frame and derive what follows from it without simulation.

    Args:
        inputs: a frame with the columns of `INPUT`.
        policy: the assumptions.
        window: the span that the aggregates are of.
        roi_version: version of policy and formulas, part of the hash.

    Raises:
        ValueError: a column is missing, a signature repeats, or a count, sum or sample is impossible.
    """
    frame = inputs.select(INPUT.names()).cast(INPUT).with_columns(pl.col("recent_costs").list.sort())
    _check(frame, policy)
    digests = _digests(frame, f"{window.start.isoformat()}|{window.end.isoformat()}|{roi_version}")
    costs = frame["recent_costs"]
    derived = (
        frame.drop("recent_costs")
        .with_columns(*_cost_columns(), *_build_and_reliability_columns(policy))
        .with_columns(*_tool_columns(policy))
        .with_columns(input_hash=pl.Series([digest.hex() for digest in digests], dtype=pl.String))
    )
    return Evidence(
        frame=derived,
        samples=costs.explode().drop_nulls().to_numpy(),
        sizes=costs.list.len().cast(pl.Int64).to_numpy(),
        seeds=np.frombuffer(b"".join(digests), dtype=">u4").reshape(-1, 4).astype(np.int64),
    )


def _cost_columns() -> tuple[pl.Expr, ...]:
    """The best basis present, never two of them mixed."""
    by_step, by_run = pl.col("step_n") > 0, pl.col("run_n") > 0
    return (
        pl.when(by_step).then(pl.lit("step")).when(by_run).then(pl.lit("workflow")).otherwise(None).alias("cost_basis"),
        pl.when(by_step).then("step_n").otherwise("run_n").alias("priced_count"),
        pl.when(by_step)
        .then(pl.col("step_sum") / pl.col("step_n"))
        .when(by_run)
        .then(pl.col("run_sum") / pl.col("run_n"))
        .alias("cost_per_occurrence"),
    )


def _build_and_reliability_columns(policy: RoiPolicy) -> tuple[pl.Expr, ...]:
    return (
        _by_category(policy.build_cost_by_category).fill_null(policy.build_cost_otherwise).alias("build_cost"),
        (pl.col("executions_succeeded") + pl.col("executions_failed")).alias("executions"),
        (policy.prior_successes + pl.col("executions_succeeded")).alias("beta_a"),
        (policy.prior_failures + pl.col("executions_failed")).alias("beta_b"),
    )


def _tool_columns(policy: RoiPolicy) -> tuple[pl.Expr, ...]:
    """Tool cost per occurrence: measured, else declared for the category, else a ratio of the model's cost."""
    measured = (pl.col("execution_cost_n") >= policy.min_executions) & (pl.col("occurrences") > 0)
    per_execution = pl.col("execution_cost_sum") / pl.col("execution_cost_n")
    per_occurrence = per_execution * pl.col("hits") / pl.col("occurrences")
    declared = _by_category(policy.tool_cost_by_category)
    known = measured | declared.is_not_null()
    return (
        pl.when(measured).then(per_occurrence).otherwise(declared.fill_null(0.0)).alias("tool_fixed"),
        pl.when(known).then(0.0).otherwise(policy.tool_cost_ratio).alias("tool_ratio"),
        pl.when(measured)
        .then(pl.lit("measured"))
        .when(declared.is_not_null())
        .then(pl.lit("declared"))
        .otherwise(pl.lit("ratio"))
        .alias("tool_source"),
    )


def _by_category(amounts: dict[str, float]) -> pl.Expr:
    return pl.col("category").replace_strict(
        list(amounts), list(amounts.values()), default=None, return_dtype=pl.Float64
    )


def _check(frame: pl.DataFrame, policy: RoiPolicy) -> None:
    """Refuse what would otherwise become a wrong number."""
    counted = [name for name, kind in INPUT.items() if kind.is_numeric()]
    required = [name for name in INPUT.names() if name != "exclusion_reason"]
    sample = pl.col("recent_costs")
    problems = {
        "a required value is NULL": pl.any_horizontal(pl.col(required).is_null()),
        "a count or sum is negative or not finite": pl.any_horizontal(
            (pl.col(counted) < 0) | ~pl.col(counted).cast(pl.Float64).is_finite()
        ),
        "more priced than occurrences": pl.col("step_n") + pl.col("run_n") > pl.col("occurrences"),
        "a sample larger than its basis or than sample_size": sample.list.len()
        > pl.min_horizontal(pl.when(pl.col("step_n") > 0).then("step_n").otherwise("run_n"), policy.sample_size),
        "a cost in a sample is NULL, negative or not finite": ~sample.list.eval(
            pl.element().is_not_null() & pl.element().is_finite() & (pl.element() >= 0)
        ).list.all(),
        "the signature repeats": pl.col("pattern_signature").is_duplicated(),
    }
    for problem, condition in problems.items():
        wrong = frame.filter(condition)["pattern_signature"]
        if len(wrong):
            raise ValueError(f"ROI input of {wrong[0]!r} ({len(wrong)} patterns): {problem}")


def _digests(frame: pl.DataFrame, context: str) -> list[bytes]:
    """128 bits of SHA-256 over the context and everything known of a pattern; independent of other patterns.

    Built from text and IEEE bytes alone, so that no library's formatting can change it.
    """
    numbers = [name for name, kind in INPUT.items() if kind.is_numeric()]
    matrix = np.ascontiguousarray(frame.select(pl.col(numbers).cast(pl.Float64)).to_numpy(), dtype="<f8")
    texts = frame.select(
        pl.concat_str(
            pl.lit(context),
            *("pattern_signature", "category"),
            pl.col("automatable").cast(pl.String),
            pl.col("exclusion_reason").fill_null(""),
            separator="\x1f",
        )
    ).to_series()
    samples = frame["recent_costs"].explode().drop_nulls().to_numpy().astype("<f8")
    ends = np.cumsum(frame["recent_costs"].list.len().to_numpy()).tolist()
    return [
        hashlib.sha256(text.encode() + b"\x00" + row.tobytes() + samples[start:end].tobytes()).digest()[:16]
        for text, row, start, end in zip(texts, matrix, [0, *ends], ends, strict=False)
    ]
