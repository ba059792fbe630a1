"""What an operation comes to: a result that says what happened, and never an exception.

How a failure of the database is told belongs here. A message names the kind of failure and what to do; it never
repeats a row, a parameter or a statement.
"""

from __future__ import annotations

from typing import Any, Final, Literal
from uuid import UUID

import psycopg
import sqlalchemy.exc
from pydantic import BaseModel, ConfigDict, ValidationError

from pattern_pipeline.errors import Conflict, InvalidInput, NotFound, PipelineError

ErrorType = Literal[
    "unique_violation",
    "foreign_key_violation",
    "check_violation",
    "not_null_violation",
    "timeout",
    "connection_error",
    "validation_error",
    "not_found",
    "conflict",
    "database_error",
]


class Failure(BaseModel):
    """Why an operation did nothing.

    Attributes:
        failed_index: Of a batch: the first of its rows that was refused, counted from 0.
    """

    model_config = ConfigDict(frozen=True)

    type: ErrorType
    message: str
    failed_index: int | None = None


class Metadata(BaseModel):
    """About the call."""

    model_config = ConfigDict(frozen=True)

    operation: str
    correlation_id: UUID
    duration_ms: float
    result_count: int


class Result(BaseModel):
    """What an operation came to: `data` if it succeeded, else `error`, and nothing of it was stored."""

    model_config = ConfigDict(frozen=True)

    success: bool
    data: Any = None
    error: Failure | None = None
    metadata: Metadata


class BatchFailed(Exception):
    """A row of a batch was refused; the cause is what refused it."""

    def __init__(self, index: int | None) -> None:
        super().__init__(index)
        self.index = index


FAILURES: Final = (PipelineError, sqlalchemy.exc.SQLAlchemyError, BatchFailed)
"""What an operation may end in; anything else is a defect."""

_BY_STATE: Final[dict[str, tuple[ErrorType, str]]] = {
    "23505": ("unique_violation", "A template of this name, type and language already exists."),
    "23503": ("foreign_key_violation", "invalid reference: a template that the request names does not exist"),
    "23001": ("conflict", "It is used, so it cannot be deleted; deprecate it instead."),
    "23514": ("check_violation", "A value is outside of what its column allows."),
    "23502": ("not_null_violation", "A value that must be given is missing."),
    "57014": ("timeout", "The database did not finish in time; narrow the request or try again later."),
    "40P01": ("conflict", "Somebody changes the same templates at the same time; try again."),
    "40001": ("conflict", "Somebody changes the same templates at the same time; try again."),
}
_BY_CONSTRAINT: Final = {
    "pattern_relationships_without_cycle": "By way of others, a template would extend itself.",
}
_CONNECTION_STATES: Final = ("08", "57P", "53300")
"""Of lost connections, of a server that shuts down, and of one that takes no more connections."""
_BAD_VALUE: Final = "22"
_NO_CONNECTION: Final = "The database does not answer; nothing was changed. Try again in a moment."
_DATABASE_ERROR: Final = "The database refused the request; the server's log says why."


def failure_of(error: Exception) -> Failure:
    """How a failure is told."""
    match error:
        case BatchFailed():
            assert isinstance(error.__cause__, Exception)
            return failure_of(error.__cause__).model_copy(update={"failed_index": error.index})
        case NotFound():
            return Failure(type="not_found", message=str(error))
        case Conflict():
            return Failure(type="conflict", message=str(error))
        case InvalidInput():
            return Failure(type="validation_error", message=str(error))
        case ValidationError():
            return Failure(type="validation_error", message=in_words(error))
    if is_connection_error(error):
        return Failure(type="connection_error", message=_NO_CONNECTION)
    state = _state_of(error) or ""
    if state.startswith(_BAD_VALUE):
        return Failure(type="validation_error", message="A value is of a kind or size that its column cannot hold.")
    kind, message = _BY_STATE.get(state, ("database_error", _DATABASE_ERROR))
    return Failure(type=kind, message=_BY_CONSTRAINT.get(_constraint_of(error) or "", message))


def in_words(error: ValidationError) -> str:
    """Each field that is wrong and why, without the value that was given."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(
        f"{'.'.join(map(str, each['loc'])) or 'request'}: {str(each['msg']).removeprefix('Value error, ')}"
        for each in found
    )


def is_connection_error(error: Exception) -> bool:
    """Whether the database could not be reached or went away, as opposed to having refused."""
    if isinstance(error, sqlalchemy.exc.TimeoutError):
        return True
    state = _state_of(error)
    if state is not None:
        return state.startswith(_CONNECTION_STATES)
    cause = getattr(error, "orig", None)
    return isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)


def _state_of(error: Exception) -> str | None:
    """SQLSTATE; None when the failure is not the server's."""
    return getattr(getattr(error, "orig", None), "sqlstate", None)


def _constraint_of(error: Exception) -> str | None:
    cause = getattr(error, "orig", None)
    return cause.diag.constraint_name if isinstance(cause, psycopg.Error) else None
