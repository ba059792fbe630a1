"""Landing: whatever is new in the configured sources becomes history, once.

Here is the order of the work: which sources there are, which of them changed, reading each under its lock, batch by
batch, and reading again those that hold a version which has become the best. What a batch does to the tables belongs to
`merge`, what is remembered of a source to `ledger`, what a format means to the readers.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from datetime import time as clock
from pathlib import Path
from typing import cast

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.errors import InvalidInput, NotFound
from pattern_pipeline.history import ledger
from pattern_pipeline.history.ledger import Configured, Content, Source
from pattern_pipeline.history.mapping import ReadOptions
from pattern_pipeline.history.merge import MergeCounts, merge, remove
from pattern_pipeline.history.model import Batch
from pattern_pipeline.history.pricing import PriceBook, load_prices
from pattern_pipeline.history.readers import Location, Reader, discover, reader_for
from pattern_pipeline.history.report import Figures, LandingReport, SourceReport
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Transaction, Warehouse


@dataclass(frozen=True)
class Progress:
    """How far the reading of one source is: after every batch."""

    location: str
    rows_read: int
    byte_offset: int | None
    size_bytes: int | None


def land(
    warehouse: Warehouse,
    specs: Sequence[str] = (),
    *,
    options: ReadOptions | None = None,
    source_type: str = "auto",
    policy: Policy,
    settings: Settings,
    progress: Callable[[Progress], None] | None = None,
) -> LandingReport:
    """Brings history up to date with its sources; what is unchanged is not read.

    Args:
        warehouse: A migrated warehouse.
        specs: Paths, directories, globs or database URLs; they are remembered. None: every configured source.
        options: How to read `specs`; remembered with them, apart from the policy's redaction and the prices.
        source_type: A reader's kind for `specs`, else it is found from the content.
        policy: Its redaction applies to every source.
        settings: For the start of the partitions and the user's prices.
        progress: Called after every batch.

    Raises:
        NotFound: a given spec names nothing.
        InvalidInput: nothing of a given spec can be read; whatever else was given has landed.
    """
    started = time.monotonic()
    landing = _Landing(warehouse, policy, load_prices(settings.prices), progress or _ignore)
    for spec in specs:
        landing.land_spec(_Request.given(spec, source_type, options or ReadOptions()), must_exist=True)
    for configured_source in () if specs else configured(warehouse):
        landing.land_spec(_Request.stored(configured_source), must_exist=False)
    landing.reread_wanted()
    report = _report(warehouse, landing.reports, settings, time.monotonic() - started)
    if specs and len(report.unreadable) == len(report.sources):
        raise InvalidInput(str(report.unreadable[0].message))
    return report


def forget(warehouse: Warehouse, spec: str) -> MergeCounts:
    """Removes a source by spec or location, with the runs that only it supplied.

    Where a run's best version came from it and other sources have another one, the next landing reads those again.

    Raises:
        NotFound: no such source was ever configured or read.
    """
    with warehouse.transaction() as tx:
        names = {spec, _absolute(spec)}
        sources = [source for name in sorted(names) for source in ledger.sources_of(tx, name)]
        removed = sum(tx.run("history/remove_spec", spec=name) for name in names)
    if not sources and not removed:
        raise NotFound(f"No source {spec!r} was ever ingested; `status` lists the sources.")
    counts = MergeCounts()
    for source in sources:
        with _source_lock(warehouse, source.location), warehouse.bulk() as bulk:
            counts += remove(bulk, source)
    return counts


def configured(warehouse: Warehouse) -> list[Configured]:
    """The sources that `land` reads when none is named."""
    with warehouse.transaction() as tx:
        return ledger.configured_sources(tx)


@dataclass(frozen=True)
class _Request:
    """A spec to land: what is remembered of it, and what this call uses (credentials, a window of time)."""

    configured: Configured
    spec: str
    options: ReadOptions

    @classmethod
    def given(cls, spec: str, source_type: str, options: ReadOptions) -> _Request:
        """A spec of the caller's."""
        remembered = options.model_dump(
            mode="json", exclude={"redaction", "prices", "since", "until"}, exclude_defaults=True
        )
        shown = discover(spec)[0].location if "://" in spec else _absolute(spec)
        return cls(Configured(shown, source_type, remembered), spec, options)

    @classmethod
    def stored(cls, configured_source: Configured) -> _Request:
        """A spec that was given before; a database's password comes from the environment then."""
        options = ReadOptions.model_validate(configured_source.options)
        return cls(configured_source, configured_source.spec, options)


