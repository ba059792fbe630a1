"""The repository itself: layers, packaging and the commands that the documents promise."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[1]
TEST_COMMAND = ("pip install -e '.[test]'", "pytest")


def test_imports_respect_the_layers(capsys: pytest.CaptureFixture[str]) -> None:
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True)
    assert status == 0, capsys.readouterr().out


def test_the_layer_contracts_notice_a_forbidden_import(tmp_path: Path) -> None:
    package = tmp_path / "pattern_pipeline"
    (package / "detection").mkdir(parents=True)
    (package / "economics").mkdir()
    (package / "__init__.py").touch()
    (package / "economics" / "__init__.py").write_text("import pattern_pipeline.detection\n")
    (package / "detection" / "__init__.py").touch()
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    layers = "\n    ".join(contract["layers"])
    (tmp_path / ".importlinter").write_text(
        "[importlinter]\nroot_package = pattern_pipeline\n"
        f"[importlinter:contract:layers]\nname = layers\ntype = layers\ncontainers = pattern_pipeline\n"
        f"layers =\n    {layers}\n"
    )
    lint = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [lint, "--no-cache", "--no-logo"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "economics is not allowed to import" in result.stdout


def test_the_ci_command_runs_what_the_readme_promises() -> None:
    assert " && ".join(TEST_COMMAND) in (ROOT / "README.md").read_text()
    install, test = TEST_COMMAND
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert install in lines
    assert lines[-2:] == [f"{test} || status=$?", 'exit "$status"'], "the summary of pytest stands last"


def test_pinned_requirements_name_every_declared_dependency_and_no_index() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = project["dependencies"] + project["optional-dependencies"]["test"]
    pinned = (ROOT / "requirements" / "ci.txt").read_text()
    names = {_normalised(line) for line in pinned.splitlines() if "==" in line}
    assert {_normalised(requirement) for requirement in declared} <= names
    assert "://" not in pinned
    assert "index-url" not in pinned


def _normalised(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()
