"""What a landing did, per source and in all, for people and for `--json`.

Only the figures and their sum belong here; nothing is read or decided.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal

from pattern_pipeline.history.merge import MergeCounts
from pattern_pipeline.history.supersession import Merged

Outcome = Literal["read", "continued", "unchanged", "unreadable"]

_NAMES_TOLD: Final = 10


@dataclass(frozen=True)
class Figures:
    """Sums over what was read.

    Attributes:
        runs: Runs by what became of them.
        rows_read: Records, good or bad.
        steps: Steps among them.
        quarantined: Bad records that the sources have now, by reason.
        redactions: Values replaced, by kind of secret.
        facts: What the readers tell of what they read; see `Batch.facts`.
        skipped: Records that hold nothing known, by type.
        first_event_time: Of the runs read; None without any.
        last_event_time: Of the runs read.
    """

    runs: MergeCounts = field(default_factory=MergeCounts)
    rows_read: int = 0
    steps: int = 0
    quarantined: Mapping[str, int] = field(default_factory=dict)
    redactions: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, int] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)
    first_event_time: datetime | None = None
    last_event_time: datetime | None = None

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            runs=self.runs + other.runs,
            rows_read=self.rows_read + other.rows_read,
            steps=self.steps + other.steps,
            quarantined=dict(Counter(self.quarantined) + Counter(other.quarantined)),
            redactions=dict(Counter(self.redactions) + Counter(other.redactions)),
            facts=dict(Counter(self.facts) + Counter(other.facts)),
            skipped=dict(Counter(self.skipped) + Counter(other.skipped)),
            first_event_time=min(_known(self.first_event_time, other.first_event_time), default=None),
            last_event_time=max(_known(self.last_event_time, other.last_event_time), default=None),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            **asdict(self.runs),
            "rows_read": self.rows_read,
            "steps": self.steps,
            "quarantined": dict(sorted(self.quarantined.items())),
            "redactions": dict(sorted(self.redactions.items())),
            "facts": dict(sorted(self.facts.items())),
            "skipped": dict(sorted(self.skipped.items())),
            "first_event_time": self.first_event_time and self.first_event_time.isoformat(),
            "last_event_time": self.last_event_time and self.last_event_time.isoformat(),
        }


@dataclass(frozen=True)
class SourceReport:
    """What became of one file or table.

    Attributes:
        location: The file or table.
        outcome: `read` from the beginning, `continued` where it grew, `unchanged` and not read, or `unreadable`.
        figures: What was read.
        message: Why it is unreadable, and the way out.
        seconds: Wall time.
        is_known: Of a source that is unreadable now: it supplied history before.
    """

    location: str
    outcome: Outcome
    figures: Figures = field(default_factory=Figures)
    message: str | None = None
    seconds: float = 0.0
    is_known: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "location": self.location,
            "outcome": self.outcome,
            "message": self.message,
            "seconds": round(self.seconds, 3),
            **self.figures.to_dict(),
        }


@dataclass(frozen=True)
class Edges:
    """Runs that no complete partition counts; fields as in `LandingReport`, `landed_at` is when they were counted."""

    before_start: int
    in_future: int
    running_hour: int
    landed_at: datetime

    @property
    def outside(self) -> int:
        """Runs that no partition will count."""
        return self.before_start + self.in_future

    def notes(self, start_date: date) -> list[str]:
        """What is to be known of them, with the setting to change."""
        notes = []
        if self.before_start:
            notes.append(
                f"{self.before_start:,} runs lie before {start_date} and are not analysed: "
                "set PATTERN_PIPELINE_START_DATE to an earlier day."
            )
        if self.in_future:
            notes.append(
                f"{self.in_future:,} runs lie more than a day ahead and are not analysed: "
                "check the clock or the time zone of the source (--timezone)."
            )
        if self.running_hour:
            next_hour = self.landed_at.astimezone(UTC).replace(minute=0) + timedelta(hours=1)
            notes.append(f"{self.running_hour:,} runs of the running hour are counted after {next_hour:%H:%M} UTC.")
        return notes


@dataclass(frozen=True)
class LandingReport:
    """What a landing did.

    Attributes:
        sources: In the order of reading; a source that had to be read again appears again.
        merged: What all of history counts once although two kinds of source tell of it.
        before_start: Runs stored before the first partition.
        in_future: Runs stored more than a day ahead.
        running_hour: Runs of the hour that has not ended.
        start_date: Of the partitions.
        landed_at: When the landing ended, UTC.
        seconds: Wall time.
        is_named: The caller named the sources; else all configured ones were looked at.
        retention: What is to be known of sources that delete what they hold.
    """

    sources: tuple[SourceReport, ...]
    merged: Merged
    before_start: int
    in_future: int
    running_hour: int
    start_date: date
    landed_at: datetime
    seconds: float
    is_named: bool = True
    retention: tuple[str, ...] = ()

    @property
    def total(self) -> Figures:
        """The sum over the sources."""
        return sum((each.figures for each in self.sources), Figures())

    @property
    def unchanged(self) -> int:
        """Sources that were not read since nothing is new in them."""
        return sum(each.outcome == "unchanged" for each in self.sources)

    @property
    def unreadable(self) -> tuple[SourceReport, ...]:
        """Sources that could not be read; each says why."""
        return tuple(each for each in self.sources if each.outcome == "unreadable")

    @property
    def notes(self) -> list[str]:
        """What a user should know besides the figures, each with what to do or to expect."""
        notes = self._refusals()
        notes += _facts_told(self.total)
        notes += _merged_told(self.merged)
        edges = Edges(self.before_start, self.in_future, self.running_hour, self.landed_at)
        return [*notes, *edges.notes(self.start_date), *self.retention]

    def _refusals(self) -> list[str]:
        """Why sources cannot be read; files that never could are no news to who did not name them."""
        news = [each for each in self.unreadable if self.is_named or each.is_known]
        told = [str(each.message) for each in news]
        if others := [each.location for each in self.unreadable if each not in news]:
            shown = ", ".join(others[:_NAMES_TOLD]) + (", ..." if len(others) > _NAMES_TOLD else "")
            told.append(
                f"{len(others):,} files of the configured sources hold nothing that can be read ({shown}); "
                "`pattern-pipeline ingest FILE` says why."
            )
        return told

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "total": self.total.to_dict(),
            "sources": [each.to_dict() for each in self.sources],
            "sources_unchanged": self.unchanged,
            "merged": self.merged.to_dict(),
            "outside_partitions": self.before_start + self.in_future,
            "running_hour": self.running_hour,
            "notes": self.notes,
            "seconds": round(self.seconds, 3),
        }


def _facts_told(total: Figures) -> list[str]:
    """What was counted once although it stands there several times, and what was passed over."""
    told = []
    facts = Counter(total.facts)
    if facts["tokens_naive"] > facts["tokens"] > 0:
        told.append(
            f"{facts['api_calls']:,} API calls stood in {facts['api_call_lines']:,} lines and were counted once: "
            f"{facts['tokens']:,} tokens; adding up the lines would have given {facts['tokens_naive']:,}, "
            f"{facts['tokens_naive'] / facts['tokens']:.1f} times as many."
        )
    if facts["single_events"]:
        told.append(f"{facts['single_events']:,} tool calls have only a start or only an end.")
    if total.skipped:
        types = ", ".join(f"{name} {count:,}" for name, count in Counter(total.skipped).most_common(_NAMES_TOLD))
        told.append(f"{sum(total.skipped.values()):,} records of unknown types were passed over: {types}.")
    return told


def _merged_told(merged: Merged) -> list[str]:
    """What would be counted twice by adding the sources up."""
    if not merged.runs:
        return []
    joined = merged.calls - merged.same_calls
    told = (
        f"{merged.runs:,} runs were seen through a better source too and are counted once: {merged.same_calls:,} of "
        f"their {merged.calls:,} tool calls are the better source's, {joined:,} joined its runs; adding the sources up "
        f"would count {merged.runs:,} runs, {merged.same_calls:,} calls, {merged.tokens:,} tokens and "
        f"${merged.usd:,.2f} too much."
    )
    return [told]


def _known(*moments: datetime | None) -> Iterable[datetime]:
    return (moment for moment in moments if moment is not None)
