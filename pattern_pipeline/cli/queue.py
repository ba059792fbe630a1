"""`pattern-pipeline queue`: what waits for a decision, and the decisions.

Without --version a decision is made upon the row as it is when the command starts.
"""

from __future__ import annotations

import getpass
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pattern_pipeline.cli.common import JsonOption, emit, fail_plainly
from pattern_pipeline.cli.show import destructive_warning, details, queue_table, usd
from pattern_pipeline.errors import DatabaseDown, InvalidInput
from pattern_pipeline.settings import get_settings

if TYPE_CHECKING:
    from pattern_pipeline.review.sync import SyncResult

app = typer.Typer(help="What waits for a decision, and the decisions.", no_args_is_help=True)

Patterns = Annotated[list[str], typer.Argument(help="Signatures, like test:pytest:backend, or numbers.")]
Reason = Annotated[str, typer.Option("--reason", "-m", help="Why; kept in the history.")]
Notes = Annotated[str | None, typer.Option("--notes", "-m", help="Kept in the history.")]
Version = Annotated[int | None, typer.Option("--version", help="Decide only if the row still has this version.")]
Evidence = Annotated[
    str | None, typer.Option("--evidence", help="Hash of the estimate that was seen; refused if it has drifted since.")
]
Reviewer = Annotated[str, typer.Option("--reviewer", help="Who decides.", default_factory=getpass.getuser)]
MinConfidence = Annotated[float | None, typer.Option("--min-confidence", min=0, max=100, help="Points.")]
MinOccurrences = Annotated[int | None, typer.Option("--min-occurrences", min=0, help="Workflows.")]
MinSavings = Annotated[float | None, typer.Option("--min-savings", min=0, help="USD a month, gross.")]
MaxPatterns = Annotated[int | None, typer.Option("--max-patterns", min=1, max=200, help="How many enter at most.")]


