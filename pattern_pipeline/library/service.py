"""Performing operations: the one way in for the command line, the API and programs.

An operation is one transaction, and its result never an exception. What it did, or failed at, is recorded after its own
transaction has ended, so that a rollback leaves its row as well. What single operations do is not here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID, uuid4

import orjson
import polars as pl
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import QueuePool

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.errors import Conflict
from pattern_pipeline.history.redaction import Redactor
from pattern_pipeline.library import analytics, queries, recording, storage
from pattern_pipeline.library.contracts import OPERATION, Contract, Operation
from pattern_pipeline.library.export import Draft, DraftFormat, draft
from pattern_pipeline.library.observed import observed
from pattern_pipeline.library.outcomes import Outcome, no_template
from pattern_pipeline.library.results import FAILURES, Failure, Metadata, Result, failure_of, is_connection_error
from pattern_pipeline.warehouse.database import Transaction, Warehouse

STATEMENT_TIMEOUT_MS: Final = 60_000
RETRY_SECONDS: Final = (0.1, 0.4, 1.0)
"""Pauses before a lost connection is tried again."""

_HANDLERS: Final[Mapping[str, Callable[[Transaction, Any, str], Outcome]]] = {
    "insert": storage.insert,
    "update": storage.update,
    "delete": storage.delete,
    "batch_insert": storage.batch_insert,
    "query": storage.query,
    "get_by_id": queries.get_by_id,
    "search": queries.search,
    "filter": queries.filter_templates,
    "get_related": queries.get_related,
    "get_top": queries.get_top,
    "get_by_type": queries.get_top,
    "record_usage": recording.record_usage,
    "update_stats": recording.update_stats,
    "create_relationship": recording.create_relationship,
    "update_relationship": recording.update_relationship,
    "compute_analytics": analytics.compute_analytics,
    "usage_trends": analytics.usage_trends,
    "quality_trends": analytics.quality_trends,
    "effectiveness": analytics.effectiveness,
    "global_stats": analytics.global_stats,
}
_LOG: Final = logging.getLogger(__name__)


class PoolStatistics(BaseModel):
    """Connections of the pool: `size` are kept, `most` there can be, `in_use` and `idle` there are."""

    size: int
    most: int
    in_use: int
    idle: int


class LibraryHealth(BaseModel):
    """Whether the database answers, and how quickly."""

    healthy: bool
    latency_ms: float
    error: Failure | None
    pool: PoolStatistics


class OperationLatency(BaseModel):
    """How long an operation takes, in milliseconds, by the log."""

    operation: str
    calls: int
    failures: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    last_call: datetime


class Library:
    """The operations on a warehouse; usable from any thread.

    Args:
        warehouse: An open one; it stays the caller's.
        policy: Says what is a secret: none is stored.
        statement_timeout_ms: How long one statement may take.
    """

    def __init__(
        self, warehouse: Warehouse, policy: Policy, *, statement_timeout_ms: int = STATEMENT_TIMEOUT_MS
    ) -> None:
        self._warehouse = warehouse
        self._policy = policy
        self._redactor = Redactor(policy.redaction)
        self._statement_timeout_ms = statement_timeout_ms

    def perform(self, request: Operation | Mapping[str, Any], *, actor: str = "system") -> Result:
        """Perform an operation in the name of somebody.

        Args:
            request: A contract, or the plain data of one.
            actor: Who asks; stands in the log, and as the creator of what is new.
        """
        started = time.perf_counter()
        correlation_id = _correlation_of(request)
        contract: Operation | None = None
        try:
            contract = request if isinstance(request, Contract) else OPERATION.validate_python(request)
            contract = self._without_secrets(contract.model_copy(update={"correlation_id": correlation_id}))
            outcome, failure = self._attempt(contract, actor), None
        except (*FAILURES, ValidationError) as error:
            outcome, failure = Outcome(None, 0), failure_of(error)
        result = Result(
            success=failure is None,
            data=outcome.data,
            error=failure,
            metadata=Metadata(
                operation=_name_of(request),
                correlation_id=correlation_id,
                duration_ms=round((time.perf_counter() - started) * 1e3, 3),
                result_count=outcome.count,
            ),
        )
        self._record(result, outcome, contract, actor)
        return result

    def health_check(self) -> LibraryHealth:
        """Ask the database for a sign of life."""
        started = time.perf_counter()
        failure = None
        try:
            with self._warehouse.transaction() as tx:
                tx.scalar("warehouse/ping")
        except SQLAlchemyError as error:
            failure = failure_of(error)
        return LibraryHealth(
            healthy=failure is None,
            latency_ms=round((time.perf_counter() - started) * 1e3, 3),
            error=failure,
            pool=self.pool_statistics(),
        )

    def export(self, pattern_id: UUID, form: DraftFormat) -> Draft:
        """A draft of an automation; see `export.draft`.

        Raises:
            NotFound: No such template.
            Conflict: It is deprecated.
        """
        with self._warehouse.transaction() as tx:
            row = tx.one("library/template", pattern_id=pattern_id)
        if row is None:
            raise no_template(pattern_id)
        if row["is_deprecated"]:
            raise Conflict(f"template {pattern_id}: it is deprecated, so nothing is made of it")
        template = dict(row)
        return draft(template, form, self._policy, observed(self._warehouse, self._policy, template))

    def latency(self) -> list[OperationLatency]:
        """Every operation that was ever performed."""
        with self._warehouse.transaction() as tx:
            return [OperationLatency.model_validate(dict(row)) for row in tx.rows("library/latency")]

    def pool_statistics(self) -> PoolStatistics:
        """How busy the connections are."""
        pool = cast(QueuePool, self._warehouse.engine.pool)
        most = pool.size() + pool._max_overflow
        return PoolStatistics(size=pool.size(), most=most, in_use=pool.checkedout(), idle=pool.checkedin())

    def _attempt(self, contract: Operation, actor: str) -> Outcome:
        """Perform it, again after a lost connection: unless only the commit was left, whose fate nobody knows then."""
        pauses = iter(RETRY_SECONDS)
        while True:
            is_done = False
            try:
                with self._warehouse.transaction() as tx:
                    tx.run("library/limit_time", milliseconds=self._statement_timeout_ms)
                    outcome = _HANDLERS[contract.operation](tx, contract, actor)
                    is_done = True
                return outcome
            except SQLAlchemyError as error:
                pause = next(pauses, None)
                # A pool without a free connection has waited long enough already.
                if is_done or pause is None or isinstance(error, PoolTimeout) or not is_connection_error(error):
                    raise
                time.sleep(pause)

    def _without_secrets(self, contract: Operation) -> Operation:
        """What is to be stored, with marks in place of secrets."""
        if not contract.changes:
            return contract
        text = contract.model_dump_json(exclude_unset=True)
        clean = self._redactor.json(pl.Series([text]))[0].item()
        if clean == text:
            return contract
        return type(contract).model_validate_json(clean)

    def _record(self, result: Result, outcome: Outcome, contract: Operation | None, actor: str) -> None:
        """Write the log's row, in a transaction of its own; that it cannot be written fails nobody."""
        pattern_id = outcome.pattern_id or getattr(contract, "pattern_id", None)
        failed_index = result.error.failed_index if result.error else None
        context = {"failed_index": failed_index} if failed_index is not None else {}
        try:
            with self._warehouse.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                Transaction(connection).run(
                    "library/log_operation",
                    actor=actor,
                    operation=result.metadata.operation,
                    pattern_id=pattern_id,
                    correlation_id=result.metadata.correlation_id,
                    success=result.success,
                    error_type=result.error.type if result.error else None,
                    duration_ms=result.metadata.duration_ms,
                    before=_json(outcome.before),
                    after=_json(outcome.after),
                    context=_json({**context, "result_count": result.metadata.result_count}),
                )
        except SQLAlchemyError as error:
            _LOG.warning(
                "the %s of correlation id %s is not in the log: %s",
                result.metadata.operation,
                result.metadata.correlation_id,
                failure_of(error).message,
            )


def _correlation_of(request: Operation | Mapping[str, Any]) -> UUID:
    """The caller's id, also of a request that is otherwise wrong; else a new one."""
    given = request.correlation_id if isinstance(request, Contract) else _given(request, "correlation_id")
    try:
        return given if isinstance(given, UUID) else UUID(str(given))
    except ValueError:
        return uuid4()


def _name_of(request: Operation | Mapping[str, Any]) -> str:
    name = request.operation if isinstance(request, Contract) else _given(request, "operation")
    return name if isinstance(name, str) and name in _HANDLERS else "unknown"


def _given(request: object, name: str) -> Any:
    """A field of plain data, whatever else somebody has put in its place."""
    return request.get(name) if isinstance(request, Mapping) else None


def _json(document: Mapping[str, Any] | None) -> str | None:
    return None if document is None else orjson.dumps(dict(document), default=str).decode()
