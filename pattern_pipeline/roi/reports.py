"""Realised ROI for people and programs: per pattern, the best and the worst, the whole portfolio.

Reading only. Money is USD, times are seconds, unknown is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import polars as pl
from pydantic import BaseModel

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.economics.realised import portfolio_ratio
from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.review.queue import Amount
from pattern_pipeline.roi.confidence import ConfidenceHistoryRow, history_of
from pattern_pipeline.roi.executions import Execution, find_pattern
from pattern_pipeline.warehouse.database import Transaction, Warehouse

GOOD: Final = ("excellent", "good", "acceptable")
BAD: Final = ("poor", "marginal")
RECENT: Final = 20
MOST: Final = 200


class RealisedRoi(BaseModel):
    """What a pattern's automation did and saved so far.

    Attributes:
        status: In the queue, else that of the pattern.
        version: Of the queue's row, which a decision needs; None outside the queue.
        priced_executions: Those whose saving is known; the money is theirs.
        invested_usd: Build cost, and maintenance up to the latest execution.
        baseline_cost: What an occurrence cost the model, by the estimate that was approved.
        baseline_hash: `input_hash` of that estimate.
        approved: False: never approved, the baseline is that of the current estimate.
    """

    pattern_id: int
    pattern_signature: str
    readable: str
    status: str
    version: int | None
    total_executions: int
    successful_executions: int
    success_rate: Amount | None
    priced_executions: int
    total_cost_saved_usd: Amount | None
    average_cost_saved_usd: Amount | None
    total_time_saved_seconds: Amount | None
    average_time_saved_seconds: Amount | None
    total_actual_cost: Amount | None
    invested_usd: Amount | None
    roi_percentage: Amount | None
    effectiveness: str
    last_executed_at: datetime | None
    baseline_cost: Amount | None
    baseline_hash: str | None
    approved: bool


class Effectiveness(BaseModel):
    """How an automation does, in one word, and what the word rests on."""

    pattern_signature: str
    effectiveness: str
    total_executions: int
    success_rate: Amount | None
    roi_percentage: Amount | None


class Validation(BaseModel):
    """Estimate against reality; money is the saving of one execution.

    Attributes:
        executions: Those whose saving is known.
        more_executions: Until it can be decided; None when it is, or when no number of them would do.
        difference: Realised mean minus estimate, with its 95 % interval.
        minimum_detectable_effect: The smallest true difference that so many executions would reveal.
    """

    pattern_signature: str
    validation: str
    executions: int
    more_executions: int | None
    estimated: Amount | None
    realised_mean: Amount | None
    deviation: Amount | None
    difference: Amount | None
    difference_low: Amount | None
    difference_high: Amount | None
    minimum_detectable_effect: Amount | None
    baseline_hash: str | None


class Realisation(BaseModel):
    """Realised over estimated saving of the portfolio, 1 being as promised, with its 95 % interval."""

    ratio: float
    low: float
    high: float
    patterns: int
    executions: int


class SavingsOfType(BaseModel):
    """The log of savings by kind; `priced` of the entries have a known amount."""

    optimization_type: str
    entries: int
    priced: int
    cost_saved_usd: Amount | None
    saved_tokens: int | None


class PortfolioSummary(BaseModel):
    """All automations together.

    Attributes:
        realisation: None while no approved pattern has enough priced executions.
        validations: Every approved pattern with executions, refuted ones first.
    """

    patterns: int
    total_executions: int
    successful_executions: int
    success_rate: Amount | None
    total_cost_saved_usd: Amount | None
    total_actual_cost: Amount | None
    invested_usd: Amount | None
    total_time_saved_seconds: Amount | None
    realisation: Realisation | None
    validations: tuple[Validation, ...]
    savings: tuple[SavingsOfType, ...]


class RoiReport(BaseModel):
    """Everything known of one automation; executions are the latest, newest first.

    Attributes:
        validation: None unless the pattern was approved and has executions.
        confidence_history: Oldest first.
    """

    summary: RealisedRoi
    validation: Validation | None
    executions: tuple[Execution, ...]
    confidence_history: tuple[ConfidenceHistoryRow, ...]


def pattern_roi(warehouse: Warehouse, pattern: str) -> RealisedRoi:
    """The realised ROI of a pattern, by signature or number.

    Raises:
        NotFound: No such pattern.
    """
    with warehouse.transaction() as tx:
        return _summary(tx, find_pattern(tx, pattern)[0])


def effectiveness(warehouse: Warehouse, pattern: str) -> Effectiveness:
    """How a pattern's automation does.

    Raises:
        NotFound: No such pattern.
    """
    return Effectiveness.model_validate(pattern_roi(warehouse, pattern).model_dump())


def top_performers(warehouse: Warehouse, limit: int = 10) -> list[RealisedRoi]:
    """Automations graded acceptable or better, by ROI.

    Raises:
        InvalidInput: The limit is out of range.
    """
    return _ranked(warehouse, "roi/best_summaries", GOOD, limit)


def underperformers(warehouse: Warehouse, limit: int = 10) -> list[RealisedRoi]:
    """Automations graded marginal or poor, worst ROI first.

    Raises:
        InvalidInput: The limit is out of range.
    """
    return _ranked(warehouse, "roi/worst_summaries", BAD, limit)


def report(warehouse: Warehouse, pattern: str) -> RoiReport:
    """The whole story of one automation.

    Raises:
        NotFound: No such pattern.
    """
    with warehouse.transaction() as tx:
        pattern_id, _ = find_pattern(tx, pattern)
        recent = tx.rows("roi/recent_executions", pattern_id=pattern_id, limit=RECENT)
        return RoiReport(
            summary=_summary(tx, pattern_id),
            validation=next(iter(_validations(tx, pattern_id)), None),
            executions=tuple(Execution.model_validate(dict(row)) for row in recent),
            confidence_history=history_of(tx, pattern_id),
        )


def roi_summary(warehouse: Warehouse, policy: Policy) -> PortfolioSummary:
    """All automations together, and how far they keep what was promised."""
    with warehouse.transaction() as tx:
        totals = tx.rows("roi/realised_totals")[0]
        found = _validations(tx, None)
        savings = tx.rows("roi/savings_by_type")
    return PortfolioSummary.model_validate(
        {
            **dict(totals),
            "realisation": _realisation(found, policy),
            "validations": found,
            "savings": [dict(row) for row in savings],
        }
    )


def validations(warehouse: Warehouse) -> tuple[Validation, ...]:
    """Estimate against reality, for every approved pattern with executions; refuted ones first."""
    with warehouse.transaction() as tx:
        return _validations(tx, None)


def _realisation(found: Sequence[Validation], policy: Policy) -> Realisation | None:
    strata = pl.DataFrame(
        [row.model_dump(mode="json") for row in found],
        schema={"executions": pl.Int64, "estimated": pl.Float64, "realised_mean": pl.Float64, "deviation": pl.Float64},
    )
    ratio = portfolio_ratio(strata, policy.roi)
    return Realisation.model_validate(vars(ratio)) if ratio else None


def _summary(tx: Transaction, pattern_id: int) -> RealisedRoi:
    return RealisedRoi.model_validate(dict(tx.one("roi/pattern_summary", pattern_id=pattern_id) or {}))


def _validations(tx: Transaction, pattern_id: int | None) -> tuple[Validation, ...]:
    rows = tx.rows("roi/validations", pattern_id=pattern_id)
    return tuple(Validation.model_validate(dict(row)) for row in rows)


def _ranked(warehouse: Warehouse, statement: str, grades: tuple[str, ...], limit: int) -> list[RealisedRoi]:
    if not 1 <= limit <= MOST:
        raise InvalidInput(f"limit {limit}: must be 1 to {MOST}")
    with warehouse.transaction() as tx:
        rows = tx.rows(statement, grades=list(grades), limit=limit)
    return [RealisedRoi.model_validate(dict(row)) for row in rows]
