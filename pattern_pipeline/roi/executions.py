"""Recording what automations did: executions, and savings that are reported by themselves.

Each report carries a key of its sender's. The same key with the same content changes nothing and gives the same answer;
with another content it is refused. What follows from executions is derived in `realised`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

import orjson
import polars as pl
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.errors import Conflict, InvalidInput, NotFound
from pattern_pipeline.history.redaction import Redactor
from pattern_pipeline.review.queue import Amount
from pattern_pipeline.roi.realised import LOCK, derive
from pattern_pipeline.warehouse.database import Transaction, Warehouse

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far ahead of ours the clock of a reporter may be."""

Key = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Reference = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=r"^[^\x00]*$")
]
Usd = Annotated[Decimal, Field(allow_inf_nan=False, max_digits=24, decimal_places=12)]
Seconds = Annotated[Decimal, Field(ge=0, allow_inf_nan=False, max_digits=18, decimal_places=6)]
Tokens = Annotated[int, Field(ge=0, le=2**62)]


class Report(BaseModel):
    """A report from outside; an unknown field is an error, so that a misspelt one is not lost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    idempotency_key: Key
    workflow_id: Reference | None = None
    """The run it belongs to, as `<namespace>:<id>`; it need not have landed yet."""


class ExecutionReport(Report):
    """One use of an automation. Money is USD; what is not known is left out, never 0.

    Attributes:
        pattern: Signature or number.
        estimated_cost: Kept as reported; the baseline is that of the approved estimate.
        executed_at: Now, if not given.
    """

    pattern: Reference
    success: bool
    actual_cost: Annotated[Usd, Field(ge=0)] | None = None
    estimated_cost: Annotated[Usd, Field(ge=0)] | None = None
    execution_time_seconds: Seconds | None = None
    estimated_time_seconds: Seconds | None = None
    tokens: Tokens | None = None
    error_message: Annotated[str, Field(max_length=20_000)] | None = None
    executed_at: AwareDatetime | None = None


class SavingReport(Report):
    """A saving that is not an execution's, such as a prompt that was split.

    Attributes:
        pattern: Signature or number, if it is about one.
        cost_saved_usd: Negative if it cost more.
        saved_at: Now, if not given.
    """

    optimization_type: Literal["tool_call", "input_split", "pattern_offload", "inverted_flow"]
    pattern: Reference | None = None
    baseline_tokens: Tokens | None = None
    actual_tokens: Tokens | None = None
    cost_saved_usd: Usd | None = None
    notes: Annotated[str, Field(max_length=20_000)] | None = None
    saved_at: AwareDatetime | None = None


class Execution(BaseModel):
    """An execution as it is stored.

    Attributes:
        cost_saved_usd: Against the baseline; None without a reported cost or without a baseline.
        repeated: The key was known already: nothing was written.
    """

    execution_id: int
    idempotency_key: str
    pattern_signature: str
    workflow_id: str | None
    success: bool
    execution_time_seconds: Amount | None
    estimated_time_seconds: Amount | None
    actual_cost: Amount | None
    estimated_cost: Amount | None
    tokens: int | None
    error_message: str | None
    reported_by: str
    executed_at: datetime
    cost_saved_usd: Amount | None
    repeated: bool = False


class Saving(BaseModel):
    """A saving as it is stored; `saved_tokens` is None unless both counts were reported."""

    saving_id: int
    idempotency_key: str
    optimization_type: str
    pattern_signature: str | None
    workflow_id: str | None
    baseline_tokens: int | None
    actual_tokens: int | None
    saved_tokens: int | None
    cost_saved_usd: Amount | None
    notes: str | None
    reported_by: str
    saved_at: datetime
    repeated: bool = False


def record_execution(warehouse: Warehouse, report: ExecutionReport, *, policy: Policy, reported_by: str) -> Execution:
    """Store one use of an automation with its saving, and derive the pattern's realised figures, in one transaction.

    Raises:
        InvalidInput: It lies in the future.
        NotFound: No such pattern.
        Conflict: The key is known with another content.
    """
    _check_time("executed_at", report.executed_at)
    fields = _redacted(report.model_dump(exclude={"pattern"}), "error_message", policy)
    with warehouse.transaction() as tx:
        tx.lock(LOCK)
        pattern_id, _ = find_pattern(tx, report.pattern)
        content = _content_hash({**fields, "pattern_id": pattern_id})
        known = _known(tx, "roi/known_execution", report.idempotency_key, content)
        if known is None:
            execution_id = tx.scalar(
                "roi/add_execution", **fields, pattern_id=pattern_id, content_hash=content, reported_by=reported_by
            )
            tx.run("roi/add_execution_saving", execution_id=execution_id)
            derive(tx, [pattern_id], policy.roi)
        else:
            execution_id = known["execution_id"]
        stored = tx.one("roi/execution", execution_id=execution_id)
        return Execution.model_validate({**dict(stored or {}), "repeated": known is not None})


def record_saving(warehouse: Warehouse, report: SavingReport, *, policy: Policy, reported_by: str) -> Saving:
    """Store a saving that is reported by itself.

    Raises:
        InvalidInput: It lies in the future.
        NotFound: No such pattern.
        Conflict: The key is known with another content.
    """
    _check_time("saved_at", report.saved_at)
    fields = _redacted(report.model_dump(exclude={"pattern"}), "notes", policy)
    with warehouse.transaction() as tx:
        tx.lock(LOCK)
        pattern_id = None if report.pattern is None else find_pattern(tx, report.pattern)[0]
        content = _content_hash({**fields, "pattern_id": pattern_id})
        known = _known(tx, "roi/known_saving", report.idempotency_key, content)
        if known is None:
            saving_id = tx.scalar(
                "roi/add_saving", **fields, pattern_id=pattern_id, content_hash=content, reported_by=reported_by
            )
        else:
            saving_id = known["saving_id"]
        stored = tx.one("roi/saving", saving_id=saving_id)
        return Saving.model_validate({**dict(stored or {}), "repeated": known is not None})


def find_pattern(tx: Transaction, reference: str) -> tuple[int, str]:
    """Number and signature of a pattern.

    Raises:
        NotFound: No such pattern.
    """
    found = tx.one("review/find_pattern", reference=reference)
    if found is None:
        raise NotFound(
            f"pattern {reference!r}: there is none of that signature or number; see `pattern-pipeline patterns list`"
        )
    return found["pattern_id"], found["pattern_signature"]


def _check_time(field: str, moment: datetime | None) -> None:
    if moment is not None and moment > datetime.now(UTC) + CLOCK_SKEW:
        raise InvalidInput(f"{field}: {moment.isoformat()} lies in the future")


def _redacted(fields: dict[str, Any], text: str, policy: Policy) -> dict[str, Any]:
    """The fields with secrets taken out of the one that is free text."""
    if fields[text] is None:
        return fields
    clean, _ = Redactor(policy.redaction).text(pl.Series([fields[text]]))
    return {**fields, text: clean.item()}


def _content_hash(fields: Mapping[str, Any]) -> str:
    """SHA-256 of what was reported, equal for equal values: 0.10 is 0.1, and a time is the same in every zone."""

    def plain(value: Any) -> str:
        if isinstance(value, datetime):
            return value.astimezone(UTC).isoformat()
        return format(value.normalize(), "f") if isinstance(value, Decimal) else str(value)

    stated = {
        name: value if isinstance(value, bool) else plain(value) for name, value in fields.items() if value is not None
    }
    return hashlib.sha256(orjson.dumps(stated, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _known(tx: Transaction, statement: str, key: str, content: str) -> Mapping[str, Any] | None:
    """The row that has this key already, if any."""
    row = tx.one(statement, idempotency_key=key)
    if row is not None and row["content_hash"] != content:
        raise Conflict(f"idempotency_key {key!r}: it was used for another report; give each report a key of its own")
    return dict(row) if row else None
