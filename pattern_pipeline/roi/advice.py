"""Recommendations: what executions say a reviewer should do. Nothing happens unless a person applies one.

The rule is in `economics.realised.recommendations`; applying goes through `review.transitions`, as every decision does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import polars as pl
from pydantic import BaseModel

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.economics.realised import recommendations as advise
from pattern_pipeline.errors import Conflict
from pattern_pipeline.review.queue import Amount, entry
from pattern_pipeline.review.transitions import Action, Decision, decide
from pattern_pipeline.roi.executions import find_pattern
from pattern_pipeline.warehouse.database import Warehouse

_ACTIONS: Final[Mapping[str, Action]] = {
    "approve": Action.APPROVE,
    "revoke": Action.REVOKE,
    # A person should look, which is not a decision: a comment asks for it and leaves the status.
    "review": Action.COMMENT,
}
_FACTS: Final = pl.Schema(
    {
        "pattern_signature": pl.String(),
        "status": pl.String(),
        "total_executions": pl.Int64(),
        "successful_executions": pl.Int64(),
        "success_rate": pl.Float64(),
        "roi_percentage": pl.Float64(),
    }
)


class Recommendation(BaseModel):
    """What should be done about a queued pattern, how urgently, and why."""

    pattern_signature: str
    status: str
    action: Literal["approve", "revoke", "review"]
    severity: Literal["high", "medium", "low"]
    total_executions: int
    success_rate: Amount
    roi_percentage: Amount | None
    reason: str


def recommendations(warehouse: Warehouse, policy: Policy) -> list[Recommendation]:
    """Everything that executions recommend, most severe first, then by signature."""
    with warehouse.transaction() as tx:
        facts = pl.DataFrame([dict(row) for row in tx.rows("roi/graded_patterns")], schema=_FACTS)
    found = advise(facts, policy.roi).join(facts.drop("status"), on="pattern_signature")
    order = {"high": 0, "medium": 1, "low": 2}
    rows = [Recommendation(**row, reason=_reason(row)) for row in found.to_dicts()]
    return sorted(rows, key=lambda row: (order[row.severity], row.pattern_signature))


def apply_recommendation(
    warehouse: Warehouse, policy: Policy, pattern: str, *, reviewer: str, version: int | None = None
) -> Decision:
    """Do what is recommended for a pattern, as a decision of the reviewer's.

    Args:
        warehouse: Where the queue is.
        policy: The thresholds.
        pattern: Signature or number.
        reviewer: Who decides.
        version: The version of the queue's row that the reviewer saw; None: as it is now.

    Raises:
        NotFound: No such pattern.
        Conflict: Nothing is recommended for it (any more), or the row changed meanwhile.
    """
    with warehouse.transaction() as tx:
        pattern_id, signature = find_pattern(tx, pattern)
        estimate = tx.one("review/current_estimate", pattern_id=pattern_id)
    found = next((row for row in recommendations(warehouse, policy) if row.pattern_signature == signature), None)
    if found is None:
        raise Conflict(
            f"pattern {signature!r}: its executions recommend nothing; see `pattern-pipeline roi recommendations`"
        )
    seen = entry(warehouse, signature).version if version is None else version
    return decide(
        warehouse,
        signature,
        _ACTIONS[found.action],
        reviewer=reviewer,
        version=seen,
        notes=f"Recommended: {found.reason}",
        # Executions speak, not an estimate that drifted since the queue was synced.
        evidence_hash=estimate["input_hash"] if estimate else None,
    )


def _reason(row: Mapping[str, object]) -> str:
    roi = row["roi_percentage"]
    realised = "its ROI is not known" if roi is None else f"realised ROI {roi:,.0f} %"
    return f"{row['action']}, {row['success_rate']:.0%} of {row['total_executions']:,} executions succeeded, {realised}"
