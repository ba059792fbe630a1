"""What a reader is: the small interface that landing uses and every source format implements.

A new format is one module with one `Reader` and one entry in the registry (`readers/__init__.py`). Nothing of a
particular format belongs here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from pattern_pipeline.history.mapping import ReadOptions
from pattern_pipeline.history.model import Batch

HEAD_BYTES = 65_536


@dataclass(frozen=True)
class Location:
    """One file or one table.

    Attributes:
        kind: What it is.
        location: Resolved path, or URL and `#table`; without a password, fit to be shown and stored.
        size: Bytes of a file, None for a table.
        inode: Of a file, None for a table.
        url: The URL of a table's database with its credentials; never shown.
    """

    kind: Literal["file", "table"]
    location: str
    size: int | None = None
    inode: int | None = None
    url: str | None = field(default=None, repr=False)

    @property
    def path(self) -> Path:
        """The path of a file."""
        return Path(self.location)

    def head(self) -> bytes:
        """The first bytes of a file, by which readers recognise their format; nothing of a table."""
        if self.kind == "table":
            return b""
        with self.path.open("rb") as stream:
            return stream.read(HEAD_BYTES)


class Reader(Protocol):
    """Reads one kind of source."""

    @property
    def kind(self) -> str:
        """Name of the format, also the default namespace of its ids and the `source` of its runs."""
        ...

    @property
    def rank(self) -> int:
        """The same run seen through two sources counts through the higher-ranked one."""
        ...

    @property
    def version(self) -> int:
        """Raised when the same input would give other rows, so that sources are read again."""
        ...

    def recognises(self, location: Location, head: bytes) -> bool:
        """Whether this is the reader's format, judged by the first bytes of the file."""
        ...

    def related(self, location: Location) -> Sequence[str]:
        """Other locations whose runs this one has a part in, so that they are read again when it changed."""
        ...

    def read(self, location: Location, options: ReadOptions, offset: int = 0) -> Iterator[Batch]:
        """Canonical batches of bounded size, from `offset` on.

        Raises:
            InvalidInput: Nothing of the source can be read; the message names it and the way out.
        """
        ...
