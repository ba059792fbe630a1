"""What a span or event says of a run: a request to a model, a tool call, an agent at work, a prompt.

The names are those of OpenTelemetry's conventions for generative AI and of Claude Code's own spans and events. Each
record is judged by itself and reduced to what is needed of it; how they become runs belongs to `otlp_runs`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal

import orjson

from pattern_pipeline.history.pricing import Usage
from pattern_pipeline.history.readers.loose import decoded, list_of, mapping_of, objects_of, text_of
from pattern_pipeline.history.readers.otlp_records import Record, whole_number

PartKind = Literal["call", "tool", "agent", "prompt", "result", "failure", "link"]

# Longer than what is kept in the end, so that a secret is whole when it is looked for.
_TEXT_LENGTH: Final = 8_000
_MOST_TOKENS: Final = 1 << 53
_CLAUDE: Final = "claude_code."
_CLAUDE_SCOPE: Final = "com.anthropic.claude_code"
_WITHHELD: Final = ("<REDACTED>", "REDACTED")

_OPERATIONS: Final[Mapping[str, PartKind]] = {
    "chat": "call",
    "text_completion": "call",
    "generate_content": "call",
    "embeddings": "call",
    "execute_tool": "tool",
    "invoke_agent": "agent",
    "invoke_workflow": "agent",
    "create_agent": "link",
}
_CLAUDE_SPANS: Final[Mapping[str, PartKind]] = {
    "interaction": "agent",
    "llm_request": "call",
    "tool": "tool",
    "tool.execution": "result",
    "tool.blocked_on_user": "link",
    "hook": "link",
}
_CLAUDE_EVENTS: Final[Mapping[str, PartKind]] = {
    "user_prompt": "prompt",
    "api_request": "call",
    "api_error": "failure",
    "tool_result": "tool",
}
_SILENT_EVENTS: Final = frozenset(
    {
        "assistant_response",
        "tool_decision",
        "api_refusal",
        "api_request_body",
        "api_response_body",
        "api_retries_exhausted",
        "auth",
        "permission_mode_changed",
        "mcp_server_connection",
        "internal_error",
        "plugin_installed",
        "plugin_loaded",
        "skill_activated",
        "at_mention",
        "compaction",
        "feedback_survey",
        "hook_registered",
        "hook_execution_start",
        "hook_execution_complete",
    }
)
_TOKENS: Final = (
    ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"),
    ("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_creation_input_tokens"),
)
_CLAUDE_TOKENS: Final = (("input_tokens",), ("output_tokens",), ("cache_read_tokens",), ("cache_creation_tokens",))


class Unusable(Exception):
    """A record that cannot be counted: why, as a code and in words."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(slots=True)
class Part:
    """What a record says of a run; times in microseconds since 1970.

    Attributes:
        kind: What it is; a link only connects others.
        is_span: A span; else a log record.
        is_mine: It stands in the file that is being read.
        session: Of Claude Code, else the conversation.
        prompt: Id of the prompt that caused it.
        key: Id of the request, or of the tool call.
        usage: Of a request, or repeated from those below it.
        outcome: Whether it went well, where that is told.
        text: Of a prompt, what was typed; of a tool, what came back.
        position: Byte offset of its line, and its place in it.
    """

    kind: PartKind
    is_span: bool
    is_mine: bool
    is_claude: bool
    trace: str
    span: str
    parent: str
    session: str | None
    prompt: str | None
    start: int
    end: int
    position: tuple[int, int]
    sequence: int = 0
    key: str | None = None
    name: str | None = None
    agent: str | None = None
    model: str | None = None
    usage: Usage | None = None
    cost: Decimal | None = None
    outcome: bool | None = None
    error: str | None = None
    text: str | None = None
    params: str | None = None
    command: str | None = None
    project: str | None = None
    version: str | None = None

    @property
    def group(self) -> str:
        """What all parts of a run share, whatever file they stand in."""
        return f"session {self.session}" if self.is_claude and self.session else f"trace {self.trace}"

    @property
    def identity(self) -> tuple[object, ...]:
        """What two copies of a record share."""
        if self.is_span:
            return self.trace, self.span
        return self.kind, self.start, self.sequence, self.key, self.name, self.usage


