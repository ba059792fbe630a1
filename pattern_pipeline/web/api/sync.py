"""Bringing the queue up to date. A dry run tells what would happen and writes nothing."""

from __future__ import annotations

from fastapi import APIRouter

from pattern_pipeline.patterns.versions import progress
from pattern_pipeline.review.filters import DEFAULT_PRESET, EVERYTHING, SyncFilter
from pattern_pipeline.review.sync import SyncResult, SyncStatistics, sync, sync_statistics
from pattern_pipeline.web.problems import documented
from pattern_pipeline.web.reviewers import Person
from pattern_pipeline.web.services import CallingReviewer, Services, ServicesOf

router = APIRouter(prefix="/patterns/sync", tags=["sync"])


@router.get("/statistics")
def statistics(services: ServicesOf) -> SyncStatistics:
    """How much of what deserves review is in review, by the preset `smart`."""
    return sync_statistics(services.warehouse, policy=services.policy)


@router.post("/run", responses=documented(411, 413, 422))
def run(
    services: ServicesOf, person: CallingReviewer, chosen: SyncFilter | None = None, dry_run: bool = False
) -> SyncResult:
    """With a filter of one's own, else with the preset `smart`."""
    return bring_up_to_date(services, person, chosen or DEFAULT_PRESET, dry_run)


@router.post("/high-priority", responses=documented(411, 413, 422))
def high_priority(services: ServicesOf, person: CallingReviewer, dry_run: bool = False) -> SyncResult:
    """With the preset `high-priority`, as the hourly run does."""
    return bring_up_to_date(services, person, "high-priority", dry_run)


@router.post("/all", responses=documented(411, 413, 422))
def everything(services: ServicesOf, person: CallingReviewer, dry_run: bool = False) -> SyncResult:
    """With the preset `all`: also what the estimate does not speak for."""
    return bring_up_to_date(services, person, EVERYTHING, dry_run)


def bring_up_to_date(services: Services, person: Person, chosen: SyncFilter | str, dry_run: bool) -> SyncResult:
    """Sync in the name of a person, unless hours wait to be recomputed."""
    return sync(
        services.warehouse,
        chosen,
        policy=services.policy,
        dry_run=dry_run,
        recomputing=progress(services.warehouse).recomputing,
        reviewer=person.name,
    )
