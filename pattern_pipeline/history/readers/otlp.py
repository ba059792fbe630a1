"""Exported telemetry: OTLP in JSON, a request a line, as the collector's file exporter writes it, or one document.

A file is read together with those of its directory that hold parts of the same traces and sessions, and yields every
run of which it holds a part, made of the parts in all of them; what other runs they hold is left to their own reading.
Where that is more than can be held in memory, the files are read several times, each time for some of the runs. Always
from the beginning: a span may belong to a run that began anywhere before it.

Two readers share this: that of Claude Code's own telemetry, which knows more of a run than the general conventions do,
ranks above that of other programs. Each reads whatever it meets; what tells a file is which of the two it begins with.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson
import polars as pl

from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.history.faults import Faults
from pattern_pipeline.history.mapping import ReadOptions
from pattern_pipeline.history.model import Batch
from pattern_pipeline.history.readers.base import Location
from pattern_pipeline.history.readers.gathering import Gathering
from pattern_pipeline.history.readers.otlp_events import Part, Unusable, part_of
from pattern_pipeline.history.readers.otlp_files import is_telemetry, requests_in, telemetry_files
from pattern_pipeline.history.readers.otlp_records import Record, records_in
from pattern_pipeline.history.readers.otlp_runs import by_group, records_of, runs_in

HELD_BYTES: Final = 64 << 20


class _OtlpReader:
    """What the two readers share; each gives `kind` and `rank`."""

    kind: str
    rank: int
    version = 1

    def __init__(self) -> None:
        self._files = telemetry_files()

    def related(self, location: Location) -> Sequence[str]:
        """The files that hold parts of this one's runs."""
        return [str(path) for path in self._files.related(location.path)[1:]]

    def read(self, location: Location, options: ReadOptions, offset: int = 0) -> Iterator[Batch]:
        """Batches of the runs of which the file holds a part; see `Reader.read`."""
        if location.kind != "file":
            raise InvalidInput(f"{location.location} is a table; exported telemetry is a file.")
        paths = self._files.related(location.path)
        passes = 1 + sum(path.stat().st_size for path in paths) // HELD_BYTES
        output = _Output(self.kind, options)
        for number in range(passes):
            content = _Content(options)
            parts = [
                part
                for path in paths
                for part in content.parts(path, is_mine=path == location.path)
                if zlib.crc32(part.group.encode()) % passes == number
            ]
            if not content.requests:
                raise InvalidInput(f"{location.location} holds no OTLP requests; a JSON object a line is expected.")
            if number == 0:
                output.tell(content)
            for group in by_group(parts).values():
                yield from output.add(group)
        yield from output.rest()


class ClaudeOtlpReader(_OtlpReader):
    """Reads Claude Code's spans and events."""

    kind = "claude-otel"
    rank = 30

    def recognises(self, location: Location, head: bytes) -> bool:
        """A file of telemetry that begins with Claude Code's."""
        return location.kind == "file" and is_telemetry(head) and (b"claude_code" in head or b"claude-code" in head)


class GenAiOtlpReader(_OtlpReader):
    """Reads spans by the conventions for generative AI."""

    kind = "otel"
    rank = 10

    def recognises(self, location: Location, head: bytes) -> bool:
        """Any other file of telemetry."""
        return location.kind == "file" and is_telemetry(head)


class _Output:
    """Runs on their way into batches: those whose costs their sender told apart from those of the price book."""

    def __init__(self, kind: str, options: ReadOptions) -> None:
        self._billed = Gathering(kind, options)
        self._priced = Gathering(kind, options, is_priced=True)
        self._prices = options.prices

    def tell(self, content: _Content) -> None:
        """Adds what there is to tell of the file besides its runs."""
        content.note_unusable()
        self._billed.account(rows_read=content.lines, faults=content.faults, skipped=content.skipped)

    def add(self, group: Sequence[Part]) -> Iterator[Batch]:
        """Adds those runs of a group of which the file holds a part."""
        for run in runs_in(group):
            if run.is_mine:
                record, steps, is_billed = records_of(run, self._prices)
                offset = min(part.position for part in run.parts if part.is_mine)[0]
                (self._billed if is_billed else self._priced).add(record, steps, f"byte {offset}")
        yield from self._billed.batches()
        yield from self._priced.batches()

    def rest(self) -> Iterator[Batch]:
        """The batches of what is left."""
        yield from self._billed.batches(is_last=True)
        if not self._priced.is_empty:
            yield from self._priced.batches(is_last=True)


class _Content:
    """The records of files, and what there is to tell of the one that is being read."""

    def __init__(self, options: ReadOptions) -> None:
        self.requests = 0
        self.lines = 0
        self.faults = Faults()
        self.skipped: Counter[str] = Counter()
        self._includes_cache = options.mapping.input_includes_cache
        self._unusable: list[tuple[str, str, str, str]] = []

    def parts(self, path: Any, *, is_mine: bool) -> Iterator[Part]:
        """What the records of a file say; of another file than the one being read nothing else is told."""
        skipped = self.skipped if is_mine else Counter()
        for block in requests_in(path):
            if is_mine:
                self.lines += block.lines
                self.faults.parts += block.faults.parts
            for row, offset in zip(block.rows, block.offsets, strict=True):
                if is_mine:
                    self._count(row)
                for record in records_in(row, skipped):
                    part = self._part(record, offset, skipped, is_mine=is_mine)
                    if part is not None:
                        yield part

    def note_unusable(self) -> None:
        """Moves the records that cannot be counted to the faults."""
        if self._unusable:
            positions, reasons, details, texts = zip(*self._unusable, strict=True)
            for reason in sorted(set(reasons)):
                where = [each == reason for each in reasons]
                columns = (pl.Series(values, dtype=pl.String).filter(where) for values in (positions, details, texts))
                its_positions, its_details, its_texts = columns
                self.faults.add(its_positions, reason, its_details.alias("detail"), its_texts)

    def _count(self, row: Mapping[str, Any]) -> None:
        if any(name.startswith("resource") for name in row):
            self.requests += 1
        else:
            self.skipped["line without resourceSpans or resourceLogs"] += 1

    def _part(self, record: Record, offset: int, skipped: Counter[str], *, is_mine: bool) -> Part | None:
        try:
            return part_of(record, offset, is_mine=is_mine, includes_cache=self._includes_cache, skipped=skipped)
        except Unusable as error:
            if is_mine:
                text = orjson.dumps({"name": record.name, **record.attributes}, default=str).decode()
                position = f"byte {offset}, {record.signal} {record.place}"
                self._unusable.append((position, error.reason, error.detail, text))
            return None
