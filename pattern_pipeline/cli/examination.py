"""What `doctor` looks at: each check says in a sentence what is so, and where something is wrong what to do about it.

A check that finds a fault raises its `PipelineError`; what works but deserves a look is told as `attention`. How the
findings are shown is in `doctor`; every figure comes from the services.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from pattern_pipeline.cli.ports import DAGSTER_PORT, REVIEW_PORT, is_taken
from pattern_pipeline.errors import InvalidInput, PipelineError
from pattern_pipeline.settings import Settings

if TYPE_CHECKING:
    from pattern_pipeline.detection.policy import Policy
    from pattern_pipeline.instance import DagsterState
    from pattern_pipeline.warehouse.database import Warehouse

Level = Literal["ok", "attention", "failed", "skipped"]

FULL_GB: Final = 1.0
TIGHT_GB: Final = 5.0
CLOCK_SECONDS: Final = 60.0
DAEMON_SECONDS: Final = 300.0
"""After which Dagster itself holds a daemon that says nothing for dead."""


class Told(NamedTuple):
    """What a check found."""

    detail: str
    attention: bool = False


@dataclass(frozen=True)
class Finding:
    """One line of the report; `exit_code` is that of the error, 0 where there is none."""

    check: str
    level: Level
    detail: str
    exit_code: int = 0


@dataclass
class Examination:
    """One look at an installation; what a check opens stays open for those after it.

    Attributes:
        settings: Of the installation.
        opened: Closes what was opened.
        daemon_is_alive: Whether something runs the schedules; known after the check of that name.
    """

    settings: Settings
    opened: ExitStack = field(default_factory=ExitStack)
    daemon_is_alive: bool = False
    _policy: Policy | None = None
    _warehouse: Warehouse | None = None
    _dagster: DagsterState | None = None

    @property
    def policy(self) -> Policy:
        """The policy of the settings.

        Raises:
            PipelineError: it is not one.
        """
        if self._policy is None:
            from pattern_pipeline.detection.policy import load_policy

            self._policy = load_policy(self.settings.policy)
        return self._policy

    @property
    def warehouse(self) -> Warehouse:
        """The database; its server is held until the examination ends.

        Raises:
            PipelineError: it cannot be used.
        """
        if self._warehouse is None:
            from pattern_pipeline.warehouse.database import Warehouse

            self._warehouse = self.opened.enter_context(Warehouse.held(self.settings))
        return self._warehouse

    @property
    def dagster(self) -> DagsterState:
        """Dagster's side of the installation, on the server that `warehouse` holds."""
        if self._dagster is None:
            from pattern_pipeline.instance import dagster_state

            self._dagster = dagster_state(self.settings)
        return self._dagster


class Check(NamedTuple):
    """A check, and the one without which it cannot be made."""

    name: str
    look: Callable[[Examination], Told]
    needs: str | None = None


def examine(settings: Settings) -> Iterator[Finding]:
    """Every check in order; those whose ground failed are skipped."""
    examination, sound = Examination(settings), set[str]()
    with examination.opened:
        for check in CHECKS:
            if check.needs is not None and check.needs not in sound:
                yield Finding(check.name, "skipped", f"not looked at without: {check.needs}")
                continue
            try:
                told = check.look(examination)
            except PipelineError as error:
                yield Finding(check.name, "failed", str(error), error.exit_code)
                continue
            sound.add(check.name)
            yield Finding(check.name, "attention" if told.attention else "ok", told.detail)


def _state_directory(examination: Examination) -> Told:
    from shutil import disk_usage

    directory = examination.settings.state_dir()
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        raise InvalidInput(
            f"{existing} cannot be written by this user; make it yours, or name another in PATTERN_PIPELINE_HOME"
        )
    free = disk_usage(existing).free / 1e9
    if free < FULL_GB:
        raise PipelineError(f"{existing} has only {free:.1f} GB left; free some, or set PATTERN_PIPELINE_HOME")
    return Told(f"{directory}, {free:,.0f} GB free", attention=free < TIGHT_GB)


def _policy(examination: Examination) -> Told:
    return Told(f"{examination.settings.policy}, detection version {examination.policy.detection_version}")


def _price_book(examination: Examination) -> Told:
    from pattern_pipeline.history.pricing import load_prices

    own = examination.settings.prices
    return Told(f"version {load_prices(own).version}" + (f", {own} before the shipped one" if own else ""))


def _reviewers(examination: Examination) -> Told:
    from pattern_pipeline.web.reviewers import load_reviewers

    path = examination.settings.reviewers
    if path is None:
        return Told("none configured: whoever uses this computer decides, and the page is served nowhere else")
    named = f"{path} names {len(load_reviewers(path))}"
    if path.expanduser().stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return Told(f"{named}, but others may write it and make themselves reviewers: chmod go-w {path}", True)
    return Told(named)


def _database(examination: Examination) -> Told:
    with examination.warehouse.transaction() as tx:
        return Told(f"PostgreSQL {tx.scalar('catalog/server_version')}, schema current")


