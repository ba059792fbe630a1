"""The chain on the command line, as its users and their scripts meet it: documents, sentences and exit codes."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pattern_pipeline.warehouse.embedded import EmbeddedServer
from pattern_pipeline_tests.cli.commands import call, document, refusal
from pattern_pipeline_tests.histories import run_record, write

OVERVIEW = {
    "workflows",
    "steps",
    "quarantined",
    "spend_usd",
    "priced_share",
    "attributed_usd",
    "window",
    "patterns",
    "queue",
}
PATTERN = {
    "signature",
    "readable",
    "kind",
    "occurrence_count",
    "execution_count",
    "attributed_cost_usd",
    "portfolio_cost_usd",
    "confidence_score",
    "monthly_rate",
    "potential_monthly_savings",
    "net_monthly_savings",
    "npv",
    "verdict",
    "reasons",
    "status",
}
LABELS = {"cost_basis", "naive_cost_usd", "intent_count", "distinct_days", "flags"}
NAME = "test:pytest:all"
COMMANDS = (
    [],
    *([name] for name in ("run", "ingest", "backfill", "up", "status", "detect", "doctor", "patterns", "queue", "db")),
    ["patterns", "list"],
    ["patterns", "show"],
    ["queue", "list"],
)


def repeated_tests(path: Path, runs: int = 40) -> str:
    """A history that repeats one operation often enough to be worth something."""
    call_of = {"tool_name": "Bash", "command": "pytest tests -q", "cost_usd": 0.5, "exit_code": 0}
    return write(
        path, *(run_record(n, 11 * n, steps=[{**call_of, "step_id": f"s{n}"}], cost_usd=0.5) for n in range(runs))
    )


def test_a_run_prints_one_document_that_the_other_commands_confirm(installation: Path) -> None:
    found = document("run", repeated_tests(installation / "runs.jsonl"), "--preset", "all")
    assert found.keys() == OVERVIEW
    assert (found["workflows"], found["steps"], found["quarantined"]) == (40, 40, 0)
    assert (found["spend_usd"], found["priced_share"]) == (20, 1)
    assert 0 < found["attributed_usd"] <= found["spend_usd"]
    assert found["window"].keys() == {"start", "end"}
    for pattern in found["patterns"]:
        assert pattern.keys() == PATTERN | LABELS
        assert pattern["net_monthly_savings"].keys() == pattern["npv"].keys() == {"p10", "p50", "p90"}
    assert NAME in {pattern["signature"] for pattern in found["patterns"]}
    assert NAME in {entry["signature"] for entry in found["queue"]}

    assert document("patterns", "list", "--excluded") == found["patterns"]
    assert document("patterns", "show", NAME)["signature"] == NAME
    assert {row["pattern_signature"] for row in document("queue", "list")} == {e["signature"] for e in found["queue"]}
    status = document("status")
    assert status["history"]["workflows"] == 40
    assert (status["hours"]["stale"], status["hours"]["closed"]) == (0, 40)
    assert {check["level"] for check in document("doctor")} <= {"ok", "attention"}
    assert document("ingest")["sources_unchanged"] == 1
    day = document("backfill", "--from", "2026-03-02", "--to", "2026-03-03")
    assert (day["from"], day["to"]) == ("2026-03-02T00:00:00+00:00", "2026-03-03T00:00:00+00:00")
    assert document("run", "--preset", "all") == found


def test_models_without_a_price_are_named_with_their_share(installation: Path) -> None:
    tokens = {"cost_usd": None, "input_tokens": 90, "output_tokens": 10}
    records = (
        run_record(1, 11, model="gpt-5-mini", **tokens),
        run_record(2, 22, model="house-model", **tokens),
        run_record(3, 33, model="house-model", nl_input="in /home/ann with ghp_" + "Qw8" * 12, **tokens),
    )
    words = " ".join(call("run", write(installation / "runs.jsonl", *records)).output.split())
    assert "Without a price, and in no sum of money: house-model (66.7% of the tokens)" in words
    assert "Secrets removed before storage: github_token 1. Home directories shortened to ~: 1." in words


def test_text_is_readable_at_every_width(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = call("run", repeated_tests(installation / "runs.jsonl"), "--preset", "all").output
    assert f"│ {NAME} " in words, "a pipe has room for whole names"
    assert "net a month, P10 to P90" in words
    for width in (60, 80, 120):
        monkeypatch.setenv("COLUMNS", str(width))
        for command in (["patterns", "list"], ["queue", "list"], ["status"]):
            lines = call(*command).output.splitlines()
            table = [line for line in lines if line and line[0] in "┏┃┡│└"]
            assert max(len(line) for line in table) <= width, lines
            assert "…" not in "".join(table), lines
        assert f"│ {NAME} " in call("patterns", "list").output


def test_a_history_of_orchestration_only_leaves_an_empty_queue_and_says_why(installation: Path) -> None:
    commands = ("ls -la", "cat README.md", "grep -rn foo src", "git status")
    records = (
        run_record(n, 7 * n, task_text="Look around", steps=[
            {"step_id": f"s{n}-{i}", "tool_name": "Bash", "command": text, "cost_usd": 0.01, "exit_code": 0}
            for i, text in enumerate(commands)
        ]) for n in range(30)
    )  # fmt: skip
    result = call("run", write(installation / "runs.jsonl", *records))
    assert result.exit_code == 0
    assert "Nothing in the queue: of " in result.stdout
    assert "are normal orchestration or plumbing" in result.stdout
    found = document("run")
    assert found["queue"] == []
    assert {pattern["verdict"] for pattern in found["patterns"]} == {"excluded"}


def test_the_legacy_policy_runs_the_whole_chain(installation: Path) -> None:
    source = repeated_tests(installation / "runs.jsonl", 12)
    found = document("run", source, "--policy", "legacy")
    assert found["workflows"] == 12
    assert [pattern["signature"] for pattern in found["patterns"]] == ["test:generic:backend"]


def test_nothing_configured_says_what_to_do(installation: Path) -> None:
    assert "run --sample" in call("run").output
    assert "run --sample" in call("status").output
    found = document("run")
    assert (found["workflows"], found["patterns"], found["queue"]) == (0, [], [])


def test_what_cannot_be_meant_is_refused_before_any_work(installation: Path) -> None:
    source = repeated_tests(installation / "runs.jsonl", 3)
    assert "'yesterday' is not a time" in refusal(2, "run", source, "--since", "yesterday")
    assert "must lie before" in refusal(2, "run", source, "--since", "2026-03-02", "--until", "2026-03-02")
    assert "must lie before" in refusal(2, "backfill", "--from", "2026-03-03", "--to", "2026-03-02")
    for window in (("2020-01-01", "2020-01-02"), ("2026-03-01", "2199-01-01")):
        assert "not within the hours" in refusal(2, "backfill", "--from", window[0], "--to", window[1])
    assert "no such file, nor a shipped policy" in refusal(2, "run", source, "--policy", "nope")
    assert "queue preset 'nope': unknown" in refusal(2, "run", source, "--preset", "nope")
    assert "no such file" in refusal(3, "run", str(installation / "absent.jsonl"))
    assert "no pattern 'no:such'" in refusal(3, "patterns", "show", "no:such")
    assert document("status")["history"]["workflows"] == 0


def test_errors_are_documents_with_json(installation: Path) -> None:
    result = call("run", "/absent.jsonl", "--json")
    assert (result.exit_code, result.stdout) == (3, "")
    assert json.loads(result.stderr) == {"error": "/absent.jsonl: no such file, directory or pattern.", "exit_code": 3}


@pytest.mark.parametrize("command", [["run"], ["ingest"], ["status"], ["patterns", "list"], ["queue", "list"]])
def test_a_database_that_is_down_is_exit_code_five(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATTERN_PIPELINE_DATABASE_URL", "postgresql://someone:hunter2@127.0.0.1:1/gone")
    told = refusal(5, *command)
    assert "gone" in told
    assert "hunter2" not in told


def test_settings_that_cannot_be_are_named(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("nonsense", "mysql://host/database", "postgresql://host"):
        monkeypatch.setenv("PATTERN_PIPELINE_DATABASE_URL", url)
        assert "database" in refusal(2, "status")
        assert "database" in refusal(2, "run")
    monkeypatch.delenv("PATTERN_PIPELINE_DATABASE_URL")
    monkeypatch.setenv("PATTERN_PIPELINE_START_DATE", "never")
    for command in ("status", "run", "doctor"):
        assert "PATTERN_PIPELINE_START_DATE" in refusal(2, command)


def test_a_command_stops_the_server_that_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = EmbeddedServer(tmp_path / "a home")
    monkeypatch.setenv("PATTERN_PIPELINE_HOME", str(server.state_dir))
    for command in (["status"], ["doctor"], ["patterns", "list"], ["queue", "list"]):
        assert call(*command).exit_code == 0
        assert not server.status().running, command
    call("db", "start")
    call("status")
    assert server.status().running, "what was started to stay stays"
    assert server.stop()


@pytest.mark.parametrize("command", [("up", "--port"), ("up", "--review-port"), ("review", "--port")], ids=" ".join)
def test_a_port_that_is_in_use_is_refused_before_anything_starts(installation: Path, command: tuple[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        assert f"{command[1]} {port}" in refusal(4, *command, port)
    assert "--review-port" in refusal(2, "up", "--port", port, "--review-port", port)
    assert not (installation / "a home").exists()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_tells_every_option(command: list[str]) -> None:
    result = call(*command, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output
    assert "--json" in result.output or command in ([], ["up"], ["patterns"], ["queue"], ["db"], ["detect"])


def test_help_loads_nothing_heavy() -> None:
    heavy = "{'dagster', 'pandas', 'polars', 'scipy', 'sqlalchemy', 'pyarrow', 'psycopg'}"
    look = f"import sys; import pattern_pipeline.cli.main; sys.exit(' '.join({heavy} & set(sys.modules)) or None)"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_a_command_that_only_reads_does_not_wait_for_what_loading_and_estimating_need(installation: Path) -> None:
    look = """
import sys
from pattern_pipeline.cli.main import app
try:
    app(["status", "--json"])
finally:
    print(*sorted({"dagster", "pandas", "scipy"} & set(sys.modules)), file=sys.stderr, end="")
"""
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_standard_output_of_a_process_holds_the_document_and_nothing_else(installation: Path) -> None:
    source = repeated_tests(installation / "runs.jsonl", 3)
    command = [sys.executable, "-m", "pattern_pipeline", "run", source, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["workflows"] == 3
    assert done.stderr == ""
