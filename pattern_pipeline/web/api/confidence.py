"""Confidence: how executions move it, how it moved, and what they recommend. Recommendations are never applied here."""

from __future__ import annotations

from fastapi import APIRouter

from pattern_pipeline.roi.advice import Recommendation, recommendations
from pattern_pipeline.roi.confidence import (
    ConfidenceChange,
    ConfidenceHistoryRow,
    confidence_history,
    update_confidence,
)
from pattern_pipeline.web.problems import documented
from pattern_pipeline.web.services import CallingReviewer, Reference, ServicesOf

router = APIRouter(prefix="/confidence", tags=["confidence"])


@router.post("/update/{pattern}", responses=documented(404, 411, 413, 422))
def update(
    pattern: Reference, services: ServicesOf, person: CallingReviewer, dry_run: bool = False
) -> list[ConfidenceChange]:
    """Bring the confidence of one pattern in line with its executions; empty when it has none."""
    return update_confidence(services.warehouse, services.policy, pattern, dry_run=dry_run)


@router.post("/update-all", responses=documented(411, 413, 422))
def update_all(services: ServicesOf, person: CallingReviewer, dry_run: bool = False) -> list[ConfidenceChange]:
    """Bring the confidence of every pattern with executions in line with them."""
    return update_confidence(services.warehouse, services.policy, dry_run=dry_run)


@router.get("/history/{pattern}", responses=documented(404))
def history(pattern: Reference, services: ServicesOf) -> tuple[ConfidenceHistoryRow, ...]:
    """How the confidence of a pattern moved, oldest first."""
    return confidence_history(services.warehouse, pattern)


@router.get("/recommendations")
def advice(services: ServicesOf) -> list[Recommendation]:
    """What executions recommend to a reviewer, most severe first."""
    return recommendations(services.warehouse, services.policy)
