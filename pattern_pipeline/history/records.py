"""Records of a source in columns, before anything is made of them.

Every reader brings its records into this one loose form, from dictionaries or from a frame; `normalise` makes canonical
history of it. Here names are told apart (known or not, nested steps), types are not yet touched.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

import orjson
import polars as pl

from pattern_pipeline.history.coercion import column, joined_members, json_members, text
from pattern_pipeline.history.fields import Field

Fields = Mapping[str, Field]

# Up to this many unknown names in a batch each record is asked for each of them, which is the quicker way.
_FEW: Final = 30


@dataclass(frozen=True)
class Records:
    """A batch of records.

    Attributes:
        known: The columns whose names are known, under the source's names and with the source's types.
        others: What else each record holds, as JSON members (`"a":1,"b":"x"`); null for nothing.
        positions: Where in the source each record stands.
    """

    known: pl.DataFrame
    others: pl.Series
    positions: pl.Series

    @property
    def height(self) -> int:
        """Number of records."""
        return len(self.positions)

    def as_text(self, where: pl.Series) -> pl.Series:
        """The records in `where` as JSON text."""
        known = [json_members(values) for values in self.known.filter(where).iter_columns()]
        return "{" + joined_members([*known, self.others.filter(where)], int(where.sum())).fill_null("") + "}"

    @classmethod
    def of_rows(cls, rows: Sequence[dict[str, Any]], fields: Fields, positions: pl.Series) -> Self:
        """Records from dictionaries; nested values of known names become JSON text."""
        names = _source_names(fields)
        keys: set[str] = set().union(*rows)
        known = [
            column(name, [row.get(name) for row in rows])
            if name in keys
            else column(name, [_reach(row, name) for row in rows])
            for name in names
            if name in keys or name.partition(".")[0] in keys
        ]
        flat = set(names)
        unknown = keys - flat
        if not unknown:
            others = joined_members([], len(rows))
        elif len(unknown) > _FEW:
            others = pl.Series([_members(row, sorted(row.keys() - flat)) for row in rows], dtype=pl.String)
        else:
            in_order = sorted(unknown)
            others = pl.Series([_members(row, in_order) for row in rows], dtype=pl.String)
        return cls(pl.DataFrame(known), others, positions)

    @classmethod
    def of_frame(cls, frame: pl.DataFrame, fields: Fields, positions: pl.Series) -> Self:
        """Records from the columns of a table; a dotted name reaches into a structure or JSON text."""
        names = _source_names(fields)
        known = [frame[name] for name in names if name in frame.columns]
        for name in names:
            root, _, path = name.partition(".")
            if path and name not in frame.columns and root in frame.columns:
                document = text(frame[root])
                known.append(document.str.json_path_match(f"$.{path}").alias(name))
        flat = set(names)
        others = [json_members(frame[name]) for name in frame.columns if name not in flat]
        return cls(pl.DataFrame(known), joined_members(others, frame.height), positions)


@dataclass(frozen=True)
class Steps:
    """The steps nested in a batch of records.

    Attributes:
        records: The steps themselves.
        run: Index of each step's record in the batch (UInt32).
        seq: Its place among the record's steps, from 0 (Int32).
        faults: Index of each record whose steps are not all readable, and what stands there.
    """

    records: Records
    run: pl.Series
    seq: pl.Series
    faults: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of_lists(cls, lists: Sequence[Any], fields: Fields) -> Self:
        """Steps from one value for each record: a list of objects, JSON text of one, or None."""
        rows: list[dict[str, Any]] = []
        runs: list[int] = []
        places: list[int] = []
        faults: dict[int, str] = {}
        for index, given in enumerate(lists):
            steps = _parsed(given) if isinstance(given, str) else given
            if not isinstance(steps, list):
                faults |= {} if steps is None else {index: str(steps)}
                continue
            for place, step in enumerate(steps):
                if isinstance(step, dict):
                    rows.append(step)
                    runs.append(index)
                    places.append(place)
                else:
                    faults[index] = str(step)
        nowhere = pl.Series([None], dtype=pl.String).new_from_index(0, len(rows))
        return cls(
            Records.of_rows(rows, fields, nowhere),
            pl.Series("run", runs, dtype=pl.UInt32),
            pl.Series("seq", places, dtype=pl.Int32),
            faults,
        )

    @classmethod
    def taken_from_rows(cls, rows: Sequence[dict[str, Any]], runs: Fields, steps: Fields) -> Self:
        """The steps nested in `rows`, which lose them."""
        names = [name for name in runs["steps"].names if any(name in row for row in rows)]
        return cls.of_lists([_taken(row, names) for row in rows] if names else [], steps)

    @classmethod
    def taken_from_frame(cls, frame: pl.DataFrame, runs: Fields, steps: Fields) -> tuple[pl.DataFrame, Self]:
        """`frame` without its column of nested steps, and those steps."""
        for name in runs["steps"].names:
            if name in frame.columns and (lists := frame[name]).dtype in (pl.List, pl.String):
                return frame.drop(name), cls.of_lists(lists.to_list(), steps)
        return frame, cls.of_lists([], steps)


def _taken(row: dict[str, Any], names: Sequence[str]) -> Any:
    """Take the steps out of a record. A number of steps, or a text about them, is no list of steps and stays."""
    for name in names:
        given = row.get(name)
        if isinstance(given, list) or (isinstance(given, str) and given.lstrip().startswith("[")):
            return row.pop(name)
    return None


def _parsed(given: str) -> Any:
    """The value of JSON text; text that is none stays text, blank text is nothing."""
    if not given.strip():
        return None
    try:
        return orjson.loads(given)
    except orjson.JSONDecodeError:
        return given


def _source_names(fields: Fields) -> list[str]:
    """Names to read as columns, each once; steps are nested records and are read apart."""
    return list(dict.fromkeys(name for known in fields.values() if known.kind != "steps" for name in known.names))


def _reach(row: dict[str, Any], path: str) -> Any:
    value: Any = row
    for key in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _members(row: dict[str, Any], unknown: Iterable[str]) -> str | None:
    others = {key: value for key in unknown if (value := row.get(key)) is not None}
    return orjson.dumps(others, default=str)[1:-1].decode() if others else None
