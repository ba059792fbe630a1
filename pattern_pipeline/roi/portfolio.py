"""The portfolio: every current estimate ranked, and what their automations made of it. Reading only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.economics.words import verdict_of_all
from pattern_pipeline.patterns.report import plain
from pattern_pipeline.patterns.versions import progress
from pattern_pipeline.review.queue import Amount
from pattern_pipeline.roi.questions import sensitivity
from pattern_pipeline.roi.reports import PortfolioSummary, roi_summary
from pattern_pipeline.warehouse.database import Warehouse

RANKED: Final = 30
TORNADOES: Final = 3


class Ranked(BaseModel):
    """A current estimate in a line; money is USD, a month for `net_*` and over the horizon for `npv_*`."""

    pattern_signature: str
    readable: str
    status: str
    verdict: str
    occurrences: int
    monthly_rate: Amount | None
    net_p10: Amount | None
    net_p50: Amount | None
    net_p90: Amount | None
    npv_p10: Amount | None
    npv_p50: Amount | None
    npv_p90: Amount | None
    payback_months: int | None
    probability_of_loss: Amount | None
    naive_monthly_savings: Amount | None
    flags: tuple[str, ...]


class Tornado(BaseModel):
    """What moves the value of one pattern: a row per input, widest swing first (`economics.sensitivity`)."""

    pattern_signature: str
    rows: tuple[Mapping[str, Any], ...]


class Portfolio(BaseModel):
    """All estimates and what came of them. Savings of overlapping patterns do not add up, so there is no total.

    Attributes:
        in_words: One sentence about the whole, also when nothing is worth automating.
        state: Whether the figures are current or wait for hours to be recomputed.
        estimates: The best, by P10 of the net present value.
        tornadoes: Of the first estimates that were simulated.
    """

    in_words: str
    state: str
    verdicts: Mapping[str, int]
    estimates: tuple[Ranked, ...]
    tornadoes: tuple[Tornado, ...]
    realised: PortfolioSummary


def ranked(warehouse: Warehouse, limit: int = RANKED) -> tuple[Ranked, ...]:
    """The best current estimates, by P10 of the net present value."""
    with warehouse.transaction() as tx:
        rows = tx.rows("roi/current_estimates", pattern_id=None, limit=limit)
    return tuple(Ranked.model_validate(dict(row)) for row in rows)


def portfolio(warehouse: Warehouse, policy: Policy, *, limit: int = RANKED, tornadoes: int = TORNADOES) -> Portfolio:
    """The portfolio as it stands."""
    state = str(progress(warehouse))
    with warehouse.transaction() as tx:
        counts = {row["verdict"]: row["patterns"] for row in tx.rows("roi/verdict_counts")}
        rows = tx.rows("roi/current_estimates", pattern_id=None, limit=limit)
        best = [row for row in rows if row["npv_p50"] is not None][:tornadoes]
        analysed = [(row["pattern_signature"], sensitivity(tx, dict(row))) for row in best]
    return Portfolio(
        in_words=verdict_of_all(counts),
        state=state,
        verdicts=counts,
        estimates=tuple(Ranked.model_validate(dict(row)) for row in rows),
        tornadoes=tuple(
            Tornado(pattern_signature=name, rows=tuple(found.tornado.drop("pattern_signature").to_dicts()))
            for name, found in analysed
            if found is not None
        ),
        realised=roi_summary(warehouse, policy),
    )


def assumed_inputs(warehouse: Warehouse) -> Sequence[Mapping[str, Any]]:
    """Per input of the estimates: how many there are, and for how many of them it is assumed rather than measured."""
    with warehouse.transaction() as tx:
        return [plain(dict(row)) for row in tx.rows("roi/assumed_inputs")]
