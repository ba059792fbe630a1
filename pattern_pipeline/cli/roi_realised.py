"""The commands of `pattern-pipeline roi` about executions: recording them, and what they say."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from pattern_pipeline.cli.common import JsonOption, emit, fail_plainly
from pattern_pipeline.cli.roi_show import (
    show_changes,
    show_confidence_history,
    show_execution,
    show_performers,
    show_realised,
    show_recommendations,
    show_report,
    show_saving,
)
from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.settings import get_settings

if TYPE_CHECKING:
    from pydantic import BaseModel

    Report = TypeVar("Report", bound=BaseModel)

confidence = typer.Typer(help="Confidence in patterns, as executions move it.", no_args_is_help=True)

Pattern = Annotated[str, typer.Argument(help="A signature, like test:pytest:backend, or a number.")]
Key = Annotated[str, typer.Option("--key", help="Names this report; repeating it changes nothing.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=200, help="How many.")]
At = Annotated[datetime | None, typer.Option("--at", help="When, UTC; now if not given.")]


def record(
    pattern: Pattern,
    success: Annotated[bool, typer.Option("--success/--failure", help="Whether the automation did its work.")],
    key: Key,
    cost: Annotated[
        str | None, typer.Option("--cost", metavar="USD", help="What it cost; unknown if not given.")
    ] = None,
    seconds: Annotated[str | None, typer.Option("--seconds", help="How long it took.")] = None,
    estimated_seconds: Annotated[str | None, typer.Option("--estimated-seconds", help="... the model took.")] = None,
    estimated_cost: Annotated[str | None, typer.Option("--estimated-cost", metavar="USD", help="Only kept.")] = None,
    tokens: Annotated[int | None, typer.Option("--tokens", help="How many it took.")] = None,
    workflow: Annotated[str | None, typer.Option("--workflow", help="The run, as namespace:id.")] = None,
    error: Annotated[str | None, typer.Option("--error", help="What went wrong.")] = None,
    at: At = None,
    as_json: JsonOption = False,
) -> None:
    """Record one use of an automation."""
    with fail_plainly(as_json):
        from pattern_pipeline.detection.policy import load_policy
        from pattern_pipeline.roi.executions import ExecutionReport, record_execution
        from pattern_pipeline.warehouse.database import Warehouse

        given = _validated(
            ExecutionReport,
            idempotency_key=key,
            pattern=pattern,
            success=success,
            actual_cost=cost,
            execution_time_seconds=seconds,
            estimated_time_seconds=estimated_seconds,
            estimated_cost=estimated_cost,
            tokens=tokens,
            workflow_id=workflow,
            error_message=error,
            executed_at=_utc(at),
        )
        settings = get_settings()
        with Warehouse.held(settings) as warehouse:
            policy = load_policy(settings.policy)
            stored = record_execution(warehouse, given, policy=policy, reported_by=getpass.getuser())
    emit(stored, as_json, show_execution)


def log_saving(
    kind: Annotated[str, typer.Argument(help="tool_call, input_split, pattern_offload or inverted_flow.")],
    key: Key,
    saved: Annotated[str | None, typer.Option("--saved", metavar="USD", help="Negative: it cost more.")] = None,
    pattern: Annotated[str | None, typer.Option("--pattern", help="If it is about one.")] = None,
    baseline_tokens: Annotated[int | None, typer.Option("--baseline-tokens", help="Tokens before.")] = None,
    actual_tokens: Annotated[int | None, typer.Option("--actual-tokens", help="Tokens now.")] = None,
    workflow: Annotated[str | None, typer.Option("--workflow", help="The run, as namespace:id.")] = None,
    notes: Annotated[str | None, typer.Option("--notes", "-m", help="Anything worth knowing.")] = None,
    at: At = None,
    as_json: JsonOption = False,
) -> None:
    """Log a saving that is not an execution's, such as a prompt that was split."""
    with fail_plainly(as_json):
        from pattern_pipeline.detection.policy import load_policy
        from pattern_pipeline.roi.executions import SavingReport, record_saving
        from pattern_pipeline.warehouse.database import Warehouse

        given = _validated(
            SavingReport,
            idempotency_key=key,
            optimization_type=kind,
            cost_saved_usd=saved,
            pattern=pattern,
            baseline_tokens=baseline_tokens,
            actual_tokens=actual_tokens,
            workflow_id=workflow,
            notes=notes,
            saved_at=_utc(at),
        )
        settings = get_settings()
        with Warehouse.held(settings) as warehouse:
            policy = load_policy(settings.policy)
            stored = record_saving(warehouse, given, policy=policy, reported_by=getpass.getuser())
    emit(stored, as_json, show_saving)


