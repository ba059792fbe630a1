"""Claude Code transcripts: the files of `~/.claude/projects`, one JSON object a line.

A file is read together with those that hold lines of the same sessions (its sub-agents, resumed and forked copies,
overlapping excerpts), and yields every run of which it holds a line, made of the lines of all of them. So each file
that changes brings whole runs up to date, whichever is read first; that several files supply the same run is nothing
new to the merge. Files that belong together are held in memory up to `HELD_BYTES` and put in the order of time; beyond
that they are taken as ordered, as Claude Code writes them, and what is finished is given away as it is read.
"""

from __future__ import annotations

import gc
import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import orjson
import polars as pl

from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.history.faults import Faults
from pattern_pipeline.history.mapping import ReadOptions
from pattern_pipeline.history.model import Batch
from pattern_pipeline.history.pricing import UNCHARGED
from pattern_pipeline.history.readers import jsonlines
from pattern_pipeline.history.readers.base import Location
from pattern_pipeline.history.readers.gathering import Gathering
from pattern_pipeline.history.readers.transcript_files import ProjectFiles, Stamp, is_transcript, stamp
from pattern_pipeline.history.readers.transcript_lines import KNOWN_TYPES, Line, read_line
from pattern_pipeline.history.readers.transcript_runs import Rank, Run, Timeline, price

HELD_BYTES: Final = 96 << 20
_LINES_BETWEEN: Final = 20_000
# Records are reduced to lines at once; while few are held, parsing the next ones uses the same warm memory again.
_BLOCK_BYTES: Final = 64 << 10


class ClaudeCodeReader:
    """Reads transcripts of Claude Code."""

    kind = "claude"
    rank = 40
    version = 2

    def __init__(self) -> None:
        self._files = ProjectFiles()
        self._held: _Held | None = None
        self._last_read: tuple[Path, Sequence[str]] | None = None

    def recognises(self, location: Location, head: bytes) -> bool:
        """A file whose first records are those of a session."""
        return location.kind == "file" and is_transcript(head)

    def related(self, location: Location) -> Sequence[str]:
        """The files that are read together with this one."""
        if self._last_read is not None and self._last_read[0] == location.path:
            return self._last_read[1]
        return _others(location.path, self._files.related(location.path))

    def read(self, location: Location, options: ReadOptions, offset: int = 0) -> Iterator[Batch]:
        """Batches of the runs of which the file holds a line; see `Reader.read`."""
        if location.kind != "file":
            raise InvalidInput(f"{location.location} is a table; transcripts are files.")
        paths = self._files.related(location.path)
        self._last_read = location.path, _others(location.path, paths)
        output = _Output(self.kind, options)
        whole_sessions = options.mapping.run_unit == "session"
        if offset or not _can_hold(paths):
            return _streamed(location, paths, output, offset, whole_sessions=whole_sessions)
        return self._from_memory(location, paths, output, whole_sessions=whole_sessions)

    def _from_memory(
        self, location: Location, paths: list[Path], output: _Output, *, whole_sessions: bool
    ) -> Iterator[Batch]:
        key = tuple((path, stamp(path)) for path in paths)
        if self._held is None or (self._held.key, self._held.whole_sessions) != (key, whole_sessions):
            self._held = _Held.of(key, whole_sessions=whole_sessions)
        held, mine = self._held, paths.index(location.path)
        _check_readable(location, held.contents[mine])
        output.tell(held.contents[mine])
        touched = {run.run_id for run in held.runs if mine in run.files}
        for run_id, run in held.best.items():
            if run_id in touched:
                output.add_run(run, mine)
                yield from output.batches()
        yield from output.batches(is_last=True)


@dataclass
class _Content:
    """What there is to tell of a file besides its runs.

    Attributes:
        objects: Lines that are JSON objects.
        lines: Lines, blank ones not counted.
        end: Offset after the last one.
        faults: Lines that could not be read, wholly or in part.
        facts: Lines that carry the usage of an API call, and their tokens.
        skipped: Records of types that are not known.
    """

    objects: int = 0
    lines: int = 0
    end: int = 0
    faults: Faults = field(default_factory=Faults)
    facts: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Held:
    """Runs made of all lines of some files, and the best version of each."""

    key: tuple[tuple[Path, Stamp], ...]
    whole_sessions: bool
    contents: Sequence[_Content]
    runs: Sequence[Run]
    best: Mapping[str, Run]

    @classmethod
    def of(cls, key: tuple[tuple[Path, Stamp], ...], *, whole_sessions: bool) -> Self:
        """Reads the files."""
        with _collector_paused():
            return cls._of(key, whole_sessions=whole_sessions)

    @classmethod
    def _of(cls, key: tuple[tuple[Path, Stamp], ...], *, whole_sessions: bool) -> Self:
        contents = [_Content() for _ in key]
        lines = [(line, number) for number, (path, _) in enumerate(key) for line in _lines(path, 0, contents[number])]
        depths = _depths([line for line, _ in lines])
        # Sub-agents last: by then it is known which task started them. Of equal times what answers is later.
        lines.sort(key=lambda each: (each[0].is_side, each[0].moment, depths.get(each[0].uuid or "", 0)))
        timeline = Timeline(whole_sessions=whole_sessions)
        for line, number in lines:
            timeline.add(line, number)
        runs = [run for run in timeline.rest() if not run.is_empty]
        best: dict[str, Run] = {}
        for run in runs:
            if run.run_id not in best or run.rank > best[run.run_id].rank:
                best[run.run_id] = run
        return cls(key, whole_sessions, contents, runs, best)


