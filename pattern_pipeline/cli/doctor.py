"""`doctor`: checks what commonly goes wrong, and says what to do about it. What is checked is in `examination`."""

from typing import Final

import typer
from rich.console import RenderableType
from rich.text import Text

from pattern_pipeline.cli.common import JsonOption, emit, fail_plainly
from pattern_pipeline.cli.examination import Finding, Level, examine
from pattern_pipeline.settings import get_settings

STYLES: Final[dict[Level, str]] = {"ok": "green", "attention": "yellow", "failed": "red", "skipped": "dim"}


def command(as_json: JsonOption = False) -> None:
    """Check the installation, from the state directory to the history, and say what to do about what is wrong.

    Ends with the exit code of the first check that failed; what only deserves attention does not fail.
    """
    with fail_plainly(as_json):
        findings = list(examine(get_settings()))
    emit(findings, as_json, _show)
    failures = [each.exit_code for each in findings if each.level == "failed"]
    if failures:
        raise typer.Exit(failures[0])


def _show(findings: list[Finding]) -> RenderableType:
    width = max(map(len, STYLES))
    return Text("\n").join(
        Text.assemble((f"{each.level:<{width}}", STYLES[each.level]), f"  {each.check}: {each.detail}")
        for each in findings
    )
