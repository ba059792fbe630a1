"""The trajectory of SWE-agent: actions with what came back, and totals; there are no times and no exit codes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

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
from pattern_pipeline.history.readers.trajectory import TEXT_LENGTH, Trajectory, task_in

# What the agent notes in the place of an action when it gives up.
_NO_ACTION: Final = re.compile(r"exit_[a-z_]+|skip")


def trajectory(document: Mapping[str, Any]) -> Trajectory:
    """The run of a document."""
    info = mapping_of(document.get("info"))
    entries = objects_of(document.get("trajectory"))
    replay = mapping_of(document.get("replay_config"))
    stats = mapping_of(info.get("model_stats"))
    first = entries[0]
    record = {
        "nl_input": _task(document, replay),
        "model_used": text_of(at(replay, "agent", "model", "name")),
        "project": _repository(replay) or text_of(at(first, "state", "working_dir")),
        "client_version": text_of(info.get("swe_agent_version")),
        "input_tokens": count_of(stats.get("tokens_sent")) or None,
        "output_tokens": count_of(stats.get("tokens_received")) or None,
    }
    instance = text_of(at(replay, "problem_statement", "id")) or text_of(document.get("instance_id"))
    opening = [first.get("execution_time"), *(first.get(name) for name in ("action", "response"))]
    return Trajectory(
        info,
        record,
        _steps(entries),
        instance,
        opening if opening[0] else (),
        skipped=_unknown(document.get("trajectory")),
    )


def _steps(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The commands in their order. The state is that after a command, whose directory is the one before it."""
    steps = []
    directory = None
    for entry in entries:
        after = text_of(at(entry, "state", "working_dir"))
        action = (text_of(entry.get("action")) or "").strip()
        if action and not _NO_ACTION.fullmatch(action):
            seen = text_of(entry.get("observation"))
            steps.append(
                {
                    "tool_name": "bash",
                    "command": action,
                    "cwd": directory or after,
                    "duration_seconds": entry.get("execution_time"),
                    "output_excerpt": seen and seen[:TEXT_LENGTH],
                }
            )
        directory = after or directory
    return steps


def _task(document: Mapping[str, Any], replay: Mapping[str, Any]) -> str | None:
    if told := text_of(at(replay, "problem_statement", "text")):
        return told.strip()
    opening = objects_of(document.get("history")) or objects_of(at(document["trajectory"][0], "messages"))
    asked = (
        each
        for each in opening or objects_of(at(document["trajectory"][0], "query"))
        if each.get("role") == "user" and not _is_demonstration(each)
    )
    if (message := next(asked, None)) is None:
        return None
    return task_in(
        joined_text(blocks_of(message.get("content"))), text_of(at(replay, "agent", "templates", "instance_template"))
    )


def _is_demonstration(message: Mapping[str, Any]) -> bool:
    return message.get("is_demo") is True or message.get("message_type") == "demonstration"


def _repository(replay: Mapping[str, Any]) -> str | None:
    repository = at(replay, "env", "repo")
    return text_of(at(repository, "github_url")) or text_of(at(repository, "path"))


def _unknown(entries: Any) -> Counter[str]:
    return Counter(f"step ({type(each).__name__})" for each in list_of(entries) if not isinstance(each, dict))
