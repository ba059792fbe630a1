"""The application: puts the API, the pages and their guard together, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.staticfiles import StaticFiles

from pattern_pipeline.detection.policy import Policy, load_policy
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.web import api, pages, problems
from pattern_pipeline.web.guard import Guard
from pattern_pipeline.web.metrics import Metrics
from pattern_pipeline.web.pages.rendering import STATIC, problem_page
from pattern_pipeline.web.reviewers import load_reviewers
from pattern_pipeline.web.services import Services
from pattern_pipeline.web.sessions import Sessions, session_secret


def create_app(settings: Settings, warehouse: Warehouse | None = None, policy: Policy | None = None) -> FastAPI:
    """The review as an ASGI application.

    Args:
        settings: Where the database and the file of reviewers are.
        warehouse: An open one, which stays the caller's; by default that of the settings, opened at start-up.
        policy: By default that of the settings.

    Raises:
        InvalidInput: The policy or the file of reviewers cannot be used.
    """
    services = Services(
        settings=settings,
        policy=policy or load_policy(settings.policy),
        reviewers=load_reviewers(settings.reviewers) if settings.reviewers else (),
        sessions=Sessions(session_secret(settings.state_dir())),
        opened=warehouse,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if warehouse is not None:
            yield
            return
        services.opened = await run_in_threadpool(Warehouse.open, settings)
        try:
            yield
        finally:
            services.opened.close()

    app = FastAPI(
        title="pattern-pipeline review",
        version="1",
        description="The queue of patterns worth automating: evidence, decisions and their history.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        separate_input_output_schemas=False,
    )
    app.state.services = services
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.include_router(api.router)
    app.include_router(pages.router)
    problems.install(app, problem_page)
    app.add_middleware(Metrics)
    app.add_middleware(Guard, only_this_computer=not services.reviewers)
    return app
