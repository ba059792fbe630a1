"""`status`: what is landed, computed, waiting and in the queue."""

from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from pattern_pipeline.cli.common import JsonOption, emit, fail_plainly
from pattern_pipeline.cli.fitting import Column, FittedTable
from pattern_pipeline.cli.show import details, usd
from pattern_pipeline.settings import get_settings


def command(as_json: JsonOption = False) -> None:
    """Sources, hours, quarantine and queue at a glance."""
    with fail_plainly(as_json):
        from pattern_pipeline.detection.policy import load_policy
        from pattern_pipeline.patterns.status import status
        from pattern_pipeline.warehouse.database import Warehouse

        settings = get_settings()
        window_days = load_policy(settings.policy).roi.window_days
        with Warehouse.held(settings) as warehouse:
            result = status(warehouse, settings.start_date, window_days)
    emit(result, as_json, _show)


def _show(result: dict[str, Any]) -> RenderableType:
    history, hours = result["history"], result["hours"]
    summary = details(
        [
            ("runs", f"{history['workflows']:,} with {history['steps']:,} steps"),
            ("spend", usd(history["spend_usd"])),
            ("events", f"{_minute(history['first_event'])} to {_minute(history['last_event'])} UTC"),
            ("hours", f"{hours['closed']:,} closed, {hours['stale']:,} wait to be computed ({hours['state']})"),
            ("days that rates are of", _coverage(result["coverage"])),
            ("outside the partitions", f"{result['outside_partitions']['runs']:,} runs"),
            ("queue", ", ".join(f"{name} {count}" for name, count in result["queue"].items()) or "empty"),
            ("quarantine", ", ".join(f"{name} {count}" for name, count in result["quarantine"].items()) or "empty"),
        ]
    )
    notes = Text("\n".join(result["notes"]))
    if not result["sources"]:
        return Group(summary, notes, Text("No source yet: pattern-pipeline run SOURCE, or run --sample."))
    columns = (
        Column("source"),
        Column("reader", rank=4),
        Column("records", "right", 3),
        Column("runs", "right", 1),
        Column("quarantined", "right", 2),
        Column("read up to", rank=5),
    )
    table = FittedTable("Sources", columns, map(_source_row, result["sources"]))
    return Group(summary, notes, table)


def _source_row(source: dict[str, Any]) -> tuple[str, ...]:
    return (
        source["location"] + (" (gone)" if source["gone_since"] else ""),
        source["reader"],
        f"{source['rows_read']:,}",
        f"{source['runs_read']:,}",
        f"{source['rows_quarantined']:,}",
        _minute(source["last_event_time"]),
    )


def _minute(moment: str | None) -> str:
    """A UTC time in ISO 8601, as one reads it."""
    return moment[:16].replace("T", " ") if moment else "-"


def _coverage(coverage: dict[str, Any]) -> str:
    gaps = coverage["uncovered_days"]
    told = f"{coverage['days']:,} of the last {coverage['window_days']:,}"
    return f"{told}; {len(gaps):,} that no source covers are left out, the first {gaps[0]}" if gaps else told
