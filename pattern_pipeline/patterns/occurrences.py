"""Occurrences: one row per (pattern, run), with the cost that is really the pattern's own.

The arithmetic of attribution is one SQL statement, `patterns/insert_occurrences`. Sums belong to `statistics`.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

from pattern_pipeline.detection.policy import Policy, exclusion
from pattern_pipeline.detection.sequences import Catalogue
from pattern_pipeline.patterns.catalogue import matches, stored_catalogue
from pattern_pipeline.patterns.signatures import dictionary_ids
from pattern_pipeline.patterns.windows import Chunk, Committed, Window, nobody, plan_chunks
from pattern_pipeline.warehouse.ahead import side_by_side
from pattern_pipeline.warehouse.database import BulkTransaction, Warehouse

LOCK = "pattern_occurrences"

PATTERN_COLUMNS = {
    "signature": pl.String,
    "pattern_type": pl.String,
    "kind": pl.String,
    "readable": pl.String,
    "automatable": pl.Boolean,
    "exclusion_reason": pl.String,
}


@dataclass(frozen=True)
class Counted:
    """Rows written for a window."""

    occurrences: int
    new_patterns: int


def replace_occurrences(warehouse: Warehouse, policy: Policy, window: Window, committed: Committed = nobody) -> Counted:
    """Count the window anew, one transaction per chunk; a repeat leaves the same rows."""
    chunks = plan_chunks(warehouse, window)
    done = []
    with warehouse.exclusively(LOCK):
        new_patterns = _prepare(warehouse, policy, window)
        with closing(side_by_side(partial(_replace_chunk, warehouse, policy), chunks)) as counting:
            for chunk, counted in zip(chunks, counting, strict=True):
                done.append(counted)
                committed(chunk.window)
    return Counted(sum(d.occurrences for d in done), new_patterns + sum(d.new_patterns for d in done))


def _prepare(warehouse: Warehouse, policy: Policy, window: Window) -> int:
    """Does at once what chunks side by side would wait for each other to do; returns the number of new patterns.

    What changes meanwhile is left to the chunks. The hour that a run has moved into is stale until it is counted.
    """
    with warehouse.bulk() as tx:
        tx.join(LOCK)
        tx.run("patterns/clear_moved_occurrences", **window.params)
        return _describe_operations(tx, policy, window)


def _replace_chunk(warehouse: Warehouse, policy: Policy, chunk: Chunk) -> Counted:
    params = chunk.window.params
    with warehouse.bulk() as tx:
        tx.join(LOCK)
        catalogue = stored_catalogue(tx)
        versions = {"detection_version": policy.detection_version, "catalogue_version": catalogue.version}
        tx.run("patterns/clear_occurrences", **params)
        found = [
            hits.join(_sequence_ids(tx, hits, catalogue, policy), on="signature")
            for hits in matches(tx, chunk, catalogue, policy)
        ]
        described = _describe_operations(tx, policy, chunk.window)
        tx.run("patterns/stage_sequence_steps")
        for hits in found:
            tx.load("stage_sequence_steps", hits.drop("signature"), temporary=True)
        tx.run("patterns/stage_runs")
        tx.run("patterns/fill_runs", **params, step_layer=policy.detection.steps is not None)
        tx.run("patterns/fill_calls")
        tx.run("patterns/insert_occurrences", **params, **versions)
        rows = tx.scalar("patterns/count_occurrences", **params)
        tx.run("patterns/mark_counted", **params, catalogue_version=catalogue.version)
    return Counted(rows, described)


def _describe_operations(tx: BulkTransaction, policy: Policy, window: Window) -> int:
    """Give every detected signature of the window a pattern that says what it is and whether it may be automated."""
    unknown = tx.frame("patterns/unknown_signatures", **window.params, detection_version=policy.detection_version)
    _add_patterns(tx, policy, [_operation(policy, signature) for signature in unknown["signature"]])
    return unknown.height


def _operation(policy: Policy, signature: str) -> tuple[str, str, str, str, bool, str | None]:
    category, subcategory, target = signature.split(":")
    reason = exclusion(policy, signature)
    return signature, category, "operation", f"{category} with {subcategory}, {target}", reason is None, reason


def _sequence_ids(tx: BulkTransaction, hits: pl.DataFrame, catalogue: Catalogue, policy: Policy) -> pl.DataFrame:
    """`signature` and `signature_id` of the sequences that occur, each with its pattern."""
    seen = catalogue.sequences.join(hits, on="signature", how="semi").sort("signature")
    ids = dictionary_ids(tx, "signatures", seen.select("signature"))
    category = pl.col("signature").str.split(":").list.first().alias("pattern_type")
    _add_patterns(tx, policy, seen.with_columns(category).select(*PATTERN_COLUMNS).rows())
    return ids


def _add_patterns(tx: BulkTransaction, policy: Policy, rows: Sequence[tuple[Any, ...]]) -> None:
    tx.run("patterns/stage_patterns")
    tx.load("stage_patterns", pl.DataFrame(rows, schema=PATTERN_COLUMNS, orient="row"), temporary=True)
    tx.run("patterns/add_patterns", detection_version=policy.detection_version)
