"""An event log in XES (IEEE 1849-2016): whole batches at a time, so that a log of any size is written quickly.

Only the form belongs here; what a run and a step are called comes with the columns (`export.EVENTS`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Final

import polars as pl

_EXTENSIONS: Final = (
    ("Concept", "concept"),
    ("Time", "time"),
    ("Lifecycle", "lifecycle"),
    ("Organizational", "org"),
    ("Cost", "cost"),
)
_NAMESPACE: Final = "http://www.xes-standard.org/"
_DECLARED: Final = "\n".join(
    f'<extension name="{name}" prefix="{key}" uri="{_NAMESPACE}{key}.xesext"/>' for name, key in _EXTENSIONS
)
_BEGIN: Final = f"""<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2016" xes.features="" xmlns="{_NAMESPACE}">
{_DECLARED}
<global scope="trace"><string key="concept:name" value="unknown"/></global>
<global scope="event"><string key="concept:name" value="unknown"/>\
<date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/>\
<string key="lifecycle:transition" value="complete"/></global>
<classifier name="Activity" scope="event" keys="concept:name"/>
<classifier name="Tool" scope="event" keys="tool"/>
<string key="concept:name" value="history"/>
"""
_END: Final = "</log>\n"

# Columns of the event log as attributes of traces and events: the element and the key of each.
_OF_TRACE: Final[Mapping[str, tuple[str, str]]] = {
    "case_id": ("string", "concept:name"),
    "session_id": ("string", "session"),
    "project": ("string", "project"),
    "source": ("string", "source"),
    "task": ("string", "task"),
    "model": ("string", "model"),
    "status": ("string", "status"),
    "case_start": ("date", "start_time"),
    "case_end": ("date", "end_time"),
    "case_cost_usd": ("float", "cost:total"),
    "cost_basis": ("string", "cost_basis"),
    "total_tokens": ("int", "total_tokens"),
}
_OF_EVENT: Final[Mapping[str, tuple[str, str]]] = {
    "activity": ("string", "concept:name"),
    "event_id": ("string", "concept:instance"),
    "completed_at": ("date", "time:timestamp"),
    "started_at": ("date", "start_timestamp"),
    "tool": ("string", "tool"),
    "command": ("string", "command"),
    "directory": ("string", "directory"),
    "agent": ("string", "org:resource"),
    "success": ("boolean", "success"),
    "exit_code": ("int", "exit_code"),
    "duration_seconds": ("float", "duration_seconds"),
    "cost_usd": ("float", "cost:total"),
}
_COST: Final = ("case_cost_usd", "cost_usd")
_CURRENCY: Final = '<string key="cost:currency" value="USD"/>'
_COMPLETE: Final = '<string key="lifecycle:transition" value="complete"/>'

# What XML cannot hold, and what an attribute must not.
_FORBIDDEN: Final = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x{FFFE}\x{FFFF}]"
_ESCAPES: Final = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}


class XesWriter:
    """Writes the rows of an event log, those of a run one after the other."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._case: str | None = None
        stream.write(_BEGIN.encode())

    def write(self, rows: pl.DataFrame) -> None:
        """Adds rows; a run may begin in one batch and go on in the next."""
        if rows.is_empty():
            return
        case = pl.col("case_id")
        begins = (case != case.shift(1, fill_value=pl.lit(self._case, pl.String))).fill_null(True)
        ends_another = begins & pl.int_range(pl.len()).ne(0) if self._case is None else begins
        trace = pl.concat_str(pl.lit("<trace>"), *_attributes(rows, _OF_TRACE), pl.lit("\n"))
        event = pl.concat_str(pl.lit("<event>"), *_attributes(rows, _OF_EVENT), pl.lit(f"{_COMPLETE}</event>\n"))
        text = rows.select(
            pl.concat_str(
                pl.when(ends_another).then(pl.lit("</trace>\n")).otherwise(pl.lit("")),
                pl.when(begins).then(trace).otherwise(pl.lit("")),
                pl.when(pl.col("event_id").is_not_null()).then(event).otherwise(pl.lit("")),
            ).str.join()
        ).item()
        self._stream.write(text.encode())
        self._case = rows["case_id"].item(-1)

    def close(self) -> None:
        """Ends the last trace and the log."""
        self._stream.write((("" if self._case is None else "</trace>\n") + _END).encode())


def _attributes(rows: pl.DataFrame, keys: Mapping[str, tuple[str, str]]) -> list[pl.Expr]:
    """An element for each value that is known, else nothing."""
    return [
        pl.when(pl.col(column).is_not_null())
        .then(
            pl.concat_str(
                pl.lit(f'<{element} key="{key}" value="'),
                _value(column, rows.schema[column]),
                pl.lit('"/>' + (_CURRENCY if column in _COST else "")),
            )
        )
        .otherwise(pl.lit(""))
        for column, (element, key) in keys.items()
    ]


def _value(column: str, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Datetime):
        return pl.col(column).dt.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00")
    if dtype != pl.String:
        return pl.col(column).cast(pl.String)
    clean = pl.col(column).str.replace_all(_FORBIDDEN, "\ufffd")
    return clean.str.replace_many(list(_ESCAPES), list(_ESCAPES.values()))
