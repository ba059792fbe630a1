"""Small histories as files, for tests of what a user meets."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

DAY = datetime(2026, 3, 2, tzinfo=UTC)


def run_record(number: int, hour: float, **more: Any) -> dict[str, Any]:
    """One run, `hour` hours into the day; `more` overrides its fields."""
    at = DAY + timedelta(hours=hour)
    return {
        "run_id": f"r{number}",
        "task_text": "Run the backend tests",
        "started_at": at.isoformat(),
        "ended_at": at.isoformat(),
        "exit_status": "completed",
        "cost_usd": 0.25,
        **more,
    }


def write(path: Path, *records: dict[str, Any]) -> str:
    """The records as JSON lines; the path."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return str(path)
