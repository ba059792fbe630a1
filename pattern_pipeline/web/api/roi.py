"""What automations did and saved: recording executions, and the realised ROI of patterns."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from pattern_pipeline.review.listing import MAX_LIMIT
from pattern_pipeline.roi import reports
from pattern_pipeline.roi.executions import Execution, ExecutionReport, record_execution
from pattern_pipeline.web.problems import documented
from pattern_pipeline.web.services import CallingReviewer, Reference, ServicesOf

router = APIRouter(prefix="/roi", tags=["roi"])

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many rows at most.")]


@router.post("/executions", status_code=201, responses=documented(404, 409, 411, 413, 422))
def executions(report: ExecutionReport, services: ServicesOf, person: CallingReviewer) -> Execution:
    """Record one use of an automation. The same `idempotency_key` with the same content changes nothing."""
    return record_execution(services.warehouse, report, policy=services.policy, reported_by=person.name)


@router.get("/patterns/{pattern}", responses=documented(404))
def pattern(pattern: Reference, services: ServicesOf) -> reports.RealisedRoi:
    """What a pattern's automation did and saved so far."""
    return reports.pattern_roi(services.warehouse, pattern)


@router.get("/summary")
def summary(services: ServicesOf) -> reports.PortfolioSummary:
    """All automations together."""
    return reports.roi_summary(services.warehouse, services.policy)


@router.get("/report/{pattern}", responses=documented(404))
def report(pattern: Reference, services: ServicesOf) -> reports.RoiReport:
    """Everything known of one automation: summary, validation, latest executions, confidence."""
    return reports.report(services.warehouse, pattern)


@router.get("/top-performers", responses=documented(422))
def top_performers(services: ServicesOf, limit: Limit = 10) -> list[reports.RealisedRoi]:
    """Automations graded acceptable or better, by ROI."""
    return reports.top_performers(services.warehouse, limit)


@router.get("/underperformers", responses=documented(422))
def underperformers(services: ServicesOf, limit: Limit = 10) -> list[reports.RealisedRoi]:
    """Automations graded marginal or poor, worst ROI first."""
    return reports.underperformers(services.warehouse, limit)


@router.get("/effectiveness/{pattern}", responses=documented(404))
def effectiveness(pattern: Reference, services: ServicesOf) -> reports.Effectiveness:
    """How an automation does, in one word, and what the word rests on."""
    return reports.effectiveness(services.warehouse, pattern)
