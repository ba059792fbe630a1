"""`up`: the Dagster UI with its daemon and the review page, on the installation's database, until Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from pattern_pipeline.cli import guardian
from pattern_pipeline.cli.common import fail_plainly
from pattern_pipeline.settings import get_settings

GONE_WITHIN_SECONDS = 5  # a zombie that nobody reaps stays in its group

PortOption = Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the Dagster UI.")]
ReviewPortOption = Annotated[int, typer.Option("--review-port", min=1, max=65535, help="Port of the review page.")]


def up(port: PortOption = 3000, review_port: ReviewPortOption = 3001) -> None:
    """Start the database, the Dagster UI with its schedules, and the review page; Ctrl-C stops all of it.

    Both listen on this computer only. `pattern-pipeline review --host` serves the page elsewhere, with tokens.
    """
    with fail_plainly():
        from pattern_pipeline.instance import dagster_home, workspace_file
        from pattern_pipeline.warehouse.database import Warehouse
        from pattern_pipeline.warehouse.servers import held_server

        settings = get_settings()
        home = dagster_home(settings)
        dagster = ["dagster", "dev", "-w", str(workspace_file()), "-h", "127.0.0.1", "-p", str(port)]
        review = ["pattern_pipeline", "review", "--port", str(review_port)]
        with held_server(settings):
            Warehouse.open(settings).close()
            typer.echo(f"Dagster UI: http://127.0.0.1:{port} (Ctrl-C stops both)")
            code = supervise([dagster, review], {**os.environ, "DAGSTER_HOME": str(home)}, home)
    raise typer.Exit(code)


def supervise(modules: Sequence[Sequence[str]], environment: Mapping[str, str], directory: Path) -> int:
    """Run Python modules side by side until one ends or this process is told to stop; none of them stays.

    Returns:
        The exit code of the one that ended by itself, 0 after a signal.
    """
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, stop)
    children = [
        subprocess.Popen(
            [sys.executable, "-m", guardian.__name__, sys.executable, "-m", *module],
            env=environment,
            cwd=directory,
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        for module in modules
    ]
    try:
        while not stopping and all(child.poll() is None for child in children):
            time.sleep(0.2)
        return 0 if stopping else next(max(child.returncode, 1) for child in children if child.returncode is not None)
    finally:
        _end(children)


def _end(children: Sequence[subprocess.Popen[bytes]]) -> None:
    """Let every guardian end its server, then kill what is left of its group: it would keep the database running."""
    for child in children:
        if child.stdin is not None:
            child.stdin.close()
    for child in children:
        child.wait()
        deadline = time.monotonic() + GONE_WITHIN_SECONDS
        while _kill_group(child.pid) and time.monotonic() < deadline:
            time.sleep(0.05)


def _kill_group(group: int) -> bool:
    """Whether there was somebody to kill."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
