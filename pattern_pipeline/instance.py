"""The Dagster instance of this installation: its home directory, and runs started outside the UI.

What is run belongs to `jobs`; where Dagster's tables lie belongs to `warehouse.dagster_storage`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.sqlfiles import shipped


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


def workspace_file() -> Path:
    """The workspace that the UI loads: the clone's, else the one in the wheel."""
    return shipped("workspace.yaml")
