"""What follows from executions: the saving of each, the summary and the validation of each pattern.

Everything here is derived and may be derived again at any time: rows that already say so are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import orjson
import polars as pl

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.economics.assumptions import RoiPolicy
from pattern_pipeline.economics.realised import BASELINES, EXECUTIONS, realised_savings, summarise, validate
from pattern_pipeline.warehouse.database import Transaction, Warehouse

LOCK: Final = "pattern_executions"
BATCH: Final = 50_000
"""Executions that are looked at together; a pattern's are never split."""

_BASES: Final = pl.Schema({"pattern_id": pl.Int64(), "baseline_hash": pl.String(), "approved": pl.Boolean()})
_LOGGED: Final = pl.Schema({"execution_id": pl.Int64(), "logged_usd": pl.Float64()})


@dataclass(frozen=True)
class Derived:
    """How many rows were written; all zero when nothing was new."""

    summaries: int = 0
    savings: int = 0
    validations: int = 0
    linked: int = 0

    def __add__(self, other: Derived) -> Derived:
        return Derived(
            self.summaries + other.summaries,
            self.savings + other.savings,
            self.validations + other.validations,
            self.linked + other.linked,
        )


def derive_all(warehouse: Warehouse, policy: Policy) -> Derived:
    """Derive the figures of every pattern with executions, and link executions to runs that landed after them."""
    with warehouse.transaction() as tx:
        tx.lock(LOCK)
        linked = tx.run("roi/link_executions")
        tx.run("roi/link_savings")
        total = Derived(linked=linked)
        for pattern_ids in _batches(tx):
            total += derive(tx, pattern_ids, policy.roi)
        return total


def derive(tx: Transaction, pattern_ids: Sequence[int], policy: RoiPolicy) -> Derived:
    """Derive the figures of some patterns inside the caller's transaction, which holds `LOCK`."""
    executions = _frame(tx, "roi/executions", pattern_ids, EXECUTIONS, _LOGGED)
    baselines = _frame(tx, "roi/baselines", pattern_ids, BASELINES, _BASES)
    savings = realised_savings(executions, baselines, policy).select("cost_saved_usd")
    wrong = pl.concat([executions.select(_LOGGED.names()), savings], how="horizontal").filter(
        pl.col("cost_saved_usd").ne_missing(pl.col("logged_usd"))
    )
    if wrong.height:
        tx.run("roi/correct_savings", savings=_json(wrong.select("execution_id", "cost_saved_usd")))
    bases = baselines.select("pattern_signature", "baseline_cost", *_BASES.names())
    summaries = summarise(executions, baselines, policy).join(bases, on="pattern_signature")
    validations = (
        validate(executions, baselines, policy)
        .join(bases, on="pattern_signature")
        .filter("approved")
        .drop("pattern_signature", "baseline_cost", "approved")
    )
    return Derived(
        summaries=tx.run("roi/store_summaries", summaries=_json(summaries.drop("pattern_signature"))),
        savings=wrong.height,
        validations=tx.run("roi/store_validations", validations=_json(validations)),
    )


def _batches(tx: Transaction) -> Iterator[list[int]]:
    """All patterns with executions, so many at a time that their executions fit into memory."""
    batch: list[int] = []
    size = 0
    for row in tx.rows("roi/execution_counts"):
        if batch and size + row["executions"] > BATCH:
            yield batch
            batch, size = [], 0
        batch.append(row["pattern_id"])
        size += row["executions"]
    if batch:
        yield batch


def _frame(tx: Transaction, statement: str, pattern_ids: Sequence[int], *schemas: pl.Schema) -> pl.DataFrame:
    schema = pl.Schema({name: kind for each in schemas for name, kind in each.items()})
    return pl.DataFrame([dict(row) for row in tx.rows(statement, pattern_ids=list(pattern_ids))], schema=schema)


def _json(frame: pl.DataFrame) -> str:
    return orjson.dumps(frame.to_dicts()).decode()
