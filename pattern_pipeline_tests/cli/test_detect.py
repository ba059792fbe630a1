"""`detect` and `policy check` as a user meets them."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer import Typer
from typer.testing import CliRunner

from pattern_pipeline.cli import detect, policy

app = Typer()
app.command("detect")(detect.command)
app.add_typer(policy.app, name="policy")


def answers(*lines: str, args: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["detect", *args], input="\n".join(lines))
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_every_line_gets_one_answer_in_order() -> None:
    found = answers(
        '{"run_id": "a", "task_text": "run pytest"}', "{broken", "[1]", "", '{"id": "b", "prompt": "build it"}'
    )
    assert [answer["workflow_id"] for answer in found] == ["a", None, None, None, "b"]
    assert found[0]["signatures"] == ["test:pytest:all"]
    assert [answer["line"] for answer in found[1:4]] == [2, 3, 4]
    assert all(answer["error"] for answer in found[1:4])
    assert found[4]["signatures"] == ["build:build:all"]


def test_steps_are_named_under_the_names_that_histories_use() -> None:
    record = {
        "tool_calls": [
            {"tool": "Bash", "tool_input": {"command": "cd server && pytest -q && git status"}},
            {"tool_name": "Read"},
            "odd",
        ],
        "duration_ms": 200_000,
    }
    [found] = answers(json.dumps(record))
    assert found["step_signatures"] == [["test:pytest:backend", "git:status:summary"], ["tool:read:files"], []]
    assert found["matches"][0]["step"] == 0
    assert found["characteristics"]["duration_range"] == "medium"
    assert "steps[2]" in found["notes"][0]


def test_the_policy_decides() -> None:
    assert answers('{"nl_input": "the latest pipeline"}')[0]["signatures"] == []
    legacy = answers('{"nl_input": "the latest pipeline"}', args=("--policy", "legacy"))
    assert legacy[0]["signatures"] == ["test:generic:all"]


@pytest.mark.parametrize(
    "args", [["detect", "missing.jsonl"], ["detect", "-", "--policy", "missing"], ["policy", "check", "x"]]
)
def test_what_cannot_be_read_ends_with_exit_code_2(args: list[str]) -> None:
    result = CliRunner().invoke(app, args, input="{}")
    assert result.exit_code == 2
    assert args[-1] in result.stderr


def test_a_checked_policy_shows_its_versions(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('extends = "default"', encoding="utf-8")
    own = CliRunner().invoke(app, ["policy", "check", str(file), "--json"])
    default = CliRunner().invoke(app, ["policy", "check", "default", "--json"])
    assert json.loads(own.stdout)["versions"] == json.loads(default.stdout)["versions"]
