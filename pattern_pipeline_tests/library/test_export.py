"""Drafts: what they hold, and that nothing of a template is left for a shell to interpret."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from pattern_pipeline.errors import Conflict, NotFound
from pattern_pipeline.library.export import DraftFormat, draft
from pattern_pipeline.library.mining import seeds
from pattern_pipeline.library.observed import Filled
from pattern_pipeline.library.service import Library
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.library.shelves import add, ask, published
from pattern_pipeline_tests.patterns.histories import default_policy

POLICY = default_policy()


def row(code: str, **fields: Any) -> dict[str, Any]:
    known = {"id": UUID(int=1), "pattern_name": "Test: all", "pattern_type": "operation", "language": "shell"}
    return {**known, "template_code": code, "description": None, "example_usage": None, "context": {}, **fields}


def script(code: str, **fields: Any) -> str:
    return draft(row(code, **fields), DraftFormat.SCRIPT, POLICY).text


def run(text: str, *arguments: str, directory: Path) -> list[str]:
    """The arguments that `show` was called with when a draft is run in an empty directory."""
    tool = directory / "show"
    tool.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    tool.chmod(0o755)
    (directory / "draft.sh").write_text(text)
    done = subprocess.run(
        [shutil.which("bash") or "bash", "draft.sh", *arguments],
        cwd=directory,
        env={"PATH": str(directory)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.splitlines()


def test_a_script_has_the_steps_with_their_slots_as_quoted_variables(tmp_path: Path) -> None:
    text = script("show -q <path> --cov=<path>\nshow <str>+ | show last", description="Two\nlines")
    assert text.startswith("#!/usr/bin/env bash\n# DRAFT, never run")
    assert "# Two lines" in text
    assert 'show -q "${path_1}" --cov="${path_2}"' in text
    assert run(text, "a b; touch x", "$(touch y)", "`touch z`", directory=tmp_path) == [
        "-q",
        "a b; touch x",
        "--cov=$(touch y)",
        "last",
    ]
    assert not {"x", "y", "z"} & {file.name for file in tmp_path.iterdir()}
    assert run(text, "only-one", directory=tmp_path) == []


@pytest.mark.parametrize(
    "code",
    [
        "show $(touch x)",
        "show `touch x`",
        "show a;touch x",
        "show ';' touch x",
        'show "&&" touch x',
        "show \\; touch x",
        "show a\\\n; touch x",
        "show $'a\\n' touch x # $(touch x)",
        "show <(touch x)",
        "show ${y:-$(touch x)}",
        'show "a && touch x',
        "show it's && touch x",
        "show & touch x",
        "show <<E; touch x",
        "show -- -c 'touch x'",
    ],
)
@pytest.mark.parametrize("form", [DraftFormat.SCRIPT, DraftFormat.MAKEFILE])
def test_no_text_of_a_template_is_interpreted(code: str, form: DraftFormat, tmp_path: Path) -> None:
    text = draft(row(code, description=f"{code}\n{code}\\", pattern_name=code), form, POLICY).text
    if form is DraftFormat.SCRIPT:
        (tmp_path / "touch").write_text("#!/bin/sh\n: > executed\n")
        (tmp_path / "touch").chmod(0o755)
        if code != "show a\\\n; touch x":  # there the second line is a step, and `;` before it no command
            run(text, directory=tmp_path)
        assert not (tmp_path / "executed").exists()
    else:
        recipe = [line for line in text.splitlines() if line.startswith("\t")]
        assert all("$(" not in line.replace("$$(", "") for line in recipe)


@effort(max_examples=60)
@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(DraftFormat))
def test_any_text_makes_a_draft(code: str, name: str, form: DraftFormat) -> None:
    text = draft(row(f"x{code}", pattern_name=name, description=name), form, POLICY).text
    assert "DRAFT" in text
    if form is DraftFormat.SKILL:
        head = yaml.safe_load(text.split("---")[1] if "---" not in name else "{}")
        assert isinstance(head, dict)


def test_steps_that_are_no_commands_are_comments_and_destructive_ones_are_warned_of() -> None:
    steps = [{"code": "Read <path>", "shell": False}, {"code": "rm -rf <path>", "shell": True}]
    made = draft(
        row("Read <path>\nrm -rf <path>", language="any", context={"steps": steps}), DraftFormat.SCRIPT, POLICY
    )
    assert "# by hand: Read <path>" in made.text
    assert made.destructive == ("rm -rf x",)
    assert "# WARNING, destructive: rm -rf x" in made.text


def test_a_skill_and_a_make_target_say_how_to_use_them() -> None:
    template = row("show <path> > out.txt", description='Shows "it": always')
    skill = draft(template, DraftFormat.SKILL, POLICY)
    assert skill.file_name == "SKILL.md"
    head = yaml.safe_load(skill.text.split("---")[1])
    assert head == {"name": "test-all", "description": 'Shows "it": always'}
    assert "- `path_1`: a path" in skill.text
    target = draft(template, DraftFormat.MAKEFILE, POLICY)
    assert target.file_name == "test-all.mk"
    assert 'test-all:\n\t@: "$${path_1:?is missing}"\n\tshow "$${path_1}" > out.txt\n' in target.text


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_a_make_target_hands_values_over_as_they_are(tmp_path: Path) -> None:
    text = draft(row("printf %s <str>"), DraftFormat.MAKEFILE, POLICY).text
    (tmp_path / "Makefile").write_text(text)
    done = subprocess.run(
        ["make", "-s", "test-all", "str_1=a'b; touch x"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout == "a'b; touch x", done.stderr
    assert not (tmp_path / "x").exists()


LINES = ("show <path> -k <str>", "show --base=<str> --title <str>")
EVIDENCE = {
    "support": 62,
    "coverage": 0.1818,
    "steps": [{"code": line, "shell": True} for line in LINES],
    "variants": [{"code": "show <path>\n$(touch x)", "support": 50}],
}
OBSERVED = {
    (LINES[0], 0): Filled(62, 41, ["tests/a.py", "`x` $(y)\n; touch x\\"], "task"),
    (LINES[1], 0): Filled(62, 1, ["main"], "constant"),
    (LINES[1], 1): Filled(62, 1, ["two words"], "constant"),
}


def test_slots_are_documented_with_the_values_that_were_seen(tmp_path: Path) -> None:
    known = row("\n".join(LINES), context=EVIDENCE)
    made = {form: draft(known, form, POLICY, OBSERVED).text for form in DraftFormat}
    for text in made.values():
        assert "seen: tests/a.py, `x` $(y) ; touch x\\ (41 values in 62 steps; mostly named in the task)" in text
        assert "Made of 62 steps, 18% of those that were looked at." in text
        assert "Not in it, seen 50 times: show <path> $(touch x)" in text
        assert "a text for --title; always two words, in 62 steps" in text
    # What was never anything else is a default, if it can be written as it is.
    assert "# Usage: test-all.sh PATH_1 STR_2 STR_4 [STR_3]" in made[DraftFormat.SCRIPT]
    assert "str_3 ?= main\n" in made[DraftFormat.MAKEFILE]
    assert run(made[DraftFormat.SCRIPT], "p", "k", "t", directory=tmp_path)[3:] == ["--base=main", "--title", "t"]
    assert run(made[DraftFormat.SCRIPT], "p", "k", "t", "b", directory=tmp_path)[3:] == ["--base=b", "--title", "t"]
    assert not (tmp_path / "x").exists()


def test_what_is_destroyed_has_to_be_said() -> None:
    observed = {("rm -rf <path>", 0): Filled(62, 1, ["build"], "constant")}
    for form in DraftFormat:
        text = draft(row("rm -rf <path>"), form, POLICY, observed).text
        assert "WARNING, destructive" in text
        assert "always build, in 62 steps" in text
        assert ":-build" not in text
        assert "?= build" not in text


def test_what_people_put_into_a_context_does_not_break_a_draft() -> None:
    for context in ({"steps": "none"}, {"variants": [1]}, {"support": {}}, {"coverage": "all"}):
        assert "show" in script("show <path>", context=context)


@pytest.mark.parametrize("seed", seeds(), ids=lambda seed: seed["pattern_name"])
def test_drafts_of_the_first_templates_please_their_checkers(seed: dict[str, Any], tmp_path: Path) -> None:
    template = {**row(""), **seed}
    checkers = {DraftFormat.SCRIPT: ["shellcheck"], DraftFormat.MAKEFILE: ["make", "-n", "-f"]}
    checked = 0
    for form, command in checkers.items():
        if shutil.which(command[0]) is None:
            continue
        made = draft(template, form, POLICY)
        (tmp_path / made.file_name).write_text(made.text)
        done = subprocess.run([*command, str(tmp_path / made.file_name)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        checked += 1
    if not checked:
        pytest.skip("neither shellcheck nor make is installed")


def test_an_approved_template_is_exported_and_a_deprecated_one_is_not(library: Library, warehouse: Warehouse) -> None:
    approved = published(warehouse)
    made = library.export(approved["id"], DraftFormat.SCRIPT)
    assert 'python -m pytest -q "${path_1}"' in made.text
    assert "PATH_1: a path; always tests/unit, in 40 steps" in made.text
    assert 'path_1="${1:-tests/unit}"' in made.text
    ask(library, "update", pattern_id=approved["id"], fields={"template_code": "make test <path>"})
    assert 'path_1="${1:?PATH_1 is missing}"' in library.export(approved["id"], DraftFormat.SCRIPT).text
    old = add(library, "old")
    ask(library, "update", pattern_id=old, fields={"is_deprecated": True})
    with pytest.raises(Conflict, match="deprecated"):
        library.export(old, DraftFormat.SCRIPT)
    with pytest.raises(NotFound):
        library.export(UUID(int=0), DraftFormat.SKILL)
