"""`pattern-pipeline policy`: look at policies. Loading and checking them is the matter of `detection.policy`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pattern_pipeline.cli.common import JsonOption, emit, fail_plainly

if TYPE_CHECKING:
    from rich.table import Table

app = typer.Typer(help="Look at policies.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keeps `check` a sub-command while it is the only one."""


@app.command()
def check(
    file: Annotated[str, typer.Argument(help="A policy file, or the name of a shipped policy.")],
    as_json: JsonOption = False,
) -> None:
    """Checks a policy and prints the version of each stage; exit code 2 when it is invalid."""
    from pattern_pipeline.detection.policy import load_policy

    with fail_plainly(as_json):
        policy = load_policy(file)
    versions = {
        "detection": policy.detection_version,
        "confidence": policy.confidence_version,
        "roi": policy.roi_version,
        "queue": policy.queue_version,
        "redaction": policy.redaction_version,
    }
    emit({"policy": file, "valid": True, "versions": versions}, as_json, lambda data: _table(file, versions))


def _table(file: str, versions: dict[str, str]) -> Table:
    from rich.table import Table

    table = Table("stage", "version", title=f"{file} is valid")
    for stage, version in versions.items():
        table.add_row(stage, version)
    return table
