"""Days of the library: the quality of its templates and the analytics of their uses, computed anew for whole days.

What an operation computes on demand is in `analytics`; the formulas are in SQL.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pattern_pipeline.patterns.windows import Window
from pattern_pipeline.warehouse.database import Warehouse

DAY: Final = timedelta(days=1)
QUALITY_VERSION: Final = "1"
"""Of the formula in `library/measure_quality`: part of each row, so that a new one is measured anew."""


@dataclass(frozen=True)
class DayOfUses:
    """The analytics of one day: templates used or missed, uses, and uses that were missed."""

    day: datetime
    templates: int
    uses: int
    missed_uses: int


def measure_quality(warehouse: Warehouse, window: Window) -> int:
    """Measure every template at the end of each day of the window; the number of rows that changed."""
    written = 0
    for day in _days(window):
        with warehouse.transaction() as tx:
            tx.lock("pattern_quality_metrics")
            written += tx.run("library/measure_quality", day_end=day + DAY, version=QUALITY_VERSION)
    return written


def compute_days(warehouse: Warehouse, window: Window) -> tuple[DayOfUses, ...]:
    """Compute the analytics of each day of the window, of all templates together and of each used or missed one."""
    computed = []
    for day in _days(window):
        period = {"period_start": day, "period_end": day + DAY}
        with warehouse.transaction() as tx:
            tx.lock("pattern_analytics")
            stored = tx.rows("library/store_period", **period)[0]
            tx.run("library/drop_outdated_analytics", **period)
        computed.append(DayOfUses(day=day, **stored))
    return tuple(computed)


def _days(window: Window) -> Iterator[datetime]:
    day = window.start
    while day < window.end:
        yield day
        day += DAY
