"""Commands as users and scripts run them: what they print, and how they refuse."""

import json
from typing import Any

from click.testing import Result
from typer.testing import CliRunner

from pattern_pipeline.cli.main import app


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def document(*arguments: str) -> Any:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refusal(exit_code: int, *arguments: str) -> str:
    """The sentence of a command that must fail: on standard error, and nothing on standard output."""
    result = call(*arguments)
    assert (result.exit_code, result.stdout) == (exit_code, ""), result.output
    assert "Traceback" not in result.stderr
    return " ".join(result.stderr.split())
