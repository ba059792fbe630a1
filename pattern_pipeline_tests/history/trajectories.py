"""Small trajectories of mini-swe-agent and SWE-agent, written as the agents write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Record = dict[str, Any]

TASK = "Fix the rounding.\n\nOutput is `344`, expected `345`."
BEGIN = 1_775_803_411
_TEMPLATE = (
    "<pr_description>\nConsider the following PR description:\n{{task}}\n</pr_description>\n\nRun {{system}} commands."
)
_ASKED = f"<pr_description>\nConsider the following PR description:\n{TASK}\n\n</pr_description>\n\nRun Linux commands."


def call(number: int, *commands: str, cost: float = 0.01, **usage: Any) -> Record:
    """An answer of the model in version 2, ten seconds after the one before."""
    moment = BEGIN + 10 * number
    return {
        "role": "assistant",
        "content": "Let me see.",
        "extra": {
            "actions": [
                {"command": command, "tool_call_id": f"call_{number}_{place}"} for place, command in enumerate(commands)
            ],
            "response": {
                "id": f"response-{number}",
                "created": moment,
                "model": "deepseek-chat",
                "usage": {
                    "prompt_tokens": 1_000,
                    "completion_tokens": 11,
                    "prompt_tokens_details": {"cached_tokens": 300},
                    **usage,
                },
            },
            "cost": cost,
            "timestamp": moment + 2.5,
        },
    }


def result(number: int, place: int, output: str, code: int = 0) -> Record:
    """What came back of a command of version 2."""
    return {
        "role": "tool",
        "tool_call_id": f"call_{number}_{place}",
        "content": f"<returncode>{code}</returncode>\n<output>\n{output}</output>",
        "extra": {"raw_output": output, "returncode": code, "timestamp": BEGIN + 10 * number + 3.5 + place},
    }


def mini(*messages: Record, cost: float = 0.03, status: str = "Submitted", **info: Any) -> Record:
    """A document of version 2; without messages one with three commands of two calls and the submission."""
    given = messages or (
        call(0, "ls", "pytest -q"),
        result(0, 0, "a.py\n"),
        result(0, 1, "1 failed\n", 1),
        call(1, "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && cat patch.txt", cost=0.02),
        {"role": "exit", "content": "diff", "extra": {"exit_status": status, "submission": "diff"}},
    )
    return {
        "info": {
            "model_stats": {"instance_cost": cost, "api_calls": 2},
            "config": {
                "agent": {"instance_template": _TEMPLATE},
                "model": {"model_name": "deepseek/deepseek-chat"},
                "environment": {"cwd": "/testbed"},
            },
            "mini_version": "2.2.7",
            "exit_status": status,
            "submission": "diff",
            **info,
        },
        "messages": [{"role": "system", "content": "You help."}, {"role": "user", "content": _ASKED}, *given],
        "trajectory_format": "mini-swe-agent-1.1",
        "instance_id": "django__django-11039",
    }


def mini_v1() -> Record:
    """A document of version 1: what was done stands in the texts alone."""
    document = mini(
        {"role": "assistant", "content": "First:\n```bash\nls\n```", "timestamp": BEGIN + 1.0},
        {"role": "user", "content": "<returncode>0</returncode>\n<output>\na.py\n</output>", "timestamp": BEGIN + 2.0},
        {"role": "assistant", "content": "```bash\na\n```\n```bash\nb\n```", "timestamp": BEGIN + 3.0},
        {"role": "user", "content": "Please always provide EXACTLY ONE action.", "timestamp": BEGIN + 4.0},
        {"role": "assistant", "content": "```bash\nmake\n```", "timestamp": BEGIN + 5.0},
        {
            "role": "user",
            "content": "<returncode>2</returncode>\n<output>\nno rule\n</output>",
            "timestamp": BEGIN + 9.0,
        },
        status="LimitsExceeded",
    )
    return {**document, "trajectory_format": "mini-swe-agent-1"}


def swe(*commands: str, seconds: float = 0.281412832, **document: Any) -> Record:
    """A document of SWE-agent in which each command leads into the directory of its number."""
    return {
        "environment": "main",
        "trajectory": [
            {
                "action": command,
                "observation": f"seen {number}",
                "response": "I will look.",
                "thought": "I will look.",
                "execution_time": seconds + number,
                "state": {"open_file": "n/a", "working_dir": f"/repo/{number}"},
            }
            for number, command in enumerate(commands or ("find_file a.py", "python a.py", "submit"))
        ],
        "history": [
            {"role": "system", "content": "SETTING"},
            {"role": "user", "content": "ISSUE:\na demonstration\n\nINSTRUCTIONS:\n", "is_demo": True},
            {"role": "user", "content": f"Here's the issue text:\nISSUE:\n{TASK}\n\nINSTRUCTIONS:\nNow, solve it."},
        ],
        "info": {
            "exit_status": "submitted",
            "submission": "diff --git",
            "model_stats": {"instance_cost": 0.01952, "tokens_sent": 7_141, "tokens_received": 243, "api_calls": 5},
        },
        "replay_config": json.dumps(
            {
                "agent": {"model": {"name": "gpt-4o"}},
                "env": {"repo": {"github_url": "https://github.com/SWE-agent/test-repo"}},
                "problem_statement": {"type": "github", "id": "SWE-agent__test-repo-i1"},
            }
        ),
        **document,
    }


def write_trajectory(path: Path, document: Record, *, cut: int = 0) -> Path:
    """A file of the document; `cut` leaves out so many bytes at its end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=2).encode()
    path.write_bytes(text[: len(text) - cut])
    return path
