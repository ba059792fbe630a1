"""Occurrences: one row per (pattern, run), with the cost that is really the pattern's own.

The arithmetic of attribution is one SQL statement, `patterns/insert_occurrences`. Sums over time belong to `statistics`.
"""

from dataclasses import dataclass
from typing import Any

import polars as pl

from pattern_pipeline.detection.policy import Policy, exclusion
from pattern_pipeline.patterns.windows import Chunk, Window, plan_chunks
from pattern_pipeline.warehouse.database import BulkTransaction, Warehouse

PATTERN_COLUMNS = {
    "signature": pl.String,
    "pattern_type": pl.String,
    "kind": pl.String,
    "readable": pl.String,
    "automatable": pl.Boolean,
    "exclusion_reason": pl.String,
}

KINDS = {"seq": "sequence", "fix": "error_fix"}


@dataclass(frozen=True)
class Counted:
    """Rows written for a window."""

    occurrences: int
    new_patterns: int


def replace_occurrences(warehouse: Warehouse, policy: Policy, catalogue_version: str, window: Window) -> Counted:
    """Count the window anew, one transaction per chunk; a repeat leaves the same rows."""
    done = [_replace_chunk(warehouse, policy, catalogue_version, c) for c in plan_chunks(warehouse, window)]
    return Counted(sum(d.occurrences for d in done), sum(d.new_patterns for d in done))


def _replace_chunk(warehouse: Warehouse, policy: Policy, catalogue_version: str, chunk: Chunk) -> Counted:
    params = chunk.window.params
    versions = {"detection_version": policy.detection_version, "catalogue_version": catalogue_version}
    with warehouse.bulk() as tx:
        tx.lock("pattern_occurrences")
        tx.run("patterns/clear_occurrences", **params)
        described = describe_patterns(tx, policy, chunk.window)
        tx.run("patterns/stage_sequence_steps")
        tx.run("patterns/insert_occurrences", **params, **versions, step_layer=policy.detection.steps is not None)
        rows = tx.scalar("patterns/count_occurrences", **params)
        tx.run("patterns/mark_counted", **params, catalogue_version=catalogue_version)
    return Counted(rows, described)


def describe_patterns(tx: BulkTransaction, policy: Policy, window: Window) -> int:
    """Give every signature of the window a pattern that says what it is and whether it may be automated."""
    unknown = tx.frame("patterns/unknown_signatures", **window.params, detection_version=policy.detection_version)
    rows = [describe(policy, signature) for signature in unknown["signature"]]
    tx.run("patterns/stage_patterns")
    tx.load("stage_patterns", pl.DataFrame(rows, schema=PATTERN_COLUMNS, orient="row"), temporary=True)
    tx.run("patterns/add_patterns", detection_version=policy.detection_version)
    return len(rows)


def describe(policy: Policy, signature: str) -> dict[str, Any]:
    """The row of `PATTERN_COLUMNS` for one signature."""
    category, subcategory, target = signature.split(":")
    reason = exclusion(policy, signature)
    return {
        "signature": signature,
        "pattern_type": category,
        "kind": KINDS.get(category, "operation"),
        "readable": f"{category} with {subcategory}, {target}",
        "automatable": reason is None,
        "exclusion_reason": reason,
    }
