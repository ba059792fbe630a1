"""Decisions upon queued patterns: the one table of what may follow what, and the service that applies it.

Every face calls `decide`. A decision names its reviewer and the version it was made upon, so that nobody overrides what
they have not seen. Which patterns are queued and when they ask for another look is the matter of `sync`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel
from sqlalchemy import RowMapping

from pattern_pipeline.errors import Conflict, InvalidInput, NotFound
from pattern_pipeline.warehouse.database import Transaction, Warehouse


class Action(StrEnum):
    """What a person can do to a queued pattern."""

    APPROVE = "approve"
    REJECT = "reject"
    DEFER = "defer"
    REVOKE = "revoke"
    REOPEN = "reopen"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table.

    Attributes:
        sources: Statuses from which it leads.
        target: The status it leads to; None: the status stays.
        recorded_as: Its action in the review history.
        automation_status: That of the pattern from then on; None: it stays.
        reason_required: Whether notes must be given.
    """

    sources: frozenset[str]
    target: str | None
    recorded_as: str
    automation_status: str | None
    reason_required: bool


STATUSES: Final = ("pending", "deferred", "approved", "rejected", "revoked", "auto-approved", "auto-rejected")
_UNDECIDED: Final = frozenset({"pending", "deferred"})
_ACCEPTED: Final = frozenset({"approved", "auto-approved"})
_REFUSED: Final = frozenset({"rejected", "revoked", "auto-rejected"})

TRANSITIONS: Final[Mapping[Action, Transition]] = MappingProxyType(
    {
        Action.APPROVE: Transition(_UNDECIDED, "approved", "approved", "approved", reason_required=False),
        Action.REJECT: Transition(_UNDECIDED, "rejected", "rejected", "rejected", reason_required=True),
        Action.DEFER: Transition(_UNDECIDED, "deferred", "deferred", "in_review", reason_required=True),
        Action.REVOKE: Transition(_ACCEPTED, "revoked", "revoked", "deprecated", reason_required=True),
        Action.REOPEN: Transition(_REFUSED, "pending", "reopened", "in_review", reason_required=True),
        Action.COMMENT: Transition(frozenset(STATUSES), None, "commented", None, reason_required=True),
    }
)


class VersionRequired(InvalidInput):
    """A decision came without the version that it was made upon."""


class Decision(BaseModel):
    """A decision as it was recorded; the pattern's id is its signature."""

    pattern_id: str
    action: Action
    status: str
    version: int
    reviewer: str
    history_id: int


def decide(
    warehouse: Warehouse,
    pattern: str,
    action: Action,
    *,
    reviewer: str,
    version: int | None = None,
    notes: str | None = None,
    evidence_hash: str | None = None,
    until: datetime | None = None,
) -> Decision:
    """Apply one decision and record it, in one transaction.

    A pattern that asks for another look can also be given the decision that it already has: that confirms it.

    Args:
        warehouse: Where the queue is.
        pattern: Signature or number.
        action: What to do.
        reviewer: Who decides.
        version: The version that the reviewer saw; a comment needs none.
        notes: The reason; must be given to reject, defer, revoke, reopen and comment.
        evidence_hash: `input_hash` of the estimate that the reviewer saw; by default that of the queue.
        until: With `defer`: when to ask again.

    Raises:
        InvalidInput: A missing or blank reviewer, reason or version, or a time that does not fit.
        NotFound: No such pattern, or it is not in the queue.
        Conflict: Somebody changed it meanwhile, the status does not allow the action, or the estimate drifted
            materially from the one that was seen.
    """
    transition = TRANSITIONS[action]
    notes = (notes or "").strip() or None
    _check_request(action, transition, reviewer, version, notes, until)
    with warehouse.transaction() as transaction:
        entry = _lock(transaction, pattern, evidence_hash)
        if version is not None and version != entry["version"]:
            raise Conflict(_changed_meanwhile(entry, version))
        _check_allowed(action, transition, entry)
        if transition.target is None:
            return _record(transaction, entry, action, transition, reviewer, notes, entry["version"])
        _check_evidence(entry)
        new_version = transaction.scalar(
            "review/record_decision",
            pattern_id=entry["pattern_id"],
            status=transition.target,
            evidence_hash=entry["seen_hash"],
            deferred_until=until,
            reviewer=reviewer.strip(),
            notes=notes,
        )
        if transition.target != entry["status"]:
            transaction.run(
                "review/set_automation_status",
                pattern_id=entry["pattern_id"],
                automation_status=transition.automation_status,
            )
        return _record(transaction, entry, action, transition, reviewer, notes, new_version)


