"""The generic format: records with the names that people give such things, in files of rows or tables of a database.

What a row means is settled by the aliases and the user's mapping (`fields`, `mapping`); here the containers are told
apart (JSON lines, a JSON array, CSV, Parquet, a table) and handed on in batches.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import orjson
import polars as pl

from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.history.faults import Faults
from pattern_pipeline.history.mapping import ReadOptions
from pattern_pipeline.history.model import Batch
from pattern_pipeline.history.normalise import Normaliser
from pattern_pipeline.history.readers import frames, jsonlines, tables
from pattern_pipeline.history.readers.base import Location
from pattern_pipeline.history.records import Records, Steps

_MAX_DOCUMENT_BYTES: Final = 64 << 20
_TIMES: Final = ("start_time", "end_time", "steps")


class GenericReader:
    """Reads any table-like source; the fallback for what no other reader recognises."""

    kind = "generic"
    rank = 0
    version = 2

    def recognises(self, location: Location, head: bytes) -> bool:
        """Every location, once the readers of particular formats have declined."""
        return True

    def related(self, location: Location) -> Sequence[str]:
        """None: a record says all there is to say of its run."""
        return ()

    def read(self, location: Location, options: ReadOptions, offset: int = 0) -> Iterator[Batch]:
        """Batches of a file or table; see `Reader.read`."""
        normaliser = Normaliser(self.kind, options)
        if location.kind == "table":
            return _from_table(location, options, normaliser)
        match _container(location):
            case "parquet":
                return _from_parts(frames.parquet_parts(location.path), normaliser, location)
            case "csv":
                return _from_parts(frames.csv_parts(location.path), normaliser, location)
            case "document":
                return _from_document(location, normaliser)
            case _:
                return _from_lines(location, normaliser, offset)


def _container(location: Location) -> str:
    """Which container a file is, by its first bytes rather than its name.

    Raises:
        InvalidInput: It is empty, binary, or in another encoding than UTF-8.
    """
    head = location.head()
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise InvalidInput(f"{location.location} is empty: there is nothing to read.")
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InvalidInput(f"{location.location} is encoded in UTF-16; convert it to UTF-8.")
    if text.startswith(b"{"):
        return "document" if location.path.suffix == ".json" else "lines"
    if text.startswith(b"["):
        return "document"
    if location.path.suffix in (".jsonl", ".ndjson"):
        return "lines"
    if b"\x00" in head:
        raise InvalidInput(f"{location.location} is a binary file; CSV, JSON lines or Parquet are expected.")
    return "csv"


def _from_lines(location: Location, normaliser: Normaliser, offset: int) -> Iterator[Batch]:
    is_first = offset == 0
    for block in jsonlines.blocks(location.path, offset):
        if is_first and not block.rows:
            break
        yield from _batches_of_rows(
            block.rows,
            block.positions,
            normaliser,
            block.faults,
            location=location if is_first else None,
            rows_read=block.lines,
            byte_offset=block.end,
        )
        is_first = False
    if is_first:
        raise InvalidInput(f"{location.location} holds no JSON objects in its first lines; one a line is expected.")


def _from_table(location: Location, options: ReadOptions, normaliser: Normaliser) -> Iterator[Batch]:
    for index, (rows, positions) in enumerate(tables.table_rows(location, options, normaliser.run_fields)):
        yield from _batches_of_rows(
            rows,
            positions,
            normaliser,
            Faults(),
            location=location if index == 0 else None,
            rows_read=len(rows),
            byte_offset=None,
        )


def _from_document(location: Location, normaliser: Normaliser) -> Iterator[Batch]:
    """Records of one JSON document: an array of objects, or a single object. Lines of objects are read as such."""
    if (location.size or 0) > _MAX_DOCUMENT_BYTES:
        limit = f"{_MAX_DOCUMENT_BYTES >> 20} MiB"
        raise InvalidInput(f"{location.location} is a JSON document of more than {limit}; convert it to JSON lines.")
    try:
        document = orjson.loads(location.path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        yield from _from_lines(location, normaliser, 0)
        return
    items = document if isinstance(document, list) else [document]
    for first in range(0, len(items), jsonlines.MAX_LINES):
        part = items[first : first + jsonlines.MAX_LINES]
        is_record = pl.Series([isinstance(item, dict) for item in part], dtype=pl.Boolean)
        positions = "item " + pl.int_range(first + 1, first + len(part) + 1, eager=True).cast(pl.String)
        faults = Faults()
        others = [orjson.dumps(item).decode() for item in part if not isinstance(item, dict)]
        faults.add(positions.filter(~is_record), "not_an_object", "A record is a JSON object.", pl.Series(others))
        yield from _batches_of_rows(
            [item for item in part if isinstance(item, dict)],
            positions.filter(is_record),
            normaliser,
            faults,
            location=location if first == 0 else None,
            rows_read=len(part),
            byte_offset=None,
        )


def _batches_of_rows(
    rows: list[dict[str, object]],
    positions: pl.Series,
    normaliser: Normaliser,
    faults: Faults,
    *,
    location: Location | None,
    rows_read: int,
    byte_offset: int | None,
) -> Iterator[Batch]:
    """The batches of some JSON objects; when `location` is given, its names must be known ones."""
    if location:
        _check_names({name: None for row in rows[:1_000] for name in row}, normaliser, location)
    steps = Steps.taken_from_rows(rows, normaliser.run_fields, normaliser.step_fields)
    records = Records.of_rows(rows, normaliser.run_fields, positions)
    return normaliser.batches(records, steps, faults, rows_read=rows_read, byte_offset=byte_offset)


def _from_parts(parts: Iterable[frames.Part], normaliser: Normaliser, location: Location) -> Iterator[Batch]:
    for index, part in enumerate(parts):
        if index == 0:
            _check_names(part.frame.columns, normaliser, location)
        frame, steps = Steps.taken_from_frame(part.frame, normaliser.run_fields, normaliser.step_fields)
        records = Records.of_frame(frame, normaliser.run_fields, part.positions)
        rows_read = part.frame.height + part.unreadable
        yield from normaliser.batches(records, steps, part.faults, rows_read=rows_read, byte_offset=None)


def _check_names(names: Iterable[str], normaliser: Normaliser, location: Location) -> None:
    """Refuse a source none of whose columns can place a record in time: every record would be quarantined."""
    found = list(names)
    roots = set(found) | {name.partition(".")[0] for name in found}
    fields = normaliser.run_fields
    wanted = [name for field in _TIMES for name in fields[field].names]
    if not roots & {name.partition(".")[0] for name in wanted}:
        raise InvalidInput(
            f"{location.location}: no column holds a time. Found: {', '.join(found[:30]) or 'none'}. "
            f"Known: {', '.join(wanted)}. Name yours with --mapping."
        )
