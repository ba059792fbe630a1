"""Writes docs/cli.md, the reference of every command, from the commands themselves: `python -m tools.cli_reference`."""

from __future__ import annotations

import subprocess
import sys

from pattern_pipeline.settings import PROJECT_ROOT

REFERENCE = PROJECT_ROOT / "docs" / "cli.md"
NOTE = """
Written from the commands by `python -m tools.cli_reference`. Exit codes: 0 done, 2 wrong usage or input, 3 not found,
4 conflict, 5 database.
"""


def reference() -> str:
    """The Markdown that Typer makes of the commands, under a heading that says where it comes from."""
    typer = [sys.executable, "-m", "typer", "pattern_pipeline.cli.main", "utils", "docs", "--name", "pattern-pipeline"]
    made = subprocess.run(typer, capture_output=True, text=True, check=True, cwd=PROJECT_ROOT).stdout
    heading, rest = made.split("\n", 1)
    # Usage lines are no commands that could be run as they stand.
    return f"{heading}\n{NOTE}{rest.replace('```console', '```text').rstrip()}\n"


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
