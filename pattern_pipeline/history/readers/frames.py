"""Column-wise files, CSV and Parquet, as frames with positions; shared by readers of tabular formats.

What the columns mean belongs to the readers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import polars as pl
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as parquet

from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.history.coercion import column
from pattern_pipeline.history.faults import Faults

_BLOCK_BYTES: Final = 16 << 20
_MAX_ROWS: Final = 20_000
_DELIMITERS: Final = (",", "\t", ";", "|")
_NULLS: Final = ["", "NULL", "\\N"]


@dataclass(frozen=True)
class Part:
    """Rows of a tabular source, where they stand, and rows that could not be read."""

    frame: pl.DataFrame
    positions: pl.Series
    faults: Faults = field(default_factory=Faults)
    unreadable: int = 0


def csv_parts(path: Path) -> Iterator[Part]:
    """A CSV file with a header line, every value as text; the delimiter is the one found in the header.

    Raises:
        InvalidInput: The file is no CSV, or a row is longer than the block in which rows are read.
    """
    bad: dict[int, tuple[str, str]] = {}

    def note(row: Any) -> Literal["skip"]:
        bad[row.number] = (f"The row has {row.actual_columns} columns instead of {row.expected_columns}.", row.text)
        return "skip"

    with path.open("rb") as stream:
        header = stream.readline(_BLOCK_BYTES).decode("utf-8", "replace")
    parsing = arrow_csv.ParseOptions(
        delimiter=max(_DELIMITERS, key=header.count), newlines_in_values=True, invalid_row_handler=note
    )
    # Rows are numbered as they stand in the file only when a single thread reads them.
    reading = arrow_csv.ReadOptions(block_size=_BLOCK_BYTES, use_threads=False)
    try:
        names = arrow_csv.open_csv(path, reading, parsing).schema.names
        _check_distinct(names, path)
        bad.clear()
        converting = arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.binary()),
            null_values=_NULLS,
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        )
        following = 2  # The header is row 1.
        for batch in arrow_csv.open_csv(path, reading, parsing, converting):
            for rows in _sliced(batch):
                numbers = _numbers_without(bad, following, rows.num_rows)
                following = int(numbers[-1]) + 1
                yield _csv_part(rows, numbers, _taken(bad, following))
        if bad:
            yield _csv_part(batch.slice(0, 0), pl.Series(dtype=pl.Int64), _taken(bad, max(bad) + 1))
    except pa.ArrowInvalid as error:
        raise InvalidInput(f"{path} cannot be read as CSV: {error}.") from error


def _csv_part(batch: Any, numbers: pl.Series, bad: dict[int, tuple[str, str]]) -> Part:
    faults = Faults()
    details, texts = zip(*bad.values(), strict=True) if bad else ((), ())
    faults.add(_rows(pl.Series(list(bad), dtype=pl.Int64)), "wrong_columns", *_texts(details, texts))
    frame = _frame(batch)
    columns = []
    for values in frame.iter_columns():
        try:
            columns.append(values.cast(pl.String))
        except pl.exceptions.ComputeError:
            decoded = column(values.name, values.to_list())
            is_repaired = decoded.str.contains("\ufffd", literal=True).fill_null(False)
            detail = f"What is no UTF-8 in column {values.name!r} was replaced by U+FFFD and the record landed."
            faults.add(_rows(numbers.filter(is_repaired)), "repaired", detail, decoded.filter(is_repaired))
            columns.append(decoded)
    return Part(pl.DataFrame(columns), _rows(numbers), faults, len(bad))


def parquet_parts(path: Path) -> Iterator[Part]:
    """A Parquet file with the types it has.

    Raises:
        InvalidInput: The file is no Parquet, or is damaged.
    """
    try:
        with parquet.ParquetFile(path) as source:
            _check_distinct(source.schema_arrow.names, path)
            following = 1
            for batch in source.iter_batches(batch_size=_rows_within_block(source.metadata)):
                numbers = pl.int_range(following, following + batch.num_rows, eager=True)
                following += batch.num_rows
                yield Part(_frame(batch), _rows(numbers))
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput(f"{path} cannot be read as Parquet: {error}.") from error


def _rows_within_block(metadata: Any) -> int:
    size: int = sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups))
    rows: int = metadata.num_rows
    return max(1, min(_MAX_ROWS, rows * _BLOCK_BYTES // max(size, 1)))


def _check_distinct(names: Sequence[str], path: Path) -> None:
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidInput(f"{path} has more than one column {', '.join(map(repr, twice))}; rename all but one.")


def _frame(batch: Any) -> pl.DataFrame:
    frame = pl.from_arrow(pa.Table.from_batches([batch]))
    if not isinstance(frame, pl.DataFrame):
        raise TypeError(f"a table was expected, not {type(frame).__name__}")
    return frame


def _sliced(batch: Any) -> Iterator[Any]:
    return (batch.slice(start, _MAX_ROWS) for start in range(0, batch.num_rows, _MAX_ROWS))


def _numbers_without(bad: dict[int, tuple[str, str]], first: int, count: int) -> pl.Series:
    """The numbers of the next `count` good rows."""
    candidates = pl.int_range(first, first + count + len(bad), eager=True)
    return candidates.filter(~candidates.is_in(list(bad))).head(count)


def _taken(bad: dict[int, tuple[str, str]], before: int) -> dict[int, tuple[str, str]]:
    """Take the bad rows with a smaller number out of `bad`."""
    return {number: bad.pop(number) for number in sorted(bad) if number < before}


def _rows(numbers: pl.Series) -> pl.Series:
    return "row " + numbers.cast(pl.String)


def _texts(*columns: Sequence[str]) -> list[pl.Series]:
    return [pl.Series(values, dtype=pl.String) for values in columns]
