"""JSON lines with their byte offsets, in blocks of bounded size: shared by every reader of a line-wise format.

A line that is no JSON object becomes a fault with its offset; a last line that is still being written is not consumed.
What the objects mean belongs to the readers.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson
import polars as pl

from pattern_pipeline.history.faults import UNREDACTED_LENGTH, Faults

BLOCK_BYTES: Final = 8 << 20
MAX_LINE_BYTES: Final = 32 << 20
MAX_LINES: Final = 20_000
# orjson reads deeper nesting than it writes; a line with fewer brackets than this cannot be too deep.
_WRITABLE_DEPTH: Final = 250
_BOM: Final = b"\xef\xbb\xbf"
_DETAILS: Final = {
    "invalid_json": "The line is no JSON object that can be stored.",
    "record_too_large": f"The line is longer than {MAX_LINE_BYTES >> 20} MiB.",
    "repaired": "The line is no strict JSON; what is no UTF-8 was replaced by U+FFFD and the record landed.",
}


@dataclass(frozen=True)
class Block:
    """Some lines of a file.

    Attributes:
        rows: The objects of the readable lines.
        offsets: Byte offset of each of them.
        faults: The other lines.
        lines: Number of lines, blank ones not counted.
        end: Offset after the last line.
    """

    rows: list[dict[str, Any]]
    offsets: list[int]
    faults: Faults
    lines: int
    end: int

    @property
    def positions(self) -> pl.Series:
        """Where each row stands; offsets stay true when reading resumes in the middle, line numbers would not."""
        return _positions(self.offsets)


def blocks(path: Path, offset: int = 0, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """The lines of a file from `offset` on, in blocks of little more than `block_bytes`."""
    with path.open("rb") as stream:
        start = stream.seek(offset)
        while content := stream.read(block_bytes):
            last = b"" if content.endswith(b"\n") else stream.readline(MAX_LINE_BYTES)
            end = start + len(content) + len(last)
            if start == 0 and content.startswith(_BOM):
                content = content.replace(_BOM, b" " * len(_BOM), 1)
            lines = (content + last).split(b"\n")
            unfinished = lines.pop()
            if len(unfinished) > MAX_LINE_BYTES:
                end += _rest_of_line(stream)
            elif unfinished and parse(unfinished) is None:  # It may still be written.
                yield from _blocks(lines, start, end - len(unfinished))
                return
            if unfinished:
                lines.append(unfinished)
            yield from _blocks(lines, start, end)
            start = end


def _rest_of_line(stream: BinaryIO) -> int:
    """Passes over what is left of a line that is too long, so that memory stays bounded; the number of bytes."""
    passed = 0
    while rest := stream.readline(MAX_LINE_BYTES):
        passed += len(rest)
        if rest.endswith(b"\n"):
            break
    return passed


def _blocks(lines: list[bytes], start: int, end: int) -> Iterator[Block]:
    """The lines that stand between two offsets, so many at a time."""
    while len(lines) > MAX_LINES:
        following = start + sum(map(len, lines[:MAX_LINES])) + MAX_LINES
        yield _block(lines[:MAX_LINES], start, following)
        lines, start = lines[MAX_LINES:], following
    if lines:
        yield _block(lines, start, end)


def _block(lines: list[bytes], start: int, end: int) -> Block:
    rows: list[dict[str, Any]] = []
    offsets: list[int] = []
    blank = 0
    bad: dict[str, list[tuple[int, bytes]]] = {}
    for line in lines:
        row = parse(line) if len(line) <= MAX_LINE_BYTES else None
        if row is not None:
            rows.append(row)
            offsets.append(start)
        elif len(line) > MAX_LINE_BYTES:
            bad.setdefault("record_too_large", []).append((start, line))
        elif not line.strip():
            blank += 1
        elif (row := parse_leniently(line)) is not None:
            bad.setdefault("repaired", []).append((start, line))
            rows.append(row)
            offsets.append(start)
        else:
            bad.setdefault("invalid_json", []).append((start, line))
        start += len(line) + 1
    return Block(rows, offsets, _faults(bad), len(lines) - blank, end)


def _faults(bad: dict[str, list[tuple[int, bytes]]]) -> Faults:
    faults = Faults()
    for reason, lines in bad.items():
        excerpts = [line[:UNREDACTED_LENGTH].decode("utf-8", "replace") for _, line in lines]
        faults.add(_positions([start for start, _ in lines]), reason, _DETAILS[reason], pl.Series(excerpts))
    return faults


def _positions(offsets: list[int]) -> pl.Series:
    return "byte " + pl.Series("position", offsets, dtype=pl.Int64).cast(pl.String)


def parse(line: bytes) -> dict[str, Any] | None:
    """The object of strict JSON text; None where it is none, or is nested too deeply to be written again."""
    try:
        row = orjson.loads(line)
        if line.count(b"[") + line.count(b"{") > _WRITABLE_DEPTH:
            orjson.dumps(row)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    return row if isinstance(row, dict) else None


def parse_leniently(line: bytes) -> dict[str, Any] | None:
    """The object of JSON text as some write it: with NaN, raw control characters, invalid UTF-8, lone surrogates."""
    try:
        row = json.loads(
            line.decode("utf-8", "replace"), parse_constant=str, parse_float=_finite, parse_int=_bounded, strict=False
        )
        text = json.dumps(row, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None
    return parse(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode())


def _finite(digits: str) -> float | str:
    return value if math.isfinite(value := float(digits)) else digits


def _bounded(digits: str) -> int | str:
    return int(digits) if len(digits) < 19 else digits
