from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pattern_pipeline.detection.policy import load_policy
from pattern_pipeline.detection.steps import read_step
from pattern_pipeline.detection.steps_policy import StepPolicy
from pattern_pipeline.detection.templates import MAX_BYTES, MAX_SLOTS, MAX_VALUE, Template, slot_kind


def default_steps() -> StepPolicy:
    steps = load_policy("default").detection.steps
    assert steps is not None
    return steps


POLICY = default_steps()


def template(command: str) -> Template:
    return read_step("Bash", command, None, None, POLICY).template


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("a/b.py", "path"),
        ("test_x.py::TestX::test_y", "path"),
        ("*.py", "path"),
        (".", "path"),
        ("~/x", "path"),
        ("12", "num"),
        ("-1.5", "num"),
        ("1234567", "num"),
        ("a1b2c3d", "hash"),
        ("0" * 39 + "f", "hash"),
        ("abcdefa", "str"),
        ("123e4567-e89b-12d3-a456-426614174000", "uuid"),
        ("https://x.org/a?b=c", "url"),
        ("2026-04-10", "date"),
        ("2026-04-10T06:43:31Z", "date"),
        ("main", "str"),
        ("a b/c", "str"),
        ("", "str"),
    ],
)
def test_a_value_has_the_most_specific_kind(value: str, kind: str) -> None:
    assert slot_kind(value) == kind


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("pytest a/x.py b/y.py -k 'one or two'", "pytest <path>+ -k <str>"),
        ("cd /x && pytest tests/", "pytest <path>"),
        ("cd /x; cd y && ls; cd z && ls", "ls ; cd <path> && ls"),
        (".venv/bin/python3 -m pytest -x 2>&1 | tail -50", "python -m pytest -x 2>&1 | tail -<num>"),
        ("grep -A5 foo x.py > out.txt", "grep -A<num> <str> <path> > <path>"),
        ("pytest --cov=app/server --maxfail=3", "pytest --cov=<path> --maxfail=<num>"),
        ("cat > f.py <<'EOF'\nbody\nEOF\npython f.py", "cat > <path> << ; python <path>"),
        ("A=1 B=x/y run go", "A=<num> B=<path> run go"),
        ("git checkout 1a2b3c4 -- x.py", "git checkout <hash> -- <path>"),
        ("gh pr view 12 --json title", "gh pr view <num> --json <str>"),
        ("for i in a b; do echo $i; done", "for i in <str>+ ; do echo <str> ; done"),
        ("ls 2>/dev/null || echo none", "ls 2>/dev/null || echo <str>"),
        ("docker exec web psql -c 'select 1'", "docker exec <str> psql -c <str>"),
        ("curl -s https://x.org/a", "curl -s <url>"),
        ("sqlfluff fix a.sql --dialect ansi", "sqlfluff fix <path> --dialect <str>"),
        ("[ -f x.py ] && ls", "[ -f <path> ] && ls"),
    ],
)
def test_only_what_varies_becomes_a_slot(command: str, expected: str) -> None:
    assert template(command).text == expected


def test_slot_values_are_kept_in_order() -> None:
    assert [tuple(slot) for slot in template("cd /x && pytest a.py b.py -k 'one' -n4").slots] == [
        ("path", "a.py"),
        ("path", "b.py"),
        ("str", "one"),
        ("num", "4"),
    ]


def test_tools_have_templates_of_their_parameters() -> None:
    params = {"file_path": "a/b.py", "offset": 10, "limit": 20, "all": True, "no": False, "none": None, "list": [1]}
    found = read_step("Read", None, None, json.dumps(params), POLICY).template
    assert found.text == "Read <path> <num>+ all <str>"
    assert [slot.value for slot in found.slots] == ["a/b.py", "10", "20", "[1]"]
    assert read_step("mcp__git__log", None, None, "not json", POLICY).template == Template("mcp__git__log", ())


def test_a_long_template_is_cut_but_stays_its_own() -> None:
    one, two = (template("; ".join(f"p{i} --flag-{i}" for i in range(n))) for n in (400, 401))
    assert one.text != two.text
    assert len(one.text.encode()) < MAX_BYTES + 32


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_evidence_is_bounded(text: str) -> None:
    found = template(f"run {text}")
    assert len(found.slots) <= MAX_SLOTS
    assert all(len(slot.value) <= MAX_VALUE for slot in found.slots)
    assert len(found.text.encode()) < MAX_BYTES + 32
