"""The library: an endpoint for each of its operations, named like it, and drafts of what was approved.

What is asked for is the operation's contract: the query of a GET, the body of a POST. Who may only look may read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from pattern_pipeline.library import contracts
from pattern_pipeline.library.export import Draft, DraftFormat
from pattern_pipeline.library.results import ErrorType, Result
from pattern_pipeline.library.service import LibraryHealth, OperationLatency
from pattern_pipeline.web.problems import FieldProblem, Refused, documented
from pattern_pipeline.web.services import Caller, CallingReviewer, ServicesOf

router = APIRouter(prefix="/library", tags=["library"])

_CREATING: Final[tuple[type[contracts.Contract], ...]] = (
    contracts.Insert,
    contracts.BatchInsert,
    contracts.RecordUsage,
    contracts.CreateRelationship,
)
_CHANGING: Final[tuple[type[contracts.Contract], ...]] = (
    contracts.Update,
    contracts.Delete,
    contracts.UpdateStats,
    contracts.UpdateRelationship,
    contracts.ComputeAnalytics,
)
_READING: Final[tuple[type[contracts.Contract], ...]] = (
    contracts.GetById,
    contracts.Search,
    contracts.Filter,
    contracts.GetRelated,
    contracts.GetTop,
    contracts.GetByType,
    contracts.UsageTrends,
    contracts.QualityTrends,
    contracts.Effectiveness,
    contracts.GlobalStats,
)
_STATUSES: Final[dict[ErrorType, int]] = {
    "validation_error": 422,
    "not_found": 404,
    "conflict": 409,
    "unique_violation": 409,
    "foreign_key_violation": 422,
    "check_violation": 422,
    "not_null_violation": 422,
    "timeout": 503,
    "connection_error": 503,
    "database_error": 500,
}


@router.get("/export", responses=documented(404, 409, 422))
def draft_of(pattern_id: UUID, services: ServicesOf, form: Annotated[DraftFormat, Query(alias="format")]) -> Draft:
    """A draft of an automation, for a person to finish; nothing is run."""
    return services.library.export(pattern_id, form)


@router.get("/latency")
def latency(services: ServicesOf) -> list[OperationLatency]:
    """How long each operation takes, and how many failed, by the log of operations."""
    return services.library.latency()


@router.get("/health")
def library_health(services: ServicesOf) -> LibraryHealth:
    """Whether the database answers, how quickly, and how busy the connections are."""
    return services.library.health_check()


def _write(request: Any, services: ServicesOf, person: CallingReviewer) -> Result:
    return _answer(services, person.name, request)


def _read(request: Any, services: ServicesOf, person: Caller) -> Result:
    return _answer(services, person.name, request)


def _answer(services: ServicesOf, actor: str, request: contracts.Operation) -> Result:
    """The result of a success; a failure is a problem with the operation's error type as its code."""
    result = services.library.perform(request, actor=actor)
    if result.error is None:
        return result
    status, detail = _STATUSES[result.error.type], result.error.message
    errors: tuple[FieldProblem, ...] = ()
    if (index := result.error.failed_index) is not None:
        errors = (FieldProblem(field=f"templates.{index}", message=detail),)
        detail = f"template {index} of the batch: {detail}"
    headers = {"X-Correlation-Id": str(result.metadata.correlation_id)}
    if status == 503:
        headers["Retry-After"] = "5"
    raise Refused(status, result.error.type, detail, headers, errors)


def _of(endpoint: Callable[..., Result], contract: type[BaseModel], request: object) -> Callable[..., Result]:
    """An endpoint that takes its contract as FastAPI is told by `request`."""

    def asked(request: Any, services: Any, person: Any) -> Result:
        return endpoint(request, services, person)

    person = CallingReviewer if endpoint is _write else Caller
    asked.__annotations__ = {"request": request, "services": ServicesOf, "person": person, "return": Result}
    asked.__name__, asked.__doc__ = contract.model_fields["operation"].default, contract.__doc__
    return asked


def _path(contract: type[BaseModel]) -> str:
    return "/" + str(contract.model_fields["operation"].default).replace("_", "-")


for _contract in _CREATING:
    router.post(_path(_contract), status_code=201, responses=documented(404, 409, 411, 413, 422))(
        _of(_write, _contract, _contract)
    )
for _contract in _CHANGING:
    router.post(_path(_contract), responses=documented(404, 409, 411, 413, 422))(_of(_write, _contract, _contract))
for _contract in _READING:
    router.get(_path(_contract), responses=documented(404, 422))(_of(_read, _contract, Annotated[_contract, Query()]))
# Conditions on columns are a document, and none that a URL could hold.
router.post(_path(contracts.QueryTemplates), responses=documented(411, 413, 422))(
    _of(_read, contracts.QueryTemplates, contracts.QueryTemplates)
)
