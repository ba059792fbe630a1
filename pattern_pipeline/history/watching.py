"""Whether configured sources hold something new, told from directory entries alone.

Reading what is new belongs to `landing`. Tables of databases say nothing without being read, so they wait for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pattern_pipeline.errors import NotFound
from pattern_pipeline.history import ledger
from pattern_pipeline.history.landing import configured
from pattern_pipeline.history.readers import discover
from pattern_pipeline.warehouse.database import Warehouse


@dataclass(frozen=True)
class ChangedFile:
    """A file that is not as it was when it was read: its length and times, in nanoseconds."""

    location: str
    size_bytes: int
    modified_ns: int
    changed_ns: int


def changed_files(warehouse: Warehouse) -> list[ChangedFile]:
    """Files of the configured sources that are new, or changed since they were read; none that cannot be seen."""
    paths = [Path(location) for location in _file_locations(warehouse)]
    with warehouse.transaction() as tx:
        known = ledger.at(tx, [str(path) for path in paths])
    return [changed for path in paths if (changed := _changed(path, known.get(str(path)))) is not None]


def digest(files: Sequence[ChangedFile]) -> str:
    """16 hexadecimal digits that are equal for the same files in the same state."""
    stated = "\n".join(sorted(map(repr, files)))
    return hashlib.blake2b(stated.encode(errors="surrogateescape"), digest_size=8).hexdigest()


def _file_locations(warehouse: Warehouse) -> Iterator[str]:
    found: set[str] = set()
    for source in configured(warehouse):
        if "://" not in source.spec:
            try:
                found.update(each.location for each in discover(source.spec))
            except NotFound:  # everything it named is gone; what it supplied stays
                continue
    yield from sorted(found)


def _changed(path: Path, known: ledger.Source | None) -> ChangedFile | None:
    try:
        if known is not None and known.read_completely and known.is_same_file(path):
            return None
        status = path.stat()
    except OSError:
        return None
    return ChangedFile(str(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns)
