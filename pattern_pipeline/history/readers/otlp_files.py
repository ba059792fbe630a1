"""Which files of exported telemetry hold parts of the same runs.

An exporter rotates its file and writes spans and events apart, so that a trace or a session may stand in several files
of a directory. They are found by the ids in them, without reading what the records mean.
"""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pattern_pipeline.history.readers.transcript_files import Stamp, stamp

_SUFFIXES: Final = frozenset({".json", ".jsonl", ".ndjson"})
_START: Final = re.compile(rb'^(?:\xef\xbb\xbf)?\s*\{\s*"resource(?:Spans|Logs|Metrics)"\s*:')
_IDS: Final = re.compile(
    rb'"traceId"\s*:\s*"([0-9A-Fa-f]{1,64})"'
    rb'|"session\.id"\s*,\s*"value"\s*:\s*\{\s*"stringValue"\s*:\s*("(?:[^"\\]|\\.){1,200}")'
)
_HEAD: Final = 4_096

Ids = frozenset[bytes]


def is_telemetry(head: bytes) -> bool:
    """Whether a file that begins like this holds OTLP in JSON."""
    return _START.search(head) is not None


@dataclass
class TelemetryFiles:
    """The files of exported telemetry, and the ids in them; a file is looked into again when it changed."""

    known: dict[Path, tuple[Stamp, Ids]] = field(default_factory=dict)

    def related(self, path: Path) -> list[Path]:
        """The files of the directory that hold parts of this one's runs: itself first, the others by name."""
        own = self._ids(path)
        siblings = sorted(each for each in path.parent.iterdir() if each.suffix.lower() in _SUFFIXES and each != path)
        return [path, *(each for each in siblings if not own.isdisjoint(self._ids(each)))]

    def _ids(self, path: Path) -> Ids:
        try:
            now = stamp(path)
            known = self.known.get(path)
            if known is None or known[0] != now:
                known = self.known[path] = now, _ids_in(path, now[1])
        except OSError:
            return frozenset()
        return known[1]


def _ids_in(path: Path, size: int) -> Ids:
    if not path.is_file() or not size:
        return frozenset()
    with path.open("rb") as stream:
        if not is_telemetry(stream.read(_HEAD)):
            return frozenset()
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return frozenset(match[1].lower() if match[1] else match[2] for match in _IDS.finditer(content))
