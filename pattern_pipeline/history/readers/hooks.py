"""Hook events: what Claude Code's hooks recorded before and after each tool call, as JSON lines, CSV or a table.

The start and the end of a call are one step. They are paired by the id of the call, else within their session and tool
in the order (time, id): the first open start goes with the next end. A session is a run, or each prompt submitted in it
where prompts were recorded. A session ends nowhere but at the end of its source, so that its events are held in memory,
reduced to what counts, until all are read. A large file is read several times, each time for some of its sessions; a
table, whose size is not known, once.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from pattern_pipeline.history.readers.loose import decoded, mapping_of, text_of

HELD_BYTES: Final = 64 << 20
_START: Final = "PreToolUse"
_ENDS: Final = ("PostToolUse", "PostToolUseFailure")
_PROMPT: Final = "UserPromptSubmit"
_CLOSING: Final = ("Stop", "SessionEnd")
_SILENT: Final = frozenset(
    {"SessionStart", "SubagentStart", "SubagentStop", "Notification", "PreCompact", "PostCompact", "PermissionRequest"}
)
_TYPE_NAMES: Final = ("event_type", "hook_event_name")
_TIME_NAMES: Final = ("timestamp", "created_at", "time")
_TEXT_LENGTH: Final = 8_000
_HEADER: Final = re.compile(rb"(^|[,;\t\"])(event_type|hook_event_name)([,;\t\"\r]|$)")


@dataclass(slots=True)
class _Event:
    """One event, reduced to what counts; `moment` in microseconds since 1970."""

    kind: str
    session: str
    time: Any
    order: tuple[int, str]
    event_id: str | None
    position: str
    tool: str | None
    tool_use_id: str | None
    cwd: str | None
    adw_id: str | None
    prompt: str | None = None
    params: str | None = None
    command: str | None = None
    is_success: bool | None = None
    exit_code: int | None = None
    duration_ms: int | float | None = None
    text: str | None = None
    moment: int = 0


@dataclass(slots=True)
class _Run:
    """A session or a prompt of it: its steps as pairs of start and end, one of which may be missing."""

    run_id: str
    first: _Event
    steps: list[list[_Event | None]] = field(default_factory=list)
    last: int = 0
    is_success: bool | None = None


class HookReader:
    """Reads hook events."""

    kind = "hooks"
    rank = 20
    version = 1

    def recognises(self, location: Location, head: bytes) -> bool:
        """A table named hook_events, lines that are events with a session, or a header with an event's columns."""
        if location.kind == "table":
            return location.location.rpartition("#")[2].rpartition(".")[2] == "hook_events"
        first = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0]
        if first.startswith(b"{"):
            return b'"session_id"' in first and any(f'"{name}"'.encode() in first for name in _TYPE_NAMES)
        return b"session_id" in first and _HEADER.search(first) is not None

    def related(self, location: Location) -> Sequence[str]:
        """None: the events of a session stand together."""
        return ()

    def read(self, location: Location, options: ReadOptions, offset: int = 0) -> Iterator[Batch]:
        """Batches of runs; see `Reader.read`. Always read from the beginning."""
        output = Gathering(self.kind, options)
        passes = 1 + (location.size or 0) // HELD_BYTES
        for number in range(passes):
            is_mine = _sessions_of(number, passes)
            events = _taken(location, options, output, is_mine, is_first=number == 0)
            timed, faults = _in_order(events, options.zone)
            output.account(faults=faults)
            for run in _runs(timed):
                steps = [_step(start, end) for start, end in run.steps]
                singles = sum(start is None or end is None for start, end in run.steps)
                output.account(facts={"single_events": singles, "paired_events": len(steps) - singles})
                output.add(_record(run), steps, run.first.position)
                yield from output.batches()
        yield from output.batches(is_last=True)


def _sessions_of(number: int, passes: int) -> Callable[[str], bool]:
    """Whether a session's events are taken in this pass over the file."""
    return lambda session: zlib.crc32(session.encode(errors="surrogatepass")) % passes == number


