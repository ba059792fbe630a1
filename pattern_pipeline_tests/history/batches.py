"""Small batches in canonical form, and their way into history without a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from pattern_pipeline.history import ledger
from pattern_pipeline.history.content import Prepared
from pattern_pipeline.history.ledger import Source
from pattern_pipeline.history.merge import MergeCounts, merge
from pattern_pipeline.history.model import QUARANTINE, RUNS, STEPS, Batch
from pattern_pipeline.warehouse.database import Warehouse

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

Row = Mapping[str, Any]


def run(number: int, **values: Any) -> dict[str, Any]:
    """A run of ten minutes that began `number` hours after noon; `values` replace the defaults."""
    start = NOON + timedelta(hours=number)
    row: dict[str, Any] = {
        "workflow_id": f"generic:{number}",
        "source": "generic",
        "nl_input": f"task {number}",
        "status": "completed",
        "start_time": start,
        "end_time": start + timedelta(minutes=10),
        "cost_basis": "billed",
        "actual_cost_total": "0.5",
        "position": f"line {number}",
        **values,
    }
    return {"event_time": row["end_time"] or row["start_time"], **row}


def step(number: int, seq: int, **values: Any) -> dict[str, Any]:
    """Step `seq` of run `number`."""
    return {
        "workflow_id": f"generic:{number}",
        "tool_call_id": f"call-{seq}",
        "seq": seq,
        "tool_name": "bash",
        "command": f"pytest -k {seq}",
        "tool_params": '{"command": "pytest"}',
        **values,
    }


def bad(position: str) -> dict[str, Any]:
    """A bad record."""
    return {"position": position, "reason": "invalid_json", "detail": "not JSON: repair the line"}


def batch(runs: Iterable[Row] = (), steps: Iterable[Row] = (), quarantined: Iterable[Row] = ()) -> Batch:
    """A batch of these rows; columns that a row does not name are unknown."""
    rows = list(runs)
    return Batch(_frame(rows, RUNS), _frame(steps, STEPS), _frame(quarantined, QUARANTINE), rows_read=len(rows))


def begin(warehouse: Warehouse, location: str) -> Source:
    """Starts a pass over a source."""
    with warehouse.transaction() as tx:
        return ledger.begin_pass(
            tx, location=location, spec=None, reader="generic", reader_rank=0, namespace="generic", options_hash=""
        )


def supply(warehouse: Warehouse, location: str, *batches: Batch) -> MergeCounts:
    """Reads a source from its beginning to its end: all that it has are `batches`."""
    source = begin(warehouse, location)
    parts = batches or (batch(),)
    counts = MergeCounts()
    for number, part in enumerate(parts, 1):
        with warehouse.bulk() as bulk:
            counts += merge(bulk, source, Prepared.of(part), pass_is_complete=number == len(parts))
            bulk.run("history/complete_read", source_id=source.source_id, from_start=True)
    return counts


def wanted(warehouse: Warehouse) -> list[str]:
    """Locations that must be read again."""
    with warehouse.transaction() as tx:
        return [source.location for source in ledger.wanted_again(tx)]


def stored(warehouse: Warehouse, workflow_id: str) -> Row:
    """The stored run."""
    with warehouse.transaction() as tx:
        query = "SELECT * FROM workflow_history WHERE workflow_id = %s"
        return tx.connection.exec_driver_sql(query, (workflow_id,)).mappings().one()


def touched(warehouse: Warehouse) -> dict[datetime, int]:
    """Generation of each touched hour."""
    with warehouse.transaction() as tx:
        rows = tx.connection.exec_driver_sql("SELECT hour, generation FROM touched_hours")
        return {row.hour: row.generation for row in rows}


def wipe(warehouse: Warehouse) -> None:
    """Empties history and ledger, so that cases may share a database."""
    with warehouse.transaction() as tx:
        tx.connection.exec_driver_sql(
            "TRUNCATE configured_sources, ingested_sources, run_sources, workflow_history, touched_hours, "
            "history_hours CASCADE"
        )


def _frame(rows: Iterable[Row], schema: pl.Schema) -> pl.DataFrame:
    columns: dict[str, Sequence[Any]] = {name: [] for name in schema}
    filled = [{**dict.fromkeys(schema), **row} for row in rows]
    for name in columns:
        columns[name] = [row[name] for row in filled]
    return pl.DataFrame([pl.Series(name, columns[name], strict=False).cast(schema[name]) for name in schema])
