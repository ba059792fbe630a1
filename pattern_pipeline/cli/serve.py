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
from pattern_pipeline.cli.ports import DAGSTER_PORT, LOOPBACK, REVIEW_PORT, is_served, refuse_taken
from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.settings import get_settings

ASKED_EVERY_SECONDS = 1.0
QUIET = "ignore:Function `dev_command`"
"""Dagster advises its developers to use another command of theirs."""
GONE_WITHIN_SECONDS = 5  # a zombie that nobody reaps stays in its group

PortOption = Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the Dagster UI.")]
ReviewPortOption = Annotated[int, typer.Option("--review-port", min=1, max=65535, help="Port of the review page.")]


def up(port: PortOption = DAGSTER_PORT, review_port: ReviewPortOption = REVIEW_PORT) -> None:
    """Start the database, the Dagster UI with its schedules, and the review page; Ctrl-C stops all of it.

    Both listen on this computer only. `pattern-pipeline review --host` serves the page elsewhere, with tokens.
    """
    with fail_plainly():
        from pattern_pipeline.instance import dagster_home, workspace_file
        from pattern_pipeline.warehouse.database import Warehouse
        from pattern_pipeline.warehouse.servers import held_server

        if port == review_port:
            raise InvalidInput(f"--port and --review-port are both {port}: each page needs one of its own")
        refuse_taken("--port", port)
        refuse_taken("--review-port", review_port)
        settings = get_settings()
        home = dagster_home(settings)
        dagster = [
            "dagster",
            "dev",
            "-w",
            str(workspace_file()),
            "-h",
            LOOPBACK,
            "-p",
            str(port),
            "--log-level",
            "warning",
        ]
        review = ["pattern_pipeline", "review", "--port", str(review_port)]
        with held_server(settings):
            Warehouse.open(settings).close()
            typer.echo(f"Dagster UI: http://{LOOPBACK}:{port} (starting; Ctrl-C stops both)")
            environment = {**os.environ, "DAGSTER_HOME": str(home), "PYTHONWARNINGS": QUIET}
            code = supervise([dagster, review], environment, home, Waiting([port, review_port]))
    raise typer.Exit(code)


class Waiting:
    """Says once that every page answers."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._silent = list(ports)
        self._asked = 0.0

    def look(self) -> None:
        """Ask the pages that have not answered yet, at most once a second."""
        if not self._silent or time.monotonic() - self._asked < ASKED_EVERY_SECONDS:
            return
        self._asked = time.monotonic()
        self._silent = [port for port in self._silent if not is_served(port)]
        if not self._silent:
            typer.echo("Both pages answer now.")


def supervise(
    modules: Sequence[Sequence[str]], environment: Mapping[str, str], directory: Path, waiting: Waiting
) -> int:
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
            waiting.look()
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