class _Output(Gathering):
    """Runs of transcripts, priced, with the figures of the calls that were counted."""

    def __init__(self, kind: str, options: ReadOptions) -> None:
        super().__init__(kind, options, is_priced=True)
        self._prices = options.prices

    def tell(self, content: _Content) -> None:
        """Adds what there is to tell of a file."""
        self.account(rows_read=content.lines, faults=content.faults, facts=content.facts, skipped=content.skipped)

    def add_run(self, run: Run, file: int) -> None:
        """Adds a run; its calls count for the file in which they were found first."""
        row, steps = price(run, self._prices)
        self.add(row, steps, f"byte {run.first.position}")
        own = [call.usage.total for call in run.calls.values() if call.file == file]
        self.account(facts={"api_calls": len(own), "tokens": sum(own)})


def _streamed(
    location: Location, paths: list[Path], output: _Output, offset: int, *, whole_sessions: bool
) -> Iterator[Batch]:
    """Runs of files that are too large to be held, each line of which is taken to be no older than those before it.

    A file that stands alone can be continued: at the beginning of the runs to which lines may still be added.
    """
    mine, is_alone = paths.index(location.path), len(paths) == 1
    contents = [_Content() for _ in paths]
    sources = [
        _dated(_lines(path, offset if is_alone else 0, content), number)
        for number, (path, content) in enumerate(zip(paths, contents, strict=True))
    ]
    timeline = Timeline(whole_sessions=whole_sessions)
    sent: dict[str, Rank] = {}
    for count, (_, number, line) in enumerate(heapq.merge(*sources, key=lambda each: each[0]), start=1):
        timeline.add(line, number)
        if count % _LINES_BETWEEN == 0:
            _send(timeline.finished(), output, mine, sent)
            yield from output.batches(timeline.resume if is_alone else None)
    _check_readable(location, contents[mine])
    output.tell(contents[mine])
    resume = timeline.resume if timeline.open_runs else contents[mine].end
    _send(timeline.rest(), output, mine, sent)
    yield from output.batches(resume if is_alone else None, is_last=True)


def _send(runs: Iterable[Run], output: _Output, mine: int, sent: dict[str, Rank]) -> None:
    """Adds the runs of which the file holds a line, but none that is a lesser version of one that was added before."""
    for run in runs:
        if mine in run.files and not run.is_empty and (run.run_id not in sent or run.rank > sent[run.run_id]):
            sent[run.run_id] = run.rank
            output.add_run(run, mine)


def _lines(path: Path, offset: int, content: _Content) -> Iterator[Line]:
    """The lines of a file that count; everything else there is to tell goes into `content`."""
    moment, session = "", path.stem
    for block in jsonlines.blocks(path, offset, _BLOCK_BYTES):
        content.objects += len(block.rows)
        content.lines += block.lines
        content.end = block.end
        content.faults.parts += block.faults.parts
        partly: list[tuple[int, str, str]] = []
        call_lines = tokens = 0
        for row, position in zip(block.rows, block.offsets, strict=True):
            line = read_line(row, position, moment, session)
            if line is None:
                name = row.get("type")
                if not isinstance(name, str):
                    content.skipped[f"({type(name).__name__})"] += 1
                elif name not in KNOWN_TYPES:
                    content.skipped[name] += 1
                continue
            moment = line.moment
            if line.call and line.call.model != UNCHARGED:
                call_lines += 1
                tokens += line.call.usage.total
            if line.fault:
                partly.append((position, line.fault, orjson.dumps(row).decode()))
            yield line
        if call_lines:
            content.facts.update(api_call_lines=call_lines, tokens_naive=tokens)
        _note(partly, content.faults)


def _note(partly: list[tuple[int, str, str]], faults: Faults) -> None:
    if partly:
        offsets, details, texts = zip(*partly, strict=True)
        positions = "byte " + pl.Series("position", offsets, dtype=pl.Int64).cast(pl.String)
        faults.add(positions, "field_dropped", pl.Series("detail", details), pl.Series("excerpt", texts))


def _dated(lines: Iterable[Line], number: int) -> Iterator[tuple[str, int, Line]]:
    """Lines with the time up to which their file was read."""
    latest = ""
    for line in lines:
        latest = max(latest, line.moment)
        yield latest, number, line


def _depths(lines: Sequence[Line]) -> dict[str, int]:
    """How many lines lie between each line and the beginning of its conversation."""
    parents = {line.uuid: line.parent for line in lines if line.uuid}
    depths: dict[str, int] = {}
    for uuid in parents:
        chain: list[str] = []
        at: str | None = uuid
        while at in parents and at not in depths and len(chain) <= len(parents):
            chain.append(at)
            at = parents[at]
        depth = depths.get(at or "", 0)
        for each in reversed(chain):
            depth += 1
            depths[each] = depth
    return depths


@contextmanager
def _collector_paused() -> Iterator[None]:
    """No garbage collection meanwhile: lines hold no cycles, and walking through them again takes half the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _others(path: Path, paths: Sequence[Path]) -> Sequence[str]:
    return [str(each) for each in paths if each != path] if _can_hold(paths) else ()


def _can_hold(paths: Iterable[Path]) -> bool:
    return sum(path.stat().st_size for path in paths) <= HELD_BYTES


def _check_readable(location: Location, content: _Content) -> None:
    if content.lines and not content.objects:
        raise InvalidInput(f"{location.location} holds no JSON objects; one a line is expected.")
