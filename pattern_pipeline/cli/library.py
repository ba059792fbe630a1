"""`pattern-pipeline library`: templates of what was approved, found, looked at and drafted.

Commands that change the library are in `library_changes`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import RenderableType
from rich.text import Text

from pattern_pipeline.cli import library_changes
from pattern_pipeline.cli.common import JsonOption, emit, fail_plainly
from pattern_pipeline.cli.library_common import (
    Category,
    Columns,
    Language,
    Limit,
    MinConfidence,
    MinSuccess,
    Offset,
    Since,
    Template,
    Type,
    Until,
    document,
    opened,
    perform,
    run,
    shown,
    template_id,
    utc,
)
from pattern_pipeline.errors import InvalidInput

app = typer.Typer(help="Templates of what was approved: found, used, related, drafted.", no_args_is_help=True)
for _name, _command in library_changes.COMMANDS.items():
    app.command(_name)(_command)

_LISTED: Final[Columns] = {
    "pattern_name": "left",
    "pattern_type": "left",
    "language": "left",
    "usage_count": "right",
    "success_rate": "right",
    "confidence_score": "right",
    "lifecycle": "left",
    "id": "left",
}
_RANKED: Final[Columns] = {name: align for name, align in _LISTED.items() if name != "lifecycle"} | {
    "last_used_at": "left"
}


@app.command("list")
def list_templates(
    tag: Annotated[list[str] | None, typer.Option("--tag", help="With this tag; repeat it for all of several.")] = None,
    pattern_type: Type = None,
    language: Language = None,
    category: Category = None,
    min_confidence: MinConfidence = 0,
    min_success: MinSuccess = 0,
    min_uses: Annotated[int, typer.Option("--min-uses", min=0, help="Used at least so often.")] = 0,
    limit: Limit = 20,
    offset: Offset = 0,
    as_json: JsonOption = False,
) -> None:
    """The templates in force, best first."""
    run(
        "filter",
        as_json,
        _LISTED,
        tags=tag or [],
        pattern_type=pattern_type,
        language=language,
        category=category,
        min_confidence_score=min_confidence,
        min_success_rate=min_success,
        min_usage_count=min_uses,
        limit=limit,
        offset=offset,
    )


@app.command()
def query(
    where: Annotated[
        str, typer.Option("--where", help='A file with conditions like {"language": {"eq": "shell"}}; - reads them.')
    ],
    limit: Limit = 20,
    offset: Offset = 0,
    as_json: JsonOption = False,
) -> None:
    """Templates by conditions on their columns, newest first, deprecated ones among them."""
    with fail_plainly(as_json):
        conditions = document(where)
    run("query", as_json, _LISTED, where=conditions, limit=limit, offset=offset)


@app.command()
def search(
    words: Annotated[str, typer.Argument(help="Words of the name, the description or the code, or their beginnings.")],
    pattern_type: Type = None,
    language: Language = None,
    category: Category = None,
    min_confidence: MinConfidence = 0,
    min_success: MinSuccess = 0,
    limit: Limit = 10,
    offset: Offset = 0,
    as_json: JsonOption = False,
) -> None:
    """Templates with all of these words, the likest names first."""
    run(
        "search",
        as_json,
        _LISTED,
        query=words,
        pattern_type=pattern_type,
        language=language,
        category=category,
        min_confidence_score=min_confidence,
        min_success_rate=min_success,
        limit=limit,
        offset=offset,
    )


@app.command()
def show(template: Template, as_json: JsonOption = False) -> None:
    """One template, deprecated or not."""
    run("get_by_id", as_json, pattern_id=template)


@app.command()
def top(
    pattern_type: Type = None,
    language: Language = None,
    limit: Limit = 10,
    offset: Offset = 0,
    as_json: JsonOption = False,
) -> None:
    """The best templates, by the lower end of what their success may be and by how much they are used."""
    operation = "get_top" if pattern_type is None else "get_by_type"
    run(operation, as_json, _RANKED, pattern_type=pattern_type, language=language, limit=limit, offset=offset)


@app.command()
def related(template: Template, limit: Limit = 20, as_json: JsonOption = False) -> None:
    """What a template is similar to, extends, or conflicts with."""
    columns: Columns = {"related_name": "left", "relationship_type": "left", "direction": "left", "strength": "right"}
    run("get_related", as_json, columns, pattern_id=template, limit=limit)


@app.command()
def trends(
    template: Annotated[str | None, typer.Argument(help="One template; all of them by default.")] = None,
    bucket: Annotated[str, typer.Option("--by", help="day, week or month.")] = "day",
    since: Since = None,
    until: Until = None,
    as_json: JsonOption = False,
) -> None:
    """Uses by day, week or month, also where there were none."""
    run("usage_trends", as_json, pattern_id=template, bucket=bucket, period_start=utc(since), period_end=utc(until))


@app.command()
def quality(template: Template, since: Since = None, until: Until = None, as_json: JsonOption = False) -> None:
    """What the uses of a template changed, by day."""
    run("quality_trends", as_json, pattern_id=template, period_start=utc(since), period_end=utc(until))


@app.command()
def effectiveness(
    template: Annotated[str | None, typer.Argument(help="One template; the best by default.")] = None,
    limit: Limit = 10,
    as_json: JsonOption = False,
) -> None:
    """Uses, missed uses, adoption and quality."""
    columns: Columns = {
        "pattern_name": "left",
        "usage_count": "right",
        "success_rate": "right",
        "average_quality_improvement": "right",
        "missed_uses": "right",
        "adoption": "right",
        "quality_score": "right",
    }
    run("effectiveness", as_json, columns, pattern_id=template, limit=limit)


@app.command()
def summary(as_json: JsonOption = False) -> None:
    """The library as a whole; averages count each template once."""
    run("global_stats", as_json)


@app.command()
def latency(as_json: JsonOption = False) -> None:
    """How long each operation takes, and how many failed."""
    with fail_plainly(as_json), opened() as library:
        found = [row.model_dump() for row in library.latency()]
    emit(found, as_json, shown)


@app.command()
def health(as_json: JsonOption = False) -> None:
    """Whether the database answers, and how busy the connections are."""
    with fail_plainly(as_json), opened() as library:
        found = library.health_check().model_dump()
    emit(found, as_json, shown)


@app.command("export")
def export_draft(
    template: Template,
    form: Annotated[str, typer.Option("--format", help="script, skill or makefile.")] = "script",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write it there, not to the screen.")] = None,
    as_json: JsonOption = False,
) -> None:
    """A draft of an automation, for a person to finish; nothing is run."""
    with fail_plainly(as_json), opened() as library:
        from uuid import UUID

        from pattern_pipeline.library.export import DraftFormat

        try:
            wanted = DraftFormat(form)
        except ValueError as error:
            raise InvalidInput(f"--format {form}: one of {', '.join(DraftFormat)}") from error
        found = library.export(UUID(template_id(library, template)), wanted)
        if output is not None:
            try:
                output.write_text(found.text, encoding="utf-8")
            except OSError as error:
                raise InvalidInput(f"--output {output}: cannot be written: {error.strerror}") from error
    emit(found, as_json, lambda draft: _told(draft, output))


def _told(draft: Any, output: Path | None) -> RenderableType:
    return Text(draft.text.rstrip("\n") if output is None else f"A draft of {draft.pattern_name} is in {output}.")


@app.command("perform")
def perform_any(
    request: Annotated[str, typer.Argument(help="A file with an operation as the API takes it; - reads it.")],
    as_json: JsonOption = False,
) -> None:
    """Any operation, told as a JSON document with its name in `operation`."""
    with fail_plainly(as_json):
        told = document(request)
        if not isinstance(told, dict) or not isinstance(told.get("operation"), str):
            raise InvalidInput(f"{request}: an operation is an object with its name in `operation`")
        with opened() as library:
            result = perform(library, **told)
    emit(result, as_json, lambda found: shown(found.data))
