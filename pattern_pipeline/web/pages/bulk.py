"""One decision upon many patterns: first a preview of what it would do to each, then the decision.

Each pattern is decided by itself, upon the version that was shown: a conflict upon one leaves the others alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from pydantic import Field

from pattern_pipeline.errors import Conflict, InvalidInput, NotFound
from pattern_pipeline.review.listing import MAX_LIMIT
from pattern_pipeline.review.queue import QueueEntry, entry
from pattern_pipeline.review.transitions import TRANSITIONS, Action, decide
from pattern_pipeline.web.fields import Text, Word
from pattern_pipeline.web.pages.access import Deciding, SignedForm, check_form
from pattern_pipeline.web.pages.pattern import allowed_actions
from pattern_pipeline.web.pages.queue import back_to_list
from pattern_pipeline.web.pages.rendering import render
from pattern_pipeline.web.services import Services, ServicesOf

router = APIRouter()

BULK_ACTIONS: Final = (Action.APPROVE, Action.REJECT, Action.DEFER)


class Chosen(SignedForm):
    """The patterns that were ticked, by signature."""

    pattern: list[Word] = Field(default_factory=list, max_length=MAX_LIMIT)
    action: Action = Action.APPROVE
    back: Text = ""


class BulkDecision(Chosen):
    """The decision. `seen` are the patterns of the preview, each as `version evidence_hash signature`."""

    seen: list[Text] = Field(default_factory=list, max_length=MAX_LIMIT)
    reason: Text = ""


@dataclass(frozen=True)
class Outcome:
    """What became of one pattern."""

    signature: str
    problem: str | None


@router.post("/bulk/preview")
def preview(request: Request, services: ServicesOf, person: Deciding, form: Annotated[Chosen, Form()]) -> Response:
    """What the decision would do to each of them."""
    check_form(request, form)
    return _render_preview(request, services, form, reason="", problem=None)


@router.post("/bulk")
def decide_many(
    request: Request, services: ServicesOf, person: Deciding, form: Annotated[BulkDecision, Form()]
) -> Response:
    """Decide each of them."""
    check_form(request, form)
    if TRANSITIONS[form.action].reason_required and not form.reason.strip():
        again = form.model_copy(update={"pattern": [_parts(line)[2] for line in form.seen]})
        return _render_preview(request, services, again, form.reason, "Say why; the reason stays in the history.")
    outcomes = [_decide_one(services, person.name, form, line) for line in form.seen]
    return render(
        request, "bulk_done.html", action=form.action, outcomes=outcomes, back_address=back_to_list(form.back)
    )


def _decide_one(services: Services, reviewer: str, form: BulkDecision, line: str) -> Outcome:
    version, evidence_hash, signature = _parts(line)
    try:
        decide(
            services.warehouse,
            signature,
            form.action,
            reviewer=reviewer,
            version=int(version),
            notes=form.reason,
            evidence_hash=evidence_hash or None,
        )
    except (Conflict, InvalidInput, NotFound) as error:
        return Outcome(signature, str(error))
    return Outcome(signature, None)


def _parts(line: str) -> tuple[str, str, str]:
    """Version, evidence hash (may be empty) and signature of a line of the preview.

    Raises:
        InvalidInput: The preview has written no such line.
    """
    parts = line.split(" ", 2)
    if len(parts) != 3 or not parts[0].isdecimal():
        raise InvalidInput("seen: not a line of the preview")
    return parts[0], parts[1], parts[2]


def _render_preview(request: Request, services: Services, form: Chosen, reason: str, problem: str | None) -> Response:
    found = [entry(services.warehouse, signature) for signature in dict.fromkeys(form.pattern)]
    return render(
        request,
        "bulk.html",
        422 if problem else 200,
        form=form,
        reason=reason,
        problem=problem,
        ready=[row for row in found if _can(row, form.action)],
        left_out=[row for row in found if not _can(row, form.action)],
        actions=BULK_ACTIONS,
        reason_required=TRANSITIONS[form.action].reason_required,
        back_address=back_to_list(form.back),
    )


def _can(row: QueueEntry, action: Action) -> bool:
    return action in allowed_actions(row.status, row.needs_review)
