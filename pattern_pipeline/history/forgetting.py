"""Forgetting a source on purpose: all that only it supplied goes, and its hours are computed anew by the next run.

The one way to take runs back of a source that is still there or never comes back; what merely vanishes deletes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pattern_pipeline.errors import NotFound
from pattern_pipeline.history import ledger
from pattern_pipeline.history.merge import MergeCounts, remove
from pattern_pipeline.history.requests import canonical
from pattern_pipeline.warehouse.database import Warehouse


@dataclass(frozen=True)
class Forgotten:
    """What was forgotten.

    Attributes:
        locations: Files and tables.
        runs_deleted: Runs that no other source supplies.
        still_configured: Sources that bring the same files again, unless these are moved away.
    """

    locations: tuple[str, ...]
    runs_deleted: int
    still_configured: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "locations": list(self.locations),
            "runs_deleted": self.runs_deleted,
            "still_configured": list(self.still_configured),
        }


def forget(warehouse: Warehouse, spec: str) -> Forgotten:
    """Removes a source by spec or location, with the runs that only it supplied.

    Where a run's best version came from it and other sources have another one, the next landing reads those again.

    Raises:
        NotFound: no such source was ever configured or read.
    """
    names = {spec, canonical(spec)}
    with warehouse.transaction() as tx:
        sources = [source for name in sorted(names) for source in ledger.sources_of(tx, name)]
        configured = {each.spec for each in ledger.configured_sources(tx)}
    if not sources and not configured & names:
        raise NotFound(f"No source {canonical(spec)} was ever ingested; `pattern-pipeline status` lists the sources.")
    runs = MergeCounts()
    for source in sources:
        with ledger.source_lock(warehouse, source.location), warehouse.bulk() as bulk:
            runs += remove(bulk, source)
    # Last, so that what an interruption leaves can still be named.
    with warehouse.transaction() as tx:
        for name in sorted(configured & names):
            tx.run("history/remove_spec", spec=name)
    still = sorted({source.spec for source in sources if source.spec is not None} & configured - names)
    return Forgotten(tuple(source.location for source in sources), runs.deleted, tuple(still))
