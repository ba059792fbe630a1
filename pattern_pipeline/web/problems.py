"""What went wrong, told to whoever asked: RFC 9457 problems, as JSON for programs and as a page for people.

Belongs here: which failure is which status and code. A problem says what to do; it never carries the text of an
exception that was not written for users, nor anything of a statement or its parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.middleware.errors import ServerErrorMiddleware

from pattern_pipeline.errors import Conflict, DatabaseDown, InvalidInput, NotFound, PipelineError, SchemaTooNew
from pattern_pipeline.review.transitions import VersionRequired

PageOf = Callable[[Request, "Problem"], Response]

MEDIA_TYPE: Final = "application/problem+json"


class FieldProblem(BaseModel):
    """One field that cannot be used, and why."""

    field: str
    message: str


class Problem(BaseModel):
    """RFC 9457, with a stable `code` for programs and the fields that are wrong."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    errors: tuple[FieldProblem, ...] = ()


@dataclass
class Refused(Exception):
    """A request that is refused before it reaches a service: no login, wrong role, wrong origin."""

    status: int
    code: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    errors: tuple[FieldProblem, ...] = ()


_OF_SERVICES: Final[tuple[tuple[type[PipelineError], int, str], ...]] = (
    (NotFound, 404, "not_found"),
    (Conflict, 409, "conflict"),
    (VersionRequired, 428, "version_required"),
    (InvalidInput, 422, "invalid"),
    (SchemaTooNew, 503, "schema_too_new"),
    (DatabaseDown, 503, "database_down"),
)
_OF_HTTP: Final = {
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not take requests of that kind."),
}
_DATABASE_DOWN: Final = "The database does not answer. Nothing was changed; try again in a moment."
DOCUMENTED: Final[Mapping[int, str]] = {
    401: "No valid token was shown.",
    403: "The role does not allow this, or the request comes from another site.",
    404: "There is no such pattern or template.",
    409: "Somebody decided meanwhile, the status does not allow the action, or the estimate drifted; a template exists "
    "already, is in use, or has changed.",
    411: "The body has no length.",
    413: "The body is too large.",
    422: "A field cannot be used; the problem names it.",
    428: "The version that was decided upon is missing.",
    429: "Too many wrong tokens from this address.",
    503: "The database does not answer.",
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of the problems that an endpoint can answer with."""
    schema = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": DOCUMENTED[status], "content": schema} for status in sorted(statuses)}


def problem_of(error: Exception) -> tuple[Problem, Mapping[str, str]]:
    """The problem that an exception stands for, and headers of its answer."""
    match error:
        case Refused():
            return _problem(error.status, error.code, error.detail, error.errors), error.headers
        case RequestValidationError():
            errors = tuple(_field_problems(error.errors()))
            detail = "; ".join(f"{each.field}: {each.message}" for each in errors)
            return _problem(422, "invalid", detail, errors), {}
        case PipelineError():
            status, code = next((s, c) for kind, s, c in _OF_SERVICES if isinstance(error, kind))
            name, _, message = str(error).partition(": ")
            errors = (FieldProblem(field=name, message=message),) if status in (422, 428) else ()
            return _problem(status, code, str(error), errors), {}
        case OperationalError() | InterfaceError() | PoolTimeout():
            return _problem(503, "database_down", _DATABASE_DOWN), {"Retry-After": "5"}
        case HTTPException():
            code, detail = _OF_HTTP.get(error.status_code, ("refused", "This request is not understood."))
            return _problem(error.status_code, code, detail), error.headers or {}
        case _:
            return _problem(500, "internal", "Something is broken here; the log of the server says what."), {}


def install(app: FastAPI, page: PageOf) -> None:
    """Answer every failure with a problem: JSON below /api, else the page that `page` makes."""

    def answer(request: Request, error: Exception) -> Response:
        problem, headers = problem_of(error)
        if is_for_programs(request):
            return JSONResponse(problem.model_dump(), problem.status, dict(headers), MEDIA_TYPE)
        response = page(request, problem)
        response.headers.update(headers)
        return response

    for kind in (
        Refused,
        RequestValidationError,
        PipelineError,
        OperationalError,
        InterfaceError,
        PoolTimeout,
        HTTPException,
    ):
        app.add_exception_handler(kind, answer)
    # What nobody expected is answered inside of the guard, so that its headers are on that answer too.
    app.add_middleware(ServerErrorMiddleware, handler=answer)


def is_for_programs(request: Request) -> bool:
    """Whether the answer is read by a program."""
    return request.url.path.startswith(("/api/", "/metrics"))


def _problem(status: int, code: str, detail: str, errors: tuple[FieldProblem, ...] = ()) -> Problem:
    return Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, code=code, errors=errors)


def _field_problems(errors: Iterable[Mapping[str, Any]]) -> Iterable[FieldProblem]:
    for error in errors:
        # The first step says where the field was: path, query, body.
        steps = [str(step) for step in error["loc"][1:] if not isinstance(step, int)] or [str(error["loc"][0])]
        yield FieldProblem(field=".".join(steps), message=str(error["msg"]).removeprefix("Value error, "))
