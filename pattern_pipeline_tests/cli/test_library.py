"""`pattern-pipeline library` as a user meets it: both forms of output, and an exit code for each way to fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pattern_pipeline.warehouse.urls import with_database
from pattern_pipeline_tests.cli.commands import call, document, refusal
from pattern_pipeline_tests.library.shelves import template

NOBODY = "00000000-0000-0000-0000-000000000000"


def data(*arguments: str) -> Any:
    result = document("library", *arguments)
    assert result["success"]
    return result["data"]


def file(directory: Path, content: object) -> str:
    path = directory / "given.json"
    path.write_text(json.dumps(content))
    return str(path)


def said(*arguments: str) -> str:
    result = call("library", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_template_is_added_used_found_related_and_retired(installation: Path) -> None:
    for name in ("pytest-all", "pytest-one"):
        assert data("insert", file(installation, template(name, tags=["test"])))["pattern_name"] == name
    for number in range(5):
        arguments = ["use", "pytest-all", "--failure" if number == 3 else "--success"]
        assert data(*arguments, "--before", "0.6", "--after", "0.85", "--ms", "12.5")["quality_improvement"] == 0.25
    assert data("show", "pytest-all")["success_rate"] == 0.8
    assert "pytest-all" in said("show", "pytest-all")
    assert [row["pattern_name"] for row in data("top")] == ["pytest-all", "pytest-one"]
    assert [row["pattern_name"] for row in data("search", "pytest one")] == ["pytest-one"]
    assert len(data("list", "--tag", "test", "--min-uses", "5")) == 1
    assert "2 found" in said("list")
    assert len(data("query", "--where", file(installation, {"usage_count": {"gt": 4}}))) == 1
    assert data("relate", "pytest-one", "extends", "pytest-all", "--strength", "0.8")["created"]
    assert "incoming" in said("related", "pytest-all")
    changed = data("update", "pytest-one", file(installation, {"category": "test", "tags": []}), "--version", "1")
    assert changed["updated_fields"] == ["category", "tags"]
    assert data("stats") == {"corrected": 0}
    assert data("analytics")["total_usage_count"] == 5
    assert sum(row["usage_count"] for row in data("trends", "--by", "week")) == 5
    assert data("quality", "pytest-all")[0]["avg_quality_improvement"] == 0.25
    assert data("effectiveness", "pytest-all")[0]["adoption"] == 1
    data("deprecate", "pytest-all", "--by", "pytest-one")
    assert [row["pattern_name"] for row in data("top")] == ["pytest-one"]
    assert "1" in said("summary")
    data("deprecate", "pytest-all", "--undo")
    assert len(data("top")) == 2
    assert "insert" in said("latency")
    assert document("library", "health")["healthy"]


def test_a_library_begins_with_five_templates_that_can_be_drafted(installation: Path) -> None:
    assert document("library", "publish")["seeded"] == 5
    assert 'git fetch "${str_1}"' in said("export", "update-branch")
    target = installation / "draft.mk"
    assert "draft" in said("export", "largest-files", "--format", "makefile", "--output", str(target))
    assert "largest-files:" in target.read_text()
    assert document("library", "export", "wait-for-url", "--format", "skill")["file_name"] == "SKILL.md"


def test_any_operation_can_be_told_as_a_document(installation: Path) -> None:
    given = {"operation": "insert", "template": template("a"), "correlation_id": NOBODY}
    result = document("library", "perform", file(installation, given))
    assert result["metadata"]["correlation_id"] == NOBODY


def test_each_way_to_fail_has_its_exit_code(installation: Path) -> None:
    data("insert", file(installation, template("a")))
    data("insert", file(installation, template("a", language="any")))
    data("use", data("insert", file(installation, template("b")))["id"], "--success")
    failures: list[tuple[int, tuple[str, ...], str]] = [
        (2, ("insert", file(installation, template(" "))), "pattern_name"),
        (2, ("insert", "/nowhere.json"), "cannot be read"),
        (2, ("search", " "), "query"),
        (2, ("trends", "--by", "hour"), "bucket"),
        (2, ("export", "b", "--format", "exe"), "script, skill, makefile"),
        (2, ("relate", "b", "extends", "b"), "itself"),
        (3, ("show", "nobody"), "none of that id or name"),
        (3, ("show", NOBODY), "none of that id"),
        (4, ("show", "a"), "several"),
        (4, ("delete", "b"), "was used"),
    ]
    for exit_code, arguments, words in failures:
        assert words in refusal(exit_code, "library", *arguments)
    batch = file(installation, [template("c"), template("a")])
    assert "template 1 of the batch" in refusal(4, "library", "batch", batch)
    assert "already exists" in refusal(4, "library", "batch", batch)
    assert len(data("batch", batch, "--upsert")) == 2


def test_a_lost_database_is_exit_code_five(
    installation: Path, monkeypatch: pytest.MonkeyPatch, server_url: str
) -> None:
    monkeypatch.setenv("PATTERN_PIPELINE_DATABASE_URL", with_database(server_url, "template0"))
    refusal(5, "library", "top")
