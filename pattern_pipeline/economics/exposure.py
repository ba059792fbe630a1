"""The time that the history covers: the denominator of every rate.

Belongs here: counting the days of a window. Does not belong here: finding out which days a source covers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True)
class Window:
    """A half-open span of event time, [start, end), both in UTC."""

    start: datetime
    end: datetime

    @classmethod
    def ending_with(cls, latest_event: datetime, days: int) -> "Window":
        """The last ``days`` calendar days (UTC) up to and including the day of the latest event in the data."""
        end = datetime.combine(latest_event.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
        return cls(end - timedelta(days=days), end)

    def __contains__(self, day: date) -> bool:
        return self.start.date() <= day < self.end.date()


@dataclass(frozen=True)
class Exposure:
    """Days of a window that history covers.

    Attributes:
        days: calendar days from the first to the last day with history, inclusive, without the gaps.
        gaps: the days in between that no source covers, in order.
    """

    days: int
    gaps: tuple[date, ...]


def exposure(days_with_history: Iterable[date], window: Window, gap_days: Iterable[date] = ()) -> Exposure:
    """Calendar days (UTC) from the first to the last day with history in the window; empty days count.

    Args:
        days_with_history: days on which any workflow has its event time; those outside the window are left out.
        window: the span that the estimate is about; it starts and ends at midnight.
        gap_days: days that no source covers; a day with history is never a gap.
    """
    seen = {day for day in days_with_history if day in window}
    if not seen:
        return Exposure(0, ())
    first, last = min(seen), max(seen)
    gaps = tuple(sorted({day for day in gap_days if first < day < last} - seen))
    return Exposure((last - first).days + 1 - len(gaps), gaps)
