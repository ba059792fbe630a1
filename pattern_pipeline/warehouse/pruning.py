"""Pruning Dagster's own tables, which otherwise grow for ever: logs of old runs, and what newer events replaced.

What tells the state of an asset is kept at any age: the newest materialisation and observation of each partition, and
the newest evaluation of each check. Dagster has no such job; deleting whole runs would make partitions look missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pattern_pipeline.warehouse.database import Warehouse

BATCH: Final = 10_000
"""Rows that one transaction looks at."""


@dataclass(frozen=True)
class Pruned:
    """Rows that were removed."""

    events: int = 0
    runs: int = 0
    checks: int = 0


def prune(dagster: Warehouse, before: datetime, batch: int = BATCH) -> Pruned:
    """Remove what is older than a moment and no longer tells the state of anything; again: nothing.

    Args:
        dagster: Dagster's database.
        before: A UTC time.
        batch: Rows that one transaction looks at.
    """
    with dagster.transaction() as tx:
        if not tx.scalar("dagster/has_event_log"):  # Dagster keeps its tables elsewhere
            return Pruned()
    old = before.replace(tzinfo=None)  # Dagster stores UTC without a time zone
    with dagster.transaction() as tx:
        checks = tx.run("dagster/prune_checks", before=old)
    events = after = 0
    while True:
        with dagster.transaction() as tx:
            upto = tx.scalar("dagster/next_events", after=after, before=old, batch=batch)
            if upto is None:
                break
            events += tx.scalar("dagster/prune_events", after=after, upto=upto, before=old)
            after = upto
    runs = 0
    while True:
        with dagster.transaction() as tx:
            removed = tx.run("dagster/prune_runs", before=old, batch=batch)
        runs += removed
        if removed == 0:
            return Pruned(events, runs, checks)
