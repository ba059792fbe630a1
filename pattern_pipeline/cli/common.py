"""What every command shares: its output in two forms, its progress, and how it fails.

Quick to import, since `--help` of every command does; what a command does belongs to the services.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TypeVar

import orjson
import typer
from rich.console import Console, RenderableType
from rich.text import Text

from pattern_pipeline.errors import DatabaseDown, PipelineError

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]

# A pipe has no width; this one is enough for every table of ours.
PIPE_WIDTH = 180

DISK_FULL = "53100"  # SQLSTATE

Data = TypeVar("Data")


def emit(data: Data, as_json: bool, render: Callable[[Data], RenderableType]) -> None:
    """Prints a result: as JSON on standard output, else as `render` shows it to a person."""
    if as_json:
        sys.stdout.write(to_json(data) + "\n")
        return
    in_pipe = not sys.stdout.isatty()
    width = PIPE_WIDTH if in_pipe and "COLUMNS" not in os.environ else None
    # Signatures look like emoji codes, and texts of users like markup.
    console = Console(width=width, soft_wrap=in_pipe, highlight=False, markup=False, emoji=False)
    console.print(render(data))


def to_json(data: Any) -> str:
    """JSON text: decimals as numbers with all their digits, times in ISO 8601."""
    return orjson.dumps(data, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f").encode()) if value.is_finite() else None
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "model_dump"):
        return value.model_dump()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if hasattr(value, "keys"):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


@contextmanager
def fail_plainly(as_json: bool = False) -> Iterator[None]:
    """Ends the command with a sentence on standard error and the exit code of the error.

    Errors of a user's making are `PipelineError`s; a driver's OperationalError means that the database went away.
    Anything else is a defect and keeps its traceback.
    """
    try:
        yield
    except PipelineError as error:
        raise _failed(error, as_json) from error
    except _driver_errors() as error:
        failure = DatabaseDown(f"{_what_happened(error)} Then run the same command again.")
        raise _failed(failure, as_json) from error


def _failed(error: PipelineError, as_json: bool) -> typer.Exit:
    if as_json:
        sys.stderr.write(to_json({"error": str(error), "exit_code": error.exit_code}) + "\n")
    else:
        Console(stderr=True, soft_wrap=True, highlight=False, emoji=False).print(
            Text("Error: ", style="red") + Text(str(error))
        )
    return typer.Exit(error.exit_code)


def _driver_errors() -> tuple[type[Exception], ...]:
    """Imported only when something failed."""
    from pattern_pipeline.warehouse.database import DRIVER_ERRORS

    return DRIVER_ERRORS


def _what_happened(error: BaseException) -> str:
    """In the driver's own words only: SQLAlchemy adds the statement and its parameters, which are the user's data."""
    cause = getattr(error, "orig", None) or error
    words = str(cause).strip().partition("\n")[0].rstrip(".")
    if DISK_FULL in (getattr(cause, "sqlstate", None), getattr(cause, "pgcode", None)):
        return f"The database's disk is full: {words}. Free some space."
    return f"The database stopped answering or refused the work: {words}. See `pattern-pipeline db status`."
