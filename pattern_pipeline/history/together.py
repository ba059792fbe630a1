"""Small files that were never read before, landed together: a transaction for many of them.

A transaction, its temporary tables and its locks cost more than the content of a small file, and a first ingest of
session files meets hundreds. Each file keeps an entry of its own in the ledger. What does not fit is left to the
ordinary way of `landing`: what is known already, in several batches, with bad records, or told otherwise by another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from pattern_pipeline.history import ledger
from pattern_pipeline.history.content import Prepared
from pattern_pipeline.history.ledger import Content, Source
from pattern_pipeline.history.mapping import ReadOptions
from pattern_pipeline.history.merge import MergeCounts, merge_new
from pattern_pipeline.history.readers import Location, Reader
from pattern_pipeline.warehouse.database import Transaction, Warehouse

_SMALL_BYTES: Final = 256 << 10
_MOST_BYTES: Final = 4 << 20
_MOST_FILES: Final = 64


@dataclass(frozen=True)
class NewFile:
    """A small file as it was read: all of it, and the files that were read with it."""

    location: Location
    reader: Reader
    digest: str
    content: Content
    prepared: Prepared
    related: Sequence[str]


def groups(locations: Sequence[Location], is_new: Callable[[Location], bool]) -> Iterator[list[Location]]:
    """The locations in their order: small new files that follow each other in groups, every other one alone."""
    group: list[Location] = []
    size = 0
    for location in locations:
        is_small = location.kind == "file" and (location.size or 0) <= _SMALL_BYTES and is_new(location)
        if group and (not is_small or len(group) == _MOST_FILES or size + (location.size or 0) > _MOST_BYTES):
            yield group
            group, size = [], 0
        if is_small:
            group.append(location)
            size += location.size or 0
        else:
            yield [location]
    if group:
        yield group


def read_small(location: Location, reader: Reader, digest: str, options: ReadOptions) -> NewFile | None:
    """A file with its only batch; None where there are several, or bad records.

    Raises:
        InvalidInput: as the reader says.
        OSError: the file cannot be read.
    """
    content = ledger.examine(location.path, None)
    batches = list(islice(reader.read(location, options), 2))
    if len(batches) != 1 or batches[0].quarantined.height:
        return None
    return NewFile(location, reader, digest, content, Prepared.of(batches[0]), reader.related(location))


def land_new(
    warehouse: Warehouse, tx: Transaction, files: Sequence[NewFile], begin: Callable[[Transaction, NewFile], Source]
) -> dict[str, MergeCounts]:
    """Lands files whose locks are held; what became of the runs of those that fitted, by location.

    Args:
        warehouse: The warehouse.
        tx: The transaction that holds the locks of the files.
        files: Files that may have been read by somebody else meanwhile.
        begin: Starts the pass over a file.
    """
    known = ledger.at(tx, [file.location.location for file in files])
    fresh = [file for file in files if file.location.location not in known]
    if not fresh:
        return {}
    with warehouse.transaction() as beginning:
        sources = [begin(beginning, file) for file in fresh]
    parts = [(source, file.prepared) for source, file in zip(sources, fresh, strict=True)]
    with warehouse.bulk() as bulk:
        counts = merge_new(bulk, parts)
        for source, file in zip(sources, fresh, strict=True):
            if source.source_id in counts:
                offset = file.prepared.batch.byte_offset
                ledger.complete(bulk, source, file.content, offset, from_start=True)
    return {source.location: counts[source.source_id] for source in sources if source.source_id in counts}
