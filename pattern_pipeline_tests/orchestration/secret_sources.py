"""Secrets of many kinds, and sources of every reader with a secret planted in each of their strings.

A new reader is one entry in `SOURCES`. Secrets are put together here, so that none stands in a file.
"""

from __future__ import annotations

import csv
import json
import random
import sqlite3
import string
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from pattern_pipeline.history.fields import RUN_FIELDS, STEP_FIELDS
from pattern_pipeline_tests.history.telemetry import a_claude_prompt, a_trace, logs, spans
from pattern_pipeline_tests.history.trajectories import mini, mini_v1, swe
from pattern_pipeline_tests.history.transcripts import a_working_day

LETTERS, MIXED = string.ascii_uppercase + string.digits, string.ascii_letters + string.digits
BEGIN, END = "-----BEGIN RSA PRIVATE" + " KEY-----", "-----END RSA PRIVATE" + " KEY-----"

# How a secret looks and stands in text: around `{}`, of which as many characters of an alphabet are the secret itself.
KINDS: Mapping[str, tuple[str, int, str]] = {
    "private key": (f"{BEGIN}\n{{}}\n{END}", 64, MIXED),
    "aws key": ("AKI" + "A{}", 16, LETTERS),
    "aws secret": ("aws_secret_access_key = {}", 40, MIXED),
    "openai key": ("sk" + "-{}", 48, MIXED),
    "anthropic key": ("sk-" + "ant-api03-{}", 60, MIXED),
    "github token": ("gh" + "p_{}", 36, MIXED),
    "github fine-grained token": ("github_" + "pat_{}", 60, MIXED),
    "slack token": ("xox" + "b-{}", 40, MIXED),
    "slack webhook": ("https://hooks.slack" + ".com/services/{}", 24, MIXED),
    "jwt": ("ey" + "JhbGciOiJIUzI1NiJ9.{}.c2lnbmF0dXJl", 40, MIXED),
    "bearer header": ("Authorization: Bearer {}", 32, MIXED),
    "password": ("PASSWORD={}", 12, MIXED),
    "database password": ("export PGPASSWORD='{}'; psql", 12, MIXED),
    "password option": ("mysqldump --password {} db", 12, MIXED),
    "url": ("git clone https://deploy:{}@git.example.org/a.git", 20, MIXED),
    "google key": ("AI" + "za{}", 35, MIXED),
    "npm token": ("np" + "m_{}", 36, MIXED),
    "gitlab token": ("gl" + "pat-{}", 20, MIXED),
    "api key": ("X-Api-Key: {}", 24, MIXED),
    "client secret": ('client_secret="{}"', 24, MIXED),
}

# What a reader tells records and places apart by; any other string may hold whatever a user or a tool wrote.
STRUCTURE = frozenset(
    {
        "type",
        "role",
        "timestamp",
        "event_type",
        "trajectory_format",
        "content_type",
        "returncode",
        "created",
        "traceId",
        "spanId",
        "parentSpanId",
        "startTimeUnixNano",
        "endTimeUnixNano",
        "timeUnixNano",
        "key",
        "intValue",
        "gen_ai.operation.name",
        "event.name",
        "span.type",
    }
)


def core(source: str, kind: str) -> str:
    """What must leave no trace of a kind of secret that was planted in a source."""
    _, length, alphabet = KINDS[kind]
    chosen = random.Random(f"{source} {kind}")
    return "7" + "".join(chosen.choice(alphabet) for _ in range(length - 1))


def planted(source: str, kind: str) -> str:
    """A secret as it stands in text."""
    return KINDS[kind][0].format(core(source, kind))


def everywhere(document: Any, secret: str, key: str = "") -> Any:
    """The document with the secret after every string, keys and structure apart; equal strings stay equal."""
    match document:
        case dict() if document.get("key") in STRUCTURE:
            return document
        case dict():
            return {name: everywhere(value, secret, name) for name, value in document.items()}
        case list():
            return [everywhere(value, secret, key) for value in document]
        case str() if key not in STRUCTURE and not document.startswith("claude_code."):
            return f"{document} {secret} and on"
        case _:
            return document


def _text_fields(fields: Mapping[str, Any], name: str) -> dict[str, str]:
    return {field: f"{name} {field}" for field, known in fields.items() if known.kind in ("text", "json")}


def _generic_records(name: str) -> Iterable[dict[str, Any]]:
    """Per kind: a run with all its text fields, one that cannot be placed in time, one with figures that are none."""
    for kind in KINDS:
        texts = _text_fields(RUN_FIELDS, f"{name} {kind}") | {"note of ours": "x"}
        steps = [_text_fields(STEP_FIELDS, kind) | {"tool_input": {"command": "ls", "env": {"A": ["b"]}}, "more": "x"}]
        whole = everywhere({**texts, "steps": steps}, planted(name, kind))
        moment = {"start_time": "2026-03-02T00:00:00Z"}
        yield {**whole, **moment}
        yield {**whole, "workflow_id": f"{kind} untimed", "start_time": planted(name, kind)}
        yield {**whole, **moment, "workflow_id": f"{kind} lost", **_lost(planted(name, kind))}


def _lost(secret: str) -> dict[str, Any]:
    return {
        "actual_cost_total": secret,
        "duration_seconds": secret,
        "retry_count": secret,
        "end_time": secret,
        "steps": [{"tool": "Bash", "exit_code": secret, "called_at": secret}, secret],
    }


