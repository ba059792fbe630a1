"""The review page: server-rendered, complete without JavaScript. A file per page; templates hold the markup."""

from fastapi import APIRouter

from pattern_pipeline.web.pages import bulk, login, pattern, queue

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
for _page in (queue, pattern, bulk, login):
    router.include_router(_page.router)
