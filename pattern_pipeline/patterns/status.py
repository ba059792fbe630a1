"""Status: what is landed, closed, waiting and quarantined, as plain data."""

from datetime import UTC, date, datetime, time
from typing import Any

from pattern_pipeline.history.hours import stale_hours
from pattern_pipeline.history.report import Edges
from pattern_pipeline.history.retention import retention_notes
from pattern_pipeline.patterns.report import plain
from pattern_pipeline.patterns.versions import progress
from pattern_pipeline.patterns.windows import floor_hour
from pattern_pipeline.warehouse.database import Warehouse


def status(warehouse: Warehouse, start_date: date, window_days: int) -> dict[str, Any]:
    """The installation at a glance.

    Args:
        warehouse: A migrated warehouse.
        start_date: Hours before it have no partition and are never computed.
        window_days: Of the window that rates are of.
    """
    start, now = datetime.combine(start_date, time(), UTC), datetime.now(UTC)
    state = progress(warehouse)
    with warehouse.transaction() as tx:
        totals = dict(tx.one("patterns/overview") or {})
        totals.pop("quarantined")
        edges = Edges(**dict(tx.one("history/edges_of_time", first_partition=start) or {}))
        days = tx.rows("patterns/history_days", window_days=window_days)
        sources = [plain(dict(row)) for row in tx.rows("patterns/sources")]
        kept = [source["location"] for source in sources if not source["gone_since"]]
        return {
            "history": plain(totals),
            "hours": {
                "closed": state.hours,
                "stale": len(stale_hours(tx, start, floor_hour(now))),
                "state": str(state),
            },
            "outside_partitions": {"runs": edges.outside, "start_date": start_date.isoformat()},
            "running_hour": edges.running_hour,
            "coverage": {
                "window_days": window_days,
                "days": sum(row["covered"] for row in days),
                "uncovered_days": [row["day"].isoformat() for row in days if not row["covered"]],
            },
            "notes": [*edges.notes(start_date), *retention_notes(kept, window_days)],
            "queue": {row["status"]: row["patterns"] for row in tx.rows("patterns/queue_counts")},
            "quarantine": {row["reason"]: row["records"] for row in tx.rows("patterns/quarantine_counts")},
            "sources": sources,
        }