def _lines(path: Path, records: Iterable[Any], name: str) -> str:
    """JSON lines, among them some that are none."""
    broken = (f'{{"nl_input": "{json.dumps(planted(name, kind))[1:-1]}", ' for kind in KINDS)
    path.write_text("".join(f"{line}\n" for line in [*(json.dumps(record) for record in records), *broken]))
    return str(path)


def _flat(name: str) -> list[dict[str, str]]:
    """The records of `name` as rows of text."""
    records = list(_generic_records(name))
    columns = sorted({column for record in records for column in record})
    return [
        {column: value if isinstance(value := record.get(column, ""), str) else json.dumps(value) for column in columns}
        for record in records
    ]


def jsonl(directory: Path) -> list[str]:
    return [_lines(directory / "runs.jsonl", _generic_records("jsonl"), "jsonl")]


def csv_file(directory: Path) -> list[str]:
    rows = _flat("csv_file")
    with (directory / "runs.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        csv.writer(stream).writerows([planted("csv_file", kind), "too short"] for kind in KINDS)
    return [str(directory / "runs.csv")]


def parquet(directory: Path) -> list[str]:
    pl.DataFrame(_flat("parquet")).write_parquet(directory / "runs.parquet")
    return [str(directory / "runs.parquet")]


def table(directory: Path) -> list[str]:
    rows = _flat("table")
    with sqlite3.connect(directory / "runs.db") as connection:
        columns = ", ".join(f'"{name}"' for name in rows[0])
        connection.execute(f"CREATE TABLE runs ({columns})")
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO runs VALUES ({marks})", [tuple(row.values()) for row in rows])
    return [f"sqlite:///{directory / 'runs.db'}#runs"]


def transcripts(directory: Path) -> list[str]:
    """A session for each kind, its sub-agent's lines in a file of their own, and lines of types that are unknown."""
    for number, kind in enumerate(KINDS):
        session = a_working_day(f"session {number}")
        session.result("t5", "failed", is_error=True, stdout="out", stderr="err", interrupted=False)
        session.line("system", subtype="api_error", content="it failed", error={"message": "no"})
        session.line("summary", summary="what was done")
        session.lines.append({"type": planted("transcripts", kind), "sessionId": f"session {number}", "text": "x"})
        lines = everywhere(session.lines, planted("transcripts", kind))
        own = [line for line in lines if not line.get("isSidechain")]
        side = [line for line in lines if line.get("isSidechain")]
        _lines(directory / f"{number}.jsonl", own, "transcripts")
        (directory / str(number) / "subagents").mkdir(parents=True)
        _lines(directory / str(number) / "subagents" / "agent-a1.jsonl", side, "transcripts")
    return [str(directory)]


def hooks(directory: Path) -> list[str]:
    events = []
    for number, kind in enumerate(KINDS):
        outcome = {"stdout": "out", "stderr": "err", "error": "it failed"}
        bodies: list[tuple[str, dict[str, Any]]] = [
            ("UserPromptSubmit", {"prompt": "do it"}),
            ("PreToolUse", {"tool_input": {"command": "make deploy", "env": ["x"]}}),
            ("PostToolUse", {"tool_response": outcome, "success": False}),
            ("PreToolUse", {"tool_use_id": "other", "tool_input": "plain"}),
            ("PostToolUseFailure", {"tool_use_id": "other", "error": "words"}),
            (planted("hooks", kind), {"message": "unknown"}),
        ]
        for second, (event_type, body) in enumerate(bodies):
            common = {"tool_name": "Bash", "tool_use_id": "use", "context": {"cwd": "/srv"}}
            payload = everywhere({**common, **body}, planted("hooks", kind))
            ids = {"event_id": f"{number} {second}", "session_id": f"s{number}", "workflow_id": "w", "note": "x"}
            row = everywhere(ids, planted("hooks", kind))
            moment = f"2026-03-02T00:{number:02d}:{second:02d}"
            events.append({**row, "event_type": event_type, "timestamp": moment, "payload": json.dumps(payload)})
            events.append({**row, "event_type": event_type, "timestamp": planted("hooks", kind), "payload": payload})
        events.append({"event_type": "PreToolUse", "payload": planted("hooks", kind), "timestamp": "2026-03-02"})
    return [_lines(directory / "events.jsonl", events, "hooks")]


def trajectories(directory: Path) -> list[str]:
    for number, kind in enumerate(KINDS):
        for name, document in (("mini", mini()), ("old", mini_v1()), ("swe", swe())):
            whole = everywhere(document, planted("trajectories", kind))
            (directory / f"{name}-{number}.traj.json").write_text(json.dumps(whole))
    return [str(directory)]


def telemetry(directory: Path) -> list[str]:
    """A trace and a prompt of Claude Code for each kind."""
    requests = []
    for number, kind in enumerate(KINDS):
        its_spans, its_events = a_claude_prompt(f"{number:032x}")
        trace = [{**each, "traceId": f"{number + 100:032x}"} for each in a_trace()]
        whole = (spans(*trace), spans(*its_spans, service="claude-code"), logs(*its_events))
        requests += [everywhere(each, planted("telemetry", kind)) for each in whole]
    return [_lines(directory / "export.jsonl", requests, "telemetry")]


SOURCES: tuple[Callable[[Path], list[str]], ...] = (
    jsonl,
    csv_file,
    parquet,
    table,
    transcripts,
    hooks,
    trajectories,
    telemetry,
)
