"""The queue sync: what deserves a person's decision enters `pattern_approvals`, and what is there keeps fresh evidence.

The one function behind the asset, the API and the command line. It adds candidates, refreshes evidence and asks for
another look when a decided pattern drifted; it never decides. Decisions are in `transitions`, reading is in `queue`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from time import perf_counter
from typing import Any, Final

from pydantic import BaseModel
from sqlalchemy import RowMapping
from sqlalchemy.exc import DataError, IntegrityError

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.review.filters import DEFAULT_PRESET, SyncFilter, filter_arguments
from pattern_pipeline.warehouse.database import Transaction, Warehouse

PIPELINE: Final = "pattern-pipeline"
"""The reviewer named in history rows that no person caused."""


class SyncError(BaseModel):
    """A pattern that the database refused, and by which rule."""

    pattern_id: str
    reason: str


class SyncResult(BaseModel):
    """What a sync did, or would do. Pattern ids are signatures, as everywhere outside the database.

    Attributes:
        total_candidates: Patterns that pass the filter, queued or not: synced, skipped and errors together.
        synced_count: Patterns that entered the queue.
        skipped_count: Passed the filter, but are queued already or stand behind the limit.
        kept_out_by_savings: Not queued, and nothing but the savings floor keeps them out.
        refreshed_count: Queued patterns whose evidence changed; not counted by a dry run.
        flagged_pattern_ids: Decided patterns that now ask for another look.
        held_back: Why nothing was synced; None when the sync took place.
    """

    total_candidates: int = 0
    synced_count: int = 0
    skipped_count: int = 0
    error_count: int = 0
    kept_out_by_savings: int = 0
    refreshed_count: int = 0
    synced_pattern_ids: tuple[str, ...] = ()
    flagged_pattern_ids: tuple[str, ...] = ()
    errors: tuple[SyncError, ...] = ()
    dry_run: bool = False
    held_back: str | None = None
    sync_duration_ms: float = 0.0


class SyncStatistics(BaseModel):
    """How much of what deserves review is in review.

    Attributes:
        patterns_in_source: All detected patterns.
        patterns_in_review: Rows of the queue, whatever their status.
        pending_sync: Patterns that the filter would let in, without its limit.
        sync_percentage: In review, of those in review or pending; 0 of 0 is 0.
    """

    patterns_in_source: int
    patterns_in_review: int
    pending_sync: int
    sync_percentage: float


def sync(
    warehouse: Warehouse,
    chosen: SyncFilter | str = DEFAULT_PRESET,
    *,
    policy: Policy,
    dry_run: bool = False,
    recomputing: bool = False,
    reviewer: str = PIPELINE,
) -> SyncResult:
    """Bring the queue up to date with the patterns and their estimates, in one transaction.

    Args:
        warehouse: Where patterns and queue are.
        chosen: A filter, or the name of one of the policy's presets.
        policy: Presets, and how far a decided pattern may drift.
        dry_run: Tell what would happen and write nothing.
        recomputing: Hours still wait to be redone, so that the numbers are not final: nothing is synced.
        reviewer: Who caused the sync; named where a pattern is flagged.

    Raises:
        InvalidInput: There is no preset of that name.
        sqlalchemy.exc.OperationalError: The database is out of reach; nothing was changed.
    """
    started = perf_counter()
    arguments = filter_arguments(chosen, policy)
    if recomputing:
        return SyncResult(dry_run=dry_run, held_back="hours wait to be recomputed; the queue is synced after them")
    with warehouse.transaction() as transaction:
        if dry_run:
            result = _foresee(transaction, arguments, policy)
        else:
            result = _perform(transaction, arguments, policy, reviewer)
    return result.model_copy(update={"sync_duration_ms": round((perf_counter() - started) * 1000, 3)})


def sync_statistics(
    warehouse: Warehouse, chosen: SyncFilter | str = DEFAULT_PRESET, *, policy: Policy
) -> SyncStatistics:
    """How much of what a filter or preset lets in is in review already.

    Raises:
        InvalidInput: There is no preset of that name.
    """
    with warehouse.transaction() as transaction:
        counts = _only_row(transaction, "review/sync_statistics")
        pending = _candidates(transaction, filter_arguments(chosen, policy))["pending_sync"]
    known = counts["patterns_in_review"] + pending
    return SyncStatistics(
        **counts,
        pending_sync=pending,
        sync_percentage=round(100 * counts["patterns_in_review"] / known, 2) if known else 0.0,
    )


def _candidates(transaction: Transaction, arguments: Mapping[str, Any]) -> RowMapping:
    return _only_row(transaction, "review/choose_candidates", **arguments)


def _foresee(transaction: Transaction, arguments: Mapping[str, Any], policy: Policy) -> SyncResult:
    candidates = _candidates(transaction, arguments)
    drifted = _drifted(transaction, policy)
    return _result(
        transaction,
        candidates,
        added=candidates["pattern_ids"],
        flagged=[row["pattern_id"] for row in drifted],
    ).model_copy(update={"dry_run": True})


def _perform(transaction: Transaction, arguments: Mapping[str, Any], policy: Policy, reviewer: str) -> SyncResult:
    transaction.lock("review/sync")
    refreshed, refused = _each_by_itself_if_refused(
        transaction,
        "review/refresh_evidence",
        [row["pattern_id"] for row in transaction.rows("review/queued_patterns")],
    )
    candidates = _candidates(transaction, arguments)
    added, not_added = _each_by_itself_if_refused(transaction, "review/add_candidates", candidates["pattern_ids"])
    transaction.run("review/start_review")
    flagged = _flag(transaction, _drifted(transaction, policy), policy, reviewer)
    transaction.run("review/fold_counts")
    return _result(
        transaction,
        candidates,
        added=[pattern for pattern in candidates["pattern_ids"] if pattern in set(added)],
        flagged=flagged,
        refreshed=len(refreshed),
        errors={**refused, **not_added},
    )


def _each_by_itself_if_refused(
    transaction: Transaction, name: str, pattern_ids: Sequence[int]
) -> tuple[list[int], dict[int, str]]:
    """Run a statement for all patterns at once; if the database refuses a row, for each, to leave out only that one.

    Returns:
        The patterns that the statement changed, and the reason for each that was refused.
    """
    try:
        with transaction.connection.begin_nested():
            return [row["pattern_id"] for row in transaction.rows(name, pattern_ids=list(pattern_ids))], {}
    except (DataError, IntegrityError) as error:
        if len(pattern_ids) == 1:
            return [], {pattern_ids[0]: _rule_of(error)}
    changed: list[int] = []
    refused: dict[int, str] = {}
    for pattern_id in pattern_ids:
        done, not_done = _each_by_itself_if_refused(transaction, name, [pattern_id])
        changed += done
        refused |= not_done
    return changed, refused


def _rule_of(error: DataError | IntegrityError) -> str:
    """The rule that was broken, without the row's content."""
    diagnosis = getattr(error.orig, "diag", None)
    rule = getattr(diagnosis, "constraint_name", None) or getattr(diagnosis, "column_name", None)
    code = getattr(diagnosis, "sqlstate", None)
    return f"refused by the database: {rule or 'its data'} (SQLSTATE {code})"


