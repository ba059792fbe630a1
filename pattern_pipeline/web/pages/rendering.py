"""Turning templates into answers: the environment of Jinja, and what every page knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from pattern_pipeline.web.pages import charts, wording
from pattern_pipeline.web.pages.access import session_of
from pattern_pipeline.web.problems import Problem
from pattern_pipeline.web.services import services

STATIC: Final = Path(__file__).parent.parent / "static"
_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("pattern_pipeline.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_ENVIRONMENT.globals.update(words=wording, charts=charts)


def render(request: Request, template: str, status: int = 200, /, **context: Any) -> Response:
    """A page. Every page knows who looks at it, and carries the session's token for its forms."""
    state, session = services(request), session_of(request)
    text = _ENVIRONMENT.get_template(template).render(
        person=state.who_is_signed_in(session),
        form_token=state.sessions.form_token(session),
        path=request.url.path,
        **context,
    )
    response = HTMLResponse(text, status)
    if state.sessions.read(request) != session:
        state.sessions.write(response, session, secure=request.url.scheme == "https")
    return response


def problem_page(request: Request, problem: Problem) -> Response:
    """What went wrong, as a page."""
    return render(request, "problem.html", problem.status, problem=problem)
