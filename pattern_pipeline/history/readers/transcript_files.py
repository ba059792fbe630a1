"""Which transcript files belong together: those that hold lines of the same sessions, or copies of them.

A session stands in its own file, in the files of its sub-agents, and, resumed or forked, in part in others; all of
them lie in one project directory. What else a client keeps there is told apart by its place and name. What is in the
lines belongs to `transcript_lines`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from stat import S_ISREG
from typing import Final

import orjson

_SUBAGENTS: Final = "subagents"
_SUFFIX: Final = ".jsonl"
_WINDOW: Final = 1 << 16
_WHOLE_BYTES: Final = 1 << 20
_HEAD_LINES: Final = 50
_SESSION: Final = re.compile(rb'"sessionId"\s*:\s*"([^"\\]{1,200})"')
_MESSAGE: Final = re.compile(rb'"message"\s*:\s*\{[^{}]{0,400}?"id"\s*:\s*"([^"\\]{1,200})"')
# A copy begins with the first messages of what it was copied from.
_FIRST_MESSAGES: Final = 3
_TYPES: Final = frozenset({"summary", "file-history-snapshot", "queue-operation"})

# The directory that a session may have, and what lies in it; sub-agents may stand there in directories of their own.
_SESSION_DIRECTORY: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SESSION_PARTS: Final = frozenset({_SUBAGENTS, "tool-results", "workflows"})
_INDEX: Final = "sessions-index.json"

Keys = frozenset[bytes]
Stamp = tuple[int, int, int]


def is_transcript(head: bytes) -> bool:
    """Whether a file that begins like this is a transcript."""
    if b'"sessionId"' not in head and b'"type"' not in head:
        return False
    return any(_is_record(line) for line in head.split(b"\n", _HEAD_LINES)[:_HEAD_LINES])


def is_companion(path: Path) -> bool:
    """Whether a file lies beside transcripts and tells nothing of what was done: an index, results kept apart, notes.

    Their place and name tell: some of them would be read as history of another kind.
    """
    if path.name == _INDEX:
        return True
    for directory, below in pairwise(path.parts[:-1]):
        if below in _SESSION_PARTS and _SESSION_DIRECTORY.fullmatch(directory):
            return not (below == _SUBAGENTS and path.name.startswith("agent-") and path.suffix == _SUFFIX)
    return False


def stamp(path: Path) -> Stamp:
    """What tells that a file is as it was: inode, size and time of its last change."""
    return _stamp_of(path.stat())


@dataclass
class ProjectFiles:
    """The transcripts of project directories, and what connects them; a file is looked into again when it changed."""

    known: dict[str, tuple[Stamp, Keys]] = field(default_factory=dict)

    def related(self, path: Path) -> list[Path]:
        """The files that belong together with this one, itself among them, in the order of their names."""
        candidates = {name: keys for name, now in _siblings(_project(path)) if (keys := self._keys(name, now))}
        keys = self._keys(str(path), None)
        found = {str(path)}
        while joining := [name for name, its in candidates.items() if name not in found and not its.isdisjoint(keys)]:
            found.update(joining)
            keys = keys.union(*(candidates[name] for name in joining))
        return sorted(map(Path, found))

    def _keys(self, name: str, now: Stamp | None) -> Keys:
        """What connects a file that is as `now` says, which is looked up where it is not given."""
        try:
            now = now or stamp(Path(name))
            known = self.known.get(name)
            if known is None or known[0] != now:
                known = self.known[name] = now, _keys_of(Path(name), now[1])
        except OSError:
            return frozenset()
        return known[1]


def _project(path: Path) -> Path:
    """The directory of a project, of a file of its own or of a sub-agent's."""
    for parent in path.parents:
        if parent.name == _SUBAGENTS:
            return parent.parent.parent
    return path.parent


def _siblings(project: Path) -> Iterator[tuple[str, Stamp]]:
    """The files that may belong together, in one look at each directory: there may be thousands."""
    for entry in _entries(str(project)):
        if entry.name.endswith(_SUFFIX):
            yield from _if_file(entry)
        elif entry.is_dir():
            yield from _agents(f"{entry.path}{os.sep}{_SUBAGENTS}")


def _agents(directory: str) -> Iterator[tuple[str, Stamp]]:
    for entry in _entries(directory):
        if entry.name.endswith(_SUFFIX):
            yield from _if_file(entry)
        elif entry.is_dir(follow_symlinks=False):
            yield from _agents(entry.path)


def _entries(directory: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return list(entries)
    except OSError:
        return []


def _if_file(entry: os.DirEntry[str]) -> Iterator[tuple[str, Stamp]]:
    try:
        status = entry.stat()
    except OSError:
        return
    if S_ISREG(status.st_mode):
        yield entry.path, _stamp_of(status)


def _keys_of(path: Path, size: int) -> Keys:
    """Ids of sessions and of the first messages in a file; of a large one those at its beginning and end."""
    with path.open("rb") as stream:
        text = stream.read(_WHOLE_BYTES if size <= _WHOLE_BYTES else _WINDOW)
        if not is_transcript(text[:_WINDOW]):
            return frozenset()
        first = (match[1] for match, _ in zip(_MESSAGE.finditer(text), range(_FIRST_MESSAGES), strict=False))
        messages = {b"message " + each for each in first}
        if size > _WHOLE_BYTES:
            stream.seek(max(size - _WINDOW, _WINDOW))
            text += stream.read(_WINDOW)
    return frozenset(_SESSION.findall(text)) | messages


def _stamp_of(status: os.stat_result) -> Stamp:
    return status.st_ino, status.st_size, status.st_mtime_ns


def _is_record(line: bytes) -> bool:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError:
        # A first line that is longer than the head.
        return line.startswith(b"{") and b'"sessionId"' in line and b'"parentUuid"' in line
    if not isinstance(row, dict) or not isinstance(row.get("type"), str):
        return False
    if row["type"] in _TYPES:
        return "sessionId" in row or "leafUuid" in row or "messageId" in row
    return "sessionId" in row and ("uuid" in row or "message" in row)
