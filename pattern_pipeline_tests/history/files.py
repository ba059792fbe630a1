"""Small source files, and landing them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pattern_pipeline.detection.policy import Policy, load_policy
from pattern_pipeline.history.landing import land
from pattern_pipeline.history.report import LandingReport
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse


@cache
def default_policy() -> Policy:
    """The shipped policy."""
    return load_policy("default")


def landed(warehouse: Warehouse, *specs: Path | str, **arguments: Any) -> LandingReport:
    """Lands these sources under the shipped policy; none: every configured one."""
    given = [str(spec) for spec in specs]
    return land(warehouse, given, policy=default_policy(), settings=Settings(), **arguments)


def record(number: int, **values: Any) -> dict[str, Any]:
    """A flat run of the hour `number` after midnight."""
    return {
        "run_id": f"run-{number}",
        "task_text": f"task {number}",
        "status": "completed",
        "started_at": f"2026-03-01T{number % 24:02d}:00:00Z",
        "ended_at": f"2026-03-01T{number % 24:02d}:10:00Z",
        "cost_usd": "0.5",
        **values,
    }


def lines(records: Iterable[Mapping[str, Any] | str]) -> str:
    """JSON lines; a string stands for itself."""
    return "".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in records)


def write(path: Path, records: Sequence[Mapping[str, Any] | str]) -> Path:
    """A file of these records."""
    path.write_text(lines(records))
    return path
