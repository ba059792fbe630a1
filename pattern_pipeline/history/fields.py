"""The names under which runs and steps are known in the wild, and the type of each canonical field.

Only names, types and value vocabularies belong here: adding an alias is adding a word. How values are converted is in
`coercion`, what a user may override is in `mapping`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["text", "json", "money", "seconds", "count32", "count64", "code", "instant", "truth", "steps"]


@dataclass(frozen=True)
class Field:
    """One canonical field: its type and the source names it answers to, the most specific first."""

    kind: Kind
    names: tuple[str, ...]


def _field(kind: Kind, *names: str) -> Field:
    return Field(kind, names)


# `success`, `duration_ms`, `cached_input_tokens` and `steps` are no columns of `workflow_history`: they end in others.
RUN_FIELDS: Final[Mapping[str, Field]] = {
    "workflow_id": _field("text", "workflow_id", "run_id", "id"),
    "adw_id": _field("text", "adw_id"),
    "session_id": _field("text", "session_id", "conversation_id", "thread_id"),
    "parent_workflow_id": _field("text", "parent_workflow_id", "parent_run_id", "parent_id"),
    "project": _field("text", "project", "repository", "repo"),
    "nl_input": _field("text", "nl_input", "task_text", "prompt", "input", "instruction", "task"),
    "workflow_template": _field("text", "workflow_template", "template"),
    "workflow_type": _field("text", "workflow_type"),
    "model_used": _field("text", "model_used", "model", "model_name"),
    "status": _field("text", "status", "exit_status", "state", "outcome"),
    "success": _field("truth", "success", "succeeded", "is_success"),
    "start_time": _field("instant", "start_time", "started_at", "start", "timestamp", "created_at"),
    "end_time": _field("instant", "end_time", "ended_at", "finished_at", "completed_at", "end"),
    "duration_seconds": _field("seconds", "duration_seconds", "duration_s", "duration"),
    "duration_ms": _field("seconds", "duration_ms", "latency_ms"),
    "error_message": _field("text", "error_message", "error"),
    "error_count": _field("count32", "error_count"),
    "retry_count": _field("count32", "retry_count", "retries"),
    "input_tokens": _field("count64", "input_tokens", "prompt_tokens"),
    "output_tokens": _field("count64", "output_tokens", "completion_tokens"),
    "cache_read_tokens": _field("count64", "cache_read_tokens", "cache_read_input_tokens"),
    "cached_input_tokens": _field("count64", "cached_input_tokens"),
    "cache_write_tokens": _field("count64", "cache_write_tokens", "cache_creation_input_tokens"),
    "total_tokens": _field("count64", "total_tokens"),
    "estimated_cost_total": _field("money", "estimated_cost_total", "estimated_cost"),
    "actual_cost_total": _field(
        "money", "actual_cost_total", "cost_usd", "total_cost", "total_cost_usd", "instance_cost", "cost"
    ),
    "steps": _field("steps", "steps", "tool_calls"),
}

STEP_FIELDS: Final[Mapping[str, Field]] = {
    "tool_call_id": _field("text", "tool_call_id", "tool_use_id", "call_id", "id"),
    "agent_id": _field("text", "agent_id"),
    "tool_name": _field("text", "tool_name", "tool", "name"),
    "tool_params": _field("json", "tool_params", "tool_input", "args", "arguments", "parameters", "params", "input"),
    "command": _field("text", "command", "cmd"),
    "cwd": _field("text", "cwd", "working_directory", "workdir"),
    "called_at": _field("instant", "called_at", "timestamp", "start_time", "started_at", "time"),
    "completed_at": _field("instant", "completed_at", "end_time", "ended_at", "finished_at"),
    "duration_seconds": _field("seconds", "duration_seconds", "duration_s", "duration"),
    "duration_ms": _field("seconds", "duration_ms"),
    "success": _field("truth", "success", "succeeded"),
    "is_error": _field("truth", "is_error"),
    "exit_code": _field("code", "exit_code", "returncode", "return_code"),
    "error_message": _field("text", "error_message", "error"),
    "input_tokens": _field("count64", "input_tokens", "prompt_tokens"),
    "output_tokens": _field("count64", "output_tokens", "completion_tokens"),
    "cost_usd": _field("money", "cost_usd", "call_cost_usd", "cost"),
    "request_id": _field("text", "request_id"),
    "output_excerpt": _field("text", "output_excerpt", "output", "stdout", "observation"),
}

Status = Literal["pending", "running", "completed", "failed"]

# Lower case; a known value that is not listed means that the run failed, an unknown (NULL) one stays unknown.
STATUS_VALUES: Final[Mapping[str, Status]] = {
    "submitted": "completed",
    "success": "completed",
    "succeeded": "completed",
    "successful": "completed",
    "complete": "completed",
    "completed": "completed",
    "done": "completed",
    "finished": "completed",
    "ok": "completed",
    "passed": "completed",
    "0": "completed",
    "true": "completed",
    "running": "running",
    "in_progress": "running",
    "started": "running",
    "pending": "pending",
    "queued": "pending",
    "created": "pending",
    "scheduled": "pending",
}
