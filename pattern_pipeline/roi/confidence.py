"""Effective confidence: detection confidence moved by executions, and the record of every change.

The score is one function of facts (`economics.confidence.effective_confidence`), here and where statistics are
published, so that updating twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import orjson
from pydantic import BaseModel

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.economics.confidence import effective_confidence
from pattern_pipeline.review.queue import Amount
from pattern_pipeline.roi.executions import find_pattern
from pattern_pipeline.warehouse.database import Transaction, Warehouse


class ConfidenceChange(BaseModel):
    """The confidence of a pattern before and after, 0 to 100, with the facts it is a function of."""

    pattern_signature: str
    old_confidence: float | None
    new_confidence: float
    changed: bool
    detection_confidence: float
    total_executions: int
    successful_executions: int
    roi_percentage: float | None


class ConfidenceHistoryRow(BaseModel):
    """One change, why it came about (executions or statistics), and the facts it was made from."""

    change_id: int
    old_confidence: Amount | None
    new_confidence: Amount
    reason: str
    snapshot: Mapping[str, Any]
    changed_at: datetime


def update_confidence(
    warehouse: Warehouse, policy: Policy, pattern: str | None = None, *, dry_run: bool = False
) -> list[ConfidenceChange]:
    """Bring the confidence of one pattern, or of all with executions, in line with the facts.

    Args:
        warehouse: Where the patterns are.
        policy: How far executions move the confidence.
        pattern: Signature or number; None: every pattern with executions.
        dry_run: Tell what would change and write nothing.

    Returns:
        A row per pattern that was looked at, changed or not, by signature.

    Raises:
        NotFound: No such pattern.
    """
    with warehouse.transaction() as tx:
        if not dry_run:
            # The publication of statistics writes the same column.
            tx.lock("pattern_statistics")
        pattern_id = None if pattern is None else find_pattern(tx, pattern)[0]
        facts = [dict(row) for row in tx.rows("roi/confidence_facts", pattern_id=pattern_id)]
        changes = _changes(facts, policy)
        moved = [
            {
                "pattern_id": fact["pattern_id"],
                "old_confidence": change.old_confidence,
                "new_confidence": change.new_confidence,
                "snapshot": _snapshot(fact, policy),
            }
            for fact, change in zip(facts, changes, strict=True)
            if change.changed
        ]
        if moved and not dry_run:
            tx.run("roi/set_confidence", changes=orjson.dumps(moved).decode())
        return changes


def confidence_history(warehouse: Warehouse, pattern: str) -> tuple[ConfidenceHistoryRow, ...]:
    """How the confidence of a pattern with executions moved, oldest first.

    Raises:
        NotFound: No such pattern.
    """
    with warehouse.transaction() as tx:
        return history_of(tx, find_pattern(tx, pattern)[0])


def history_of(tx: Transaction, pattern_id: int) -> tuple[ConfidenceHistoryRow, ...]:
    """`confidence_history` by number, inside the caller's transaction."""
    rows = tx.rows("roi/confidence_history", pattern_id=pattern_id)
    return tuple(ConfidenceHistoryRow.model_validate(dict(row)) for row in rows)


def _changes(facts: Sequence[Mapping[str, Any]], policy: Policy) -> list[ConfidenceChange]:
    def column(name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        return np.array([fact[name] for fact in facts], dtype=np.float64)

    scores = effective_confidence(
        column("detection_confidence"),
        column("successful_executions"),
        column("total_executions"),
        column("roi_percentage"),
        policy.confidence,
    ).tolist()
    return [
        ConfidenceChange(
            **{name: fact[name] for name in ConfidenceChange.model_fields if name in fact},
            old_confidence=fact["confidence_score"],
            new_confidence=score,
            changed=fact["confidence_score"] != score,
        )
        for fact, score in zip(facts, scores, strict=True)
    ]


def _snapshot(fact: Mapping[str, Any], policy: Policy) -> dict[str, Any]:
    names = ("detection_confidence", "total_executions", "successful_executions", "roi_percentage")
    return {**{name: fact[name] for name in names}, "confidence_version": policy.confidence_version}
