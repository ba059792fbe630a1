"""Runs started by the command line: the same jobs that the UI shows, executed in this process.

What the jobs do belongs to `assets`; what is printed about them belongs to `cli`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import dagster as dg
from dagster_postgres.utils import DagsterPostgresException

from pattern_pipeline.definitions import build_defs
from pattern_pipeline.errors import DatabaseDown, InvalidInput
from pattern_pipeline.history.hours import stale_hours
from pattern_pipeline.history.mapping import ReadOptions
from pattern_pipeline.history.requests import Progress, handing_over, stated_form, unwatched
from pattern_pipeline.instance import dagster_instance
from pattern_pipeline.jobs import CATALOGUE, COUNT, DETECT, HOURS, INGEST, PUBLISH
from pattern_pipeline.partitions import START, last_complete_hour_end, range_tags
from pattern_pipeline.patterns.versions import NO_CATALOGUE, activate, catalogue_version
from pattern_pipeline.patterns.windows import Window, grouped
from pattern_pipeline.resources import Pipeline
from pattern_pipeline.review.filters import DEFAULT_PRESET, filter_arguments
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.servers import held_server

MAX_RUNS = 3
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

Announce = Callable[[str], None]


@dataclass
class ChainRunner:
    """Executes jobs on this installation's Dagster instance, one after the other."""

    settings: Settings
    pipeline: Pipeline
    instance: dg.DagsterInstance
    announce: Announce
    progress: Callable[[Progress], None] = unwatched
    run_ids: list[str] = field(default_factory=list)

    def ingest(
        self, sources: Sequence[str], options: ReadOptions | None = None, source_type: str = ""
    ) -> dict[str, Any]:
        """Read the sources (none: every configured one); returns the landing report.

        Options and reader are remembered with the sources; what is not set is as it was given before.
        """
        self.announce("reading sources")
        with handing_over(sources, self.progress) as names:
            stated = stated_form(options) if options else {}
            config = {"sources": names, "source_type": source_type, "options": stated}
            result = self._execute(INGEST.name, {"ops": {"landed_history": {"config": config}}})
        report = result.asset_materializations_for_node("landed_history")[0].metadata["report"]
        return dict(report.value)  # type: ignore[arg-type]

    def catch_up(self, since: datetime | None = None, until: datetime | None = None) -> list[Window]:
        """Compute every stale hour; returns the windows.

        A catalogue that new hours change makes others stale in turn. The second pass mines the same sequences again, so
        it ends there; what lands meanwhile is left to the next call.
        """
        done: list[Window] = []
        if not self._catalogue_is_mined() and not self.stale_windows(since, until):
            self._execute(CATALOGUE.name, {})  # hours that were detected and counted without it, in the UI
        for _ in range(2):
            windows = self.stale_windows(since, until)
            self.recompute(*windows)
            done += windows
        return done

    def check(self, window: Window | None = None, preset: str = "") -> None:
        """Refuse what would fail only after the work: hours without a partition, a preset that the policy lacks.

        Raises:
            InvalidInput: the window or the preset.
        """
        filter_arguments(preset or DEFAULT_PRESET, self.pipeline.policy)
        end = last_complete_hour_end()
        if window and not START <= window.start < window.end <= end:
            raise InvalidInput(
                f"{window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} is not within the hours that can be "
                f"computed, {START:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
            )

    def _catalogue_is_mined(self) -> bool:
        with self.pipeline.warehouse.transaction() as tx:
            return catalogue_version(tx) != NO_CATALOGUE

    def recompute(self, *windows: Window) -> None:
        """Compute hours anew: a window in one run; of several, all are detected before sequences are mined once."""
        if len(windows) == 1:
            self._execute_hours(HOURS.name, windows)
        elif windows:
            self._execute_hours(DETECT.name, windows)
            self._execute(CATALOGUE.name, {})
            self._execute_hours(COUNT.name, windows)

    def publish(self, preset: str) -> None:
        """Publish statistics, estimates and the queue."""
        self.announce("estimating")
        self._execute(PUBLISH.name, {"ops": {"approval_queue": {"config": {"preset": preset}}}})

    def stale_windows(self, since: datetime | None, until: datetime | None) -> list[Window]:
        """Windows of hours that wait to be computed on the active rules."""
        activate(self.pipeline.warehouse, self.pipeline.policy)
        first = max(START, since) if since else START
        end = min(last_complete_hour_end(), until) if until else last_complete_hour_end()
        with self.pipeline.warehouse.transaction() as tx:
            hours = stale_hours(tx, first, end)
        return grouped([each.hour for each in hours], MAX_RUNS)

    def _execute_hours(self, job: str, windows: Sequence[Window]) -> None:
        for window in windows:
            self.announce(f"{window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M}")
            self._execute(job, {}, range_tags(window.start, window.end))

    def _execute(
        self, job: str, config: dict[str, Any], tags: dict[str, str] | None = None
    ) -> dg.ExecuteInProcessResult:
        resolved = build_defs(pipeline=self.pipeline).resolve_job_def(job)
        try:
            result = resolved.execute_in_process(run_config={**config, **QUIET}, instance=self.instance, tags=tags)
        except dg.RetryRequested as given_up:
            raise given_up.__cause__ or given_up from None
        self.run_ids.append(result.run_id)
        return result


@contextmanager
def chain_runner(
    settings: Settings, announce: Announce, policy: str = "", progress: Callable[[Progress], None] = unwatched
) -> Iterator[ChainRunner]:
    """A runner on this installation's instance; `policy` names another one than the settings'."""
    pipeline = Pipeline(policy_name=policy)
    with held_server(settings), dagster_instance(settings) as instance:
        try:
            yield ChainRunner(settings, pipeline, instance, announce, progress)
        except DagsterPostgresException as error:
            raise DatabaseDown(
                "The database stopped answering in the middle of the work. See `pattern-pipeline db status`, then run "
                "the same command again: it goes on from what was committed."
            ) from error
        finally:
            pipeline.close()
