"""Small exports of telemetry: OTLP requests in JSON as a collector's file exporter writes them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Record = dict[str, Any]

BEGIN = 1_772_355_600
TRACE = "5b8efff798038103d269b633813fc60c"


def typed(value: Any) -> Record:
    """A value with its type, numbers as text."""
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [typed(each) for each in value]}}
        case dict():
            return {"kvlistValue": {"values": pairs(value)}}
        case _:
            return {"stringValue": value}


def pairs(values: Record) -> list[Record]:
    return [{"key": key, "value": typed(value)} for key, value in values.items()]


def nanos(second: float) -> str:
    return str(int((BEGIN + second) * 1_000) * 1_000_000)


def span(
    number: int, name: str, start: float, end: float, parent: int | None = None, *, trace: str = TRACE, **fields: Any
) -> Record:
    """A span; `attributes` among the fields are plain values."""
    return {
        "traceId": trace,
        "spanId": f"{number:016x}",
        "parentSpanId": "" if parent is None else f"{parent:016x}",
        "name": name,
        "kind": 1,
        "startTimeUnixNano": nanos(start),
        "endTimeUnixNano": nanos(end),
        "status": {},
        **fields,
        "attributes": pairs(fields.get("attributes", {})),
    }


def gen_ai(number: int, operation: str, start: float, end: float, parent: int | None = None, **fields: Any) -> Record:
    """A span by the conventions for generative AI; names of attributes without their prefix, `__` for a dot."""
    given = {f"gen_ai.{name.replace('__', '.')}": value for name, value in fields.pop("of", {}).items()}
    attributes = {"gen_ai.operation.name": operation, **given, **fields.pop("attributes", {})}
    return span(number, f"{operation} x", start, end, parent, attributes=attributes, **fields)


def usage(sent: int, received: int, read: int = 0, written: int = 0) -> Record:
    return {
        "usage__input_tokens": sent,
        "usage__output_tokens": received,
        "usage__cache_read__input_tokens": read,
        "usage__cache_creation__input_tokens": written,
    }


def spans(*given: Record, service: str = "shop", scope: str = "opentelemetry.instrumentation.x") -> Record:
    """A request with these spans."""
    resource = {"attributes": pairs({"service.name": service})}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": scope}, "spans": list(given)}]}]}


def event(
    name: str, second: float, *, session: str = "s1", sequence: int = 0, trace: str = "", **values: Any
) -> Record:
    """An event of Claude Code, of a prompt unless `prompt_id` is empty; `__` in names stands for a dot."""
    prompt = values.pop("prompt_id", "p1")
    attributes = {
        "session.id": session,
        "event.name": name,
        "event.sequence": sequence,
        **({"prompt.id": prompt} if prompt else {}),
        **{key.replace("__", "."): value for key, value in values.items()},
    }
    return {
        "timeUnixNano": nanos(second),
        "body": {"stringValue": f"claude_code.{name}"},
        "attributes": pairs(attributes),
        "traceId": trace,
    }


def logs(*given: Record) -> Record:
    """A request with these log records."""
    resource = {"attributes": pairs({"service.name": "claude-code", "service.version": "2.1.224"})}
    scope = {"name": "com.anthropic.claude_code.events"}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": scope, "logRecords": list(given)}]}]}


def claude(number: int, name: str, start: float, end: float, parent: int | None = None, **values: Any) -> Record:
    """A span of Claude Code in session s1."""
    attributes = {
        "session.id": "s1",
        "span.type": name,
        **{key.replace("__", "."): each for key, each in values.items()},
    }
    return span(number, f"claude_code.{name}", start, end, parent, attributes=attributes)


def a_trace() -> list[Record]:
    """An agent that asks a model twice, runs two tools and repeats its requests' usage."""
    asked = [
        {"role": "system", "parts": [{"type": "text", "content": "You help."}]},
        {"role": "user", "parts": [{"type": "text", "content": "check the order"}]},
    ]
    conversation = {"conversation__id": "conv-1"}
    return [
        span(1, "POST /chat", 0, 9, attributes={"http.request.method": "POST"}),
        gen_ai(
            2, "invoke_agent", 0.5, 8, 1, of={"agent__name": "clerk", **conversation, **usage(4_000, 30, 1_500, 500)}
        ),
        gen_ai(
            3,
            "chat",
            1,
            2,
            2,
            of={
                "request__model": "claude-opus-4-5",
                "response__model": "claude-opus-4-5-20251101",
                "response__id": "msg_1",
                "input__messages": json.dumps(asked),
                **conversation,
                **usage(1_500, 20, 500, 500),
            },
        ),
        gen_ai(4, "execute_tool", 2, 3, 2, of=tool("Bash", "call_1", json.dumps({"command": "pytest -q"}))),
        gen_ai(
            5, "execute_tool", 3, 3.5, 2, of=tool("find", "call_2", {"id": 7}), attributes={"error.type": "timeout"}
        ),
        gen_ai(6, "chat", 4, 7.5, 2, of={"response__model": "claude-opus-4-5-20251101", **usage(2_500, 10, 1_000)}),
    ]


