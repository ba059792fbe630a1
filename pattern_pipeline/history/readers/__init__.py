"""Readers of sources: how what users have becomes canonical batches.

Here are the registry and the way from what a user names to the locations that are read. A reader of a further format is
one module and one entry in `READERS`.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pattern_pipeline.errors import InvalidInput, NotFound
from pattern_pipeline.history.mapping import Mapping, ReadOptions, load_mapping
from pattern_pipeline.history.readers.base import Location, Reader
from pattern_pipeline.history.readers.claude_code import ClaudeCodeReader
from pattern_pipeline.history.readers.generic import GenericReader
from pattern_pipeline.history.readers.hooks import HookReader
from pattern_pipeline.history.readers.otlp import ClaudeOtlpReader, GenAiOtlpReader
from pattern_pipeline.history.readers.tables import table_location
from pattern_pipeline.history.readers.trajectories import TrajectoryReader
from pattern_pipeline.history.readers.transcript_files import is_companion

__all__ = [
    "READERS",
    "SESSION_FILES",
    "Location",
    "Mapping",
    "ReadOptions",
    "Reader",
    "check_source_type",
    "discover",
    "load_mapping",
    "reader_for",
]

# The first that recognises a source reads it; the generic reader recognises everything and comes last.
READERS: Final[tuple[Reader, ...]] = (
    ClaudeCodeReader(),
    TrajectoryReader(),
    ClaudeOtlpReader(),
    GenAiOtlpReader(),
    HookReader(),
    GenericReader(),
)

# Formats with a file for each session: only all files of a directory together cover the time between their sessions.
SESSION_FILES: Final = frozenset({"claude", "swe-agent"})

_SUFFIXES: Final = frozenset({".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".parquet", ".traj"})


def discover(spec: str) -> list[Location]:
    """The locations that a user's words mean: a file, all files of a directory, those of a pattern, or a table.

    Raises:
        NotFound: There is nothing of the kind.
        InvalidInput: A database URL that cannot be used.
    """
    if "://" in spec:
        return [table_location(spec)]
    path = Path(spec).expanduser()
    if path.is_dir():
        found = sorted(
            each
            for each in path.rglob("*")
            if each.suffix.lower() in _SUFFIXES and each.is_file() and _is_wanted(each, path)
        )
        nothing = f"{spec} holds no file with one of the endings {', '.join(sorted(_SUFFIXES))}."
    elif path.is_file():
        found, nothing = [path], ""
    else:
        found = sorted(_matching(path))
        nothing = f"{spec}: no such file, directory or pattern."
    if not found:
        raise NotFound(nothing)
    return [_file(each) for each in found]


def check_source_type(source_type: str) -> None:
    """Refuse the name of a reader that there is not.

    Raises:
        InvalidInput: There is no reader of that name.
    """
    kinds = ("auto", *(each.kind for each in READERS))
    if source_type not in kinds:
        raise InvalidInput(f"No reader {source_type!r}; there are: {', '.join(kinds)}.")


def reader_for(location: Location, source_type: str = "auto") -> Reader:
    """The reader of a location: the one asked for, else the first that recognises it.

    Raises:
        InvalidInput: There is no reader of that name, or the file cannot be opened.
    """
    check_source_type(source_type)
    if source_type != "auto":
        return next(reader for reader in READERS if reader.kind == source_type)
    try:
        head = location.head()
    except OSError as error:
        raise InvalidInput(f"{location.location} cannot be opened: {error.strerror or error}.") from error
    return next(reader for reader in READERS if reader.recognises(location, head))


def _matching(pattern: Path) -> Iterator[Path]:
    """Files of a pattern; a hidden directory is entered only where the pattern itself names it."""
    literal = list(itertools.takewhile(lambda part: not set(part) & set("*?["), pattern.parts))
    directory = Path(*literal)
    wild = pattern.parts[len(literal) :]
    if not wild:
        return iter(())
    return (each for each in directory.glob(str(Path(*wild))) if each.is_file() and _is_wanted(each, directory))


def _is_wanted(path: Path, directory: Path) -> bool:
    """Whether a file that nobody named is read: it is not hidden, and tells of what was done."""
    return not any(part.startswith(".") for part in path.relative_to(directory).parts) and not is_companion(path)


def _file(path: Path) -> Location:
    status = path.stat()
    return Location("file", str(path.resolve()), size=status.st_size, inode=status.st_ino)