def part_of(
    record: Record, offset: int, *, is_mine: bool, includes_cache: bool | None, skipped: Counter[str]
) -> Part | None:
    """What a record says, or None where it can say nothing of a run.

    Args:
        record: Any.
        offset: Of its line.
        is_mine: It stands in the file that is being read.
        includes_cache: Whether input tokens count the cached ones; None: as the conventions say.
        skipped: Counts records of unknown types.

    Raises:
        Unusable: It should count and cannot.
    """
    attributes = record.attributes
    claude_name = _claude_name(record)
    kind = _kind(record, claude_name, skipped)
    if kind is None:
        return None
    is_claude = claude_name is not None
    part = Part(
        kind,
        record.signal == "span",
        is_mine,
        is_claude,
        record.trace,
        record.span,
        record.parent,
        _plain(attributes.get("session.id")) or _plain(attributes.get("gen_ai.conversation.id")),
        _plain(attributes.get("prompt.id")),
        record.start,
        record.end or record.start,
        (offset, record.place),
    )
    if kind == "link":
        return part if part.trace and part.span else None
    if not part.trace and not (is_claude and part.session):
        raise Unusable("no_trace", "A record of a run belongs to a trace or a session.")
    if not part.start:
        raise Unusable("no_time", "The record holds no usable time.")
    part.sequence = whole_number(attributes.get("event.sequence")) or 0
    part.version = _plain(attributes.get("app.version")) or _plain(attributes.get("service.version"))
    part.agent = _plain(attributes.get("agent_id")) if is_claude else None
    part.project = _project(attributes, is_claude=is_claude)
    part.error = _error(record)
    part.outcome = _truth(attributes.get("success"))
    if part.error is not None or record.is_error:
        part.outcome = False
    if kind in ("call", "agent"):
        _read_request(part, record, includes_cache)
    elif kind in ("tool", "result"):
        _read_tool(part, record)
    elif kind == "prompt":
        part.text = _plain(attributes.get("prompt"))
    duration = whole_number(attributes.get("duration_ms"))
    if not part.is_span and duration is not None and 0 <= duration * 1_000 < part.end:
        part.start = part.end - duration * 1_000  # An event is told of when it is over.
    return part


def _kind(record: Record, claude_name: str | None, skipped: Counter[str]) -> PartKind | None:
    if record.signal == "log":
        if claude_name is None:
            skipped[f"log {record.name[:40]}".strip()] += 1
        elif claude_name not in _CLAUDE_EVENTS and claude_name not in _SILENT_EVENTS:
            skipped[f"event {claude_name}"] += 1
        return _CLAUDE_EVENTS.get(claude_name or "")
    operation = _plain(record.attributes.get("gen_ai.operation.name"))
    kind = _CLAUDE_SPANS.get(claude_name or "") or _OPERATIONS.get(operation or "")
    if kind is None:
        known = claude_name or operation
        skipped[f"span {known}" if known else "span without gen_ai.operation.name"] += 1
    return kind or "link"


def _claude_name(record: Record) -> str | None:
    """The name of one of Claude Code's own records, without its prefix."""
    if record.name.startswith(_CLAUDE):
        return record.name.removeprefix(_CLAUDE)
    event = text_of(record.attributes.get("event.name"))
    is_its_own = record.scope.startswith(_CLAUDE_SCOPE) or (event or "").startswith(_CLAUDE)
    if record.signal == "log" and (is_its_own or record.attributes.get("service.name") == "claude-code"):
        return (event or record.name).removeprefix(_CLAUDE)
    return None


def _read_request(part: Part, record: Record, includes_cache: bool | None) -> None:
    attributes = record.attributes
    part.key = _plain(attributes.get("request_id")) or _plain(attributes.get("gen_ai.response.id"))
    part.name = _plain(attributes.get("gen_ai.workflow.name")) or _plain(attributes.get("gen_ai.agent.name"))
    names = ("gen_ai.response.model", "model", "gen_ai.request.model")
    part.model = next((model for name in names if (model := _plain(attributes.get(name)))), None)
    bare = part.is_claude and any(name in attributes for (name,) in _CLAUDE_TOKENS)
    inclusive = (not bare) if includes_cache is None else includes_cache
    part.usage = _usage(attributes, _CLAUDE_TOKENS if bare else _TOKENS, inclusive=inclusive)
    part.cost = _cost(attributes.get("cost_usd"))
    part.text = _plain(attributes.get("user_prompt")) or _asked(record)


