"""What the commands of `pattern-pipeline library` share: performing an operation, naming a template, showing rows."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import orjson
import typer
from rich.console import RenderableType
from rich.text import Text

from pattern_pipeline.cli.common import emit, fail_plainly
from pattern_pipeline.cli.fitting import Column, FittedTable
from pattern_pipeline.cli.show import details
from pattern_pipeline.errors import Conflict, DatabaseDown, InvalidInput, NotFound, PipelineError
from pattern_pipeline.settings import get_settings

if TYPE_CHECKING:
    from pattern_pipeline.library.results import Failure, Result
    from pattern_pipeline.library.service import Library

Template = Annotated[str, typer.Argument(metavar="TEMPLATE", help="Its id, or its name if only one has it.")]
Language = Annotated[str | None, typer.Option("--language", help="Only of this language.")]
Type = Annotated[str | None, typer.Option("--type", help="Only of this type: operation, sequence, error_fix, ...")]
Category = Annotated[str | None, typer.Option("--category", help="Only of this category.")]
MinConfidence = Annotated[float, typer.Option("--min-confidence", min=0, max=1, help="0 to 1.")]
MinSuccess = Annotated[float, typer.Option("--min-success", min=0, max=1, help="0 to 1.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many.")]
Offset = Annotated[int, typer.Option("--offset", min=0, help="How many to leave out first.")]
Since = Annotated[datetime | None, typer.Option("--from", help="Start of the period, UTC; by default 30 days ago.")]
Until = Annotated[datetime | None, typer.Option("--to", help="End of the period, not in it; by default that of today.")]

Columns = Mapping[str, Literal["left", "right"]]
"""The fields of rows to show, and how they are aligned."""

_ERRORS: dict[str, type[PipelineError]] = {
    "not_found": NotFound,
    "conflict": Conflict,
    "unique_violation": Conflict,
    "timeout": DatabaseDown,
    "connection_error": DatabaseDown,
    "database_error": DatabaseDown,
}


@contextmanager
def opened() -> Iterator[Library]:
    """The library of this installation."""
    from pattern_pipeline.detection.policy import load_policy
    from pattern_pipeline.library.service import Library
    from pattern_pipeline.warehouse.database import Warehouse

    settings = get_settings()
    with Warehouse.held(settings) as warehouse:
        yield Library(warehouse, load_policy(settings.policy))


def perform(library: Library, operation: str, **fields: Any) -> Result:
    """The result of an operation; fields that are None were not given.

    Raises:
        PipelineError: It failed, with the exit code that its type has.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    result = library.perform({"operation": operation, **given}, actor=getpass.getuser())
    if result.error is not None:
        raise _error(result.error)
    return result


def run(operation: str, as_json: bool, columns: Columns | None = None, **fields: Any) -> None:
    """Perform an operation and print its result; a field named `pattern_id` may be a template's name.

    Args:
        operation: What to do.
        as_json: Print the result as it is.
        columns: For rows: the fields to show, and how they are aligned.
        fields: Of the contract; None: not given.
    """
    with fail_plainly(as_json), opened() as library:
        if fields.get("pattern_id"):
            fields["pattern_id"] = template_id(library, fields["pattern_id"])
        result = perform(library, operation, **fields)
    emit(result, as_json, lambda found: shown(found.data, columns))


def template_id(library: Library, reference: str) -> str:
    """The id of a template that is named by id or name.

    Raises:
        NotFound: No template has that name.
        Conflict: Several have.
    """
    from uuid import UUID

    try:
        return str(UUID(reference))
    except ValueError:
        rows = perform(library, "query", where={"pattern_name": {"eq": reference}}, limit=2).data
    if not rows:
        raise NotFound(f"template {reference!r}: there is none of that id or name; see `pattern-pipeline library list`")
    if len(rows) > 1:
        raise Conflict(f"template {reference!r}: several have that name; name one by its id")
    return str(rows[0]["id"])


def document(source: str) -> Any:
    """JSON from a file, or from standard input for `-`.

    Raises:
        InvalidInput: It cannot be read, or is no JSON.
    """
    try:
        return orjson.loads(sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes())
    except OSError as error:
        raise InvalidInput(f"{source}: cannot be read: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"{source}: is no JSON: {error}") from error


def utc(moment: datetime | None) -> datetime | None:
    """A time of the command line, which has no zone."""
    return None if moment is None else moment.replace(tzinfo=UTC)


def shown(data: Any, columns: Columns | None = None) -> RenderableType:
    """Rows as a table, one thing as names and values."""
    if isinstance(data, list):
        if not data:
            return Text("None.")
        names: Columns = columns or dict.fromkeys(data[0], "left")
        return FittedTable(
            f"{len(data)} found",
            tuple(Column(name.replace("_", " "), align) for name, align in names.items()),
            ([_cell(row.get(name)) for name in names] for row in data),
        )
    return details((name, _cell(value)) for name, value in _flat(data))


def _flat(data: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in data.items():
        if isinstance(value, dict) and prefix == "" and name in ("template", "relationship"):
            yield from _flat(value, f"{name} ")
        else:
            yield f"{prefix}{name}".replace("_", " "), value


def _cell(value: Any) -> str:
    match value:
        case None:
            return "-"
        case float():
            return f"{value:,.4g}"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case list() | tuple() | dict():
            return orjson.dumps(value, default=str).decode()
        case _:
            return str(value)


def _error(failure: Failure) -> PipelineError:
    row = "" if failure.failed_index is None else f"template {failure.failed_index} of the batch: "
    return _ERRORS.get(failure.type, InvalidInput)(f"{row}{failure.message}")
