"""`doctor`: checks what commonly goes wrong, and says what to do about it."""

from collections.abc import Callable, Iterator
from typing import Any

import typer
from rich.console import RenderableType
from rich.text import Text

from pattern_pipeline.cli.common import JsonOption, emit, fail_plainly
from pattern_pipeline.errors import PipelineError
from pattern_pipeline.settings import Settings, get_settings

Check = tuple[str, Callable[[Settings], str]]


def command(as_json: JsonOption = False) -> None:
    """Check the installation: settings, state directory, database, schema, policy, Dagster, history."""
    with fail_plainly(as_json):
        results = list(_results(get_settings()))
    emit(results, as_json, _show)
    failed = [r["exit_code"] for r in results if not r["ok"]]
    if failed:
        raise typer.Exit(failed[0])


def _results(settings: Settings) -> Iterator[dict[str, Any]]:
    for name, check in CHECKS:
        try:
            yield {"check": name, "ok": True, "detail": check(settings), "exit_code": 0}
        except PipelineError as error:
            yield {"check": name, "ok": False, "detail": str(error), "exit_code": error.exit_code}
            return


def _state_directory(settings: Settings) -> str:
    from shutil import disk_usage

    directory = settings.state_dir()
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    free = disk_usage(existing).free / 1e9
    if free < 1:
        raise PipelineError(f"{existing} has only {free:.1f} GB left; free some, or set PATTERN_PIPELINE_HOME")
    return f"{directory}, {free:.0f} GB free"


def _policy(settings: Settings) -> str:
    from pattern_pipeline.detection.policy import load_policy

    return f"{settings.policy}, detection version {load_policy(settings.policy).detection_version}"


def _database(settings: Settings) -> str:
    from pattern_pipeline.warehouse.database import Warehouse

    with Warehouse.held(settings) as warehouse, warehouse.transaction() as tx:
        return f"PostgreSQL {tx.scalar('catalog/server_version')}, schema current"


def _integrity(settings: Settings) -> str:
    from pattern_pipeline.warehouse.migrations import verify
    from pattern_pipeline.warehouse.servers import connected, held_server, pipeline_url

    with held_server(settings), connected(pipeline_url(settings)) as connection:
        problems = verify(connection)
    if problems:
        raise PipelineError("; ".join(problems))
    return "migrations, views and the review history's chain are intact"


def _dagster(settings: Settings) -> str:
    from pattern_pipeline.instance import dagster_instance
    from pattern_pipeline.warehouse.servers import held_server

    with held_server(settings), dagster_instance(settings) as instance:
        return f"storage answers, {instance.get_runs_count():,} runs recorded"


def _history(settings: Settings) -> str:
    from pattern_pipeline.detection.policy import load_policy
    from pattern_pipeline.patterns.status import status
    from pattern_pipeline.warehouse.database import Warehouse

    window_days = load_policy(settings.policy).roi.window_days
    with Warehouse.held(settings) as warehouse:
        found = status(warehouse, settings.start_date, window_days)
    notes = " ".join(found["notes"])
    if found["outside_partitions"]["runs"]:
        raise PipelineError(notes)
    counted = f"{found['history']['workflows']:,} runs, {found['hours']['stale']:,} hours wait to be computed."
    return f"{counted} {notes}".strip()


CHECKS: list[Check] = [
    ("state directory", _state_directory),
    ("policy", _policy),
    ("database", _database),
    ("integrity", _integrity),
    ("dagster", _dagster),
    ("history", _history),
]


def _show(results: list[dict[str, Any]]) -> RenderableType:
    return Text("\n").join(
        Text.assemble(("ok   " if r["ok"] else "FAIL ", "green" if r["ok"] else "red"), f"{r['check']}: {r['detail']}")
        for r in results
    )
