"""Hook events: what Claude Code's hooks recorded before and after each tool call, as JSON lines, CSV or a table.

The start and the end of a call are one step. They are paired by the id of the call, else within their session and tool
in the order (time, id): the first open start goes with the next end. A session is a run, or each prompt submitted in it
where prompts were recorded. A session ends nowhere but at the end of its source, so that its events are held in memory,
reduced to what counts, until all are read. What is large is read several times, each time for some of its sessions; a
table, whose size is not known, once.

A file of JSON lines is read together with those of its directory that hold events of the same sessions, and yields
every run of which it holds an event; an event that stands there again, in the same file or another, counts once.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import polars as pl

from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.history.coercion import column, instant
from pattern_pipeline.history.faults import Faults
from pattern_pipeline.history.fields import RUN_FIELDS
from pattern_pipeline.history.mapping import ReadOptions
from pattern_pipeline.history.model import Batch
from pattern_pipeline.history.readers import frames, jsonlines, tables
from pattern_pipeline.history.readers.base import Location
from pattern_pipeline.history.readers.gathering import Gathering
from pattern_pipeline.history.readers.hook_events import (
    CLOSING,
    ENDS,
    PROMPT,
    SILENT,
    START,
    TYPE_NAMES,
    Event,
    first_line,
    is_event,
    read_event,
)
from pattern_pipeline.history.readers.siblings import SiblingFiles

HELD_BYTES: Final = 64 << 20
_SESSION: Final = re.compile(rb'"session_id"\s*:\s*"([^"\\]{1,200})"')
_HEADER: Final = re.compile(rb"(^|[,;\t\"])(" + "|".join(TYPE_NAMES).encode() + rb")([,;\t\"\r]|$)")


@dataclass(slots=True)
class _Run:
    """A session or a prompt of it: its steps as pairs of start and end, one of which may be missing.

    `position` is that of its first event in the file that is being read; None where it has none there.
    """

    run_id: str
    first: Event
    position: str | None = None
    steps: list[list[Event | None]] = field(default_factory=list)
    last: int = 0
    is_success: bool | None = None


class HookReader:
    """Reads hook events."""

    kind = "hooks"
    rank = 20
    version = 2

    def __init__(self) -> None:
        self._files = SiblingFiles(lambda head: is_event(first_line(head)), _SESSION)

    def recognises(self, location: Location, head: bytes) -> bool:
        """A table named hook_events, lines that are events with a session, or a header with an event's columns."""
        if location.kind == "table":
            return location.location.rpartition("#")[2].rpartition(".")[2] == "hook_events"
        first = first_line(head)
        if first.startswith(b"{"):
            return is_event(first)
        return b"session_id" in first and _HEADER.search(first) is not None

    def related(self, location: Location) -> Sequence[str]:
        """The files that hold events of the same sessions."""
        return [each.location for each in self._together(location) if each != location]

    def read(self, location: Location, options: ReadOptions, offset: int = 0) -> Iterator[Batch]:
        """Batches of runs; see `Reader.read`. Always read from the beginning."""
        output = Gathering(self.kind, options)
        locations = self._together(location)
        mine = locations.index(location)
        passes = 1 + sum(each.size or 0 for each in locations) // HELD_BYTES
        for number in range(passes):
            events: list[Event] = []
            for file, each in enumerate(locations):
                told = output if each == location else Gathering(self.kind, options)
                taken = _taken(each, options, told, _sessions_of(number, passes), is_first=number == 0)
                timed, faults = _timed(taken, options.zone)
                told.account(faults=faults)
                for event in timed:
                    event.file, event.is_mine = file, file == mine
                events += timed
            for run in _runs(_in_order(events)):
                if run.position is not None:
                    output.account(facts=_pairs(run, mine))
                    output.add(_record(run), [_step(start, end) for start, end in run.steps], run.position)
                    yield from output.batches()
        yield from output.batches(is_last=True)

    def _together(self, location: Location) -> list[Location]:
        """The locations that are read together with this one, itself among them, in the order of their names."""
        if location.kind == "table" or not is_event(first_line(location.head())):
            return [location]
        others = self._files.related(location.path)[1:]
        sized = (Location("file", str(path), size=path.stat().st_size) for path in others)
        return sorted([location, *sized], key=lambda each: each.location)


def _pairs(run: _Run, mine: int) -> dict[str, int]:
    """How many steps have both their events, counted for the file in which they were found first."""
    found = [(start, end) for start, end in run.steps if (known := start or end) is not None and known.file == mine]
    singles = sum(start is None or end is None for start, end in found)
    return {"single_events": singles, "paired_events": len(found) - singles}


def _sessions_of(number: int, passes: int) -> Callable[[str], bool]:
    """Whether a session's events are taken in this pass over the file."""
    return lambda session: zlib.crc32(session.encode(errors="surrogatepass")) % passes == number


