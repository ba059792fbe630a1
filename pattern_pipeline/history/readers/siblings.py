"""Files of one directory that hold parts of the same runs, found by the ids in them.

What writes a log rotates it, and people keep overlapping excerpts, so that a session or a trace may stand in several
files. What the ids mean, and how a format is told, belongs to the readers.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pattern_pipeline.history.readers.base import HEAD_BYTES
from pattern_pipeline.history.readers.transcript_files import Stamp, stamp

_SUFFIXES: Final = frozenset({".json", ".jsonl", ".ndjson"})

Ids = frozenset[bytes]


@dataclass
class SiblingFiles:
    """The files of one format, and the ids in them; a file is looked into again when it changed.

    Attributes:
        is_format: Whether a file that begins like this is of the format.
        ids: Finds an id; of several groups the one that matched holds it.
    """

    is_format: Callable[[bytes], bool]
    ids: re.Pattern[bytes]
    _known: dict[Path, tuple[Stamp, Ids]] = field(default_factory=dict)

    def related(self, path: Path) -> list[Path]:
        """The files of the directory that share ids with this one: itself first, the others by name."""
        own = self._ids(path)
        siblings = sorted(each for each in path.parent.iterdir() if each.suffix.lower() in _SUFFIXES and each != path)
        return [path, *(each for each in siblings if not own.isdisjoint(self._ids(each)))]

    def _ids(self, path: Path) -> Ids:
        try:
            now = stamp(path)
            known = self._known.get(path)
            if known is None or known[0] != now:
                known = self._known[path] = now, self._ids_in(path, now[1])
        except OSError:
            return frozenset()
        return known[1]

    def _ids_in(self, path: Path, size: int) -> Ids:
        if not path.is_file() or not size:
            return frozenset()
        with path.open("rb") as stream:
            if not self.is_format(stream.read(HEAD_BYTES)):
                return frozenset()
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return frozenset(match[match.lastindex or 0].lower() for match in self.ids.finditer(content))
