"""For those who run the installation: its health, open to anyone who can reach it, and its figures."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from pattern_pipeline.web.health import Health, health
from pattern_pipeline.web.metrics import REQUESTS, figures_of
from pattern_pipeline.web.problems import documented
from pattern_pipeline.web.services import ServicesOf, caller

router = APIRouter(tags=["system"])


@router.get("/api/v1/system/health", responses=documented(403, 503))
def system_health(services: ServicesOf) -> Health:
    """Whether the database answers, and how old the work is. It needs no token and names no pattern."""
    return health(services.warehouse)


@router.get("/openapi.json", include_in_schema=False)
def description(request: Request) -> dict[str, Any]:
    """The description of the API where tools look for it; the same as below the API's own prefix."""
    app: FastAPI = request.app
    return app.openapi()


@router.get("/metrics", dependencies=[Depends(caller)], include_in_schema=False)
@router.get(
    "/api/v1/metrics",
    dependencies=[Depends(caller)],
    responses=documented(401, 403, 429, 503)
    | {200: {"description": "Prometheus text.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
    response_class=Response,
)
def metrics(services: ServicesOf) -> Response:
    """Figures in the text format of Prometheus."""
    figures = generate_latest(figures_of(services.warehouse)) + generate_latest(REQUESTS)
    return Response(figures, media_type=CONTENT_TYPE_LATEST)
