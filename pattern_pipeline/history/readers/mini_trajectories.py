"""The trajectory of mini-swe-agent: a conversation whose messages carry commands, results, costs and times.

Version 2 keeps what a message means in `extra` (actions, cost, returncode, timestamp), in the shape of whichever API
was asked; version 1 has it in the text: a command in a code block, its result in tags.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pattern_pipeline.history.pricing import Usage
from pattern_pipeline.history.readers.loose import (
    at,
    blocks_of,
    count_of,
    joined_text,
    list_of,
    mapping_of,
    objects_of,
    text_of,
)
from pattern_pipeline.history.readers.shares import shares
from pattern_pipeline.history.readers.trajectory import TEXT_LENGTH, Trajectory, task_in

_ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool", "exit"})
_RESULT_TYPES: Final = frozenset({"function_call_output"})
_COMMAND: Final = re.compile(r"```(?:mswea_bash_command|bash)[ \t]*\n(.*?)\n```", re.DOTALL)
_RETURN_CODE: Final = re.compile(r"<returncode>\s*(-?\d{1,9})\s*</returncode>")
_OUTPUT: Final = re.compile(r"<output>\n?(.*?)</output>", re.DOTALL)

Message = Mapping[str, Any]


def trajectory(document: Mapping[str, Any]) -> Trajectory:
    """The run of a document."""
    info = mapping_of(document.get("info"))
    messages = objects_of(document.get("messages"))
    calls = _calls(messages)
    usages = [_usage(call) for call, _ in calls]
    total = sum((usage for usage in usages if usage is not None), Usage())
    directory = text_of(at(info, "config", "environment", "cwd"))
    steps: list[dict[str, Any]] = []
    for number, ((call, results), usage) in enumerate(zip(calls, usages, strict=True), 1):
        steps += _steps(call, results, usage, number, directory)
    model = at(info, "config", "model")
    responses = [at(call, "extra", "response", "model") for call, _ in calls]
    first = calls[0][0] if calls else {}
    record: dict[str, Any] = {
        "nl_input": _task(messages, info),
        "model_used": text_of(at(model, "model_name")) or text_of(model) or next(filter(None, responses), None),
        "project": directory,
        "client_version": text_of(info.get("mini_version")),
    }
    if any(usage is not None for usage in usages):
        record |= {
            "input_tokens": total.input,
            "output_tokens": total.output,
            "cache_read_tokens": total.cache_read,
            "cache_write_tokens": total.cache_write,
        }
    return Trajectory(
        info,
        record,
        steps,
        text_of(document.get("instance_id")),
        [_response_id(first), _time(first)],
        [moment for message in messages for moment in (_time(message), _created(message)) if moment is not None],
        _unknown(document.get("messages")),
    )


def _calls(messages: Sequence[Message]) -> list[tuple[Message, list[Message]]]:
    """The answers of the model, each with the messages that follow it."""
    calls: list[tuple[Message, list[Message]]] = []
    for message in messages:
        if message.get("role") == "assistant" or message.get("object") == "response":
            calls.append((message, []))
        elif calls:
            calls[-1][1].append(message)
    return calls


def _steps(
    call: Message, results: Sequence[Message], usage: Usage | None, number: int, directory: str | None
) -> list[dict[str, Any]]:
    """The commands of one answer; the call's whole cost stands on each, to be shared where records are normalised."""
    actions = _actions(call)
    parts = shares(usage or Usage(), None, len(actions))
    cost = at(call, "extra", "cost")
    steps = []
    for place, action in enumerate(actions):
        own, share = _result_of(action, place, results), next(parts)
        step = {
            "tool_call_id": text_of(action.get("tool_call_id")),
            "tool_name": "bash",
            "command": action["command"],
            "cwd": directory,
            "called_at": _time(call),
            "request_id": _response_id(call) or f"call-{number}",
            "cost_usd": cost or None,
            **_result(own),
        }
        if usage is not None:
            step |= {"input_tokens": share.input, "output_tokens": share.output}
        steps.append(step)
    return steps


def _actions(call: Message) -> list[Mapping[str, Any]]:
    told = at(call, "extra", "actions")
    if told is None:
        written = _COMMAND.findall(joined_text(blocks_of(call.get("content"))))
        # More than one is refused by the agent, and nothing is executed.
        return [{"command": written[0].strip()}] if len(written) == 1 else []
    return [action for action in objects_of(told) if text_of(action.get("command"))]


def _result_of(action: Mapping[str, Any], place: int, results: Sequence[Message]) -> Message | None:
    """The message with the result of an action: by the call's id where it has one, else by order."""
    if call_id := text_of(action.get("tool_call_id")):
        same = (each for each in results if call_id in (each.get("tool_call_id"), each.get("call_id")))
        return next(same, None)
    plain = [each for each in results if each.get("role") == "user" and at(each, "extra", "interrupt_type") is None]
    return plain[place] if place < len(plain) else None


def _result(message: Message | None) -> dict[str, Any]:
    if message is None:
        return {}
    extra, said = (
        mapping_of(message.get("extra")),
        joined_text(blocks_of(message.get("content", message.get("output")))),
    )
    written, output = _RETURN_CODE.search(said), _OUTPUT.search(said)
    code = extra.get("returncode", int(written[1]) if written else None)
    shown = text_of(extra.get("raw_output")) or (output[1] if output else said)
    failure = text_of(extra.get("exception_info")) or shown
    has_failed = code is not None and code != 0
    return {
        "completed_at": _time(message),
        "exit_code": code,
        "output_excerpt": shown[:TEXT_LENGTH],
        "error_message": failure[:TEXT_LENGTH] if has_failed else None,
    }


def _usage(call: Message) -> Usage | None:
    """Tokens of a call in disjoint buckets, from either of the two APIs; both count cached tokens as input."""
    given = mapping_of(at(call, "extra", "response", "usage") or call.get("usage"))
    if not given:
        return None
    details = mapping_of(given.get("prompt_tokens_details") or given.get("input_tokens_details"))
    cached = count_of(details.get("cached_tokens")) or count_of(given.get("cache_read_input_tokens"))
    written = count_of(given.get("cache_creation_input_tokens"))
    sent = count_of(given.get("prompt_tokens", given.get("input_tokens")))
    received = count_of(given.get("completion_tokens", given.get("output_tokens")))
    return Usage(sent - cached - written, received, cached, written)


def _task(messages: Sequence[Message], info: Mapping[str, Any]) -> str | None:
    first = next((each for each in messages if each.get("role") == "user"), None)
    if first is None:
        return None
    template = text_of(at(info, "config", "agent", "instance_template"))
    return task_in(joined_text(blocks_of(first.get("content"))), template)


def _unknown(messages: Any) -> Counter[str]:
    unknown: Counter[str] = Counter()
    for each in list_of(messages):
        kind = (each.get("role") or each.get("type") or each.get("object")) if isinstance(each, dict) else None
        if not isinstance(kind, str):
            unknown[f"message ({type(each if kind is None else kind).__name__})"] += 1
        elif kind not in _ROLES | _RESULT_TYPES and each.get("object") != "response":
            unknown[f"message {kind}"] += 1
    return unknown


def _response_id(call: Message) -> str | None:
    return text_of(at(call, "extra", "response", "id")) or text_of(call.get("id"))


def _time(message: Message) -> Any:
    return at(message, "extra", "timestamp") or message.get("timestamp")


def _created(message: Message) -> Any:
    return at(message, "extra", "response", "created") or message.get("created_at")