@app.command("list")
def list_entries(
    status: Annotated[list[str] | None, typer.Option("--status", help="Only these; repeatable.")] = None,
    pattern_type: Annotated[list[str] | None, typer.Option("--type", help="Only these categories.")] = None,
    needs_review: Annotated[bool, typer.Option("--needs-review", help="Only those that ask for another look.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="How many.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """The queue, best first."""
    with fail_plainly(as_json):
        from pattern_pipeline.review.queue import entries
        from pattern_pipeline.warehouse.database import Warehouse

        with Warehouse.held(get_settings()) as warehouse:
            rows = [
                found.model_dump()
                for found in entries(
                    warehouse,
                    statuses=status or (),
                    types=pattern_type or (),
                    needs_review=needs_review,
                    limit=limit,
                )
            ]
    emit(rows, as_json, _show_entries)


@app.command("show")
def show_entry(
    pattern: Annotated[str, typer.Argument(help="A signature or a number.")], as_json: JsonOption = False
) -> None:
    """One queued pattern with its evidence and its history."""
    with fail_plainly(as_json):
        from pattern_pipeline.detection.policy import load_policy
        from pattern_pipeline.patterns.destructive import destructive
        from pattern_pipeline.review.queue import entry, history
        from pattern_pipeline.warehouse.database import Warehouse

        settings = get_settings()
        policy = load_policy(settings.policy)
        with Warehouse.held(settings) as warehouse:
            result = entry(warehouse, pattern).model_dump()
            with warehouse.transaction() as tx:
                result["destructive"] = destructive(tx, policy, result["pattern_id"])
            result["history"] = [row.model_dump() for row in history(warehouse, pattern)]
    emit(result, as_json, _show_entry)


@app.command("sync")
def sync_queue(
    preset: Annotated[str | None, typer.Option("--preset", help="A preset of the policy; smart by default.")] = None,
    min_confidence: MinConfidence = None,
    min_occurrences: MinOccurrences = None,
    min_savings: MinSavings = None,
    max_patterns: MaxPatterns = None,
    only_type: Annotated[list[str] | None, typer.Option("--only-type", help="Only these categories.")] = None,
    exclude_type: Annotated[list[str] | None, typer.Option("--exclude-type", help="Not these categories.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would happen; write nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --preset all: do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Put what deserves a decision into the queue."""
    given: dict[str, Any] = {
        "min_confidence": min_confidence,
        "min_occurrences": min_occurrences,
        "min_savings": min_savings,
        "max_patterns": max_patterns,
        "only_types": only_type or (),
        "exclude_types": exclude_type or (),
    }
    with fail_plainly(as_json):
        from pydantic import ValidationError

        from pattern_pipeline.detection.policy import load_policy
        from pattern_pipeline.patterns.versions import progress
        from pattern_pipeline.review.filters import DEFAULT_PRESET, EVERYTHING, SyncFilter
        from pattern_pipeline.review.sync import sync
        from pattern_pipeline.warehouse.database import Warehouse

        chosen: SyncFilter | str = preset or DEFAULT_PRESET
        if any(value not in (None, ()) for value in given.values()):
            if preset:
                raise InvalidInput("--preset: give either a preset or a filter of your own, not both")
            try:
                chosen = SyncFilter(**given)
            except ValidationError as error:
                first = error.errors()[0]
                raise InvalidInput(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        if chosen == EVERYTHING and not (dry_run or yes):
            _confirm_everything()
        settings = get_settings()
        with Warehouse.held(settings) as warehouse:
            result = sync(
                warehouse,
                chosen,
                policy=load_policy(settings.policy),
                dry_run=dry_run,
                recomputing=progress(warehouse).recomputing,
                reviewer=getpass.getuser(),
            )
    emit(result, as_json, _show_sync)


@app.command("stats")
def show_statistics(as_json: JsonOption = False) -> None:
    """How many rows have which status, and how much waits outside."""
    with fail_plainly(as_json):
        from pattern_pipeline.detection.policy import load_policy
        from pattern_pipeline.review.queue import statistics
        from pattern_pipeline.review.sync import sync_statistics
        from pattern_pipeline.warehouse.database import Warehouse

        settings = get_settings()
        with Warehouse.held(settings) as warehouse:
            result = {
                "queue": statistics(warehouse).model_dump(),
                "sync": sync_statistics(warehouse, policy=load_policy(settings.policy)).model_dump(),
            }
    emit(result, as_json, lambda data: details([*data["queue"].items(), *data["sync"].items()]))


@app.command()
def approve(
    patterns: Patterns,
    reviewer: Reviewer,
    notes: Notes = None,
    version: Version = None,
    evidence: Evidence = None,
    as_json: JsonOption = False,
) -> None:
    """Approve: the pattern becomes a template."""
    _decide_each("approve", patterns, as_json, reviewer=reviewer, notes=notes, version=version, evidence_hash=evidence)


@app.command()
def reject(
    patterns: Patterns,
    reviewer: Reviewer,
    reason: Reason,
    version: Version = None,
    evidence: Evidence = None,
    as_json: JsonOption = False,
) -> None:
    """Reject: it is not worth it, or not safe."""
    _decide_each("reject", patterns, as_json, reviewer=reviewer, notes=reason, version=version, evidence_hash=evidence)


@app.command()
def defer(
    patterns: Patterns,
    reviewer: Reviewer,
    reason: Reason,
    until: Annotated[datetime | None, typer.Option("--until", help="When to ask again, UTC.")] = None,
    version: Version = None,
    evidence: Evidence = None,
    as_json: JsonOption = False,
) -> None:
    """Defer: decide later."""
    moment = until.replace(tzinfo=UTC) if until else None
    _decide_each(
        "defer",
        patterns,
        as_json,
        reviewer=reviewer,
        notes=reason,
        version=version,
        evidence_hash=evidence,
        until=moment,
    )


@app.command()
def revoke(
    patterns: Patterns, reviewer: Reviewer, reason: Reason, version: Version = None, as_json: JsonOption = False
) -> None:
    """Take an approval back."""
    _decide_each("revoke", patterns, as_json, reviewer=reviewer, notes=reason, version=version)


@app.command()
def reopen(
    patterns: Patterns, reviewer: Reviewer, reason: Reason, version: Version = None, as_json: JsonOption = False
) -> None:
    """Put a rejected or revoked pattern before a person again."""
    _decide_each("reopen", patterns, as_json, reviewer=reviewer, notes=reason, version=version)


@app.command()
def comment(
    patterns: Patterns,
    reviewer: Reviewer,
    text: Annotated[str, typer.Option("--text", "-m", help="The comment.")],
    as_json: JsonOption = False,
) -> None:
    """Say something about a pattern without deciding."""
    _decide_each("comment", patterns, as_json, reviewer=reviewer, notes=text)


def _confirm_everything() -> None:
    if not sys.stdin.isatty():
        raise InvalidInput("--preset all: it also adds what is not worth automating; confirm with --yes")
    typer.confirm("Add everything, also what is not worth automating?", abort=True)


def _decide_each(action: str, patterns: list[str], as_json: bool, *, version: int | None = None, **given: Any) -> None:
    """Decide upon each pattern by itself; one that is refused does not stop the others, but gives the exit code."""
    decided: list[dict[str, Any]] = []
    exit_code = 0
    with fail_plainly(as_json):
        from pattern_pipeline.review.queue import entry
        from pattern_pipeline.review.transitions import Action, decide
        from pattern_pipeline.warehouse.database import Warehouse

        with Warehouse.held(get_settings()) as warehouse:
            for pattern in patterns:
                try:
                    with fail_plainly(as_json):
                        seen = version if version is not None else entry(warehouse, pattern).version
                        decided.append(decide(warehouse, pattern, Action(action), version=seen, **given).model_dump())
                except typer.Exit as refused:
                    if refused.exit_code == DatabaseDown.exit_code:
                        raise
                    exit_code = exit_code or refused.exit_code
    emit(decided, as_json, _show_decisions)
    if exit_code:
        raise typer.Exit(exit_code)


def _show_decisions(decided: list[dict[str, Any]]) -> RenderableType:
    return Text("\n".join(f"{row['pattern_id']}: {row['status']} (version {row['version']})" for row in decided))


def _show_entries(rows: list[dict[str, Any]]) -> RenderableType:
    if not rows:
        return Text("The queue is empty here. `pattern-pipeline queue sync --dry-run` says what could enter.")
    shown = [row | {"signature": row["pattern_signature"]} for row in rows]
    return queue_table(shown, f"{len(rows)} patterns in the queue")


def _show_entry(found: dict[str, Any]) -> RenderableType:
    status = f"{found['status']} (version {found['version']})"
    facts = details(
        [
            ("pattern", found["pattern_signature"]),
            ("what it is", found["tool_sequence"]),
            ("status", status + (f", look again: {found['review_reason']}" if found["needs_review"] else "")),
            ("deferred until", found["deferred_until"]),
            ("verdict", found["verdict"]),
            ("runs", f"{found['occurrence_count']:,}"),
            ("gross a month", usd(found["potential_monthly_savings"])),
            ("net a month", f"{usd(found['net_p10'])} to {usd(found['net_p90'])}, middle {usd(found['net_p50'])}"),
            ("confidence", found["confidence_score"]),
            ("remarks", ", ".join(found["flags"]) or None),
            ("examples", ", ".join(found["example_workflows"]) or None),
            ("evidence", found["evidence_hash"]),
        ]
    )
    warning = destructive_warning(found["destructive"])
    if not found["history"]:
        return Group(warning, facts)
    table = Table(title="History", title_justify="left")
    for name in ("when", "who", "what", "notes"):
        table.add_column(name, overflow="fold")
    for row in found["history"]:
        table.add_row(f"{row['created_at']:%Y-%m-%d %H:%M}", row["reviewer"], row["action"], row["notes"] or "")
    return Group(warning, facts, table)


def _show_sync(result: SyncResult) -> RenderableType:
    if result.held_back:
        return Text(f"Not synced: {result.held_back}.")
    would = "would enter" if result.dry_run else "entered"
    lines = [f"{result.synced_count} {would} the queue, {result.skipped_count} are queued or stand behind the limit."]
    lines += [f"  {pattern}" for pattern in result.synced_pattern_ids]
    if result.kept_out_by_savings:
        lines.append(f"Only the savings floor keeps out {result.kept_out_by_savings} more.")
    if result.flagged_pattern_ids:
        lines.append(f"Drifted since the decision, look again: {', '.join(result.flagged_pattern_ids)}.")
    lines += [f"Left out: {error.pattern_id}, {error.reason}." for error in result.errors]
    return Text("\n".join(lines))
