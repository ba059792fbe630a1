"""Landing: whatever is new in the configured sources becomes history, once.

Here is the order of the work: which sources there are, which of them changed, reading each under its lock, batch by
batch, and reading again those that hold a version which has become the best. What a batch does to the tables belongs to
`merge`, what is remembered of a source to `ledger`, what a format means to the readers.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from datetime import time as clock
from functools import partial
from typing import cast

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.errors import InvalidInput, NotFound
from pattern_pipeline.history import ledger
from pattern_pipeline.history.content import Prepared
from pattern_pipeline.history.ledger import Configured, Content, Source, source_lock
from pattern_pipeline.history.mapping import ReadOptions
from pattern_pipeline.history.merge import MergeCounts, merge
from pattern_pipeline.history.model import Batch
from pattern_pipeline.history.pricing import PriceBook, load_prices
from pattern_pipeline.history.readers import SESSION_FILES, Location, Reader, check_source_type, discover, reader_for
from pattern_pipeline.history.report import Figures, LandingReport, SourceReport
from pattern_pipeline.history.requests import Progress, Request, canonical, unwatched
from pattern_pipeline.history.retention import retention_notes
from pattern_pipeline.history.supersession import merged
from pattern_pipeline.history.together import NewFile, groups, land_new, read_small
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.ahead import one_ahead
from pattern_pipeline.warehouse.database import Transaction, Warehouse


def land(
    warehouse: Warehouse,
    specs: Sequence[str] = (),
    *,
    options: ReadOptions | None = None,
    source_type: str | None = None,
    policy: Policy,
    settings: Settings,
    progress: Callable[[Progress], None] = unwatched,
) -> LandingReport:
    """Brings history up to date with its sources; what is unchanged is not read.

    Args:
        warehouse: A migrated warehouse.
        specs: Paths, directories, globs or database URLs; they are remembered. None: every configured source.
        options: How to read `specs`; remembered with them, apart from the policy's redaction and the prices. What is
            not set in them is as it was given before.
        source_type: A reader's kind for `specs`, `auto` to find it from the content; None: as it was given before.
        policy: Its redaction applies to every source.
        settings: For the start of the partitions and the user's prices.
        progress: Called after every batch and every source.

    Raises:
        NotFound: a given spec names nothing.
        InvalidInput: there is no such reader, or nothing that was given can be read. Of a spec of which nothing could
            ever be read, nothing is remembered.
    """
    started = time.monotonic()
    check_source_type(source_type or "auto")
    known = {each.spec: each for each in configured(warehouse)}
    landing = _Landing(warehouse, policy, load_prices(settings.prices), progress)
    for spec in specs:
        former = known.get(canonical(spec))
        landing.land_given(Request.given(spec, source_type, options or ReadOptions(), former), former)
    for configured_source in () if specs else known.values():
        landing.land_configured(Request.stored(configured_source))
    landing.reread_wanted()
    report = _report(warehouse, landing.reports, settings, time.monotonic() - started, is_named=bool(specs))
    report = replace(report, retention=retention_notes(landing.locations, policy.roi.window_days))
    if specs and len(report.unreadable) == len(report.sources):
        raise InvalidInput(str(report.unreadable[0].message))
    return report


def configured(warehouse: Warehouse) -> list[Configured]:
    """The sources that `land` reads when none is named."""
    with warehouse.transaction() as tx:
        return ledger.configured_sources(tx)


class _Landing:
    """One call of `land`: what it has read so far."""

    def __init__(
        self, warehouse: Warehouse, policy: Policy, prices: PriceBook, progress: Callable[[Progress], None]
    ) -> None:
        self.reports: list[SourceReport] = []
        self._warehouse = warehouse
        self._decided = {"redaction": policy.redaction, "prices": prices}
        self._meter = _Meter(progress)
        self._requests: dict[str, tuple[Location, Request]] = {}
        self._read_now: set[str] = set()
        self._related: set[str] = set()

    @property
    def locations(self) -> list[str]:
        """The files and tables that were looked at."""
        return list(self._requests)

    def land_given(self, request: Request, former: Configured | None) -> None:
        """Lands a spec of the caller's; when nothing of it can be read, all that is remembered of it is as before."""
        first = len(self.reports)
        self._land_spec(request, discover(request.spec))
        if all(each.outcome == "unreadable" for each in self.reports[first:]):
            with self._warehouse.transaction() as tx:
                ledger.take_back(tx, request.configured, former)

    def land_configured(self, request: Request) -> None:
        """Lands a spec that was good once: files that are gone stay what they were, a database may not answer."""
        try:
            locations = _what_is_left(request.spec)
        except InvalidInput as error:
            message = f"{error} {_way_out(request.configured.spec)}"
            self.reports.append(SourceReport(request.configured.spec, "unreadable", message=message, is_known=True))
        else:
            self._land_spec(request, locations)

    def _land_spec(self, request: Request, locations: Sequence[Location]) -> None:
        request = self._decided_here(request)
        spec = request.configured.spec
        with self._warehouse.transaction() as tx:
            ledger.register(tx, request.configured)
            ledger.mark_gone(tx, spec, [each.location for each in locations])
            known = ledger.at(tx, [each.location for each in locations])
        self._meter.expect(locations)
        self._requests.update((each.location, (each, request)) for each in locations)
        for location, *others in groups(locations, lambda each: each.location not in known):
            if others:
                self._land_together([location, *others], request)
            elif _is_untouched(location, known.get(location.location), request):
                self.reports.append(SourceReport(location.location, "unchanged"))
                self._meter.finish(location)
            else:
                self._land_location(location, request)
        with self._warehouse.transaction() as tx:
            ledger.cover(tx, spec, SESSION_FILES)

    def reread_wanted(self) -> None:
        """Reads again what holds a run's best version while another is stored, or has a part in what was read.

        Each at most once: a source that changes under our hands may be wanted once more: the next landing does that.
        """
        with self._warehouse.transaction() as tx:
            ledger.want_again(tx, self._related - self._read_now)
        done: set[str] = set()
        while sources := [each for each in self._wanted() if each.location not in done]:
            for source in sources:
                done.add(source.location)
                for location, request in self._way_to(source):
                    self._meter.expect([location])
                    self._land_location(location, request)

    def _wanted(self) -> list[Source]:
        with self._warehouse.transaction() as tx:
            return ledger.wanted_again(tx)

    def _way_to(self, source: Source) -> list[tuple[Location, Request]]:
        """As this call met the source, else as it is configured; nothing when neither reaches it."""
        if source.location in self._requests:
            return [self._requests[source.location]]
        stored = [Request.stored(each) for each in configured(self._warehouse) if each.spec == source.spec]
        return [
            (location, self._decided_here(request))
            for request in stored
            for location in _within_reach(request.spec)
            if location.location == source.location
        ]

    def _decided_here(self, request: Request) -> Request:
        """With what is never remembered: this call's redaction and prices."""
        return replace(request, options=request.options.model_copy(update=self._decided))

    def _land_together(self, locations: Sequence[Location], request: Request) -> None:
        """Lands small files that were never read before; each that does not fit in with the others by itself."""
        started = time.monotonic()
        with source_lock(self._warehouse, *(each.location for each in locations)) as tx:
            files = [file for each in locations if (file := self._read_small(each, request)) is not None]
            landed = land_new(self._warehouse, tx, files, partial(_begin_new, request))
        seconds = (time.monotonic() - started) / len(locations)
        for file in files:
            location, batch = file.location, file.prepared.batch
            if location.location in landed:
                figures = _figures(batch, landed[location.location])
                self._note_read(location, file.related)
                self._meter.read(location, batch.rows_read, batch.byte_offset)
                self.reports.append(SourceReport(location.location, "read", figures, seconds=seconds))
                self._meter.finish(location)
        for location in locations:
            if location.location not in landed:
                self._land_location(location, request)

    def _read_small(self, location: Location, request: Request) -> NewFile | None:
        try:
            reader = reader_for(location, request.configured.source_type)
            digest = _options_digest(reader, request.options)
            return read_small(location, reader, digest, request.options)
        except (InvalidInput, OSError):
            return None  # The ordinary way will say so.

    def _land_location(self, location: Location, request: Request) -> None:
        started = time.monotonic()
        try:
            with source_lock(self._warehouse, location.location) as tx:
                report = self._land_locked(tx, location, request)
        except (InvalidInput, OSError) as error:
            report = self._refused(location, _plainly(error, location))
        self.reports.append(replace(report, seconds=time.monotonic() - started))
        self._meter.finish(location)

    def _refused(self, location: Location, message: str) -> SourceReport:
        with self._warehouse.transaction() as tx:
            is_known = ledger.has_supplied(tx, location.location)
        if is_known:
            message = f"{message} {_way_out(location.location)}"
        return SourceReport(location.location, "unreadable", message=message, is_known=is_known)

    def _land_locked(self, tx: Transaction, location: Location, request: Request) -> SourceReport:
        known = ledger.find(tx, location.location)
        reader = reader_for(location, request.configured.source_type)
        digest = _options_digest(reader, request.options)
        usable = known if known is not None and known.can_continue(digest) else None
        content = ledger.examine(location.path, usable) if location.kind == "file" else Content()
        if usable is not None and content.unchanged:
            ledger.remember(tx, usable, content, usable.byte_offset, usable.fingerprint)
            return SourceReport(location.location, "unchanged")
        if usable is not None and content.offset:
            return self._read(usable, reader, location, request.options, content)
        with self._warehouse.transaction() as beginning:
            source = _begin(beginning, location, request, reader, digest)
        return self._read(source, reader, location, request.options, content)

    def _read(
        self, source: Source, reader: Reader, location: Location, options: ReadOptions, content: Content
    ) -> SourceReport:
        """Reads to the end; every batch is a transaction, and the last one says that the source was read completely."""
        from_start = content.offset == 0
        sees_everything = from_start and options.since is None and options.until is None
        figures = Figures()
        batches = map(Prepared.of, reader.read(location, options, content.offset))
        with closing(one_ahead(_with_last(batches))) as coming:
            for prepared, is_last in coming:
                batch = prepared.batch
                with self._warehouse.bulk() as bulk:
                    counts = merge(bulk, source, prepared, pass_is_complete=is_last and sees_everything)
                    if is_last:
                        offset = content.offset or None if batch.byte_offset is None else batch.byte_offset
                        ledger.complete(bulk, source, content, offset, from_start=from_start)
                figures += _figures(batch, counts)
                self._meter.read(location, batch.rows_read, batch.byte_offset)
        self._note_read(location, reader.related(location))
        with self._warehouse.transaction() as tx:
            quarantined = ledger.quarantined(tx, source)
        return SourceReport(
            location.location, "read" if from_start else "continued", replace(figures, quarantined=quarantined)
        )

    def _note_read(self, location: Location, related: Sequence[str]) -> None:
        self._read_now.add(location.location)
        self._related.update(related)