class _Landing:
    """One call of `land`: what it has read so far."""

    def __init__(
        self, warehouse: Warehouse, policy: Policy, prices: PriceBook, progress: Callable[[Progress], None]
    ) -> None:
        self.reports: list[SourceReport] = []
        self._warehouse = warehouse
        self._decided = {"redaction": policy.redaction, "prices": prices}
        self._progress = progress
        self._requests: dict[str, tuple[Location, _Request]] = {}
        self._read_now: set[str] = set()
        self._related: set[str] = set()

    def land_spec(self, request: _Request, *, must_exist: bool) -> None:
        """Lands every location of a spec, and notes those that are gone.

        Args:
            request: The spec; it is remembered once it is known to name something.
            must_exist: Otherwise a spec that names nothing any more has only lost its locations.
        """
        request = replace(request, options=request.options.model_copy(update=self._decided))
        locations = discover(request.spec) if must_exist else _what_is_left(request.spec)
        spec = request.configured.spec
        with self._warehouse.transaction() as tx:
            ledger.register(tx, request.configured)
            ledger.mark_gone(tx, spec, [each.location for each in locations])
            known = ledger.at(tx, [each.location for each in locations])
        for location in locations:
            self._requests[location.location] = location, request
            if _is_untouched(location, known.get(location.location), request):
                self.reports.append(SourceReport(location.location, "unchanged"))
            else:
                self._land_location(location, request)

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
                    self._land_location(location, request)

    def _wanted(self) -> list[Source]:
        with self._warehouse.transaction() as tx:
            return ledger.wanted_again(tx)

    def _way_to(self, source: Source) -> list[tuple[Location, _Request]]:
        """As this call met the source, else as it is configured; nothing when neither reaches it."""
        if source.location in self._requests:
            return [self._requests[source.location]]
        requests = [_Request.stored(each) for each in configured(self._warehouse) if each.spec == source.spec]
        return [
            (location, request)
            for request in requests
            for location in _what_is_left(request.spec)
            if location.location == source.location
        ]

    def _land_location(self, location: Location, request: _Request) -> None:
        started = time.monotonic()
        try:
            with _source_lock(self._warehouse, location.location) as tx:
                report = self._land_locked(tx, location, request)
        except (InvalidInput, OSError) as error:
            report = SourceReport(location.location, "unreadable", message=_plainly(error, location))
        self.reports.append(replace(report, seconds=time.monotonic() - started))

    def _land_locked(self, tx: Transaction, location: Location, request: _Request) -> SourceReport:
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
        return self._read(self._begin(location, request, reader, digest), reader, location, request.options, content)

    def _begin(self, location: Location, request: _Request, reader: Reader, digest: str) -> Source:
        with self._warehouse.transaction() as tx:
            return ledger.begin_pass(
                tx,
                location=location.location,
                spec=request.configured.spec,
                reader=reader.kind,
                reader_rank=reader.rank,
                namespace=request.options.namespace_for(reader.kind),
                options_hash=digest,
            )

    def _read(
        self, source: Source, reader: Reader, location: Location, options: ReadOptions, content: Content
    ) -> SourceReport:
        """Reads to the end; every batch is a transaction, and the last one says that the source was read completely."""
        from_start = content.offset == 0
        sees_everything = from_start and options.since is None and options.until is None
        figures = Figures()
        for batch, is_last in _with_last(reader.read(location, options, content.offset)):
            with self._warehouse.bulk() as bulk:
                counts = merge(bulk, source, batch, pass_is_complete=is_last and sees_everything)
                if is_last:
                    offset = content.offset or None if batch.byte_offset is None else batch.byte_offset
                    ledger.complete(bulk, source, content, offset, from_start=from_start)
            figures += _figures(batch, counts)
            self._progress(Progress(location.location, figures.rows_read, batch.byte_offset, location.size))
        self._read_now.add(location.location)
        self._related.update(reader.related(location))
        with self._warehouse.transaction() as tx:
            quarantined = ledger.quarantined(tx, source)
        return SourceReport(
            location.location, "read" if from_start else "continued", replace(figures, quarantined=quarantined)
        )


@contextmanager
def _source_lock(warehouse: Warehouse, location: str) -> Iterator[Transaction]:
    """One reader of a source at a time; the server frees the lock however the holder ends."""
    with warehouse.transaction() as tx:
        tx.lock(f"history source {location}")
        yield tx


def _with_last(batches: Iterable[Batch]) -> Iterator[tuple[Batch, bool]]:
    """Each batch, and whether it is the last; a source without any yields one empty batch."""
    remaining = iter(batches)
    held = next(remaining, Batch())
    for following in remaining:
        yield held, False
        held = following
    yield held, True


def _is_untouched(location: Location, known: Source | None, request: _Request) -> bool:
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


def _absolute(spec: str) -> str:
    """The spec as it can be used from any working directory."""
    return spec if "://" in spec else str(Path(spec).expanduser().absolute())


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


def _plainly(error: Exception, location: Location) -> str:
    if isinstance(error, OSError):
        return f"{location.location} cannot be read: {error.strerror or error}."
    return str(error)


def _report(warehouse: Warehouse, sources: Sequence[SourceReport], settings: Settings, seconds: float) -> LandingReport:
    first_partition = datetime.combine(settings.start_date, clock(), UTC)
    with warehouse.transaction() as tx:
        edges = tx.one("history/edges_of_time", first_partition=first_partition)
    if edges is None:
        raise LookupError("edges_of_time returned no row")
    return LandingReport(tuple(sources), **edges, start_date=settings.start_date, seconds=seconds)


def _ignore(_: Progress) -> None:
    """Progress that nobody watches."""
