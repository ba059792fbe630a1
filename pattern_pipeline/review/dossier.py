"""The dossier of one pattern: everything that a person wants to see before deciding about it.

Reading only, in one transaction, and bounded: a pattern that was seen in a million runs is as quick as any other. How
it is worded is economics' matter (`words`), how it looks the faces'.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel
from sqlalchemy import RowMapping

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.economics.words import explain, flipping_threshold
from pattern_pipeline.errors import NotFound
from pattern_pipeline.patterns.destructive import destructive
from pattern_pipeline.review.queue import Amount, HistoryRow, QueueEntry
from pattern_pipeline.roi.questions import switching_values
from pattern_pipeline.warehouse.database import Transaction, Warehouse

RECENT_RUNS: Final = 500
"""Latest runs of a pattern that its rules, templates and examples are taken from."""
OVERLAP_RUNS: Final = 100
TREND_DAYS: Final = 60
EXAMPLES: Final = 3
STEPS: Final = 8
"""Of a run that a sequence was seen in, at most."""
RULES: Final = 8
TEMPLATES: Final = 4
OVERLAPS: Final = 6


class PatternFacts(BaseModel):
    """What was counted of a pattern over the whole history; money is USD, unknown is None."""

    pattern_id: int
    pattern_signature: str
    readable: str
    kind: str
    pattern_type: str
    automatable: bool
    exclusion_reason: str | None
    automation_status: str
    occurrence_count: int
    intent_count: int
    execution_count: int
    completed_count: int
    failed_count: int
    priced_count: int
    distinct_days: int
    projects: int
    models: tuple[str, ...]
    cost_basis: str | None
    attributed_cost_usd: Amount | None
    portfolio_cost_usd: Amount | None
    naive_cost_usd: Amount | None
    confidence_score: Amount | None
    first_detected: datetime | None
    last_seen: datetime | None


class Assumption(BaseModel):
    """A value that went into the estimate, where it comes from, and whether it is assumed rather than measured."""

    value: float | None
    source: str
    assumed: bool


class Estimate(BaseModel):
    """The current estimate (`roi_estimates`); money is USD, a month unless the name says otherwise."""

    input_hash: str
    estimated_at: datetime
    roi_version: str
    assumptions: Mapping[str, Assumption]
    window_start: datetime
    window_end: datetime
    exposure_days: int
    gap_days: int
    occurrences: int
    priced_count: int
    cost_basis: str | None
    monthly_rate: float | None
    monthly_rate_low: float | None
    monthly_rate_high: float | None
    cost_per_occurrence: float | None
    cost_low: float | None
    cost_high: float | None
    tool_cost: float | None
    reliability: float | None
    agent_success_low: float | None
    agent_success_high: float | None
    saving_per_occurrence: float | None
    potential_monthly_savings: float | None
    net_monthly_savings: float | None
    net_p10: float | None
    net_p50: float | None
    net_p90: float | None
    npv: float | None
    npv_p10: float | None
    npv_p50: float | None
    npv_p90: float | None
    probability_of_loss: float | None
    payback_months: int | None
    roi_percent: float | None
    break_even_monthly: float | None
    build_cost: float | None
    naive_monthly_savings: float | None
    naive_factor: float | None
    verdict: str
    reasons: tuple[str, ...]
    flags: tuple[str, ...]


class Sentences(BaseModel):
    """The estimate in plain words (`pattern_pipeline.economics.words`).

    Attributes:
        would_change: What would flip the verdict; None while the figures behind the estimate are being recounted.
    """

    verdict: str
    seen: tuple[str, ...]
    costs: tuple[str, ...]
    saves: tuple[str, ...]
    certainty: tuple[str, ...]
    would_change: tuple[str, ...] | None


class Flip(BaseModel):
    """An input of the estimate, its value now, and the one from which on the verdict would be another."""

    input: str
    now: float
    at: float


class Rule(BaseModel):
    """A rule that saw the pattern, the words it saw, and in how many of the latest runs."""

    layer: str
    rule_id: str
    matched_text: str
    runs: int


class Template(BaseModel):
    """A command with its variable parts as slots, and how many of the latest steps have it."""

    template: str
    runs: int


class Example(BaseModel):
    """A run in which the pattern was seen.

    Attributes:
        evidence: What was executed there, a line a step; else what was asked for.
        task: What the run was asked for.
    """

    workflow_id: str
    occurred_at: datetime
    layer: str
    hit_count: int
    cost_basis: str
    cost_usd: Amount | None
    run_cost_usd: Amount | None
    evidence: str | None
    task: str | None
    error_message: str | None
    status: str | None
    project: str | None


class Day(BaseModel):
    """Runs of a day (UTC)."""

    day: date
    occurrences: int


class Overlap(BaseModel):
    """Another pattern, and in which share of the latest runs it was seen as well."""

    pattern_signature: str
    readable: str
    share: float


class Dossier(BaseModel):
    """All that is known of one pattern.

    Attributes:
        queue: Its row of the queue; None when it is not in it.
        estimate: None before the first estimate.
        flips: What would flip the verdict, each by itself; None while the figures behind the estimate are recounted.
        elements: Of a sequence, in order: command templates, or the signature that fails and passes.
        counter_examples: Runs in which it failed.
        destructive: Commands among its latest steps that destroy what they are pointed at: a warning.
        history: Decisions, comments and flags, oldest first.
    """

    pattern: PatternFacts
    queue: QueueEntry | None
    estimate: Estimate | None
    in_words: Sentences | None
    flips: tuple[Flip, ...] | None
    elements: tuple[str, ...]
    templates: tuple[Template, ...]
    rules: tuple[Rule, ...]
    examples: tuple[Example, ...]
    counter_examples: tuple[Example, ...]
    trend: tuple[Day, ...]
    overlaps: tuple[Overlap, ...]
    destructive: tuple[str, ...]
    history: tuple[HistoryRow, ...]


def dossier(warehouse: Warehouse, policy: Policy, pattern: str) -> Dossier:
    """The dossier of a pattern, by signature or number; the policy says which commands are warned of.

    Raises:
        NotFound: No such pattern.
    """
    with warehouse.transaction() as transaction:
        facts = transaction.one("review/pattern_facts", reference=pattern)
        if facts is None:
            raise NotFound(f"pattern {pattern!r}: there is none of that signature or number")
        which = {"pattern_id": facts["pattern_id"]}
        queued = transaction.one("review/entry", reference=facts["pattern_signature"])
        estimate = transaction.one("review/current_estimate", **which)
        switching = _switching(transaction, estimate) if estimate else None
        recent = {**which, "runs": RECENT_RUNS}
        shown = {**recent, "steps": 1 if facts["kind"] == "operation" else STEPS, "limit": EXAMPLES}

        def rows(name: str, **parameters: Any) -> list[dict[str, Any]]:
            return [dict(row) for row in transaction.rows(f"review/{name}", **parameters)]

        return Dossier.model_validate(
            {
                "pattern": dict(facts),
                "queue": dict(queued) if queued else None,
                "estimate": dict(estimate) if estimate else None,
                "in_words": _in_words(estimate, switching) if estimate else None,
                "flips": _flips(estimate["verdict"], switching) if estimate and switching is not None else None,
                "elements": [row["element"] for row in rows("elements", **which)],
                "templates": rows("templates", **recent, limit=TEMPLATES),
                "rules": rows("matching_rules", **recent, limit=RULES),
                "examples": rows("examples", **shown, failed=False),
                "counter_examples": rows("examples", **shown, failed=True),
                "trend": rows("trend", **which, days=TREND_DAYS),
                "overlaps": rows("overlaps", **which, runs=OVERLAP_RUNS, limit=OVERLAPS),
                "destructive": destructive(transaction, policy, facts["pattern_id"]),
                "history": rows("history", **which),
            }
        )


def _switching(transaction: Transaction, estimate: RowMapping) -> list[dict[str, Any]] | None:
    found = switching_values(transaction, dict(estimate))
    return None if found is None else found.to_dicts()


def _in_words(estimate: RowMapping, switching: Sequence[Mapping[str, Any]] | None) -> dict[str, Any]:
    figures = {name: float(value) if isinstance(value, Decimal) else value for name, value in estimate.items()}
    said = vars(explain(figures, switching or ()))
    return said if switching is not None else {**said, "would_change": None}


def _flips(verdict: str, switching: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    threshold = flipping_threshold(verdict)
    return [
        {"input": row["input"], "now": row["value"], "at": row[threshold]}
        for row in switching
        if threshold is not None and row[threshold] is not None
    ]