def _begin(tx: Transaction, location: Location, request: Request, reader: Reader, digest: str) -> Source:
    return ledger.begin_pass(
        tx,
        location=location.location,
        spec=request.configured.spec,
        reader=reader.kind,
        reader_rank=reader.rank,
        namespace=request.options.namespace_for(reader.kind),
        options_hash=digest,
    )


def _begin_new(request: Request, tx: Transaction, file: NewFile) -> Source:
    return _begin(tx, file.location, request, file.reader, file.digest)


class _Meter:
    """Tells how far a landing is."""

    def __init__(self, progress: Callable[[Progress], None]) -> None:
        self._tell = progress
        self._now = Progress("", 0, 0, 0, 0, 0)
        self._finished_bytes = 0

    def expect(self, locations: Sequence[Location]) -> None:
        """Further sources are going to be read or skipped."""
        more_bytes = sum(each.size or 0 for each in locations)
        now = self._now
        self._now = replace(now, sources=now.sources + len(locations), bytes=now.bytes + more_bytes)

    def read(self, location: Location, rows: int, byte_offset: int | None) -> None:
        """A batch of a source has landed."""
        self._now = replace(
            self._now,
            location=location.location,
            rows_read=self._now.rows_read + rows,
            bytes_done=self._finished_bytes + (byte_offset or 0),
        )
        self._tell(self._now)

    def finish(self, location: Location) -> None:
        """Nothing more will be read of a source."""
        self._finished_bytes += location.size or 0
        done = self._now.sources_done + 1
        self._now = replace(self._now, location=location.location, sources_done=done, bytes_done=self._finished_bytes)
        self._tell(self._now)


