"""What the estimate comes to: verdict, reason codes, flags and rank, as expressions over the estimate's columns.

Belongs here: the decision rules, each in one place. Does not belong here: how the numbers come about, and how a code is
said in words (`pattern_pipeline.economics.words`).
"""

import polars as pl

from pattern_pipeline.economics.assumptions import RoiPolicy

VERDICTS = ("excluded", "insufficient_evidence", "worth_automating", "promising", "not_worth_automating")


def verdict(policy: RoiPolicy) -> pl.Expr:
    """The first that applies: excluded, insufficient evidence, worth it at P10, promising at P50, not worth it."""
    return (
        pl.when(_excluded())
        .then(pl.lit("excluded"))
        .when(pl.any_horizontal(*_missing_evidence(policy).values()))
        .then(pl.lit("insufficient_evidence"))
        .when(pl.col("npv_p10") > 0)
        .then(pl.lit("worth_automating"))
        .when(pl.col("npv_p50") > 0)
        .then(pl.lit("promising"))
        .otherwise(pl.lit("not_worth_automating"))
        .alias("verdict")
    )


def reasons(policy: RoiPolicy) -> pl.Expr:
    """Why the verdict is what it is; needs the column ``verdict``.

    ``excluded``: the pattern's own exclusion reason. ``insufficient_evidence``: everything that is missing. The others:
    where the distribution of the NPV lies, and ``saving_not_positive`` when an occurrence saves nothing.
    """
    decided = {
        "npv_p10_positive": pl.col("verdict") == "worth_automating",
        "npv_p50_positive": pl.col("verdict") == "promising",
        "npv_p10_not_positive": pl.col("verdict") == "promising",
        "npv_p50_not_positive": pl.col("verdict") == "not_worth_automating",
        "saving_not_positive": (pl.col("verdict") == "not_worth_automating") & (pl.col("saving_per_occurrence") <= 0),
    }
    undecided = pl.col("verdict") == "insufficient_evidence"
    missing = {code: undecided & condition for code, condition in _missing_evidence(policy).items()}
    excluded = pl.when(_excluded()).then(pl.col("exclusion_reason").fill_null("not_automatable"))
    return _codes({**missing, **decided}, first=excluded).alias("reasons")


def flags(policy: RoiPolicy) -> pl.Expr:
    """What a reader must know before he trusts the figures."""
    priced = pl.col("priced_count")
    return _codes(
        {
            "short_window": pl.col("exposure_days") < policy.short_window_days,
            "gaps": pl.col("gap_days") > 0,
            "upper_bound": pl.col("cost_basis") == "workflow",
            "partly_priced": (priced > 0) & (priced < pl.col("occurrences")),
            "zero_variance": pl.col("zero_variance"),
            "skewed_understated": pl.col("skewed"),
            "recent_cost_differs": ~pl.col("zero_variance")
            & ~pl.col("cost_per_occurrence").is_between("cost_low", "cost_high"),
            "assumed_tool_cost": pl.col("tool_source") == "ratio",
            "assumed_reliability": pl.col("executions") < policy.min_executions,
        }
    ).alias("flags")


def ranked(estimates: pl.DataFrame) -> pl.DataFrame:
    """The order of lists and queue: P10 NPV descending, unknown last, then signature."""
    return estimates.sort("npv_p10", "pattern_signature", descending=[True, False], nulls_last=True)


def _excluded() -> pl.Expr:
    return ~pl.col("automatable") | pl.col("exclusion_reason").is_not_null()


def _missing_evidence(policy: RoiPolicy) -> dict[str, pl.Expr]:
    priced = pl.col("priced_count")
    return {
        "no_exposure": pl.col("exposure_days") == 0,
        "few_occurrences": pl.col("occurrences") < policy.min_occurrences,
        "few_days": pl.col("distinct_days") < policy.min_distinct_days,
        "unpriced": priced == 0,
        # Without an interval of the cost there is no P10 to decide by.
        "few_priced": (priced > 0) & pl.col("npv_p10").is_null(),
    }


def _codes(conditions: dict[str, pl.Expr], first: pl.Expr | None = None) -> pl.Expr:
    """A list of the codes whose condition holds, in the order given."""
    parts = [pl.when(condition).then(pl.lit(code)) for code, condition in conditions.items()]
    return pl.concat_list(*([] if first is None else [first]), *parts).list.drop_nulls()
