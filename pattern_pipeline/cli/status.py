"""`status`: what is landed, computed, waiting and in the queue."""

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pattern_pipeline.cli.common import JsonOption, emit, fail_plainly
from pattern_pipeline.cli.show import details, usd
from pattern_pipeline.settings import get_settings


def command(as_json: JsonOption = False) -> None:
    """Sources, hours, quarantine and queue at a glance."""
    with fail_plainly(as_json):
        from pattern_pipeline.patterns.status import status
        from pattern_pipeline.warehouse.database import Warehouse

        with Warehouse.open(get_settings()) as warehouse:
            result = status(warehouse, get_settings().start_date)
    emit(result, as_json, _show)


def _show(result: dict[str, Any]) -> RenderableType:
    history, hours = result["history"], result["hours"]
    summary = details(
        [
            ("runs", f"{history['workflows']:,} with {history['steps']:,} steps"),
            ("spend", usd(history["spend_usd"])),
            ("events", f"{history['first_event'] or '-'} to {history['last_event'] or '-'}"),
            ("hours", f"{hours['closed']:,} closed, {hours['stale']:,} wait to be computed ({hours['state']})"),
            ("outside the partitions", _outside(result["outside_partitions"])),
            ("queue", ", ".join(f"{name} {count}" for name, count in result["queue"].items()) or "empty"),
            ("quarantine", ", ".join(f"{name} {count}" for name, count in result["quarantine"].items()) or "empty"),
        ]
    )
    if not result["sources"]:
        return Group(summary, Text("No source yet: pattern-pipeline run SOURCE, or run --sample."))
    table = Table(title="Sources", title_justify="left")
    table.add_column("source", overflow="fold")
    table.add_column("reader")
    for name in ("records", "runs", "quarantined"):
        table.add_column(name, justify="right")
    table.add_column("read up to")
    for source in result["sources"]:
        table.add_row(
            source["location"] + (" (gone)" if source["gone_since"] else ""),
            source["reader"],
            f"{source['rows_read']:,}",
            f"{source['runs_read']:,}",
            f"{source['rows_quarantined']:,}",
            str(source["last_event_time"] or "-")[:16],
        )
    return Group(summary, table)


def _outside(outside: dict[str, Any]) -> str:
    if not outside["runs"]:
        return "none"
    return (
        f"{outside['runs']:,} runs before {outside['start_date']} or in the future are stored but not counted; "
        "PATTERN_PIPELINE_START_DATE sets the first day"
    )
