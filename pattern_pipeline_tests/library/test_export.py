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
from pattern_pipeline.library.service import Library
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.library.shelves import add, ask, published
from pattern_pipeline_tests.patterns.histories import default_policy

POLICY = default_policy()


def row(code: str, **fields: Any) -> dict[str, Any]:
    known = {"id": UUID(int=1), "pattern_name": "Test: all", "language": "shell", "description": None, "context": {}}
    return {**known, "template_code": code, **fields}


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
    assert "- `path_1`: path" in skill.text
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


def test_an_approved_template_is_exported_and_a_deprecated_one_is_not(library: Library, warehouse: Warehouse) -> None:
    approved = published(warehouse)
    made = library.export(approved["id"], DraftFormat.SCRIPT)
    assert 'python -m pytest -q "${path_1}"' in made.text
    old = add(library, "old")
    ask(library, "update", pattern_id=old, fields={"is_deprecated": True})
    with pytest.raises(Conflict, match="deprecated"):
        library.export(old, DraftFormat.SCRIPT)
    with pytest.raises(NotFound):
        library.export(UUID(int=0), DraftFormat.SKILL)
