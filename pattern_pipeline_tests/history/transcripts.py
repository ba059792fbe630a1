"""Small Claude Code transcripts: a session whose lines are written as the client writes them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

Record = dict[str, Any]

BEGIN = datetime(2026, 3, 1, 9, tzinfo=UTC)


class Session:
    """Writes the lines of one session, a second apart; each answers the one before it."""

    def __init__(self, name: str = "s1", *, cwd: str = "/srv/app", model: str = "claude-opus-4-5-20251101") -> None:
        self.name = name
        self.cwd = cwd
        self.model = model
        self.lines: list[Record] = []
        self._side: Record = {"isSidechain": False}
        self._calls = 0

    def line(self, record_type: str, **fields: Any) -> Record:
        number = len(self.lines)
        record = {
            "type": record_type,
            "sessionId": self.name,
            "uuid": f"{self.name}-{number}",
            "parentUuid": self.lines[-1]["uuid"] if self.lines else None,
            "timestamp": f"{(BEGIN + timedelta(seconds=number)).isoformat(timespec='milliseconds')[:-6]}Z",
            "cwd": self.cwd,
            "gitBranch": "main",
            "version": "2.0.76",
            **self._side,
            **fields,
        }
        self.lines.append(record)
        return record

    def prompt(self, text: str, **fields: Any) -> Record:
        return self.line("user", message={"role": "user", "content": text}, **fields)

    def call(self, *blocks: Record, output: int = 10, **usage: Any) -> list[Record]:
        """One API call: a line for each block, each with the usage known by then."""
        self._calls += 1
        number = f"{self.name}_{self._calls}"
        told = {"input_tokens": 3, "cache_read_input_tokens": 1_000, "cache_creation_input_tokens": 100, **usage}
        return [
            self.line(
                "assistant",
                requestId=f"req_{number}",
                message={
                    "id": f"msg_{number}",
                    "role": "assistant",
                    "model": self.model,
                    "content": [block],
                    "stop_reason": None,
                    "usage": {**told, "output_tokens": output if block is blocks[-1] else 1},
                },
            )
            for block in blocks
        ]

    def result(self, tool_use_id: str, text: str = "done", *, is_error: bool = False, **outcome: Any) -> Record:
        block = {"type": "tool_result", "tool_use_id": tool_use_id, "content": text, "is_error": is_error}
        return self.line("user", message={"role": "user", "content": [block]}, toolUseResult=outcome)

    def bash(self, tool_use_id: str, command: str, text: str = "done", *, is_error: bool = False) -> None:
        """A call of Bash with its result."""
        self.call(use(tool_use_id, "Bash", command=command))
        self.result(tool_use_id, text, is_error=is_error)

    def side(self, agent: str | None) -> None:
        """From here on the lines are those of a sub-agent; None: no longer."""
        self._side = {"isSidechain": True, "agentId": agent} if agent else {"isSidechain": False}


def text(words: str = "All right.") -> Record:
    return {"type": "text", "text": words}


def use(tool_use_id: str, name: str, **given: Any) -> Record:
    return {"type": "tool_use", "id": tool_use_id, "name": name, "input": given}


def write_transcript(path: Path, lines: list[Record] | list[str], *, cut: int = 0) -> Path:
    """A file of these lines; `cut` leaves out so many bytes at its end."""
    whole = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(whole[: len(whole) - cut])
    return path


def a_working_day(name: str = "s1") -> Session:
    """Three prompts with parallel calls, an error, an answer, and a sub-agent among them."""
    session = Session(name)
    session.prompt("run the tests")
    session.call(text("Let me see."), use("t1", "Bash", command="pytest -q"), use("t2", "Read", file_path="a.py"))
    session.result("t1", "Exit code 2\nE   assert False", is_error=True)
    session.result("t2", "content", durationMs=12)
    session.call(text("One test fails."), output=40)
    session.prompt("review the code")
    session.call(use("t3", "Task", prompt="look at a.py", subagent_type="reviewer"))
    session.side("a1")
    session.prompt("look at a.py")
    session.bash("t4", "git diff")
    session.call(text("Looks good."))
    session.side(None)
    session.result("t3", "Looks good.", agentId="a1", totalDurationMs=5_000)
    session.call(text("Reviewed."), output=20)
    session.prompt("commit it")
    session.bash("t5", "git commit -am fix")
    session.call(text("Committed."))
    return session
