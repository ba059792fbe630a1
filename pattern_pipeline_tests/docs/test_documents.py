"""README and docs say what is true: links lead somewhere, files parse, and every command does what it is said to do."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psycopg
import pytest
import yaml
from psycopg import sql
from typer.main import get_command
from typer.testing import CliRunner

from benchmarks.__main__ import parsed
from benchmarks.report import BEGIN, END, Report, markdown
from pattern_pipeline.cli.examination import CHECKS
from pattern_pipeline.cli.main import app
from pattern_pipeline.settings import PROJECT_ROOT, Settings
from pattern_pipeline.warehouse.urls import with_database
from pattern_pipeline.web.app import create_app
from pattern_pipeline_tests.docs.documents import LANGUAGES, Block, anchors, blocks, inline_code, links, paths
from pattern_pipeline_tests.history.transcripts import a_working_day, write_transcript
from tools.cli_reference import REFERENCE, reference

ELSEWHERE = {
    "pip install -e . && pattern-pipeline run --sample": "pattern_pipeline_tests/test_sample.py",
    "pip install -e '.[test]' && pytest": ".ci/run",
    "pattern-pipeline up": "pattern_pipeline_tests/e2e/test_up.py",
    "pattern-pipeline db upgrade --from-binaries /usr/lib/postgresql/15/bin": (
        "pattern_pipeline_tests/warehouse/test_upgrade.py"
    ),
}
"""Commands of the documents that are not run here, and where they are."""
SIGNATURE = "test:pytest:backend"
CALL = re.compile(r"`(GET|POST|PATCH|DELETE) (/api/v1[^`?]*)")
DATABASES = ("", "_dagster")

every_document = pytest.mark.parametrize("path", paths(), ids=str)


@every_document
def test_links_lead_somewhere(path: Path) -> None:
    dead = []
    for link in links(path):
        target, _, anchor = link.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        file = (PROJECT_ROOT / path.parent / unquote(target)).resolve() if target else PROJECT_ROOT / path
        if not file.exists() or (anchor and anchor not in anchors(file.relative_to(PROJECT_ROOT))):
            dead.append(link)
    assert not dead


@every_document
def test_blocks_are_of_a_known_language_and_parse(path: Path) -> None:
    parsers = {"toml": tomllib.loads, "json": json.loads, "yaml": yaml.safe_load, "jsonl": _lines_of_json}
    for block in blocks(path):
        assert block.language in LANGUAGES, f"{path}:{block.line}"
        if block.language in parsers:
            assert parsers[block.language](block.text), f"{path}:{block.line}"


@pytest.fixture(scope="module")
def sampled(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Name of a database over which the sample has run; that of its Dagster instance has the usual ending."""
    name = f"test_docs_{uuid.uuid4().hex[:12]}"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PATTERN_PIPELINE_DATABASE_URL", with_database(server_url, name))
        environment.setenv("PATTERN_PIPELINE_HOME", str(tmp_path_factory.mktemp("home")))
        # In a process of its own: connections that stayed open would keep the database from being copied.
        _in_shell("pattern-pipeline run --sample")
    yield name
    _drop(server_url, name)


