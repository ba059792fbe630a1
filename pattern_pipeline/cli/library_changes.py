"""The commands of `pattern-pipeline library` that change it: templates, uses, relationships, analytics."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final

import typer

from pattern_pipeline.cli.common import JsonOption, emit, fail_plainly
from pattern_pipeline.cli.library_common import (
    Since,
    Template,
    Until,
    document,
    opened,
    perform,
    run,
    shown,
    template_id,
    utc,
)
from pattern_pipeline.settings import get_settings

File = Annotated[str, typer.Argument(metavar="FILE", help="A JSON file; - reads standard input.")]


def publish(as_json: JsonOption = False) -> None:
    """Bring the templates in line with what is approved, as the pipeline does every hour."""
    with fail_plainly(as_json):
        from dataclasses import asdict

        from pattern_pipeline.library.mining import publish_templates
        from pattern_pipeline.warehouse.database import Warehouse

        with Warehouse.held(get_settings()) as warehouse:
            published = asdict(publish_templates(warehouse))
    emit(published, as_json, shown)


def insert(file: File, as_json: JsonOption = False) -> None:
    """Add a template: pattern_name, pattern_type, language, template_code and whatever else is known of it."""
    with fail_plainly(as_json):
        template = document(file)
    run("insert", as_json, template=template)


def batch(
    file: File,
    upsert: Annotated[bool, typer.Option("--upsert", help="Change those that are known instead of refusing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Add a list of templates, all or none."""
    with fail_plainly(as_json):
        templates = document(file)
    run("batch_insert", as_json, templates=templates, upsert=upsert)


def update(
    template: Template,
    file: File,
    version: Annotated[int | None, typer.Option("--version", help="Only if it still has this version.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Change the fields of a template that the document names."""
    with fail_plainly(as_json):
        fields = document(file)
    run("update", as_json, pattern_id=template, fields=fields, version=version)


def deprecate(
    template: Template,
    by: Annotated[str | None, typer.Option("--by", help="The template to use instead.")] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take it back.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Retire a template; its uses stay counted."""
    with fail_plainly(as_json), opened() as library:
        fields: dict[str, Any] = {"is_deprecated": not undo}
        if by is not None or undo:
            fields["deprecated_by_id"] = None if by is None or undo else template_id(library, by)
        result = perform(library, "update", pattern_id=template_id(library, template), fields=fields)
    emit(result, as_json, lambda found: shown(found.data))


def delete(template: Template, as_json: JsonOption = False) -> None:
    """Delete a template that was never used."""
    run("delete", as_json, pattern_id=template)


def use(
    template: Template,
    success: Annotated[bool, typer.Option("--success/--failure", help="Whether it did its work.")],
    event: Annotated[
        str | None, typer.Option("--event", help="An id of this use: repeating it changes nothing.")
    ] = None,
    file_path: Annotated[str | None, typer.Option("--file", help="What it was used on.")] = None,
    project: Annotated[str | None, typer.Option("--project", help="Where.")] = None,
    milliseconds: Annotated[float | None, typer.Option("--ms", min=0, help="How long it took.")] = None,
    error: Annotated[str | None, typer.Option("--error", help="What went wrong.")] = None,
    before: Annotated[float | None, typer.Option("--before", min=0, max=1, help="Quality before, 0 to 1.")] = None,
    after: Annotated[float | None, typer.Option("--after", min=0, max=1, help="Quality after, 0 to 1.")] = None,
    at: Annotated[datetime | None, typer.Option("--at", help="When, UTC; now if not given.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Record one use of a template."""
    run(
        "record_usage",
        as_json,
        pattern_id=template,
        success=success,
        event_id=event,
        file_path=file_path,
        project_id=project,
        execution_time_ms=milliseconds,
        error_message=error,
        quality_before=before,
        quality_after=after,
        used_at=utc(at),
    )


def stats(
    template: Annotated[str | None, typer.Argument(help="One template; all of them by default.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Count the uses anew from their events."""
    run("update_stats", as_json, pattern_id=template)


def relate(
    source: Annotated[str, typer.Argument(help="Id or name of a template.")],
    kind: Annotated[str, typer.Argument(help="similar, extends, conflicts, uses or composed_of.")],
    target: Annotated[str, typer.Argument(help="Id or name of another one.")],
    strength: Annotated[float, typer.Option("--strength", help="0 to 1.")] = 0.5,
    description: Annotated[str | None, typer.Option("--description", "-m", help="Why.")] = None,
    as_json: JsonOption = False,
) -> None:
    """State how two templates are related; the pipeline will not replace it."""
    with fail_plainly(as_json), opened() as library:
        result = perform(
            library,
            "create_relationship",
            source_pattern_id=template_id(library, source),
            target_pattern_id=template_id(library, target),
            relationship_type=kind,
            strength=strength,
            description=description,
        )
    emit(result, as_json, lambda found: shown(found.data))


def analytics(
    template: Annotated[str | None, typer.Argument(help="One template; all together by default.")] = None,
    since: Since = None,
    until: Until = None,
    as_json: JsonOption = False,
) -> None:
    """Compute and store the analytics of a period."""
    run("compute_analytics", as_json, pattern_id=template, period_start=utc(since), period_end=utc(until))


COMMANDS: Final[dict[str, Callable[..., None]]] = {
    "publish": publish,
    "insert": insert,
    "batch": batch,
    "update": update,
    "deprecate": deprecate,
    "delete": delete,
    "use": use,
    "stats": stats,
    "relate": relate,
    "analytics": analytics,
}
