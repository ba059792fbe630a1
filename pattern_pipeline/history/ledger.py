"""The ledger of sources: what was read of each file or table, and what a next read has to do.

Rows of `configured_sources` and `ingested_sources` are read and written here and nowhere else. What a read yields is
merged by `merge`; the order of the work belongs to `landing`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import RowMapping

from pattern_pipeline.history.fingerprints import FileState, digests
from pattern_pipeline.warehouse.database import BulkTransaction, Transaction, Warehouse


@dataclass(frozen=True)
class Configured:
    """A source as the user named it: path, directory, glob or database URL, with the options of its reader."""

    spec: str
    source_type: str
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """One file or table that was read before, or is being read; fields as in `ingested_sources`."""

    source_id: int
    location: str
    spec: str | None
    reader: str
    options_hash: str
    fingerprint: str | None
    state: FileState | None
    byte_offset: int | None
    pass_number: int
    read_completely: bool
    reread_wanted: bool
    is_gone: bool

    @classmethod
    def of(cls, row: RowMapping) -> Source:
        """The source of a row of `ingested_sources`."""
        has_state = row["inode"] is not None
        return cls(
            source_id=row["source_id"],
            location=row["location"],
            spec=row["spec"],
            reader=row["reader"],
            options_hash=row["options_hash"],
            fingerprint=row["fingerprint"],
            state=FileState(row["inode"], row["size_bytes"], row["changed_ns"]) if has_state else None,
            byte_offset=row["byte_offset"],
            pass_number=row["pass"],
            read_completely=row["read_completely"],
            reread_wanted=row["reread_wanted"],
            is_gone=row["gone_since"] is not None,
        )

    def can_continue(self, options_hash: str) -> bool:
        """Whether what was read before still counts, apart from changes of the content."""
        trusted = self.read_completely and not self.reread_wanted and not self.is_gone
        return trusted and self.options_hash == options_hash

    def is_same_file(self, path: Path) -> bool:
        """Whether the directory entry alone shows that the file is as it was read."""
        return self.state is not None and self.state.changed_ns is not None and self.state == FileState.of(path)


@dataclass(frozen=True)
class Content:
    """What a source held just before it is read.

    Attributes:
        state: Of the file; None for a table, which is read whole every time.
        digest: Of the whole file.
        unchanged: Nothing is new since the last complete read.
        offset: Where to continue; 0 reads from the beginning.
    """

    state: FileState | None = None
    digest: str | None = None
    unchanged: bool = False
    offset: int = 0


def examine(path: Path, known: Source | None) -> Content:
    """Compares a file with what is known of it, reading as little as gives a certain answer.

    Args:
        path: The file.
        known: The source as last read; None or a source whose former reading no longer counts makes it read afresh.

    Raises:
        OSError: the file cannot be read.
    """
    state = FileState.of(path)
    if known is None or known.state is None or known.fingerprint is None:
        return Content(state, digests(path, state.size_bytes)[0])
    if known.is_same_file(path):
        return Content(state, known.fingerprint, unchanged=True)
    covered = known.state.size_bytes if known.byte_offset is None else known.byte_offset
    start, whole = digests(path, covered, state.size_bytes)
    if start != known.fingerprint:
        return Content(state, whole)
    if covered == state.size_bytes:
        return Content(state, whole, unchanged=True)
    return Content(state, whole, offset=known.byte_offset or 0)


def fingerprint(path: Path, content: Content, byte_offset: int | None) -> str | None:
    """Digest of what the next read may rely upon: the file up to `byte_offset`, else all of it.

    It was taken before the read, so that an edit in the meantime shows as a difference. A resume point elsewhere than
    at the end needs a second look, which counts only if the file is still what it was: else None, and it is read again.
    """
    if content.state is None or byte_offset is None or byte_offset == content.state.size_bytes:
        return content.digest
    resumed, whole = digests(path, byte_offset, content.state.size_bytes)
    return resumed if whole == content.digest else None


def register(tx: Transaction, configured: Configured) -> None:
    """Adds a source to those that are landed when none is named, or replaces its options."""
    options = orjson.dumps(configured.options, option=orjson.OPT_SORT_KEYS).decode()
    tx.run("history/register_spec", spec=configured.spec, source_type=configured.source_type, options=options)


def take_back(tx: Transaction, configured: Configured, former: Configured | None) -> None:
    """Undoes `register` for a source of which nothing could be read.

    Args:
        tx: A transaction.
        configured: As it was registered.
        former: As it had been registered before; None: it had not.
    """
    tx.run("history/remove_unread", spec=configured.spec)
    if former is None:
        tx.run("history/remove_spec", spec=configured.spec)
    else:
        register(tx, former)


def configured_sources(tx: Transaction) -> list[Configured]:
    """Every configured source, in the order of being added."""
    return [Configured(row["spec"], row["source_type"], row["options"]) for row in tx.rows("history/configured_specs")]


def find(tx: Transaction, location: str) -> Source | None:
    """The source at a location, if it was ever read."""
    row = tx.one("history/source_at", location=location)
    return None if row is None else Source.of(row)


def has_supplied(tx: Transaction, location: str) -> bool:
    """Whether the source at a location supplied runs that history still holds."""
    return bool(tx.scalar("history/has_supplied", location=location))


def at(tx: Transaction, locations: Sequence[str]) -> dict[str, Source]:
    """The sources at these locations that were ever read."""
    return {row["location"]: Source.of(row) for row in tx.rows("history/sources_at", locations=list(locations))}


def sources_of(tx: Transaction, spec: str) -> list[Source]:
    """The sources that a spec brought, or the one at that location."""
    return [Source.of(row) for row in tx.rows("history/sources_of", spec=spec)]


def wanted_again(tx: Transaction) -> list[Source]:
    """Sources that hold the best version of a run which is not the stored one."""
    return [Source.of(row) for row in tx.rows("history/sources_to_reread")]


def want_again(tx: Transaction, locations: Collection[str]) -> None:
    """Notes that the sources at these locations, those of them that were ever read, must be read again."""
    if locations:
        tx.run("history/want_again", locations=sorted(locations))


def mark_gone(tx: Transaction, spec: str, present: Sequence[str]) -> None:
    """Notes that a spec no longer yields some locations; what they supplied stays."""
    tx.run("history/mark_gone", spec=spec, present=list(present))


@contextmanager
def source_lock(warehouse: Warehouse, *locations: str) -> Iterator[Transaction]:
    """One reader of a source at a time; the server frees the locks however the holder ends.

    Several are taken in one order, so that nobody deadlocks.
    """
    with warehouse.transaction() as tx:
        tx.run("warehouse/no_idle_timeout")
        for location in sorted(locations):
            tx.lock(f"history source {location}")
        yield tx


def begin_pass(tx: Transaction, **source: Any) -> Source:
    """Starts reading a source from its beginning; parameters as in begin_pass.sql."""
    row = tx.one("history/begin_pass", **source)
    if row is None:
        raise LookupError("begin_pass returned no row")
    return Source.of(row)


def cover(tx: Transaction, spec: str, readers: Collection[str]) -> None:
    """Notes the span of time that the files of a spec cover together, of those that these readers read."""
    tx.run("history/cover", spec=spec, readers=sorted(readers))


def quarantined(tx: Transaction, source: Source) -> dict[str, int]:
    """Bad records that a source has now, by reason."""
    return {
        row["reason"]: row["records"] for row in tx.rows("history/quarantined_by_reason", source_id=source.source_id)
    }


def remember(
    tx: Transaction | BulkTransaction, source: Source, content: Content, offset: int | None, digest: str | None
) -> None:
    """Stores what the next read compares a file with."""
    if content.state is None:
        return
    tx.run(
        "history/remember_content",
        source_id=source.source_id,
        inode=content.state.inode,
        size_bytes=content.state.size_bytes,
        changed_ns=content.state.changed_ns,
        byte_offset=offset,
        fingerprint=digest,
    )


def complete(bulk: BulkTransaction, source: Source, content: Content, offset: int | None, *, from_start: bool) -> None:
    """Notes that a source was read to its end.

    Args:
        bulk: The transaction of its last batch.
        source: The source.
        content: As examined before the read.
        offset: Where reading continues when the file grows; None if its reader starts over.
        from_start: It was read from its beginning.
    """
    if content.state is not None:
        remember(bulk, source, content, offset, fingerprint(Path(source.location), content, offset))
    bulk.run("history/complete_read", source_id=source.source_id, from_start=from_start)