def _read_tool(part: Part, record: Record) -> None:
    attributes = record.attributes
    names = ("gen_ai.tool.call.id", "tool_use_id")
    part.key = next((key for name in names if (key := _plain(attributes.get(name)))), None)
    part.name = _plain(attributes.get("gen_ai.tool.name")) or _plain(attributes.get("tool_name"))
    written = ("gen_ai.tool.call.arguments", "tool_input", "tool_parameters")
    given = next((attributes[name] for name in written if _is_told(attributes.get(name))), None)
    if given is None:
        told = {name: _plain(attributes.get(name)) for name in ("file_path", "skill_name", "subagent_type")}
        given = {name: value for name, value in told.items() if value} or None
    params = mapping_of(given)
    commands = (params.get("command"), params.get("full_command"), attributes.get("full_command"))
    part.command = next((command for each in commands if (command := _plain(each))), None)
    part.params = None if given is None else orjson.dumps(decoded(given), default=str).decode()
    outputs = [values for name, values in record.events if name == "tool.output"]
    said = [attributes.get("gen_ai.tool.call.result"), *(values.get("output") for values in outputs)]
    part.text = next((_shown(each) for each in said if _is_told(each)), None)
    if not part.is_claude and part.outcome is None:
        part.outcome = True  # By the conventions an operation that failed bears error.type.


def _usage(attributes: Mapping[str, Any], names: tuple[tuple[str, ...], ...], *, inclusive: bool) -> Usage | None:
    """Tokens in disjoint buckets; None where none are told."""
    given = [next((attributes[name] for name in either if attributes.get(name) is not None), None) for either in names]
    if all(each is None for each in given):
        return None
    counts = [0 if each is None else whole_number(each) for each in given]
    known = [each for each in counts if each is not None and 0 <= each <= _MOST_TOKENS]
    if len(known) < len(counts):
        raise Unusable("invalid_figure", "A token count must be a whole number of at least zero.")
    sent, received, cached, written = known
    if inclusive:
        sent -= cached + written
    if sent < 0:
        raise Unusable(
            "negative_tokens",
            "More tokens are cached than were given as input; set input_includes_cache = false in the mapping.",
        )
    return Usage(sent, received, cached, written)


def _cost(given: Any) -> Decimal | None:
    if given is None:
        return None
    try:
        cost = Decimal(str(given))
    except InvalidOperation:
        cost = Decimal(-1)
    if not cost.is_finite() or not 0 <= cost < 10**12 or isinstance(given, bool):
        raise Unusable("invalid_figure", "A cost must be a number of at least zero.")
    return cost


def _asked(record: Record) -> str | None:
    """The last words of the user among the messages that a model was given."""
    messages = objects_of(decoded(record.attributes.get("gen_ai.input.messages")))
    for message in reversed(messages):
        if message.get("role") == "user":
            parts = [part.get("content") for part in objects_of(message.get("parts")) if part.get("type") == "text"]
            texts = [text for text in [message.get("content"), *parts] if isinstance(text, str) and text]
            return "\n".join(texts)[:_TEXT_LENGTH].strip() or None
    asked = [values.get("content") for name, values in record.events if name == "gen_ai.user.message"]
    return _plain(asked[-1]) if asked else None


def _error(record: Record) -> str | None:
    """In what words the record says that it failed."""
    attributes = record.attributes
    thrown = [values.get("exception.message") for name, values in record.events if name == "exception"]
    said = [_plain(each) for each in (attributes.get("error"), record.message, *thrown)]
    failed = attributes.get("error.type") is not None or record.is_error or _truth(attributes.get("success")) is False
    if not failed and said[0] is None:
        return None
    kind = _plain(attributes.get("error.type")) or _plain(attributes.get("error_type"))
    words = next((each for each in said if each), None)
    told = ": ".join(each for each in (kind, words) if each)
    return told or ("The operation failed." if failed else None)


def _project(attributes: Mapping[str, Any], *, is_claude: bool) -> str | None:
    if not is_claude:
        return _plain(attributes.get("service.name"))
    paths = list_of(attributes.get("workspace.host_paths"))
    return _plain(paths[0]) if paths else None


def _truth(value: Any) -> bool | None:
    return {"true": True, "false": False}.get(str(value).lower()) if isinstance(value, bool | str) else None


def _is_told(value: Any) -> bool:
    return value is not None and value != "" and value not in _WITHHELD


def _shown(value: Any) -> str:
    whole = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    return whole[:_TEXT_LENGTH]


def _plain(value: Any) -> str | None:
    """Text of a value that is told: what was withheld is unknown."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return text_of(value) if _is_told(value) else None
