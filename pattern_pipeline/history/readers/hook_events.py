"""What one hook event says: which part of which call it is, reduced to what counts.

How events become steps and runs belongs to `hooks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from pattern_pipeline.history.readers.loose import decoded, mapping_of, text_of

START: Final = "PreToolUse"
ENDS: Final = ("PostToolUse", "PostToolUseFailure")
PROMPT: Final = "UserPromptSubmit"
CLOSING: Final = ("Stop", "SessionEnd")
SILENT: Final = frozenset(
    {"SessionStart", "SubagentStart", "SubagentStop", "Notification", "PreCompact", "PostCompact", "PermissionRequest"}
)
TYPE_NAMES: Final = ("event_type", "hook_event_name", "hook_event_type", "hook_event")
_TIME_NAMES: Final = ("timestamp", "created_at", "time", "ts")
# Some write pre_tool_use.
_KINDS: Final = {kind.lower(): kind for kind in (START, *ENDS, PROMPT, *CLOSING, *SILENT)}
_TEXT_LENGTH: Final = 8_000


@dataclass(slots=True)
class Event:
    """One event, reduced to what counts.

    Attributes:
        moment: Microseconds since 1970.
        file: Number of the file in which it stands first.
        is_mine: It stands in the file that is being read.
    """

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
    file: int = 0
    is_mine: bool = True

    @property
    def key(self) -> tuple[object, ...]:
        """What tells the event from every other one of its session."""
        if self.event_id is not None:
            return self.session, self.kind, self.moment, self.event_id
        said = self.params, self.prompt, self.text, self.is_success, self.duration_ms
        return self.session, self.kind, self.moment, self.tool, self.tool_use_id, *said


def first_line(head: bytes) -> bytes:
    """The first line of what a file begins with."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0]


def is_event(line: bytes) -> bool:
    """Whether a line is an event as JSON."""
    is_object = line.startswith(b"{") and b'"session_id"' in line
    return is_object and any(f'"{name}"'.encode() in line for name in TYPE_NAMES)


def read_event(row: Mapping[str, Any], position: str) -> Event | None:
    """The event of a record, or None where it names no type or no session."""
    payload = mapping_of(row.get("payload")) or row
    kind = next((text for name in TYPE_NAMES if (text := text_of(row.get(name)) or text_of(payload.get(name)))), None)
    session = text_of(row.get("session_id")) or text_of(payload.get("session_id"))
    if not kind or not session:
        return None
    given_id = row.get("id")
    event = Event(
        _KINDS.get(kind.replace("_", "").lower(), kind),
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
    if event.kind == START:
        given = decoded(payload.get("tool_input"))
        event.params = None if given is None else orjson.dumps(given, default=str).decode()
        event.command = text_of(mapping_of(given).get("command"))
    elif event.kind in ENDS:
        _read_end(event, payload)
    elif event.kind == PROMPT:
        event.prompt = text_of(payload.get("prompt")) or text_of(payload.get("user_prompt"))
    return event


def _read_end(event: Event, payload: Mapping[str, Any]) -> None:
    given = payload.get("tool_response", payload.get("tool_result"))
    response = mapping_of(given)
    told = (payload.get("success"), response.get("success"))
    event.is_success = next((each for each in told if isinstance(each, bool)), None)
    if event.kind == ENDS[1] or response.get("is_error") is True or response.get("interrupted") is True:
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


def _order(given: Any) -> tuple[int, str]:
    """Rank of an id among events of the same time: numbers by value, other ids as text."""
    text = "" if given is None else str(given)
    return (int(text), "") if text.isascii() and text.isdigit() and len(text) < 19 else (0, text)