def tool(name: str, call_id: str, arguments: Any) -> Record:
    return {"tool__name": name, "tool__call__id": call_id, "tool__call__arguments": arguments}


def a_claude_prompt(trace: str = TRACE) -> tuple[list[Record], list[Record]]:
    """The spans and the events of one prompt of Claude Code, each telling of the same two requests and two tools."""
    tokens = {"input_tokens": 3, "output_tokens": 40, "cache_read_tokens": 1_000, "cache_creation_tokens": 100}
    given = [
        claude(1, "interaction", 0, 9, user_prompt="run the tests", interaction__sequence=1),
        claude(2, "llm_request", 0.5, 2, 1, model="claude-opus-4-5", request_id="req_1", **tokens, success=True),
        claude(3, "tool", 2, 4, 1, tool_name="Bash", tool_use_id="toolu_1", full_command="pytest -q"),
        claude(4, "tool.blocked_on_user", 2, 2.5, 3, decision="accept"),
        claude(5, "tool.execution", 2.5, 4, 3, success="false", error="Exit code 1"),
        claude(6, "tool", 2, 3, 1, tool_name="Read", tool_use_id="toolu_2", file_path="a.py"),
        claude(7, "llm_request", 4.5, 8, 1, model="claude-opus-4-5", request_id="req_2", **tokens, success=True),
    ]
    told = {"model": "claude-opus-4-5", "duration_ms": "1500", **tokens}
    parameters = json.dumps({"bash_command": "pytest", "full_command": "pytest -q", "description": "Run"})
    events = [
        event("user_prompt", 0, sequence=1, prompt="run the tests", prompt_length=13, trace=trace),
        event("api_request", 2, sequence=2, request_id="req_1", cost_usd=0.0123, trace=trace, **told),
        event("tool_decision", 2.5, sequence=3, tool_name="Bash", decision="accept", trace=trace),
        event(
            "tool_result", 3, sequence=4, tool_name="Read", tool_use_id="toolu_2", success="true", duration_ms="1000"
        ),
        event(
            "tool_result",
            4,
            sequence=5,
            tool_name="Bash",
            tool_use_id="toolu_1",
            success="false",
            error="Exit code 1",
            duration_ms="1500",
            tool_parameters=parameters,
        ),
        event("api_request", 8, sequence=6, request_id="req_2", cost_usd="0.02", trace=trace, **told),
    ]
    return given, events


def write_export(path: Path, requests: Sequence[Record | str], *, cut: int = 0) -> Path:
    """A file of these requests; `cut` leaves out so many bytes at its end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (each if isinstance(each, str) else json.dumps(each, separators=(",", ":")) for each in requests)
    whole = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(whole[: len(whole) - cut])
    return path
