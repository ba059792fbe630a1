"""`export`: history as an event log, for tools that mine processes or tables."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from pattern_pipeline.cli.chain import SinceOption, UntilOption, moment
from pattern_pipeline.cli.common import JsonOption, emit, fail_plainly
from pattern_pipeline.settings import get_settings


class FileFormat(StrEnum):
    """What other tools read."""

    XES = "xes"
    CSV = "csv"
    PARQUET = "parquet"


def command(
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write.")],
    file_format: Annotated[FileFormat, typer.Option("--format", help="XES (IEEE 1849), CSV or Parquet.")],
    since: SinceOption = None,
    until: UntilOption = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file if it is there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write history as an event log: a trace a run, an event a step."""
    with fail_plainly(as_json):
        from pattern_pipeline.history.export import export
        from pattern_pipeline.warehouse.database import Warehouse

        times = {"since": moment(since), "until": moment(until)}
        with Warehouse.held(get_settings()) as warehouse:
            exported = export(warehouse, output, file_format.value, replace=force, **times)
    emit(exported, as_json, _show)


def _show(exported: Any) -> str:
    return f"Wrote {exported.runs:,} runs with {exported.events:,} steps to {exported.path}."