def _with_last(batches: Iterable[Prepared]) -> Iterator[tuple[Prepared, bool]]:
    """Each batch, and whether it is the last; a source without any yields one empty batch."""
    remaining = iter(batches)
    held = next(remaining, None) or Prepared.of(Batch())
    for following in remaining:
        yield held, False
        held = following
    yield held, True


def _is_untouched(location: Location, known: Source | None, request: Request) -> bool:
    """Whether a look at the directory entry is enough to know that there is nothing to read."""
    if location.kind != "file" or known is None or request.configured.source_type not in ("auto", known.reader):
        return False
    digest = _options_digest(reader_for(location, known.reader), request.options)
    return known.can_continue(digest) and known.is_same_file(location.path)


def _what_is_left(spec: str) -> list[Location]:
    """The locations of a spec that was good once; all of them may be gone."""
    try:
        return discover(spec)
    except NotFound:
        return []


def _within_reach(spec: str) -> list[Location]:
    """The locations of a spec, of which a database may not answer now."""
    try:
        return _what_is_left(spec)
    except InvalidInput:
        return []


def _options_digest(reader: Reader, options: ReadOptions) -> str:
    """What, besides the content, decides how a source is read."""
    stated = options.model_dump_json(exclude={"since", "until", "prices"})
    decisive = f"{reader.kind} {reader.version} {options.prices.digest} {stated}"
    return hashlib.blake2b(decisive.encode(), digest_size=8).hexdigest()