@pytest.fixture
def installation(sampled: str, server_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty directory to work in, a copy of the sampled database, and a user whose home has a transcript."""
    name = f"test_docs_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        for ending in DATABASES:
            copy, original = sql.Identifier(name + ending), sql.Identifier(sampled + ending)
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(copy, original))
    monkeypatch.setenv("PATTERN_PIPELINE_DATABASE_URL", with_database(server_url, name))
    monkeypatch.setenv("PATTERN_PIPELINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    write_transcript(tmp_path / "user" / ".claude" / "projects" / "demo" / "s1.jsonl", a_working_day().lines)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    yield tmp_path / "work"
    _drop(server_url, name)


@every_document
def test_commands_succeed(path: Path, request: pytest.FixtureRequest) -> None:
    todo = [block for block in blocks(path) if block.file or set(block.commands) - set(ELSEWHERE)]
    if not any(block.commands for block in todo):
        return
    directory: Path = request.getfixturevalue("installation")
    for block in todo:
        _carry_out(block, directory)


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [Path("README.md")]
    while waiting:
        document = waiting.pop()
        reached.add(document)
        targets = {document.parent / unquote(link.partition("#")[0]) for link in links(document) if "://" not in link}
        found = {Path(os.path.normpath(target)) for target in targets} & set(paths())
        waiting += found - reached
    assert set(paths()) - reached == set()


def test_the_table_of_what_doctor_looks_at_names_every_check_in_order() -> None:
    text = (PROJECT_ROOT / "docs" / "troubleshooting.md").read_text()
    rows = re.findall(r"^\| ([a-z ]+) \|", text, re.MULTILINE)
    assert rows == ["check", *(check.name for check in CHECKS)]


def test_the_figures_of_the_readme_are_those_of_the_sample(installation: Path) -> None:
    found = _document("run", "--preset", "smart")
    best = next(each for each in found["patterns"] if each["signature"] == SIGNATURE)
    estimate = _document("roi", "show", SIGNATURE)["estimate"]
    worth = sum(each["verdict"] == "worth_automating" for each in found["patterns"])
    told = " ".join((PROJECT_ROOT / "README.md").read_text().split())
    figures = [
        f"history of {found['workflows']:,} runs",
        f"| {_usd(found['spend_usd'])} | {best['occurrence_count']} | {_usd(best['naive_cost_usd'])} |",
        f"| **{_usd(best['attributed_cost_usd'])}** |",
        f"{estimate['occurrences']} runs in {estimate['exposure_days']} days are about {estimate['monthly_rate']:.0f}",
        f"claim {_usd(estimate['naive_monthly_savings'])} a month",
        f"would cost, is {_usd(estimate['potential_monthly_savings'])}",
        f"{_usd(estimate['net_p10'])} to {_usd(estimate['net_p90'])} net",
        f"${estimate['build_cost']:.0f} to build",
        f"worth {_usd(estimate['npv_p10'])} to {_usd(estimate['npv_p90'])}",
        f"Only {worth} patterns of the sample get",
    ]
    assert [figure for figure in figures if figure not in told] == []


def test_the_table_of_benchmarks_is_that_of_the_figures_beside_it() -> None:
    report = Report.load(PROJECT_ROOT / "docs" / "benchmarks.json")
    text = (PROJECT_ROOT / "docs" / "benchmarks.md").read_text()
    assert text.partition(BEGIN)[2].partition(END)[0].strip() == markdown(report), "python -m benchmarks --render"


def test_what_is_run_elsewhere_is_named_in_a_document_and_run_there() -> None:
    named = {command for path in paths() for block in blocks(path) for command in block.commands}
    assert set(ELSEWHERE) <= named
    assert all((PROJECT_ROOT / place).is_file() for place in ELSEWHERE.values())


def test_the_reference_of_the_commands_is_that_of_the_commands() -> None:
    assert REFERENCE.read_text() == reference(), "write it anew with `python -m tools.cli_reference`"


@every_document
def test_commands_in_the_text_exist_with_their_options(path: Path) -> None:
    wrong = []
    for code in inline_code(path):
        if code.startswith("python -m benchmarks "):
            parsed(shlex.split(code)[3:])
        if code.startswith("pattern-pipeline "):
            words = shlex.split(code)[1:]
            command = _named(words)
            options = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
            wrong += [code for word in words if word.startswith("--") and word not in options | {"--help", "--json"}]
    assert not wrong


def test_every_call_of_the_api_that_a_document_names_exists(settings: Settings) -> None:
    described = create_app(settings).openapi()["paths"]
    known = {re.sub(r"\{\w+\}", "{}", path): set(calls) for path, calls in described.items()}
    named = {
        (method.lower(), re.sub(r"\{\w+\}", "{}", path))
        for document in paths()
        for method, path in CALL.findall((PROJECT_ROOT / document).read_text())
    }
    assert named
    assert not {(method, path) for method, path in named if method not in known.get(path, ())}


def _named(words: list[str]) -> Any:
    """The command that words of the command line begin with.

    Raises:
        AssertionError: its group has no such command.
    """
    command: Any = get_command(app)
    for length, word in enumerate(words, 1):
        if not hasattr(command, "commands") or word.startswith("-"):
            return command
        two = " ".join(words[length - 1 : length + 1])
        if two in command.commands:
            return command.commands[two]
        assert word in command.commands or word.isupper(), f"no command {' '.join(words[:length])}"
        command = command.commands.get(word, command)
    return command


def _document(*arguments: str) -> dict[str, Any]:
    """What a command prints with --json."""
    result = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def _usd(value: float) -> str:
    return f"${value:,.2f}"


def _carry_out(block: Block, directory: Path) -> None:
    if block.file:
        (directory / block.file).parent.mkdir(parents=True, exist_ok=True)
        (directory / block.file).write_text(block.text)
    for command in block.commands:
        if command not in ELSEWHERE:
            _succeed(command)


def _succeed(command: str) -> None:
    """Runs our own commands in this process, which spares their start, and everything else in a shell."""
    words = shlex.split(command, comments=True)
    if words[0] == "pattern-pipeline" and not {"|", ">", "&&", ";"} & set(words):
        result = CliRunner().invoke(app, words[1:], catch_exceptions=False)
        assert result.exit_code == 0, f"{command}\n{result.output}"
    else:
        _in_shell(command)


def _in_shell(command: str) -> None:
    scripts = str(Path(sys.executable).parent)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f'PATH="{scripts}:$PATH"; {command}'],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def _drop(server_url: str, name: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        for ending in DATABASES:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name + ending)))


def _lines_of_json(text: str) -> list[object]:
    return [json.loads(line) for line in text.splitlines()]
