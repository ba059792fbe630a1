"""Uses of templates that follow from history: reported executions, and nothing else.

An occurrence of an approved pattern is the agent still doing it by hand: that is a missed use (`v_missed_uses`), never
a use. Recording single uses is an operation (`recording`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from pattern_pipeline.patterns.windows import Window
from pattern_pipeline.warehouse.database import Transaction, Warehouse


@dataclass(frozen=True)
class HourOfUses:
    """The uses of one hour."""

    hour: datetime
    uses: int
    successes: int
    templates: int


@dataclass(frozen=True)
class Uses:
    """What deriving the uses of a window came to: rows written, and the uses of its hours that have any."""

    written: int
    hours: tuple[HourOfUses, ...]


def derive_window(warehouse: Warehouse, window: Window) -> Uses:
    """Make the executions that took place or were recorded in the window uses; what is one already stays one.

    Also those recorded in it, since a report may come later than the run of its hour.
    """
    with warehouse.transaction() as tx:
        written = tx.run("library/derive_events", **window.params, templates=[])
        rows = tx.rows("library/window_uses", **window.params)
    return Uses(written, tuple(HourOfUses(**row) for row in rows))


def derive_all_of(tx: Transaction, templates: Sequence[UUID]) -> int:
    """Make every execution of the patterns of some templates a use, whenever it took place; the rows written."""
    never = datetime(1970, 1, 1, tzinfo=UTC)
    return tx.run("library/derive_events", window_start=never, window_end=never, templates=list(templates))
