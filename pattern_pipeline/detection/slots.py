"""Where the values of a template's slots come from, over many occurrences, and how determined they are.

A slot whose value is always the same, was named in the task, or stood in an earlier step's output can be filled
without a model; a free one cannot. Pure functions on frames; reading the values of one call is `templates.py`.
"""

from __future__ import annotations

from typing import Final

import polars as pl

MAX_OCCURRENCES: Final = 200
"""Occurrences of a slot that are looked at: bounds time and memory, whatever the history."""
MAX_EXAMPLES: Final = 5
"""Most frequent values of a slot that are kept as evidence."""
MIN_COPIED: Final = 3
"""Code points a value must have to count as copied: shorter ones stand in any text by chance."""

EVIDENCE: Final = pl.Schema(
    {
        "template": pl.String(),
        "slot": pl.Int16(),
        "kind": pl.String(),
        "occurrences": pl.UInt32(),
        "distinct_values": pl.UInt32(),
        "constant_share": pl.Float64(),
        "task_share": pl.Float64(),
        "output_share": pl.Float64(),
        "explained_share": pl.Float64(),
        "provenance": pl.String(),
        "examples": pl.List(pl.String()),
    }
)
"""Columns of `slot_evidence`. Shares are of the occurrences looked at; `provenance` is the source of most of them."""

_SLOT: Final = ("template", "slot")


def slot_evidence(values: pl.DataFrame, tasks: pl.DataFrame, outputs: pl.DataFrame) -> pl.DataFrame:
    """One row per template and slot: how varied its values are and where they come from.

    A value is `constant` when it is the slot's most frequent one and was seen in another workflow as well; else from
    the `task` when the task's text contains it; else from an `output` when that of an earlier step of the same workflow
    does; else `free`.

    Args:
        values: Of schema `step_detector.SLOT_VALUES`.
        tasks: `workflow_id`, `task` (the text), a row per workflow.
        outputs: `workflow_id`, `step_seq`, `output`.
    """
    looked_at = values.sort("template", "slot", "workflow_id", "step_seq").group_by(_SLOT, maintain_order=True)
    sample = looked_at.head(MAX_OCCURRENCES).with_row_index("occurrence")
    sourced = (
        sample.join(_frequent_values(sample), on=_SLOT, how="left")
        .join(tasks, on="workflow_id", how="left")
        .join(_from_outputs(sample, outputs), on="occurrence", how="left")
        .with_columns(
            source=pl.when((pl.col("value") == pl.col("modal")) & (pl.col("modal_workflows") > 1))
            .then(pl.lit("constant"))
            .when(_copied(pl.col("task")))
            .then(pl.lit("task"))
            .when(pl.col("from_output").fill_null(False))
            .then(pl.lit("output"))
            .otherwise(pl.lit("free"))
        )
    )
    shares = [(pl.col("source") == source).mean().alias(f"{source}_share") for source in ("constant", "task", "output")]
    return (
        sourced.group_by(_SLOT)
        .agg(
            pl.col("kind").sort().first(),
            pl.len().alias("occurrences"),
            pl.col("value").n_unique().alias("distinct_values"),
            *shares,
            (pl.col("source") != "free").mean().alias("explained_share"),
            pl.col("source").sort().mode(maintain_order=True).first().alias("provenance"),
            pl.col("examples").first(),
        )
        .sort(_SLOT)
        .select(EVIDENCE.names())
        .cast(EVIDENCE)
    )


def determinism(patterns: pl.DataFrame, evidence: pl.DataFrame) -> pl.DataFrame:
    """How far each pattern could be repeated without a model: `pattern`, `determinism` in 0..1.

    The score of a template is the product over its slots of the share of occurrences whose value is explained, i.e.
    the chance that all slots are filled right if slots are independent; 1 without slots. The score of a pattern is the
    mean over its templates, weighted by their occurrences.

    Args:
        patterns: `pattern`, `template`, `occurrences`.
        evidence: As `slot_evidence` gives it.
    """
    scores = evidence.group_by("template").agg(pl.col("explained_share").product().alias("score"))
    weight = pl.col("occurrences").cast(pl.Float64)
    return (
        patterns.join(scores, on="template", how="left")
        .group_by("pattern")
        .agg(((pl.col("score").fill_null(1.0) * weight).sum() / weight.sum()).alias("determinism"))
        .sort("pattern")
    )


def _frequent_values(sample: pl.DataFrame) -> pl.DataFrame:
    """Each slot's most frequent values (of equally frequent ones the least first), and how far the first is spread."""
    counted = sample.group_by(*_SLOT, "value").agg(pl.len(), pl.col("workflow_id").n_unique().alias("modal_workflows"))
    return (
        counted.sort("len", "value", descending=[True, False])
        .group_by(_SLOT, maintain_order=True)
        .agg(
            pl.col("value").head(MAX_EXAMPLES).alias("examples"),
            pl.col("value").first().alias("modal"),
            pl.col("modal_workflows").first(),
        )
    )


def _from_outputs(sample: pl.DataFrame, outputs: pl.DataFrame) -> pl.DataFrame:
    """For each occurrence, whether an earlier output of its workflow contains the value."""
    return (
        sample.select("occurrence", "workflow_id", "step_seq", "value")
        .join(outputs.rename({"step_seq": "output_seq"}), on="workflow_id")
        .filter(pl.col("output_seq") < pl.col("step_seq"))
        .group_by("occurrence")
        .agg(_copied(pl.col("output")).any().alias("from_output"))
    )


def _copied(text: pl.Expr) -> pl.Expr:
    long_enough = pl.col("value").str.len_chars() >= MIN_COPIED
    return long_enough & text.str.contains(pl.col("value"), literal=True).fill_null(False)
