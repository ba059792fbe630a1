"""Status: what is landed, closed, waiting and quarantined, as plain data."""

from datetime import UTC, date, datetime, time
from typing import Any

from pattern_pipeline.history.hours import stale_hours
from pattern_pipeline.patterns.report import plain
from pattern_pipeline.patterns.versions import progress
from pattern_pipeline.patterns.windows import floor_hour
from pattern_pipeline.warehouse.database import Warehouse


def status(warehouse: Warehouse, start_date: date) -> dict[str, Any]:
    """The installation at a glance; hours before `start_date` have no partition and are never computed."""
    start, now = datetime.combine(start_date, time(), UTC), datetime.now(UTC)
    state = progress(warehouse)
    with warehouse.transaction() as tx:
        totals = dict(tx.one("patterns/overview") or {})
        totals.pop("quarantined")
        outside = tx.scalar("patterns/count_outside", start=start, end=floor_hour(now))
        return {
            "history": plain(totals),
            "hours": {
                "closed": state.hours,
                "stale": len(stale_hours(tx, start, floor_hour(now))),
                "state": str(state),
            },
            "outside_partitions": {"runs": outside, "start_date": start_date.isoformat()},
            "queue": {row["status"]: row["patterns"] for row in tx.rows("patterns/queue_counts")},
            "quarantine": {row["reason"]: row["records"] for row in tx.rows("patterns/quarantine_counts")},
            "sources": [plain(dict(row)) for row in tx.rows("patterns/sources")],
        }
