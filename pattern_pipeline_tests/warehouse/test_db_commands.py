"""`pattern-pipeline db` as a user meets it: output in both forms, and exit codes."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer
from typer.testing import CliRunner, Result

from pattern_pipeline.cli.common import fail_plainly, to_json
from pattern_pipeline.cli.db import app
from pattern_pipeline.warehouse.servers import connected


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def run_json(*arguments: str) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_embedded_server_from_start_to_restore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATTERN_PIPELINE_HOME", str(tmp_path / "my home"))
    assert run_json("status")["running"] is False
    assert "pattern_pipeline@/pattern_pipeline" in run_json("start")["database"]
    try:
        assert run_json("status")["running"] is True
        assert run_json("migrate")["applied"][0].startswith("0001_")
        assert run_json("migrate")["applied"] == []
        assert run_json("verify")["problems"] == []
        with psycopg.connect(run("url").stdout.strip()) as connection:
            assert connection.execute("SELECT current_database()").fetchone() == ("pattern_pipeline",)
        assert run("psql", "-qc", "SELECT 1").exit_code == 0
        assert run("psql", "-qc", "SELECT nonsense").exit_code == 1
        assert run_json("psql", "--dagster")["command"][0].endswith("/psql")
        assert len(run_json("dump", str(tmp_path / "dump"))["files"]) == 2
        assert run("restore", str(tmp_path / "dump")).exit_code == 4
        assert run_json("restore", str(tmp_path / "dump"), "--force")["applied"] == []
        assert run("restore", str(tmp_path / "nowhere")).exit_code == 2
    finally:
        assert run_json("stop")["stopped"] is True
    assert run("stop").stdout == "It was not running.\n"


def test_verify_lists_what_is_wrong_and_exits_with_4(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATTERN_PIPELINE_DATABASE_URL", database_url)
    with connected(database_url) as connection:
        connection.execute("DROP TRIGGER pattern_review_history_chain ON pattern_review_history")
    result = run("verify")
    assert result.exit_code == 4
    assert "pattern_review_history_chain" in result.stdout


def test_a_server_of_the_users_own_is_not_started_or_stopped(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATTERN_PIPELINE_DATABASE_URL", database_url)
    assert run("start").exit_code == 2
    assert run("stop").exit_code == 2
    assert run_json("status")["embedded"] is False


def test_a_server_that_is_down_exits_with_5_and_keeps_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATTERN_PIPELINE_DATABASE_URL", "postgres://me:geheim@127.0.0.1:1/work")
    result = run("status")
    assert result.exit_code == 5
    assert "127.0.0.1:1" in result.stderr
    assert "geheim" not in result.output
    as_json = run("migrate", "--json")
    assert (as_json.exit_code, json.loads(as_json.stderr)["exit_code"]) == (5, 5)


def test_a_database_that_goes_away_during_a_command_exits_with_5(
    server_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(server_url) as connection, psycopg.connect(server_url) as killer:
        killer.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
        with pytest.raises(typer.Exit) as failure, fail_plainly():
            connection.execute("SELECT 1")
        connection.close()
    assert failure.value.exit_code == 5
    assert "database" in capsys.readouterr().err


def test_a_defect_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), fail_plainly():
        raise ZeroDivisionError


def test_json_keeps_every_digit_of_money() -> None:
    assert to_json({"usd": Decimal("12345678901234.000378140001")}) == '{\n  "usd": 12345678901234.000378140001\n}'
