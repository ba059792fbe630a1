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
        from pattern_pipeline.patterns.status import status
        from pattern_pipeline.warehouse.database import Warehouse

        with Warehouse.held(get_settings()) as warehouse:
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
    columns = (
        Column("source"),
        Column("reader", rank=4),
        Column("records", "right", 3),
        Column("runs", "right", 1),
        Column("quarantined", "right", 2),
        Column("read up to", rank=5),
    )
    table = FittedTable("Sources", columns, map(_source_row, result["sources"]))
    return Group(summary, table)


def _source_row(source: dict[str, Any]) -> tuple[str, ...]:
    return (
        source["location"] + (" (gone)" if source["gone_since"] else ""),
        source["reader"],
        f"{source['rows_read']:,}",
        f"{source['runs_read']:,}",
        f"{source['rows_quarantined']:,}",
        str(source["last_event_time"] or "-")[:16],
    )


def _outside(outside: dict[str, Any]) -> str:
    if not outside["runs"]:
        return "none"
    return (
        f"{outside['runs']:,} runs before {outside['start_date']} or in the future are stored but not counted; "
        "PATTERN_PIPELINE_START_DATE sets the first day"
    )
