"""History as an event log for other tools: a trace a run, an event a step; as CSV, Parquet or XES.

Rows come in Arrow batches and go to the file as they come, so that memory stays bounded at any size. The file appears
under its name when it is complete. What XES looks like belongs to `xes`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final, Literal, Protocol

import polars as pl
import pyarrow.parquet as pq

from pattern_pipeline.errors import Conflict, InvalidInput
from pattern_pipeline.history.model import INSTANT, MONEY, SECONDS, conform
from pattern_pipeline.history.xes import XesWriter
from pattern_pipeline.warehouse.database import Warehouse

Format = Literal["xes", "csv", "parquet"]

ALWAYS: Final = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)

EVENTS: Final = pl.Schema(
    {
        "case_id": pl.String(),
        "session_id": pl.String(),
        "project": pl.String(),
        "source": pl.String(),
        "task": pl.String(),
        "model": pl.String(),
        "status": pl.String(),
        "case_start": INSTANT,
        "case_end": INSTANT,
        "case_cost_usd": MONEY,
        "cost_basis": pl.String(),
        "total_tokens": pl.Int64(),
        "event_id": pl.String(),
        "activity": pl.String(),
        "completed_at": INSTANT,
        "started_at": INSTANT,
        "tool": pl.String(),
        "command": pl.String(),
        "directory": pl.String(),
        "agent": pl.String(),
        "success": pl.Boolean(),
        "exit_code": pl.Int32(),
        "duration_seconds": SECONDS,
        "cost_usd": MONEY,
    }
)
"""Columns of the event log. `activity` is what names the step: its signature once it is detected, else its tool."""


@dataclass(frozen=True)
class Exported:
    """What an export wrote."""

    path: Path
    format: Format
    runs: int
    events: int


class Writer(Protocol):
    """Writes batches of the event log to an open file."""

    def write(self, rows: pl.DataFrame) -> None:
        """Adds rows of schema `EVENTS`; those of a run without steps have no `event_id`."""
        ...

    def close(self) -> None:
        """Ends the document."""
        ...


def export(
    warehouse: Warehouse,
    path: Path,
    file_format: Format,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    replace: bool = False,
) -> Exported:
    """Writes the runs of a time to a file.

    Args:
        warehouse: The warehouse.
        path: The file.
        file_format: Its format.
        since: Only runs that ended at or after this; None: from the first.
        until: Only runs that ended before this; None: to the last.
        replace: Overwrite the file if it is there.

    Raises:
        Conflict: the file is there, and shall not be overwritten.
        InvalidInput: no file can be written there, or the time is empty.
    """
    first, last = since or ALWAYS[0], until or ALWAYS[1]
    if first >= last:
        raise InvalidInput(f"There is no time between {first:%Y-%m-%d %H:%M} and {last:%Y-%m-%d %H:%M}.")
    runs = events = 0
    previous = None
    with _complete_file(path, replace=replace) as stream, warehouse.bulk() as bulk:
        writer = _writer(stream, file_format)
        for batch in bulk.batches("history/event_log", since=first, until=last):
            frame = pl.DataFrame(batch)
            rows = conform(frame, EVENTS)
            writer.write(rows)
            runs += int((rows["case_id"] != rows["case_id"].shift(1, fill_value=previous)).fill_null(True).sum())
            events += rows["event_id"].count()
            previous = rows["case_id"].item(-1)
        writer.close()
    return Exported(path, file_format, runs, events)


def _writer(stream: IO[bytes], file_format: Format) -> Writer:
    match file_format:
        case "csv":
            return _CsvWriter(stream)
        case "parquet":
            return _ParquetWriter(stream)
        case "xes":
            return XesWriter(stream)


class _CsvWriter:
    """Rows of events; a run without steps has none."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        EVENTS.to_frame().write_csv(stream)

    def write(self, rows: pl.DataFrame) -> None:
        rows.filter(pl.col("event_id").is_not_null()).write_csv(self._stream, include_header=False)

    def close(self) -> None:
        return None


class _ParquetWriter:
    """The same as a table with types."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._writer = pq.ParquetWriter(stream, EVENTS.to_frame().to_arrow().schema, compression="zstd")

    def write(self, rows: pl.DataFrame) -> None:
        self._writer.write_table(rows.filter(pl.col("event_id").is_not_null()).to_arrow())

    def close(self) -> None:
        self._writer.close()


@contextmanager
def _complete_file(path: Path, *, replace: bool) -> Iterator[IO[bytes]]:
    """A file that takes its name when the block ends well, and is gone when it does not."""
    if path.is_dir() or not path.parent.is_dir():
        raise InvalidInput(f"{path} cannot be written: it needs the name of a file in a directory that is there.")
    if path.exists() and not replace:
        raise Conflict(f"{path} is there already; choose another name, or overwrite it with --force.")
    growing = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        stream = growing.open("xb")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror or error}.") from error
    try:
        with stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        growing.replace(path)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        growing.unlink(missing_ok=True)
