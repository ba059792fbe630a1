"""Source names and types into canonical ones, a whole column at a time.

Aliases are tried in their order, record by record. What loses is kept with the unknown columns; what cannot be
converted is reported. What follows from the values is decided in `normalise`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from pattern_pipeline.history.coercion import convert, joined_members, json_members, text, without_blanks
from pattern_pipeline.history.fields import Kind
from pattern_pipeline.history.model import INSTANT, MONEY, SECONDS
from pattern_pipeline.history.records import Fields, Records

_TYPES: Final[Mapping[Kind, pl.DataType]] = {
    "text": pl.String(),
    "json": pl.String(),
    "money": MONEY,
    "seconds": SECONDS,
    "count32": pl.Int32(),
    "count64": pl.Int64(),
    "code": pl.Int32(),
    "instant": INSTANT,
    "truth": pl.Boolean(),
}


@dataclass(frozen=True)
class Resolved:
    """Records under canonical names and with canonical types.

    Attributes:
        frame: A column for every field, null where nothing usable was given.
        others: JSON members that no field took.
        lost: For a field with values that could not be used: `field=value` text of each such record, else null.
    """

    frame: pl.DataFrame
    others: pl.Series
    lost: Mapping[str, pl.Series]


def resolve(records: Records, fields: Fields, zone: str, *, statuses: Collection[str] = ()) -> Resolved:
    """Give every record its canonical fields.

    Args:
        records: As a reader brought them.
        fields: Canonical fields and the source names they answer to.
        zone: Time zone of times that name none.
        statuses: Canonical statuses; another text in `status` is kept among the other members as well.
    """
    others = [records.others]
    columns = []
    lost = {}
    # Most records leave most fields empty.
    known_columns = without_blanks(records.known).iter_columns()
    given = {each.name: each for each in known_columns if each.null_count() < records.height}
    for name, known in fields.items():
        if known.kind == "steps":
            continue
        values = pl.Series(name, [None], dtype=_TYPES[known.kind]).new_from_index(0, records.height)
        unusable = None
        for each in (given[source] for source in known.names if source in given):
            has_won = values.is_not_null() if values.null_count() < records.height else None
            if name == "status":
                others.append(_unlike(each, statuses))
            elif has_won is not None:
                others.append(json_members(each).set(~has_won, None))
            converted = convert(each, known.kind, zone)
            if converted.null_count() > each.null_count():
                told = (f"{name}=" + text(each)).set(converted.is_not_null(), None)
                unusable = told if unusable is None else unusable.fill_null(told)
            values = converted.alias(name) if has_won is None else values.fill_null(converted)
        columns.append(values)
        unusable = None if unusable is None else unusable.set(values.is_not_null(), None)
        if unusable is not None and unusable.null_count() < records.height:
            lost[name] = unusable.alias(name)
    return Resolved(pl.DataFrame(columns), joined_members(others, records.height), lost)


def _unlike(values: pl.Series, usual: Collection[str]) -> pl.Series:
    """JSON members of the values whose text is not one of the usual ones."""
    if values.dtype == pl.String and {None, *usual}.issuperset(values.unique().to_list()):
        return pl.Series(values.name, [None], dtype=pl.String).new_from_index(0, len(values))
    return json_members(values).set(text(values).is_in(list(usual)), None)
