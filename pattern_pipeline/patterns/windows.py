"""Windows of hours, and how they are cut into chunks of bounded work.

Every derived table is replaced by window, one transaction per chunk. What a chunk does is not decided here.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pattern_pipeline.warehouse.database import Warehouse

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# Runs and steps that one transaction handles: enough to be quick, and little enough that reading the next while one is
# stored pays, and that the process stays well below 450 MB with real task texts.
CHUNK_WEIGHT = 50_000
# Beyond a handful of runs, computing the empty hours between stale ones costs less than starting more runs.
WIDE_GAP = timedelta(hours=168)


@dataclass(frozen=True, order=True)
class Window:
    """A half-open range of whole UTC hours."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for edge in (self.start, self.end):
            if edge.tzinfo is None or edge != floor_hour(edge):
                raise ValueError(f"{edge!r} is not a whole hour with a time zone")
        if self.end <= self.start:
            raise ValueError(f"empty window: {self.start} to {self.end}")

    def hours(self) -> Iterator[datetime]:
        """Each hour's start."""
        hour = self.start
        while hour < self.end:
            yield hour
            hour += HOUR

    @property
    def params(self) -> dict[str, Any]:
        """The bind parameters that every window statement takes."""
        return {"window_start": self.start, "window_end": self.end}


Committed = Callable[[Window], None]
"""Told of each part of a window as soon as its rows are committed."""


def nobody(_: Window) -> None:
    """A `Committed` that does not matter."""


@dataclass(frozen=True)
class Chunk:
    """A part of a window for one transaction; an hour too heavy to hold in memory is read in `slices`."""

    window: Window
    slices: int


def floor_hour(moment: datetime) -> datetime:
    """The start of the UTC hour that holds `moment`."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def ceil_hour(moment: datetime) -> datetime:
    """The first whole UTC hour not before `moment`."""
    floor = floor_hour(moment)
    return floor if floor == moment else floor + HOUR


def plan_chunks(warehouse: Warehouse, window: Window, limit: int = CHUNK_WEIGHT) -> list[Chunk]:
    """Cut `window` at hours so that no chunk holds more than `limit` runs and steps, a single hour excepted.

    The chunks cover the window without a gap, empty hours included: rows of runs that left an hour must go too.
    """
    with warehouse.transaction() as tx:
        weights = [(row["hour"], row["weight"]) for row in tx.rows("patterns/hour_weights", **window.params)]
    return cut(window, weights, limit)


def cut(window: Window, weights: Iterable[tuple[datetime, int]], limit: int) -> list[Chunk]:
    """The chunks of `window`, given the weight of its hours in order (hours without weight left out)."""
    chunks: list[Chunk] = []
    start, load = window.start, 0
    for hour, weight in weights:
        if load and load + weight > limit:
            chunks.append(Chunk(Window(start, hour), slices=-(-load // limit)))
            start, load = hour, 0
        load += weight
    chunks.append(Chunk(Window(start, window.end), slices=max(1, -(-load // limit))))
    return chunks


def contiguous(hours: Iterable[datetime], gap: timedelta = timedelta(0)) -> list[Window]:
    """Merge sorted hours into windows; hours up to `gap` apart share one."""
    windows: list[Window] = []
    for hour in hours:
        if windows and hour <= windows[-1].end + gap:
            windows[-1] = Window(windows[-1].start, hour + HOUR)
        else:
            windows.append(Window(hour, hour + HOUR))
    return windows


def grouped(hours: Sequence[datetime], most: int) -> list[Window]:
    """Windows that hold the sorted hours: exactly these while that takes at most `most` windows, else with gaps."""
    exact = contiguous(hours)
    return exact if len(exact) <= most else contiguous(hours, WIDE_GAP)


def by_day(window: Window, days: int = 7) -> list[Window]:
    """Cut a window at UTC midnights into parts of at most `days` days, so that no transaction grows without bound."""
    parts: list[Window] = []
    start = window.start
    while start < window.end:
        end = min(window.end, floor_day(start) + days * DAY)
        parts.append(Window(start, end))
        start = end
    return parts


def floor_day(moment: datetime) -> datetime:
    """The start of the UTC day that holds `moment`, a UTC time."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
