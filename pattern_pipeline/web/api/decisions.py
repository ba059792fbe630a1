"""Deciding. A decision names the version that it was made upon; a comment needs none."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from pattern_pipeline.review.transitions import Action, Decision, decide
from pattern_pipeline.web.fields import FutureTime, Reason, Text, Version, Word
from pattern_pipeline.web.problems import documented
from pattern_pipeline.web.services import CallingReviewer, Reference, ServicesOf

router = APIRouter(prefix="/patterns/{pattern}", tags=["decisions"])


class Approval(BaseModel):
    """A decision that needs no reason.

    Attributes:
        version: Of the queue's row that was looked at; an answer of 428 asks for it.
        evidence_hash: `evidence_hash` of that row; the decision conflicts when the estimate has drifted since.
    """

    model_config = ConfigDict(extra="forbid")

    version: Version | None = None
    evidence_hash: Word | None = None
    notes: Text | None = None


class ReasonedDecision(BaseModel):
    """A decision whose reason is kept."""

    model_config = ConfigDict(extra="forbid")

    version: Version | None = None
    evidence_hash: Word | None = None
    reason: Reason


class Deferral(ReasonedDecision):
    """Not now; with `until`, the pattern asks for another look then."""

    until: FutureTime | None = None


class Comment(BaseModel):
    """Said without deciding."""

    model_config = ConfigDict(extra="forbid")

    comment: Reason


_PROBLEMS = documented(404, 409, 411, 413, 422, 428)


@router.post("/approve", responses=_PROBLEMS)
def approve(
    pattern: Reference, services: ServicesOf, person: CallingReviewer, decision: Approval | None = None
) -> Decision:
    """Worth automating: it becomes a template of the library."""
    decision = decision or Approval()
    return decide(
        services.warehouse,
        pattern,
        Action.APPROVE,
        reviewer=person.name,
        version=decision.version,
        notes=decision.notes,
        evidence_hash=decision.evidence_hash,
    )


@router.post("/reject", responses=_PROBLEMS)
def reject(pattern: Reference, decision: ReasonedDecision, services: ServicesOf, person: CallingReviewer) -> Decision:
    """Not worth automating."""
    return _decide(pattern, Action.REJECT, decision, services, person)


@router.post("/defer", responses=_PROBLEMS)
def defer(pattern: Reference, decision: Deferral, services: ServicesOf, person: CallingReviewer) -> Decision:
    """Decide later."""
    return decide(
        services.warehouse,
        pattern,
        Action.DEFER,
        reviewer=person.name,
        version=decision.version,
        notes=decision.reason,
        evidence_hash=decision.evidence_hash,
        until=decision.until,
    )


@router.post("/revoke", responses=_PROBLEMS)
def revoke(pattern: Reference, decision: ReasonedDecision, services: ServicesOf, person: CallingReviewer) -> Decision:
    """Take an approval back."""
    return _decide(pattern, Action.REVOKE, decision, services, person)


@router.post("/reopen", responses=_PROBLEMS)
def reopen(pattern: Reference, decision: ReasonedDecision, services: ServicesOf, person: CallingReviewer) -> Decision:
    """Put a refused pattern back into the queue."""
    return _decide(pattern, Action.REOPEN, decision, services, person)


@router.post("/comment", responses=documented(404, 409, 411, 413, 422))
def comment(pattern: Reference, said: Comment, services: ServicesOf, person: CallingReviewer) -> Decision:
    """Add to the history without deciding."""
    return decide(services.warehouse, pattern, Action.COMMENT, reviewer=person.name, notes=said.comment)


def _decide(
    pattern: str, action: Action, decision: ReasonedDecision, services: ServicesOf, person: CallingReviewer
) -> Decision:
    return decide(
        services.warehouse,
        pattern,
        action,
        reviewer=person.name,
        version=decision.version,
        notes=decision.reason,
        evidence_hash=decision.evidence_hash,
    )
