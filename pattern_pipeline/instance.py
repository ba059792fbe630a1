"""The Dagster instance of this installation: its home directory, its last run and whether its daemon lives.

What is run belongs to `jobs`; where Dagster's tables lie belongs to `warehouse.dagster_storage`.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.sqlfiles import shipped


@dataclass(frozen=True)
class DagsterState:
    """What is known of an instance.

    Attributes:
        last_job: Of the run that was created last; None without runs.
        last_run_id: Its id.
        last_run_failed: Whether it failed.
        daemon_silent_seconds: How long no daemon has said that it lives; None: none ever did.
    """

    last_job: str | None
    last_run_id: str | None
    last_run_failed: bool
    daemon_silent_seconds: float | None


def dagster_home(settings: Settings) -> Path:
    """The directory that holds the instance's dagster.yaml, made current from the one this package ships."""
    home = settings.state_dir() / "dagster_home"
    home.mkdir(parents=True, exist_ok=True)
    current = shipped("dagster.yaml").read_text()
    target = home / "dagster.yaml"
    if not target.exists() or target.read_text() != current:
        partial = target.with_suffix(f".{os.getpid()}")
        partial.write_text(current)
        partial.replace(target)
    return home


@contextmanager
def dagster_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """The instance that the UI shows, for runs in this process."""
    with dg.DagsterInstance.from_config(str(dagster_home(settings))) as instance:
        yield instance


def dagster_state(settings: Settings) -> DagsterState:
    """What Dagster's storage says of its runs and its daemon, on a server that is running."""
    with dagster_instance(settings) as instance:
        run = next(iter(instance.get_runs(limit=1)), None)
        beats = [each.timestamp for each in instance.get_daemon_heartbeats().values()]
    return DagsterState(
        last_job=run.job_name if run else None,
        last_run_id=run.run_id if run else None,
        last_run_failed=run is not None and run.is_failure,
        daemon_silent_seconds=max(time.time() - max(beats), 0.0) if beats else None,
    )


def workspace_file() -> Path:
    """The workspace that the UI loads: the clone's, else the one in the wheel."""
    return shipped("workspace.yaml")
