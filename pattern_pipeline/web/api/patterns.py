"""Reading: lists of queued patterns, one pattern with its evidence, and its history."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from pattern_pipeline.review import queue
from pattern_pipeline.review.dossier import Dossier, dossier
from pattern_pipeline.review.listing import MAX_LIMIT, Listing, Sort, Wanted, page
from pattern_pipeline.web.fields import Status, Word
from pattern_pipeline.web.problems import documented
from pattern_pipeline.web.services import Reference, ServicesOf

router = APIRouter(prefix="/patterns", tags=["patterns"])

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many rows at most.")]


@router.get("/statistics")
def statistics(services: ServicesOf) -> queue.QueueStatistics:
    """How many queued patterns have which status; `reopened` counts those that ask for another look."""
    return queue.statistics(services.warehouse)


@router.get("/pending", responses=documented(422))
def pending(services: ServicesOf, limit: Limit = 20) -> tuple[queue.QueueEntry, ...]:
    """The best patterns that wait for a decision, by the lower end of their net present value."""
    return page(services.warehouse, Wanted(status="pending", limit=limit)).items


@router.get("", responses=documented(422))
def patterns(
    services: ServicesOf,
    status: Status | None = None,
    pattern_type: Annotated[Word | None, Query(alias="type", description="A category, like `test`.")] = None,
    q: Annotated[Word, Query(description="Words of the signature or the readable form, or their beginnings.")] = "",
    needs_review: Annotated[bool, Query(description="Only those that ask for another look.")] = False,
    sort: Sort = Sort.VALUE,
    limit: Limit = 20,
    cursor: Annotated[Word | None, Query(description="`next_cursor` of the page before.")] = None,
) -> Listing:
    """A page of the queue, highest first."""
    return page(
        services.warehouse,
        Wanted(
            status=status,
            pattern_type=pattern_type,
            q=q,
            needs_review=needs_review,
            sort=sort,
            limit=limit,
            cursor=cursor,
        ),
    )


@router.get("/{pattern}", responses=documented(404))
def one_pattern(pattern: Reference, services: ServicesOf) -> Dossier:
    """Everything known of a pattern, queued or not: evidence, estimate, examples, history."""
    return dossier(services.warehouse, services.policy, pattern)


@router.get("/{pattern}/history", responses=documented(404))
def history(pattern: Reference, services: ServicesOf) -> list[queue.HistoryRow]:
    """Decisions, comments and flags of a queued pattern, oldest first."""
    return queue.history(services.warehouse, pattern)
