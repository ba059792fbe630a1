"""The queue on the command line: output in both forms, and the exit code of every way to fail."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from pattern_pipeline.cli.queue import app
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.urls import with_database
from pattern_pipeline_tests.review.rows import (
    add_estimate,
    add_occurrence,
    add_pattern,
    add_step,
    change_pattern,
    queued,
    whole_database,
)

NAME = "test:pytest:backend"


@pytest.fixture
def pattern(database: Warehouse) -> int:
    number = add_pattern(database, NAME)
    _call("sync")
    return number


def _call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def _json(*arguments: str) -> Any:
    result = _call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize("how", [(), ("--preset", "high-priority"), ("--preset", "all"), ("--min-savings", "10")])
def test_a_dry_run_changes_not_a_byte_of_the_database(database: Warehouse, pattern: int, how: tuple[str, ...]) -> None:
    _call("approve", NAME)
    change_pattern(database, pattern, confidence_score=10)
    add_pattern(database, "git:push:origin")
    before = whole_database(database)
    told = _json("sync", "--dry-run", *how)
    assert (told["synced_pattern_ids"], told["flagged_pattern_ids"]) == (["git:push:origin"], [NAME])
    assert whole_database(database) == before


def test_sync_fills_the_queue_and_list_and_show_read_it(database: Warehouse) -> None:
    add_pattern(database, NAME)
    assert _json("sync", "--dry-run")["synced_count"] == 1
    assert queued(database) == []
    assert _json("sync")["synced_pattern_ids"] == [NAME]
    (row,) = _json("list")
    assert (row["pattern_signature"], row["status"], row["net_p50"]) == (NAME, "pending", 100)
    assert NAME in _call("list").output
    assert "$50.00 to $150.00" in _call("show", NAME).output


def test_show_warns_of_destructive_commands(database: Warehouse, pattern: int) -> None:
    assert "Destructive" not in _call("show", NAME).output
    add_occurrence(database, pattern, "run-1", "2026-09-01")
    add_step(database, pattern, "run-1", "pytest && rm -rf build")
    assert _json("show", NAME)["destructive"] == ["rm -rf build"]
    assert "Destructive commands among its latest steps:\n  rm -rf build" in _call("show", NAME).output


def test_decisions_are_recorded_and_shown_with_their_history(pattern: int) -> None:
    assert _json("defer", NAME, "--reason", "after the freeze", "--reviewer", "ada")[0]["status"] == "deferred"
    assert _json("approve", str(pattern), "--reviewer", "bob")[0]["version"] == 3
    assert _json("revoke", NAME, "-m", "it broke")[0]["status"] == "revoked"
    assert _json("reopen", NAME, "-m", "repaired")[0]["status"] == "pending"
    assert _json("comment", NAME, "-m", "watch it")[0]["version"] == 5
    assert _json("reject", NAME, "-m", "too rare")[0]["status"] == "rejected"
    actions = [row["action"] for row in _json("show", NAME)["history"]]
    assert actions == ["deferred", "approved", "revoked", "reopened", "commented", "rejected"]
    assert "after the freeze" in _call("show", NAME).output


def test_the_reviewer_is_the_user_of_the_system_unless_named(pattern: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "lin")
    assert _json("approve", NAME)[0]["reviewer"] == "lin"


def test_statistics_are_told_in_both_forms(pattern: int) -> None:
    stats = _json("stats")
    assert stats["queue"]["pending"] == 1
    assert stats["sync"]["sync_percentage"] == 100
    assert "sync_percentage" in _call("stats").output


def test_one_refused_pattern_does_not_stop_the_others(pattern: int) -> None:
    result = _call("approve", "no:such:pattern", NAME, "--json")
    assert result.exit_code == 3
    assert [row["pattern_id"] for row in json.loads(result.stdout)] == [NAME]
    assert "no:such:pattern" in result.stderr


def test_each_way_to_fail_has_its_exit_code(pattern: int) -> None:
    failures: list[tuple[int, tuple[str, ...]]] = [
        (3, ("show", "no:such:pattern")),
        (3, ("approve", "no:such:pattern")),
        (4, ("approve", NAME, "--version", "9")),
        (4, ("revoke", NAME, "-m", "why")),
        (2, ("reject", NAME, "-m", "  ")),
        (2, ("reject", NAME)),
        (2, ("defer", NAME, "-m", "later", "--until", "2020-01-01")),
        (2, ("list", "--status", "wild")),
        (2, ("sync", "--preset", "wild")),
        (2, ("sync", "--preset", "smart", "--min-savings", "3")),
        (2, ("sync", "--only-type", "x'; DROP TABLE pattern_approvals")),
        (2, ("sync", "--preset", "all")),
    ]
    for exit_code, arguments in failures:
        result = _call(*arguments)
        assert (result.exit_code, arguments) == (exit_code, arguments), result.output


def test_a_lost_database_is_exit_code_five(database: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = with_database(database.libpq_url, "template0")  # accepts no connections
    monkeypatch.setenv("PATTERN_PIPELINE_DATABASE_URL", gone)
    assert _call("list").exit_code == 5
    assert _call("approve", NAME, "git:commit:repo").exit_code == 5


def test_the_preset_all_wants_a_confirmation_and_then_takes_everything(database: Warehouse) -> None:
    add_pattern(database, NAME, verdict="not_worth_automating")
    assert _json("sync", "--preset", "all", "--dry-run")["synced_count"] == 1
    assert _json("sync", "--preset", "all", "--yes")["synced_count"] == 1


def test_a_sync_in_words_names_the_drifted_and_the_kept_out(database: Warehouse, pattern: int) -> None:
    _call("approve", NAME)
    add_estimate(database, pattern, "second", net=(1, 2, 3))
    change_pattern(database, add_pattern(database, "git:commit:repo"), potential_monthly_savings=1)
    words = _call("sync", "--min-savings", "5").output
    assert f"look again: {NAME}" in words
    assert "Only the savings floor keeps out 1 more" in words
    assert "look again" in _call("list", "--needs-review").output