def _check_request(
    action: Action,
    transition: Transition,
    reviewer: str,
    version: int | None,
    notes: str | None,
    until: datetime | None,
) -> None:
    if not reviewer.strip():
        raise InvalidInput("reviewer: a decision needs the name of the person who makes it")
    if transition.reason_required and notes is None:
        raise InvalidInput(f"reason: {action} needs one that is not blank")
    if transition.target is not None and version is None:
        raise VersionRequired(f"version: {action} needs the version of the queue row that it was decided upon")
    if until is None:
        return
    if action is not Action.DEFER:
        raise InvalidInput(f"until: only a deferral has an end, {action} has none")
    if until.tzinfo is None:
        raise InvalidInput("until: the time needs a zone, e.g. 2026-10-01T08:00Z")
    if until <= datetime.now(UTC):
        raise InvalidInput(f"until: {until.isoformat()} is over; name a time to come, or none")


def _lock(transaction: Transaction, pattern: str, evidence_hash: str | None) -> RowMapping:
    known = transaction.one("review/find_pattern", reference=pattern)
    if known is None:
        raise NotFound(
            f"pattern {pattern!r}: there is none of that signature or number; see `pattern-pipeline patterns list`"
        )
    entry = transaction.one("review/lock_entry", pattern_id=known["pattern_id"], evidence_hash=evidence_hash)
    if entry is None:
        raise NotFound(
            f"pattern {known['pattern_signature']!r} is not in the queue; "
            "`pattern-pipeline queue sync` adds what passes its filter"
        )
    return entry


def _check_allowed(action: Action, transition: Transition, entry: RowMapping) -> None:
    confirms = entry["needs_review"] and entry["status"] == transition.target
    if entry["status"] not in transition.sources and not confirms:
        sources = " or ".join(sorted(transition.sources))
        raise Conflict(
            f"pattern {entry['pattern_signature']!r} is {entry['status']}; {action} is for patterns that are {sources}"
        )


def _check_evidence(entry: RowMapping) -> None:
    name = entry["pattern_signature"]
    if not entry["evidence_is_kept"]:
        raise Conflict(
            f"pattern {name!r}: the estimate that was seen is not known; look at the current one and decide again"
        )
    if entry["savings_drifted"]:
        raise Conflict(
            f"pattern {name!r}: net monthly savings are now estimated at ${entry['current_net_p50']:,.2f}, outside "
            f"of the ${entry['seen_net_p10']:,.2f} to ${entry['seen_net_p90']:,.2f} that was seen; look again"
        )


def _changed_meanwhile(entry: RowMapping, version: int) -> str:
    by = (
        f", last decided by {entry['reviewed_by']} at {entry['reviewed_at']:%Y-%m-%d %H:%M} UTC"
        if entry["reviewed_by"]
        else ""
    )
    return (
        f"pattern {entry['pattern_signature']!r} has changed since version {version}: it is {entry['status']} "
        f"(version {entry['version']}{by}); look at it and decide again"
    )


def _record(
    transaction: Transaction,
    entry: RowMapping,
    action: Action,
    transition: Transition,
    reviewer: str,
    notes: str | None,
    version: int,
) -> Decision:
    status = transition.target or entry["status"]
    history_id = transaction.scalar(
        "review/add_history",
        pattern_id=entry["pattern_id"],
        action=transition.recorded_as,
        reviewer=reviewer.strip(),
        notes=notes,
        from_status=entry["status"],
        to_status=status,
        evidence_hash=entry["seen_hash"],
    )
    return Decision(
        pattern_id=entry["pattern_signature"],
        action=action,
        status=status,
        version=version,
        reviewer=reviewer.strip(),
        history_id=history_id,
    )
