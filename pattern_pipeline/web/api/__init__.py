"""The HTTP API below /api/v1: a file per group of endpoints, each a thin call into a service."""

from fastapi import APIRouter, Depends

from pattern_pipeline.web.api import confidence, decisions, library, patterns, roi, sync, system
from pattern_pipeline.web.problems import documented
from pattern_pipeline.web.services import caller

__all__ = ["router"]

_guarded = APIRouter(
    prefix="/api/v1",
    dependencies=[Depends(caller)],
    responses=documented(401, 403, 429, 503),
)
# Before the routes that take an id. No id could be one of their words: a signature has two colons, a number digits.
_guarded.include_router(sync.router)
_guarded.include_router(patterns.router)
_guarded.include_router(decisions.router)
_guarded.include_router(roi.router)
_guarded.include_router(confidence.router)
_guarded.include_router(library.router)

router = APIRouter()
router.include_router(_guarded)
router.include_router(system.router)
