"""One pattern: what it is, the evidence, the money, its history, and the decision."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import field_validator

from pattern_pipeline.errors import Conflict, InvalidInput
from pattern_pipeline.review.dossier import Dossier, dossier
from pattern_pipeline.review.transitions import TRANSITIONS, Action, decide
from pattern_pipeline.web.fields import Text, Version, Word
from pattern_pipeline.web.pages.access import Deciding, Looking, SignedForm, check_form
from pattern_pipeline.web.pages.charts import Scale
from pattern_pipeline.web.pages.queue import back_to_list
from pattern_pipeline.web.pages.rendering import render
from pattern_pipeline.web.problems import Problem, problem_of
from pattern_pipeline.web.services import Reference, ServicesOf

router = APIRouter()

_ORDER = (Action.APPROVE, Action.DEFER, Action.REJECT, Action.REVOKE, Action.REOPEN)


class DecisionForm(SignedForm):
    """A decision upon the row and the estimate that the page has shown.

    Attributes:
        back: Query of the list that the reviewer came from.
    """

    action: Action
    version: Version | None = None
    evidence_hash: Word = ""
    reason: Text = ""
    until: date | None = None
    back: Text = ""

    @field_validator("until", mode="before")
    @classmethod
    def _no_date_is_none(cls, value: object) -> object:
        return None if value == "" else value


@router.get("/patterns/{pattern}")
def show_pattern(
    request: Request,
    services: ServicesOf,
    person: Looking,
    pattern: Reference,
    decide: Action | None = None,
    back: Annotated[Text, Query()] = "",
) -> Response:
    """Everything that is known of a pattern; with `decide`, the form of that action waits for the reason."""
    found = dossier(services.warehouse, services.policy, pattern)
    return _render(request, found, DecisionForm(action=decide or Action.APPROVE, back=back), asked=decide)


@router.post("/patterns/{pattern}/decision")
def decide_pattern(
    request: Request, services: ServicesOf, person: Deciding, pattern: Reference, form: Annotated[DecisionForm, Form()]
) -> Response:
    """Decide or comment; what cannot be decided is shown again, as it is now, with what was typed."""
    check_form(request, form)
    try:
        decision = decide(
            services.warehouse,
            pattern,
            form.action,
            reviewer=person.name,
            version=form.version,
            notes=form.reason,
            evidence_hash=form.evidence_hash or None,
            until=datetime.combine(form.until, time(), UTC) if form.until else None,
        )
    except (Conflict, InvalidInput) as error:
        found = dossier(services.warehouse, services.policy, pattern)
        return _render(request, found, form, problem_of(error)[0])
    if form.action is Action.COMMENT:
        return RedirectResponse(f"/patterns/{quote(decision.pattern_id)}#history", 303)
    return RedirectResponse(back_to_list(form.back, decision.history_id), 303)


def allowed_actions(status: str, needs_review: bool) -> list[Action]:
    """What may follow a status, in the order of the page; another look can also confirm what was decided."""
    return [
        action
        for action in _ORDER
        if status in TRANSITIONS[action].sources or (needs_review and status == TRANSITIONS[action].target)
    ]


def _render(
    request: Request,
    found: Dossier,
    form: DecisionForm,
    problem: Problem | None = None,
    asked: Action | None = None,
) -> Response:
    entry, estimate = found.queue, found.estimate
    amounts = (
        [estimate.net_p10, estimate.net_p90, estimate.potential_monthly_savings, estimate.naive_monthly_savings]
        if estimate
        else []
    )
    return render(
        request,
        "pattern.html",
        problem.status if problem else 200,
        found=found,
        form=form,
        problem=problem,
        asked=asked,
        actions=allowed_actions(entry.status, entry.needs_review) if entry else [],
        reasons_required={action for action, rule in TRANSITIONS.items() if rule.reason_required},
        back_address=back_to_list(form.back),
        scale=Scale.around(amounts),
    )
