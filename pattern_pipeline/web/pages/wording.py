"""The words of the pages: what a code of the database is called, and how times, shares and money read.

Sentences about estimates are economics' (`words`); markup is the templates'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from pattern_pipeline.economics.words import FLAG_WORDS, INPUT_NAMES, VERDICT_WORDS, usd
from pattern_pipeline.review.listing import Sort
from pattern_pipeline.review.queue import HistoryRow, QueueEntry
from pattern_pipeline.review.transitions import Action

STATUS_WORDS: Final[Mapping[str, str]] = {
    "pending": "Waiting",
    "deferred": "Deferred",
    "approved": "Approved",
    "rejected": "Rejected",
    "revoked": "Revoked",
    "auto-approved": "Approved by rule",
    "auto-rejected": "Rejected by rule",
}
KIND_WORDS: Final[Mapping[str, str]] = {
    "operation": "One operation that agents do again and again",
    "sequence": "A sequence of steps that agents repeat in the same order",
    "error_fix": "An error that agents meet and fix in the same way",
}
BASIS_WORDS: Final[Mapping[str, str]] = {
    "step": "measured on the steps themselves",
    "workflow": "a share of whole runs, an upper bound",
    "intent": "only asked for, not seen being done",
    "unpriced": "no price is known",
}
LAYER_WORDS: Final[Mapping[str, str]] = {
    "step": "a command or tool call",
    "sequence": "a sequence of steps",
    "task": "the wording of the task",
    "error": "an error message",
    "template": "the workflow's template",
}
EXCLUSION_WORDS: Final[Mapping[str, str]] = {
    "reads_context": "it is how agents read what they need, like opening and searching files",
    "edits_files": "it is the editing of files, which is the agent's work itself",
    "agent_tool": "it is a tool of the agent's own, like planning or asking another agent",
    "unnamed_program": "the program is not named well enough to say what would be automated",
}
ASSUMPTION_WORDS: Final[Mapping[str, str]] = {
    "coverage": "Share of the occurrences that an automation takes over",
    "fallback_extra_ratio": "Extra cost when the automation fails, as a share of the model's",
    "maintenance_share": "Maintenance a year, as a share of the build cost",
    "discount_rate": "Discount rate a year",
    "cost_drift": "Change of the model's prices in a year",
    "horizon_months": "Months that are looked ahead",
    "prior_successes": "Reliability before any proof: successes assumed",
    "prior_failures": "Reliability before any proof: failures assumed",
    "build_cost": "Cost of building it, USD",
    "tool_cost": "Cost of the tool per occurrence, USD",
    "reliability": "Share of the tries in which the automation succeeds",
    "month_days": "Days of a month",
    "window_days": "Days of history that are counted",
}
SORT_WORDS: Final[Mapping[Sort, str]] = {
    Sort.VALUE: "Surest value first",
    Sort.SAVINGS: "Highest savings first",
    Sort.IMPACT: "Highest impact first",
    Sort.CONFIDENCE: "Highest confidence first",
    Sort.OCCURRENCES: "Most often seen first",
    Sort.NEWEST: "Newest first",
}
ACTION_WORDS: Final[Mapping[Action, str]] = {
    Action.APPROVE: "Approve",
    Action.REJECT: "Reject",
    Action.DEFER: "Defer",
    Action.REVOKE: "Revoke the approval",
    Action.REOPEN: "Reopen",
    Action.COMMENT: "Comment",
}
ACTION_EFFECTS: Final[Mapping[Action, str]] = {
    Action.APPROVE: "It becomes a template of the library, and its use is measured.",
    Action.REJECT: "It leaves the queue; the reason stays readable.",
    Action.DEFER: "It stays in the queue, out of the way.",
    Action.REVOKE: "It is no longer offered as a template.",
    Action.REOPEN: "It waits for a decision again.",
    Action.COMMENT: "The status stays as it is.",
}
PAST_WORDS: Final[Mapping[str, str]] = {
    "approved": "approved",
    "rejected": "rejected",
    "deferred": "deferred",
    "commented": "commented on",
    "reopened": "reopened",
    "revoked": "revoked",
    "auto-approved": "approved by rule",
    "auto-rejected": "rejected by rule",
    "flagged": "marked for another look",
}


def title(readable: str) -> str:
    """A pattern's readable form as a heading: arrows between the steps of a sequence, a capital letter first."""
    steps = [step.replace(":", " ") for step in readable.split(" > ")] if " > " in readable else [readable]
    text = " → ".join(steps)
    return text[:1].upper() + text[1:]


