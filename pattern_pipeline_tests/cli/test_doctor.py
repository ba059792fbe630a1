"""`doctor` finds what commonly goes wrong, says what to do about it, and looks on where it can."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from pattern_pipeline.cli import examination
from pattern_pipeline.cli.examination import CHECKS
from pattern_pipeline_tests.cli.commands import call, document
from pattern_pipeline_tests.histories import run_record, write

NAMES = [check.name for check in CHECKS]


def findings(exit_code: int = 0) -> dict[str, dict[str, Any]]:
    """What it says, by check."""
    result = call("doctor", "--json")
    assert result.exit_code == exit_code, result.output
    return {each["check"]: each for each in orjson.loads(result.stdout)}


def levels(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: each["level"] for name, each in found.items()}


def test_a_fresh_installation_is_told_how_to_begin(installation: Path) -> None:
    found = findings()
    assert list(found) == NAMES
    assert "failed" not in levels(found).values()
    assert "run --sample" in found["sources"]["detail"]
    assert "pattern-pipeline up" in found["daemon"]["detail"]
    assert "pattern-pipeline run" in found["sequences"]["detail"]
    assert found["history"]["level"] == "ok", "no history is no fault"


def test_without_a_database_everything_else_is_still_looked_at(
    installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATTERN_PIPELINE_DATABASE_URL", "postgresql://someone:hunter2@127.0.0.1:1/gone")
    found = findings(5)
    on_it = {check.name for check in CHECKS if check.needs in {"database", "dagster"}}
    assert {name for name, level in levels(found).items() if level == "skipped"} == on_it
    assert [name for name, level in levels(found).items() if level == "failed"] == ["database"]
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    ("variable", "check", "words"),
    [
        ("POLICY", "policy", "no such file"),
        ("PRICES", "price book", "cannot be read"),
        ("REVIEWERS", "reviewers", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_hides_no_other_fault(
    installation: Path, monkeypatch: pytest.MonkeyPatch, variable: str, check: str, words: str
) -> None:
    missing = installation / "missing.toml"
    monkeypatch.setenv(f"PATTERN_PIPELINE_{variable}", str(missing))
    found = findings(2)
    assert found[check]["level"] == "failed"
    assert str(missing) in found[check]["detail"]
    assert words in found[check]["detail"]
    assert found["database"]["level"] == found["integrity"]["level"] == "ok"


def test_reviewers_that_others_may_write_deserve_attention(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = installation / "reviewers.toml"
    path.write_text(f'[[reviewers]]\nname = "Ada"\ntoken_sha256 = "{"0" * 64}"\n')
    monkeypatch.setenv("PATTERN_PIPELINE_REVIEWERS", str(path))
    path.chmod(0o600)
    assert findings()["reviewers"]["level"] == "ok"
    path.chmod(0o666)
    found = findings()["reviewers"]
    assert (found["level"], "chmod go-w" in found["detail"]) == ("attention", True)


def test_a_state_directory_that_is_a_file_is_refused_before_a_server_is_started_in_it(
    installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (installation / "a file").write_text("")
    monkeypatch.setenv("PATTERN_PIPELINE_HOME", str(installation / "a file" / "home"))
    found = findings(2)
    assert found["state directory"]["level"] == "failed"
    assert "PATTERN_PIPELINE_HOME" in found["state directory"]["detail"]
    assert found["database"]["level"] == "skipped"


def test_a_full_disk_fails_and_a_tight_one_deserves_attention(
    installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "TIGHT_GB", 1e9)
    assert findings()["state directory"]["level"] == "attention"
    monkeypatch.setattr(examination, "FULL_GB", 1e9)
    found = findings(1)["state directory"]
    assert (found["level"], "free some" in found["detail"]) == ("failed", True)


def test_clocks_apart_deserve_attention(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert findings()["clock"]["level"] == "ok"
    monkeypatch.setattr(examination, "CLOCK_SECONDS", -1.0)
    assert findings()["clock"]["level"] == "attention"


def test_a_history_with_gaps_is_told_with_what_to_do(installation: Path) -> None:
    source = installation / "runs.jsonl"
    tokens = {"model": "in-house-coder", "input_tokens": 1000, "output_tokens": 10, "cost_usd": None}
    future = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    write(source, *(run_record(n, n, **tokens) for n in range(10)), run_record(99, 0, ended_at=future, started_at=None))
    document("ingest", str(source))
    found = findings(1)
    assert "--timezone" in found["history"]["detail"]
    assert "in-house-coder" in found["prices"]["detail"]
    assert found["prices"]["level"] == "attention"
    assert found["sources"]["level"] == "ok"
    source.unlink()
    assert "ingest forget" in findings(1)["sources"]["detail"]


def test_hours_that_wait_name_the_command_that_computes_them(installation: Path) -> None:
    document("ingest", write(installation / "runs.jsonl", *(run_record(n, n) for n in range(3))))
    waiting = findings()["history"]
    assert "3 hours wait" in waiting["detail"]
    assert "`pattern-pipeline run`" in waiting["detail"]
    document("run")
    assert findings()["history"]["level"] == "ok"
    assert findings()["sequences"]["level"] == "ok"


def test_a_source_of_which_much_cannot_be_used_is_named(installation: Path) -> None:
    bad = [run_record(100 + n, n, ended_at="never", started_at=None) for n in range(6)]
    document("ingest", write(installation / "runs.jsonl", *(run_record(n, n) for n in range(10)), *bad))
    found = findings()["sources"]
    assert (found["level"], "6 of 16" in found["detail"]) == ("attention", True)


def test_a_port_in_use_names_the_option_that_takes_another(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setattr(examination, "REVIEW_PORT", listener.getsockname()[1])
        found = findings()["ports"]
    assert (found["level"], "--review-port" in found["detail"]) == ("attention", True)


def test_a_dagster_home_of_another_installation_is_told(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(installation / "elsewhere"))
    found = findings()["dagster"]
    assert (found["level"], "unset it" in found["detail"]) == ("attention", True)