def _clock(examination: Examination) -> Told:
    with examination.warehouse.transaction() as tx:
        theirs = tx.scalar("catalog/clock")
    apart = abs((datetime.now(UTC) - theirs).total_seconds())
    if apart > CLOCK_SECONDS:
        return Told(
            f"the database's clock is {apart:,.0f} s away from this computer's: hours close early or late; "
            "set both by a time server",
            attention=True,
        )
    return Told(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, as the database has it")


def _integrity(examination: Examination) -> Told:
    from pattern_pipeline.warehouse.migrations import verify
    from pattern_pipeline.warehouse.servers import connected

    with connected(examination.warehouse.libpq_url) as connection:
        problems = verify(connection)
    if problems:
        raise PipelineError("; ".join(problems))
    return Told("migrations, views and the review history's chain are intact")


def _dagster(examination: Examination) -> Told:
    from pattern_pipeline.instance import dagster_home

    state = examination.dagster
    ours, elsewhere = dagster_home(examination.settings).resolve(), os.environ.get("DAGSTER_HOME")
    if elsewhere and Path(elsewhere).resolve() != ours:
        return Told(
            f"DAGSTER_HOME is {elsewhere}: `dagster dev` shows what is there, not the runs of `pattern-pipeline`; "
            f"unset it, or set it to {ours}",
            attention=True,
        )
    if state.last_job is None:
        return Told("storage answers, no run yet")
    if state.last_run_failed:
        return Told(f"the last run ({state.last_job}, {state.last_run_id}) failed: the Dagster UI says why", True)
    return Told(f"storage answers, the last run was {state.last_job}")


def _daemon(examination: Examination) -> Told:
    silent = examination.dagster.daemon_silent_seconds
    examination.daemon_is_alive = silent is not None and silent < DAEMON_SECONDS
    if examination.daemon_is_alive:
        return Told("schedules and sensors run")
    return Told("none runs: nothing is computed by itself until `pattern-pipeline up` (or `dagster dev`) does", True)


def _sources(examination: Examination) -> Told:
    from pattern_pipeline.history.ledger import configured_sources
    from pattern_pipeline.history.readers import discover

    with examination.warehouse.transaction() as tx:
        specs = [each.spec for each in configured_sources(tx)]
        poor = tx.rows("checks/much_quarantined")
    if not specs:
        return Told("none yet: `pattern-pipeline run SOURCE` reads one, `run --sample` a sample", True)
    remarks = []
    for spec in specs:
        try:
            discover(spec)
        except PipelineError as error:
            remarks.append(f"{error} `pattern-pipeline ingest forget` takes back a source that will not return.")
    remarks += [
        f"{row['location']}: {row['rows_quarantined']:,} of {row['rows_read']:,} records cannot be used; "
        "`pattern-pipeline status` lists the reasons."
        for row in poor
    ]
    return Told(" ".join(remarks) or f"{len(specs):,} configured, all there", attention=bool(remarks))


def _history(examination: Examination) -> Told:
    found = _status(examination)
    notes = " ".join(found["notes"])
    if found["outside_partitions"]["runs"]:
        raise PipelineError(notes)
    counted = f"{found['history']['workflows']:,} runs, {found['hours']['stale']:,} hours wait to be computed."
    waiting = "`pattern-pipeline run` computes them." if found["hours"]["stale"] else ""
    return Told(" ".join(filter(None, (counted, waiting, notes))), attention=bool(waiting or notes))


def _status(examination: Examination) -> dict[str, Any]:
    from pattern_pipeline.patterns.status import status

    return status(examination.warehouse, examination.settings.start_date, examination.policy.roi.window_days)


def _catalogue(examination: Examination) -> Told:
    from pattern_pipeline.patterns.versions import NO_CATALOGUE, catalogue_version

    with examination.warehouse.transaction() as tx:
        version = catalogue_version(tx)
    if version == NO_CATALOGUE:
        return Told("never mined, so no sequence is known: `pattern-pipeline run` mines them", attention=True)
    return Told(f"version {version}")


def _prices(examination: Examination) -> Told:
    from pattern_pipeline.history.price_check import check_prices
    from pattern_pipeline.history.pricing import load_prices

    checked = check_prices(examination.warehouse, load_prices(examination.settings.prices))
    unknown = [each.model or "(no model named)" for each in checked.models if each.unpriced_tokens]
    if not unknown:
        return Told("every model of the history has one")
    return Told(
        f"{checked.unpriced_share:.1%} of the tokens have none ({', '.join(unknown[:5])}): their runs have no cost; "
        "`pattern-pipeline prices check` says what to do",
        attention=True,
    )


def _ports(examination: Examination) -> Told:
    taken = [port for port in (DAGSTER_PORT, REVIEW_PORT) if is_taken(port)]
    if not taken:
        return Told(f"{DAGSTER_PORT} and {REVIEW_PORT} are free for `up`")
    which = " and ".join(map(str, taken))
    if examination.daemon_is_alive:
        return Told(f"{which} in use, as by an `up` that runs")
    return Told(f"{which} in use by something else: `up` takes others with --port and --review-port", attention=True)


CHECKS: Final = (
    Check("state directory", _state_directory),
    Check("policy", _policy),
    Check("price book", _price_book),
    Check("reviewers", _reviewers),
    Check("database", _database, needs="state directory"),
    Check("clock", _clock, needs="database"),
    Check("integrity", _integrity, needs="database"),
    Check("dagster", _dagster, needs="database"),
    Check("daemon", _daemon, needs="dagster"),
    Check("sources", _sources, needs="database"),
    Check("history", _history, needs="database"),
    Check("sequences", _catalogue, needs="database"),
    Check("prices", _prices, needs="database"),
    Check("ports", _ports),
)
