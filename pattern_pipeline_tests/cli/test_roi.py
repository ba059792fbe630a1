"""`pattern-pipeline roi` as a user meets it: both forms of output, and an exit code for each way to fail."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from pattern_pipeline.cli.main import app
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.urls import with_database
from pattern_pipeline_tests.review.rows import whole_database
from pattern_pipeline_tests.roi.portfolios import PYTEST, approve, estimated, execute, runs


@pytest.fixture
def approved(database: Warehouse) -> Warehouse:
    estimated(database)
    approve(database)
    return database


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["roi", *arguments], catch_exceptions=False)


def output(*arguments: str) -> str:
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


def as_json(*arguments: str) -> Any:
    return json.loads(output(*arguments, "--json"))


def test_an_estimate_is_told_in_plain_words(approved: Warehouse) -> None:
    said = output("show", PYTEST)
    for words in ("What we saw", "What it costs", "What automating would save", "How sure that is", "change our mind"):
        assert words in said
    found = as_json("show", PYTEST)
    assert found["reproducible"]
    assert found["estimate"]["cost_per_occurrence"] == 2


def test_the_summary_is_also_one_page_that_needs_nothing_else(approved: Warehouse, tmp_path: Path) -> None:
    for number in range(4):
        execute(approved, f"k{number}")
    target = tmp_path / "roi.html"
    assert "1 of 1 pattern is worth automating" in output("summary", "--html", str(target))
    page = target.read_text()
    assert page.count("<svg") == 3
    assert "confirmed" in page
    for outside in ("<script", "src=", "href=", "url("):
        assert outside not in page
    assert as_json("summary")["realised"]["total_executions"] == 4


def test_nothing_worth_automating_is_a_result_and_no_failure(database: Warehouse) -> None:
    estimated(database, runs(cost="0.0001"))
    assert "Nothing here is worth automating" in output("summary")


def test_an_empty_history_is_told_as_such(database: Warehouse) -> None:
    assert "No repeated operation" in output("summary")
    assert "No history yet" in output("budget")
    assert as_json("budget") is None
    assert "No approved" in output("validate") or "No automation" in output("validate")
    assert as_json("top") == as_json("bottom") == []
    assert "recommend nothing" in output("recommendations")


def test_recording_the_same_execution_twice_changes_nothing(approved: Warehouse) -> None:
    arguments = ("record", PYTEST, "--success", "--cost", "0.10", "--seconds", "3.5", "--key", "run-1")
    assert as_json(*arguments)["cost_saved_usd"] == 1.9
    before = whole_database(approved)
    assert "nothing was written" in output(*arguments)
    assert whole_database(approved) == before
    assert "1 of 1 succeeded" in output("report", PYTEST)


def test_what_executions_say_is_shown_and_applied_on_demand(approved: Warehouse) -> None:
    for number in range(6):
        assert call("record", PYTEST, "--failure", "--cost", "0.5", "--key", f"k{number}").exit_code == 0
    assert "poor" in output("bottom")
    assert "refuted" in output("validate")
    (row,) = as_json("recommendations")["recommendations"]
    assert row["action"] == "revoke"
    assert "would change" in output("confidence", "update", "--dry-run")
    assert as_json("confidence", "update", PYTEST)[0]["changed"]
    assert not as_json("confidence", "update")[0]["changed"]
    assert len(as_json("confidence", "history", PYTEST)) == 1
    assert "executions" in output("confidence", "history", PYTEST)
    assert as_json("recommendations", "--apply", PYTEST)["applied"]["status"] == "revoked"


def test_assumptions_and_what_if(approved: Warehouse) -> None:
    assert as_json("assumptions")["assumptions"]["coverage"] == 0.8
    assert "discount_rate" in output("assumptions")
    found = as_json("what-if", "--set", "coverage=0.5", "build_cost_by_category.test=90000")
    assert [change["key"] for change in found["changes"]] == ["coverage", "build_cost_by_category.test"]
    assert found["verdicts_then"] == {"not_worth_automating": 1}
    assert "1 of 1 verdicts would change" in output("what-if", "--set", "build_cost_by_category.test=90000")


def test_the_budget_and_a_saving_of_another_kind(approved: Warehouse) -> None:
    assert "May 2026: $360.00 spent" in output("budget")
    assert as_json("log-saving", "input_split", "--key", "s1", "--saved", "-0.02")["cost_saved_usd"] == -0.02
    assert "nothing was written" in output("log-saving", "input_split", "--key", "s1", "--saved", "-0.02")


def test_each_way_to_fail_has_its_exit_code(approved: Warehouse, tmp_path: Path) -> None:
    execute(approved, "k1")
    failures: list[tuple[int, tuple[str, ...]]] = [
        (3, ("show", "no:such:pattern")),
        (3, ("report", "no:such:pattern")),
        (3, ("record", "no:such:pattern", "--success", "--key", "x")),
        (3, ("confidence", "update", "no:such:pattern")),
        (4, ("record", PYTEST, "--failure", "--key", "k1")),
        (4, ("recommendations", "--apply", PYTEST)),
        (2, ("record", PYTEST, "--success")),
        (2, ("record", PYTEST, "--key", "x")),
        (2, ("record", PYTEST, "--success", "--key", " ")),
        (2, ("record", PYTEST, "--success", "--key", "x", "--cost", "-1")),
        (2, ("record", PYTEST, "--success", "--key", "x", "--cost", "cheap")),
        (2, ("record", PYTEST, "--success", "--key", "x", "--at", "2999-01-01")),
        (2, ("log-saving", "magic", "--key", "x")),
        (2, ("what-if",)),
        (2, ("what-if", "--set", "coverage=2")),
        (2, ("top", "--limit", "0")),
        (2, ("summary", "--html", str(tmp_path / "no" / "where.html"))),
    ]
    for exit_code, arguments in failures:
        result = call(*arguments)
        assert (result.exit_code, arguments) == (exit_code, arguments), result.output
        assert "Traceback" not in result.output


def test_a_lost_database_is_exit_code_five(database: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATTERN_PIPELINE_DATABASE_URL", with_database(database.libpq_url, "template0"))
    assert call("summary").exit_code == 5