def _taken(
    location: Location, options: ReadOptions, output: Gathering, is_mine: Callable[[str], bool], *, is_first: bool
) -> list[Event]:
    """The events of some sessions; what is to be told of the source as a whole is told by the first pass.

    Raises:
        InvalidInput: there are no events.
    """
    events: list[Event] = []
    known = 0
    for rows, positions, faults, count in _records(location, options):
        skipped: Counter[str] = Counter()
        wrong = []
        for row, position in zip(rows, positions, strict=True):
            event = read_event(row, position)
            if event is None:
                wrong.append((position, orjson.dumps(row, default=str).decode()))
                continue
            known += 1
            if not is_mine(event.session):
                continue
            if event.kind in (START, *ENDS, PROMPT, *CLOSING):
                events.append(event)
            elif event.kind not in SILENT:
                skipped[event.kind] += 1
        output.account(skipped=skipped)
        if is_first:
            _quarantine(faults, wrong, "no_event", "A hook event has a session and a type.")
            output.account(rows_read=count, faults=faults)
    if not known:
        raise InvalidInput(f"{location.location} holds no hook events; each has an event_type and a session_id.")
    return events


def _records(
    location: Location, options: ReadOptions
) -> Iterator[tuple[list[dict[str, Any]], Sequence[str], Faults, int]]:
    """Rows, where they stand, what could not be read, and how many records that accounts for."""
    if location.kind == "table":
        for rows, positions in tables.table_rows(location, options, RUN_FIELDS):
            yield rows, positions.to_list(), Faults(), len(rows)
    elif first_line(location.head()).startswith(b"{"):
        for block in jsonlines.blocks(location.path):
            yield block.rows, block.positions.to_list(), block.faults, block.lines
    else:
        for part in frames.csv_parts(location.path):
            count = part.frame.height + part.unreadable
            yield part.frame.to_dicts(), part.positions.to_list(), part.faults, count


def _in_order(events: Iterable[Event]) -> list[Event]:
    """The events by (time, id), each once."""
    known: dict[tuple[object, ...], Event] = {}
    for event in events:
        first = known.setdefault(event.key, event)
        if event.is_mine and not first.is_mine:
            first.is_mine, first.position = True, event.position
    return sorted(known.values(), key=lambda event: (event.moment, event.order))


def _timed(events: list[Event], zone: str) -> tuple[list[Event], Faults]:
    """The events with a time that can be used; the others are faults."""
    faults = Faults()
    micros = instant(column("time", [event.time for event in events]), zone).dt.epoch("us").to_list()
    untimed = []
    timed = []
    for event, moment in zip(events, micros, strict=True):
        if moment is None:
            untimed.append((event.position, f"{event.kind} {event.session}"))
        else:
            event.moment = moment
            timed.append(event)
    _quarantine(faults, untimed, "no_time", "The event holds no usable time.")
    return timed, faults


def _runs(events: Iterable[Event]) -> Iterator[_Run]:
    by_session: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_session[event.session].append(event)
    for session, its_events in by_session.items():
        yield from _runs_of_session(session, its_events)


def _runs_of_session(session: str, events: Sequence[Event]) -> Iterator[_Run]:
    runs: list[_Run] = []
    opened: defaultdict[str, deque[tuple[_Run, list[Event | None]]]] = defaultdict(deque)
    for event in events:
        if event.kind == PROMPT or not runs:
            run_id = f"{session}:{event.event_id or event.moment}" if event.kind == PROMPT else session
            runs.append(_Run(run_id, event))
        run = runs[-1]
        key = event.tool_use_id or f"tool {event.tool}"
        if event.kind == START:
            step: list[Event | None] = [event, None]
            run.steps.append(step)
            opened[key].append((run, step))
        elif event.kind in ENDS:
            if opened[key]:
                run, step = opened[key].popleft()
                step[1] = event
            else:
                run.steps.append([None, event])
            run.is_success = run.is_success if event.is_success is None else event.is_success
        elif event.kind in CLOSING and run.steps:
            run.is_success = True
        run.last = max(run.last, event.moment)
        if event.is_mine and run.position is None:
            run.position = event.position
    yield from (run for run in runs if run.steps or run.first.prompt)


def _record(run: _Run) -> dict[str, Any]:
    ends = [end.is_success for _, end in run.steps if end is not None]
    return {
        "workflow_id": run.run_id,
        "session_id": run.first.session,
        "adw_id": run.first.adw_id,
        "project": run.first.cwd,
        "nl_input": run.first.prompt,
        "status": None if run.is_success is None else "completed" if run.is_success else "failed",
        "start_time": run.first.moment / 1e6,
        "end_time": run.last / 1e6,
        "error_count": sum(each is False for each in ends) if ends else None,
    }


def _step(start: Event | None, end: Event | None) -> dict[str, Any]:
    """The record of a call; each side may be missing."""
    known = start or end
    step: dict[str, Any] = {}
    if known is not None:
        step |= {"tool_call_id": known.tool_use_id or known.event_id, "tool_name": known.tool, "cwd": known.cwd}
    if start is not None:
        step |= {"tool_params": start.params, "command": start.command, "called_at": start.moment / 1e6}
    if end is not None:
        step |= {
            "completed_at": end.moment / 1e6,
            "duration_ms": end.duration_ms,
            "success": end.is_success,
            "exit_code": end.exit_code,
            "output_excerpt": end.text,
            "error_message": end.text if end.is_success is False else None,
        }
    return step


def _quarantine(faults: Faults, records: Sequence[tuple[str, str]], reason: str, detail: str) -> None:
    if records:
        positions, texts = zip(*records, strict=True)
        faults.add(pl.Series("position", positions), reason, detail, pl.Series("excerpt", texts))
