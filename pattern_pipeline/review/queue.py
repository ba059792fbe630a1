"""Reading the queue: its rows with their evidence, their history, and the counts of the statistics bar.

Reading only; what changes the queue is in `sync` and `transitions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, PlainSerializer

from pattern_pipeline.errors import InvalidInput, NotFound
from pattern_pipeline.review.transitions import STATUSES
from pattern_pipeline.warehouse.database import Warehouse

Amount = Annotated[Decimal, PlainSerializer(float, return_type=float, when_used="json")]
"""Exact in Python, a number in JSON."""


class QueueEntry(BaseModel):
    """One queued pattern: its status beside the evidence. Money is USD a month, unknown is None.

    Attributes:
        monthly_rate: Runs a month, like `probability_of_loss` and `payback_months` those of the estimate that is shown.
    """

    pattern_id: int
    pattern_signature: str
    pattern_type: str
    kind: str
    status: str
    version: int
    needs_review: bool
    review_reason: str | None
    confidence_score: Amount | None
    occurrence_count: int
    potential_monthly_savings: Amount | None
    net_p10: Amount | None
    net_p50: Amount | None
    net_p90: Amount | None
    npv_p10: Amount | None
    impact_score: Amount | None
    verdict: str | None
    monthly_rate: Amount | None
    probability_of_loss: Amount | None
    payback_months: int | None
    last_seen: datetime | None
    flags: tuple[str, ...]
    tool_sequence: str
    example_workflows: tuple[str, ...]
    evidence_hash: str | None
    deferred_until: datetime | None
    reviewed_by: str | None
    reviewed_at: datetime | None
    approval_notes: str | None
    created_at: datetime


class HistoryRow(BaseModel):
    """One row of the audit trail."""

    history_id: int
    action: str
    reviewer: str
    notes: str | None
    from_status: str | None
    to_status: str | None
    evidence_hash: str | None
    created_at: datetime


class QueueStatistics(BaseModel):
    """Rows by status; `reopened` counts those that ask for another look, whatever their status."""

    pending: int
    approved: int
    rejected: int
    auto_approved: int
    auto_rejected: int
    deferred: int
    revoked: int
    reopened: int
    total: int


def entries(
    warehouse: Warehouse,
    *,
    statuses: Sequence[str] = (),
    types: Sequence[str] = (),
    needs_review: bool = False,
    limit: int = 20,
) -> list[QueueEntry]:
    """The best queued patterns by the lower end of their net present value.

    Args:
        warehouse: Where the queue is.
        statuses: Only these; empty: all.
        types: Only these categories; empty: all.
        needs_review: Only those that ask for another look.
        limit: 1 to 200.

    Raises:
        InvalidInput: An unknown status, or a limit out of range.
    """
    unknown = sorted(set(statuses) - set(STATUSES))
    if unknown:
        raise InvalidInput(f"status {unknown[0]!r}: unknown; allowed: {', '.join(STATUSES)}")
    if not 1 <= limit <= 200:
        raise InvalidInput(f"limit {limit}: must be 1 to 200")
    with warehouse.transaction() as transaction:
        rows = transaction.rows(
            "review/entries", statuses=list(statuses), types=list(types), needs_review=needs_review, limit=limit
        )
    return [QueueEntry.model_validate(dict(row)) for row in rows]


def entry(warehouse: Warehouse, pattern: str) -> QueueEntry:
    """One queued pattern, by signature or number.

    Raises:
        NotFound: It is not in the queue.
    """
    with warehouse.transaction() as transaction:
        row = transaction.one("review/entry", reference=pattern)
    if row is None:
        raise NotFound(f"pattern {pattern!r} is not in the queue; see `pattern-pipeline queue list`")
    return QueueEntry.model_validate(dict(row))


def history(warehouse: Warehouse, pattern: str) -> list[HistoryRow]:
    """What happened to a pattern in review, oldest first; nothing to one that has never been queued.

    Raises:
        NotFound: No such pattern.
    """
    with warehouse.transaction() as transaction:
        found = transaction.one("review/find_pattern", reference=pattern)
        if found is None:
            raise NotFound(f"pattern {pattern!r}: there is none of that signature or number")
        rows = transaction.rows("review/history", pattern_id=found["pattern_id"])
    return [HistoryRow.model_validate(dict(row)) for row in rows]


def statistics(warehouse: Warehouse) -> QueueStatistics:
    """How many rows have which status."""
    with warehouse.transaction() as transaction:
        return QueueStatistics.model_validate(dict(transaction.rows("review/queue_statistics")[0]))
