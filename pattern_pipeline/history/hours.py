"""Hours of history: closing them, and finding those that changed since.

An hour is compared by generation, never by clock: a merge raises the generation of each hour that it touches, closing
stores the generation that it read under the row's lock. What is derived from an hour belongs to the rooms above.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pattern_pipeline.warehouse.database import Transaction


@dataclass(frozen=True)
class ClosedHour:
    """What one hour of history held when it was closed; runs superseded by a better source are left out.

    Attributes:
        hour: Its beginning, UTC.
        generation: Of the hour's last merge that is counted here.
        workflow_count: Runs whose event time lies in the hour.
        step_count: Their steps.
        spend_usd: Sum of their costs, billed or priced.
        priced_count: Runs that have a cost.
        content_hash: Equal for equal runs with equal contents.
    """

    hour: datetime
    generation: int
    workflow_count: int
    step_count: int
    spend_usd: Decimal
    priced_count: int
    content_hash: str


def close_hours(tx: Transaction, start: datetime, end: datetime) -> list[ClosedHour]:
    """Counts every hour of [start, end) that has, or ever had, history; the hours stay locked until `tx` ends.

    Three statements on purpose: each sees what was committed before it began, so the counts are taken after the locks.
    """
    tx.run("history/add_missing_hours", start=start, end=end)
    tx.rows("history/lock_hours", start=start, end=end)
    closed = (ClosedHour(**row) for row in tx.rows("history/close_hours", start=start, end=end))
    return sorted(closed, key=lambda each: each.hour)


@dataclass(frozen=True)
class StaleHour:
    """An hour that must be closed, detected or counted again.

    Attributes:
        hour: Its beginning, UTC.
        generation: Of the newest merge that touched it.
        was_closed: It was computed before, so that what made it stale came late.
    """

    hour: datetime
    generation: int
    was_closed: bool


def stale_hours(tx: Transaction, start: datetime, end: datetime, most: int | None = None) -> list[StaleHour]:
    """Hours of [start, end) that do not stand on their newest history and the active versions, in order.

    Args:
        tx: A transaction.
        start: First hour.
        end: Behind the last hour.
        most: How many are looked at; None: all.
    """
    return [StaleHour(**row) for row in tx.rows("history/stale_hours", start=start, end=end, most=most)]
