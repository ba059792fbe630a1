"""What a long command shows of its work: phases and a bar on a terminal's standard error, nothing in a pipe.

What is shown is decided by the services; quick to import, since every command's `--help` does.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, Task, TextColumn
from rich.text import Text

if TYPE_CHECKING:
    from pattern_pipeline.history.requests import Progress as Landed

_REDRAW_SECONDS: Final = 0.1


@dataclass(frozen=True)
class Shown:
    """Where a command tells what it is busy with.

    Attributes:
        announce: Takes the name of the next phase.
        landed: Takes how far the reading of sources is.
    """

    announce: Callable[[str], None]
    landed: Callable[[Landed], None]


@contextmanager
def phases(as_json: bool) -> Iterator[Shown]:
    """Shows what the block is busy with; silent in a pipe and with `--json`."""
    if as_json or not Console(stderr=True).is_terminal:
        yield Shown(_silent, _silent)
        return
    # A path may look like markup.
    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), _Bar(), TextColumn("{task.fields[rate]}")
    # Dagster sends standard error to its own log while a step runs: the terminal itself is held here.
    with (
        os.fdopen(os.dup(sys.stderr.fileno()), "w") as terminal,
        Progress(*columns, console=Console(file=terminal), transient=True) as display,
    ):
        meter = _Meter(display)
        yield Shown(meter.announce, meter.landed)


def _silent(_: object) -> None:
    """Nobody watches."""


class _Bar(BarColumn):
    """A bar where the amount of work is known."""

    def render(self, task: Task) -> Text:  # type: ignore[override]
        return super().render(task) if task.total else Text()  # type: ignore[return-value]


class _Meter:
    """The one line of the display: a phase, and while sources are read how far and how fast."""

    def __init__(self, display: Progress) -> None:
        self._display = display
        self._task = display.add_task("starting", total=None, rate="")
        self._phase_began = time.monotonic()
        self._drawn = 0.0

    def announce(self, phase: str) -> None:
        self._phase_began = time.monotonic()
        self._display.update(self._task, description=phase, total=None, completed=0, rate="")

    def landed(self, now: Landed) -> None:
        seconds = max(time.monotonic() - self._phase_began, 1e-3)
        amounts = [f"{now.rows_read:,} records", f"{now.rows_read / seconds:,.0f}/s"]
        if now.bytes:
            amounts.append(f"{now.bytes_done / 1e6 / seconds:,.1f} MB/s")
        self._display.update(
            self._task,
            description=f"{PurePath(now.location).name} ({now.sources_done:,} of {now.sources:,})",
            total=now.bytes or None,
            completed=now.bytes_done,
            rate=", ".join(amounts),
        )
        # The thread that draws gets few turns while batches are made.
        if time.monotonic() - self._drawn > _REDRAW_SECONDS:
            self._display.refresh()
            self._drawn = time.monotonic()