def _figures(batch: Batch, counts: MergeCounts) -> Figures:
    times = batch.runs["event_time"]
    return Figures(
        runs=counts,
        rows_read=batch.rows_read,
        steps=batch.steps.height,
        redactions=batch.redactions,
        facts=batch.facts,
        skipped=batch.skipped,
        first_event_time=cast(datetime | None, times.min()),
        last_event_time=cast(datetime | None, times.max()),
    )


def _way_out(name: str) -> str:
    return f"What was read of it before stays; `pattern-pipeline ingest forget {name}` removes it."


def _plainly(error: Exception, location: Location) -> str:
    if isinstance(error, OSError):
        return f"{location.location} cannot be read: {error.strerror or error}."
    return str(error)


def _report(
    warehouse: Warehouse, sources: Sequence[SourceReport], settings: Settings, seconds: float, *, is_named: bool
) -> LandingReport:
    first_partition = datetime.combine(settings.start_date, clock(), UTC)
    with warehouse.transaction() as tx:
        edges = tx.one("history/edges_of_time", first_partition=first_partition)
        counted_once = merged(tx)
    if edges is None:
        raise LookupError("edges_of_time returned no row")
    return LandingReport(
        tuple(sources), counted_once, **edges, start_date=settings.start_date, seconds=seconds, is_named=is_named
    )