def _taken(
    location: Location, options: ReadOptions, output: Gathering, is_mine: Callable[[str], bool], *, is_first: bool
) -> list[_Event]:
    """The events of some sessions; what is to be told of the source as a whole is told by the first pass.

    Raises:
        InvalidInput: there are no events.
    """
    events: list[_Event] = []
    known = 0
    for rows, positions, faults, count in _records(location, options):
        skipped: Counter[str] = Counter()
        wrong = []
        for row, position in zip(rows, positions, strict=True):
            event = _event(row, position)
            if event is None:
                wrong.append((position, orjson.dumps(row, default=str).decode()))
                continue
            known += 1
            if not is_mine(event.session):
                continue
            if event.kind in (_START, *_ENDS, _PROMPT, *_CLOSING):
                events.append(event)
            elif event.kind not in _SILENT:
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
    elif location.head().removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{"):
        for block in jsonlines.blocks(location.path):
            yield block.rows, block.positions.to_list(), block.faults, block.lines
    else:
        for part in frames.csv_parts(location.path):
            count = part.frame.height + part.unreadable
            yield part.frame.to_dicts(), part.positions.to_list(), part.faults, count


def _event(row: Mapping[str, Any], position: str) -> _Event | None:
    payload = mapping_of(row.get("payload")) or row
    kind = next((text for name in _TYPE_NAMES if (text := text_of(row.get(name)) or text_of(payload.get(name)))), None)
    session = text_of(row.get("session_id")) or text_of(payload.get("session_id"))
    if not kind or not session:
        return None
    given_id = row.get("id")
    event = _Event(
        kind,
        session,
        next((row[name] for name in _TIME_NAMES if row.get(name) is not None), None),
        _order(given_id),
        text_of(row.get("event_id")) or (None if given_id is None else str(given_id)),
        position,
        text_of(payload.get("tool_name")) or text_of(row.get("tool_name")),
        text_of(payload.get("tool_use_id")),
        text_of(mapping_of(payload.get("context")).get("cwd")) or text_of(payload.get("cwd")),
        text_of(row.get("workflow_id")),
    )
    if kind == _START:
        given = decoded(payload.get("tool_input"))
        event.params = None if given is None else orjson.dumps(given, default=str).decode()
        event.command = text_of(mapping_of(given).get("command"))
    elif kind in _ENDS:
        _read_end(event, payload)
    elif kind == _PROMPT:
        event.prompt = text_of(payload.get("prompt")) or text_of(payload.get("user_prompt"))
    return event


def _read_end(event: _Event, payload: Mapping[str, Any]) -> None:
    given = payload.get("tool_response", payload.get("tool_result"))
    response = mapping_of(given)
    told = (payload.get("success"), response.get("success"))
    event.is_success = next((each for each in told if isinstance(each, bool)), None)
    if event.kind == _ENDS[1] or response.get("is_error") is True or response.get("interrupted") is True:
        event.is_success = False
    code = next((response[name] for name in ("exit_code", "exitCode", "returncode") if name in response), None)
    event.exit_code = code if isinstance(code, int) and not isinstance(code, bool) and abs(code) < 1 << 31 else None
    duration = payload.get("duration_ms")
    is_known = isinstance(duration, int | float) and not isinstance(duration, bool) and duration > 0
    event.duration_ms = duration if is_known else None  # Zero is what hooks write that do not measure.
    texts = [text_of(response.get(name)) for name in ("stdout", "stderr", "content", "output", "error")]
    said = "\n".join(text for text in texts if text) or text_of(payload.get("error"))
    whole = given if isinstance(given, str) else orjson.dumps(given, default=str).decode() if given else None
    event.text = (said or whole or "")[:_TEXT_LENGTH] or None


def _in_order(events: list[_Event], zone: str) -> tuple[list[_Event], Faults]:
    """The events by (time, id); those without a time that can be used are faults."""
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
    timed.sort(key=lambda event: (event.moment, event.order))
    return timed, faults


def _runs(events: Iterable[_Event]) -> Iterator[_Run]:
    by_session: defaultdict[str, list[_Event]] = defaultdict(list)
    for event in events:
        by_session[event.session].append(event)
    for session, its_events in by_session.items():
        yield from _runs_of_session(session, its_events)


def _runs_of_session(session: str, events: Sequence[_Event]) -> Iterator[_Run]:
    runs: list[_Run] = []
    opened: defaultdict[str, deque[tuple[_Run, list[_Event | None]]]] = defaultdict(deque)
    for event in events:
        if event.kind == _PROMPT or not runs:
            run_id = f"{session}:{event.event_id or event.moment}" if event.kind == _PROMPT else session
            runs.append(_Run(run_id, event))
        run = runs[-1]
        key = event.tool_use_id or f"tool {event.tool}"
        if event.kind == _START:
            step: list[_Event | None] = [event, None]
            run.steps.append(step)
            opened[key].append((run, step))
        elif event.kind in _ENDS:
            if opened[key]:
                run, step = opened[key].popleft()
                step[1] = event
            else:
                run.steps.append([None, event])
            run.is_success = run.is_success if event.is_success is None else event.is_success
        elif event.kind in _CLOSING and run.steps:
            run.is_success = True
        run.last = max(run.last, event.moment)
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


def _step(start: _Event | None, end: _Event | None) -> dict[str, Any]:
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


def _order(given: Any) -> tuple[int, str]:
    """Rank of an id among events of the same time: numbers by value, other ids as text."""
    text = "" if given is None else str(given)
    return (int(text), "") if text.isascii() and text.isdigit() and len(text) < 19 else (0, text)