def report(pattern: Pattern, as_json: JsonOption = False) -> None:
    """What one automation did and saved, beside what was estimated."""
    with fail_plainly(as_json):
        from pattern_pipeline.roi.reports import report as story
        from pattern_pipeline.warehouse.database import Warehouse

        with Warehouse.held(get_settings()) as warehouse:
            found = story(warehouse, pattern)
    emit(found, as_json, show_report)


def top(limit: Limit = 10, as_json: JsonOption = False) -> None:
    """The automations that pay best."""
    with fail_plainly(as_json):
        from pattern_pipeline.roi.reports import top_performers
        from pattern_pipeline.warehouse.database import Warehouse

        with Warehouse.held(get_settings()) as warehouse:
            found = top_performers(warehouse, limit)
    emit(found, as_json, show_performers)


def bottom(limit: Limit = 10, as_json: JsonOption = False) -> None:
    """The automations that pay worst."""
    with fail_plainly(as_json):
        from pattern_pipeline.roi.reports import underperformers
        from pattern_pipeline.warehouse.database import Warehouse

        with Warehouse.held(get_settings()) as warehouse:
            found = underperformers(warehouse, limit)
    emit(found, as_json, show_performers)


def validate(as_json: JsonOption = False) -> None:
    """Set reality beside the estimates: confirmed, refuted, or how many more executions it takes."""
    with fail_plainly(as_json):
        from pattern_pipeline.detection.policy import load_policy
        from pattern_pipeline.roi.realised import derive_all
        from pattern_pipeline.roi.reports import roi_summary
        from pattern_pipeline.warehouse.database import Warehouse

        settings = get_settings()
        policy = load_policy(settings.policy)
        with Warehouse.held(settings) as warehouse:
            derive_all(warehouse, policy)
            found = roi_summary(warehouse, policy)
    emit(found, as_json, show_realised)


def recommendations(
    apply: Annotated[
        str | None, typer.Option("--apply", metavar="PATTERN", help="Do what is recommended for it.")
    ] = None,
    version: Annotated[
        int | None, typer.Option("--version", help="Only if its queue row still has this version.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """What the executions recommend; nothing happens without --apply."""
    with fail_plainly(as_json):
        from pattern_pipeline.detection.policy import load_policy
        from pattern_pipeline.roi.advice import apply_recommendation
        from pattern_pipeline.roi.advice import recommendations as advice
        from pattern_pipeline.warehouse.database import Warehouse

        settings = get_settings()
        policy = load_policy(settings.policy)
        with Warehouse.held(settings) as warehouse:
            applied = (
                None
                if apply is None
                else apply_recommendation(warehouse, policy, apply, reviewer=getpass.getuser(), version=version)
            )
            found = {"recommendations": advice(warehouse, policy), "applied": applied}
    emit(found, as_json, show_recommendations)


@confidence.command("update")
def update(
    pattern: Annotated[str | None, typer.Argument(help="Only this one; none: all with executions.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would change; write nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring confidence in line with the executions."""
    with fail_plainly(as_json):
        from pattern_pipeline.detection.policy import load_policy
        from pattern_pipeline.roi.confidence import update_confidence
        from pattern_pipeline.warehouse.database import Warehouse

        settings = get_settings()
        with Warehouse.held(settings) as warehouse:
            found = update_confidence(warehouse, load_policy(settings.policy), pattern, dry_run=dry_run)
    emit(found, as_json, lambda changes: show_changes(changes, dry_run=dry_run))


@confidence.command("history")
def history(pattern: Pattern, as_json: JsonOption = False) -> None:
    """How the confidence in a pattern with executions moved, and why."""
    with fail_plainly(as_json):
        from pattern_pipeline.roi.confidence import confidence_history
        from pattern_pipeline.warehouse.database import Warehouse

        with Warehouse.held(get_settings()) as warehouse:
            found = confidence_history(warehouse, pattern)
    emit(found, as_json, show_confidence_history)


def _validated(model: type[Report], **given: Any) -> Report:
    """The report, checked.

    Raises:
        InvalidInput: A value does not fit; names the field.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate(given)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise InvalidInput(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from error


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