def _drifted(transaction: Transaction, policy: Policy) -> Sequence[RowMapping]:
    return transaction.rows("review/drifted", confidence_points=policy.queue.drift_confidence_points)


def _flag(transaction: Transaction, drifted: Sequence[RowMapping], policy: Policy, reviewer: str) -> list[int]:
    if not drifted:
        return []
    flagged = transaction.rows(
        "review/flag_drifted",
        pattern_ids=[row["pattern_id"] for row in drifted],
        versions=[row["version"] for row in drifted],
        reasons=[_drift_in_words(row, policy) for row in drifted],
        reviewer=reviewer,
    )
    return [row["pattern_id"] for row in flagged]


def _drift_in_words(row: RowMapping, policy: Policy) -> str:
    """Everything that changed since the decision, as a sentence."""
    reasons = []
    if row["savings_drifted"]:
        reasons.append(
            f"net monthly savings are now {_usd(row['net_p50'])}, outside of the "
            f"{_usd(row['decided_net_p10'])} to {_usd(row['decided_net_p90'])} that was decided upon"
        )
    if row["confidence_drifted"]:
        reasons.append(
            f"confidence moved from {row['decided_confidence']} to {row['confidence_score']}, "
            f"by more than {policy.queue.drift_confidence_points:g} points"
        )
    if row["deferral_is_over"]:
        reasons.append(f"it was deferred until {row['deferred_until']:%Y-%m-%d %H:%M} UTC")
    return "; ".join(reasons)


def _usd(amount: Decimal) -> str:
    return f"${amount:,.2f}" if amount >= 0 else f"-${-amount:,.2f}"


def _result(
    transaction: Transaction,
    candidates: RowMapping,
    *,
    added: Sequence[int],
    flagged: Sequence[int],
    refreshed: int = 0,
    errors: Mapping[int, str] | None = None,
) -> SyncResult:
    errors = errors or {}
    names = {
        row["pattern_id"]: row["pattern_signature"]
        for row in transaction.rows("review/signatures_of", pattern_ids=[*added, *flagged, *errors])
    }
    not_added = len(errors.keys() & set(candidates["pattern_ids"]))
    return SyncResult(
        total_candidates=candidates["total_candidates"],
        synced_count=len(added),
        skipped_count=candidates["total_candidates"] - len(added) - not_added,
        error_count=len(errors),
        kept_out_by_savings=candidates["kept_out_by_savings"],
        refreshed_count=refreshed,
        synced_pattern_ids=tuple(names[pattern] for pattern in added),
        flagged_pattern_ids=tuple(names[pattern] for pattern in flagged),
        errors=tuple(SyncError(pattern_id=names[pattern], reason=reason) for pattern, reason in errors.items()),
    )


def _only_row(transaction: Transaction, name: str, **parameters: Any) -> RowMapping:
    """The row of a query over aggregates, which always has exactly one."""
    row = transaction.one(name, **parameters)
    if row is None:
        raise LookupError(f"SQL statement {name!r} returned no row")
    return row
