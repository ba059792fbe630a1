"""Whether a file changed since it was read: its state on disk, and digests of its content.

What is remembered of a source, and what follows from a change, belong to the ledger.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

_BLOCK = 1 << 20
# A file system may give two writes in quick succession the same time; what was written just now is compared by content.
_CLOCK_GRAIN_NS = 2_000_000_000


@dataclass(frozen=True)
class FileState:
    """What tells without reading that a file is the one that was read.

    Attributes:
        inode: Number of the file in its file system.
        size_bytes: Its length.
        changed_ns: When its content or its entry last changed (the later of mtime and ctime, so that a restored mtime
            does not hide an edit); None if that was so recently that a further write could carry the same time.
    """

    inode: int
    size_bytes: int
    changed_ns: int | None

    @classmethod
    def of(cls, path: Path) -> FileState:
        """The state of `path` now."""
        now, status = time.time_ns(), path.stat()
        changed = max(status.st_mtime_ns, status.st_ctime_ns)
        return cls(status.st_ino, status.st_size, changed if now - changed > _CLOCK_GRAIN_NS else None)


def digests(path: Path, *lengths: int) -> list[str | None]:
    """Digest of the first n bytes of a file for each n of `lengths`, in one pass; None where the file is shorter."""
    found: dict[int, str] = {}
    running, position = hashlib.blake2b(digest_size=16), 0
    with path.open("rb") as stream:
        for length in sorted(set(lengths)):
            while position < length and (block := stream.read(min(_BLOCK, length - position))):
                running.update(block)
                position += len(block)
            if position < length:
                break
            found[length] = running.hexdigest()
    return [found.get(length) for length in lengths]
