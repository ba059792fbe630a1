"""Steps -> the elements that sequences are made of, and the repairs among them.

An element is a run of equal templates inside one agent's steps of one workflow. Mining is `sequences.py`, finding
occurrences `sequence_occurrences.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final

import polars as pl

from pattern_pipeline.detection.sequence_policy import ErrorFix, SequencePolicy

STEPS: Final = pl.Schema(
    {
        "workflow_id": pl.String(),
        "agent_id": pl.String(),
        "step_seq": pl.Int32(),
        "template": pl.String(),
        "signature": pl.String(),
        "success": pl.Boolean(),
        "day": pl.Date(),
    }
)
"""The steps that are mined and matched: those with an operation, by the signature that names them. `agent_id` is null
for the workflow's own steps; `day` is the UTC day of the workflow's event time."""

_LINE: Final = ("workflow_id", "agent_id")


def with_elements(steps: pl.DataFrame) -> pl.DataFrame:
    """The steps in order, with `line` (one agent's steps of one workflow) and `element`, both counted from 0."""
    ordered = steps.sort(*_LINE, "step_seq")
    new_line = pl.any_horizontal(pl.col(column).ne_missing(pl.col(column).shift()) for column in _LINE)
    new_element = new_line | pl.col("template").ne_missing(pl.col("template").shift())
    first = pl.int_range(pl.len()) == 0
    return ordered.with_columns(
        line=(new_line | first).cum_sum().cast(pl.Int64) - 1,
        element=(new_element | first).cum_sum().cast(pl.Int64) - 1,
    )


def elements_of(steps: pl.DataFrame) -> pl.DataFrame:
    """One row per element, in order: `line`, `workflow_id`, `day`, `template`, `signature`, `repeated`."""
    first = [pl.col(column).first() for column in ("line", "workflow_id", "day", "template", "signature")]
    return steps.group_by("element", maintain_order=True).agg(*first, (pl.len() > 1).alias("repeated"))


def plays(role: str, policy: SequencePolicy, signatures: Iterable[str]) -> frozenset[str]:
    """Those of the signatures that play a role."""
    patterns = policy.roles[role]
    return frozenset(name for name in signatures if any(fnmatchcase(name, pattern) for pattern in patterns))


def error_fixes(steps: pl.DataFrame, policy: SequencePolicy) -> pl.DataFrame:
    """The repairs: from a failing verification to the next time the same one passes, with a change in between.

    A repair starts at the earliest failure since the verification last passed from which it is at most `max_length`
    elements long.

    Args:
        steps: As `with_elements` gives them.
        policy: The section `[sequences]`.

    Returns:
        `signature` (`fix:<tool>:<target>`), `verification` (the signature verified), `workflow_id`, `day`, `start`
        (an element) and `length` (elements).
    """
    schema = {"signature": pl.String, "verification": pl.String, "workflow_id": pl.String, "day": pl.Date}
    if policy.error_fix is None:
        return pl.DataFrame(schema=schema | {"start": pl.Int64, "length": pl.Int64})
    checks = _verifications(steps, policy.error_fix, policy)
    passes = checks.filter("success")
    failures = checks.filter(~pl.col("success")).select("line", "signature", "attempt", *_PLACE)
    length = pl.col("element") - pl.col("element_right") + 1
    return (
        passes.join(failures, on=["line", "signature", "attempt"])
        .filter(
            length.is_between(2, policy.max_length)
            & (pl.col("changes") > pl.col("changes_right"))
            & (pl.col("others") == pl.col("others_right"))
        )
        .group_by("line", "signature", "attempt", maintain_order=True)
        .agg(
            pl.col("workflow_id", "day").first(),
            pl.col("element_right").min().alias("start"),
            length.max().alias("length"),
        )
        .select(
            pl.col("signature").str.replace("^[^:]*", "fix"),
            pl.col("signature").alias("verification"),
            "workflow_id",
            "day",
            "start",
            "length",
        )
    )


_PLACE: Final = ("element", "changes", "others")


def _verifications(steps: pl.DataFrame, shape: ErrorFix, policy: SequencePolicy) -> pl.DataFrame:
    """Steps that verify and have an outcome, with the number of changes and of steps foreign to the shape before them.

    `attempt` numbers the passes of a verification in its line: failures bear the number of the pass that follows them.
    """
    signatures = steps["signature"].unique()
    verifying = plays(shape.verification, policy, signatures)
    changing = plays(shape.change, policy, signatures)
    known = verifying | changing
    for role in shape.between:
        known |= plays(role, policy, signatures)
    passed = pl.col("success").cast(pl.Int64)
    return (
        steps.with_columns(
            changes=pl.col("signature").is_in(sorted(changing)).cum_sum(),
            others=(~pl.col("signature").is_in(sorted(known))).cum_sum(),
        )
        .filter(pl.col("signature").is_in(sorted(verifying)) & pl.col("success").is_not_null())
        .with_columns(attempt=passed.cum_sum().over("line", "signature") - passed)
    )