def moment(instant: datetime | None) -> str:
    """A time to the minute, UTC."""
    return "never" if instant is None else f"{instant.astimezone(UTC):%d %b %Y, %H:%M} UTC"


def share(value: float | None) -> str:
    """A share as a percentage."""
    return "unknown" if value is None else f"{100 * float(value):.0f} %"


def money(amount: float | Decimal | None) -> str:
    """USD as `economics.words.usd` has it; unknown is said, never zero."""
    return "unknown" if amount is None else usd(float(amount))


def chance(probability: float | None) -> str:
    """A probability from a finite simulation is never certainty."""
    if probability is None:
        return "unknown"
    if probability < 0.01:
        return "below 1 %"
    return "above 99 %" if probability > 0.99 else share(probability)


def assumption(name: str, value: float | None) -> str:
    """The value of an assumption in its unit."""
    if value is None:
        return "unknown"
    return _UNITS.get(name, "{:g}".format)(value)


def flag(code: str) -> str:
    """What is to be said of an estimate beside its figures."""
    return FLAG_WORDS.get(code, code)


def flipping_input(name: str) -> str:
    """An input that could flip the verdict, as the head of a row."""
    return INPUT_NAMES.get(name, name).capitalize()


def flip(name: str, value: float) -> str:
    """A value of an input that could flip the verdict, in its unit."""
    return f"{value:,.0f}" if name == "monthly_rate" else assumption(name, value)


def net_sentence(entry: QueueEntry) -> str:
    """What automating a queued pattern would bring, in one line."""
    if entry.net_p50 is None or entry.net_p10 is None or entry.net_p90 is None:
        return "What it would save is not known yet."
    return f"{money(entry.net_p50)} a month net, probably {money(entry.net_p10)} to {money(entry.net_p90)}"


def seen_sentence(entry: QueueEntry) -> str:
    """How often it was seen, and how sure that is."""
    runs = f"Seen in {entry.occurrence_count:,} {'run' if entry.occurrence_count == 1 else 'runs'}"
    rate = f", about {entry.monthly_rate:,.0f} a month" if entry.monthly_rate else ""
    if entry.confidence_score is None:
        return f"{runs}{rate}, confidence unknown"
    return f"{runs}{rate}, confidence {entry.confidence_score:.0f} of 100"


def payback(months: int | None) -> str:
    """When the cost of building it is earned back."""
    if months is None:
        return "not within the horizon"
    return f"after {months} {'month' if months == 1 else 'months'}"


def verdict(code: str | None) -> str:
    """The estimate's verdict."""
    return VERDICT_WORDS.get(code or "", "Not estimated yet")


def happened(row: HistoryRow) -> str:
    """One row of the audit trail, without its notes."""
    return f"{row.reviewer} {PAST_WORDS[row.action]} it" if row.action != "flagged" else "Marked for another look"


def _percent(value: float) -> str:
    return f"{100 * value:.3g} %"


_UNITS: Final[Mapping[str, Callable[[float], str]]] = {
    **dict.fromkeys(
        ("coverage", "reliability", "fallback_extra_ratio", "maintenance_share", "discount_rate"), _percent
    ),
    "cost_drift": _percent,
    **dict.fromkeys(("build_cost", "tool_cost", "cost_per_occurrence"), usd),
}
