"""`up`: the Dagster UI with its daemon, on the installation's database, until Ctrl-C."""

import os
import signal
import subprocess
import sys
from typing import Annotated

import typer

from pattern_pipeline.cli.common import fail_plainly
from pattern_pipeline.settings import get_settings

GRACE_SECONDS = 20


def up(
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the Dagster UI.")] = 3000,
    host: Annotated[str, typer.Option("--host", help="Address of the Dagster UI; it has no login.")] = "127.0.0.1",
) -> None:
    """Start the database and the Dagster UI with its schedules; Ctrl-C stops all of it."""
    with fail_plainly():
        from pattern_pipeline.instance import dagster_home, workspace_file
        from pattern_pipeline.warehouse.database import Warehouse
        from pattern_pipeline.warehouse.servers import held_server

        settings = get_settings()
        with held_server(settings):
            Warehouse.open(settings).close()
            workspace = workspace_file()
            typer.echo(f"Dagster UI: http://{host}:{port} (Ctrl-C stops it)")
            code = _supervise(
                [sys.executable, "-m", "dagster", "dev", "-w", str(workspace), "-h", host, "-p", str(port)],
                {**os.environ, "DAGSTER_HOME": str(dagster_home(settings))},
                str(workspace.parent),
            )
    raise typer.Exit(code)


def _supervise(command: list[str], environment: dict[str, str], directory: str) -> int:
    """Run a child until it ends or this process is told to; a signal reaches the child once, and is waited for."""
    child = subprocess.Popen(command, env=environment, cwd=directory, start_new_session=True)

    def stop(*_: object) -> None:
        child.send_signal(signal.SIGTERM)

    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, stop)
    try:
        return max(child.wait(), 0)
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
