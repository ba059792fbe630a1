"""Analytics on demand: a period's figures, trends, effectiveness and the library as a whole.

Each function performs one operation inside the caller's transaction. Whole days are computed in `days`; the figures
themselves are views and functions in SQL.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from pattern_pipeline.library.contracts import (
    ComputeAnalytics,
    Effectiveness,
    GlobalStats,
    QualityTrends,
    UsageTrends,
)
from pattern_pipeline.library.outcomes import Outcome, listed, no_template, plain
from pattern_pipeline.warehouse.database import Transaction

DEFAULT_PERIOD: Final = timedelta(days=30)


def compute_analytics(tx: Transaction, request: ComputeAnalytics, actor: str) -> Outcome:
    """The row of `pattern_analytics`; computed again, it is the same row.

    Raises:
        IntegrityError: No such template.
    """
    row = plain(tx.rows("library/store_analytics", pattern_id=request.pattern_id, **period_of(request))[0])
    return Outcome(row, 1, request.pattern_id, after={"id": row["id"]})


def usage_trends(tx: Transaction, request: UsageTrends, actor: str) -> Outcome:
    """A row for each day, week or month of the period, also for those without any use."""
    found = listed(
        tx.rows("library/usage_trends", pattern_id=request.pattern_id, bucket=request.bucket, **period_of(request))
    )
    return Outcome(found.data, found.count, request.pattern_id)


def quality_trends(tx: Transaction, request: QualityTrends, actor: str) -> Outcome:
    """A row for each day on which the template was used."""
    found = listed(tx.rows("library/quality_trends", pattern_id=request.pattern_id, **period_of(request)))
    return Outcome(found.data, found.count, request.pattern_id)


def effectiveness(tx: Transaction, request: Effectiveness, actor: str) -> Outcome:
    """Rows of `v_pattern_effectiveness`, best first, or that of one template.

    Raises:
        NotFound: No such template.
    """
    found = listed(
        tx.rows("library/effectiveness", pattern_id=request.pattern_id, limit=request.limit, offset=request.offset)
    )
    if request.pattern_id is not None and not found.count and not request.offset:
        raise no_template(request.pattern_id)
    return Outcome(found.data, found.count, request.pattern_id)


def global_stats(tx: Transaction, request: GlobalStats, actor: str) -> Outcome:
    """The row of `v_global_pattern_stats`."""
    return Outcome(plain(tx.rows("library/global_stats")[0]), 1)


def period_of(request: ComputeAnalytics | UsageTrends | QualityTrends) -> dict[str, Any]:
    """The period asked for; it ends with today unless told otherwise, so that all day a request is the same row."""
    end = request.period_end
    if end is None and request.period_start is not None:
        end = max(_end_of_today(), request.period_start + timedelta(days=1))
    end = end or _end_of_today()
    return {"period_start": request.period_start or end - DEFAULT_PERIOD, "period_end": end}


def _end_of_today() -> datetime:
    return datetime.combine(datetime.now(UTC).date() + timedelta(days=1), time(), UTC)
