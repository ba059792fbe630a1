"""One run as detection sees it, read from any mapping.

Only the coercion of odd values belongs here: nothing that a history may contain raises, but whatever had to be bent is
reported with a reason.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import orjson


@dataclass(frozen=True, slots=True)
class Run:
    """The fields of a run that detection looks at."""

    nl_input: str | None = None
    error_message: str | None = None
    workflow_template: str | None = None
    duration_seconds: float | None = None
    error_count: int | None = None


def read_run(record: Mapping[str, object]) -> tuple[Run, list[str]]:
    """The run, and a reason for every value that was not of its type."""
    reasons: list[str] = []

    def text(field: str) -> str | None:
        value = record.get(field)
        if value is None or isinstance(value, str):
            return value
        reasons.append(f"{field}: {type(value).__name__} read as text")
        return orjson.dumps(value, default=str).decode()

    def number(field: str) -> float | None:
        value = record.get(field)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)):
            return value
        try:
            parsed = float(value) if isinstance(value, str) else math.nan
        except ValueError:
            parsed = math.nan
        if not math.isfinite(parsed):
            reasons.append(f"{field}: {value!r} is no number, ignored")
            return None
        reasons.append(f"{field}: {type(value).__name__} read as a number")
        return parsed

    errors = number("error_count")
    run = Run(
        nl_input=text("nl_input"),
        error_message=text("error_message"),
        workflow_template=text("workflow_template"),
        duration_seconds=number("duration_seconds"),
        error_count=None if errors is None else int(errors),
    )
    return run, reasons
