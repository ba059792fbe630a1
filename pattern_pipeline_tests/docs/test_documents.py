"""README and docs say what is true: links lead somewhere, files parse, and every command does what it is said to do."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import psycopg
import pytest
import yaml
from psycopg import sql
from typer.testing import CliRunner

from pattern_pipeline.cli.main import app
from pattern_pipeline.settings import PROJECT_ROOT, Settings
from pattern_pipeline.warehouse.urls import with_database
from pattern_pipeline.web.app import create_app
from pattern_pipeline_tests.docs.documents import LANGUAGES, Block, anchors, blocks, links, paths
from tools.cli_reference import REFERENCE, reference

ELSEWHERE = {
    "pip install -e . && pattern-pipeline run --sample": "pattern_pipeline_tests/test_sample.py",
    "pip install -e '.[test]' && pytest": ".ci/run",
    "pattern-pipeline up": "pattern_pipeline_tests/e2e/test_up.py",
}
"""Commands of the documents that are not run here, and where they are."""
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
    """An empty directory to work in, and a copy of the sampled database for the commands."""
    name = f"test_docs_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        for ending in DATABASES:
            copy, original = sql.Identifier(name + ending), sql.Identifier(sampled + ending)
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(copy, original))
    monkeypatch.setenv("PATTERN_PIPELINE_DATABASE_URL", with_database(server_url, name))
    monkeypatch.setenv("PATTERN_PIPELINE_HOME", str(tmp_path / "home"))
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


def test_what_is_run_elsewhere_is_named_in_a_document_and_run_there() -> None:
    named = {command for path in paths() for block in blocks(path) for command in block.commands}
    assert set(ELSEWHERE) <= named
    assert all((PROJECT_ROOT / place).is_file() for place in ELSEWHERE.values())


def test_the_reference_of_the_commands_is_that_of_the_commands() -> None:
    assert REFERENCE.read_text() == reference(), "write it anew with `python -m tools.cli_reference`"


def test_every_call_of_the_api_that_a_document_names_exists(settings: Settings) -> None:
    described = create_app(settings).openapi()["paths"]
    known = {re.sub(r"\{\w+\}", "{}", path): set(calls) for path, calls in described.items()}
    named = {
        (method.lower(), re.sub(r"\{\w+\}", "{}", path))
        for document in paths()
        for method, path in re.findall(
            r"`(GET|POST|PATCH|DELETE) (/api/v1[^`?]*)", (PROJECT_ROOT / document).read_text()
        )
    }
    assert named
    assert not {(method, path) for method, path in named if method not in known.get(path, ())}


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
