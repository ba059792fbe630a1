"""Columns of any type into columns of canonical type, a whole column at a time.

A value that cannot be converted becomes null; `is_lost` tells such a value from one that was never there. Nothing here
knows field names or what is done about a lost value.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
import polars as pl

from pattern_pipeline.history.fields import Kind
from pattern_pipeline.history.model import INSTANT, MONEY, SECONDS

_TRUTH: Final = {
    "true": True,
    "t": True,
    "yes": True,
    "1": True,
    "1.0": True,
    "false": False,
    "f": False,
    "no": False,
    "0": False,
    "0.0": False,
}
_UNPRINTABLE: Final = (TypeError, OverflowError, UnicodeEncodeError, ValueError, pl.exceptions.PolarsError)

# A number of at least this size is no longer a Unix time in the unit before: seconds, milliseconds, microseconds.
_EPOCH_LIMITS: Final = ((1e11, 1e6), (1e14, 1e3), (1e17, 1.0))
_REPRESENTABLE: Final = (datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC))
_FIRST_MICROSECOND, _LAST_MICROSECOND = (
    (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) for moment in _REPRESENTABLE
)
_ISO: Final = (
    r"^\s*(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(?:[.,](\d{1,6})\d*)?"
    r"\s*(Z|z|UTC|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?\s*$"
)


def column(name: str, values: Sequence[Any]) -> pl.Series:
    """A typed column of Python values; values of several types, and nested ones, become text."""
    first = next((value for value in values if value is not None), None)
    if not isinstance(first, dict | list | bytes | bytearray | memoryview):
        try:
            return pl.Series(name, values, strict=True)
        except _UNPRINTABLE:
            return pl.Series(name, [plain_text(value) for value in values], dtype=pl.String)
    return pl.Series(name, [plain_text(value) for value in values], dtype=pl.String)


def plain_text(value: Any) -> str | None:
    """Text of any value: itself, a number's shortest form, or JSON. UTF-8 has no lone surrogates: they are replaced."""
    match value:
        case None:
            return None
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case bool():
            return "true" if value else "false"
        case dict() | list():
            return orjson.dumps(value, default=str).decode()
        case bytes() | bytearray() | memoryview():
            return bytes(value).decode("utf-8", "replace")
        case _:
            return str(value)


def text(values: pl.Series) -> pl.Series:
    """Text of a column; blank text is unknown."""
    plain = _written(values)
    blank = plain.str.strip_chars() == ""
    return plain.set(blank, None) if blank.any() else plain


def without_blanks(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns of a frame; blank text in them is unknown."""
    return frame.with_columns(pl.when(pl.col(pl.String).str.strip_chars() != "").then(pl.col(pl.String)))


def _written(values: pl.Series) -> pl.Series:
    """Text of a column, blank or not."""
    if values.dtype == pl.String:
        return values
    if values.dtype == pl.Binary:
        return column(values.name, values.to_list())
    return (json_members(values, named=False) if values.dtype.is_nested() else values).cast(pl.String)


def json_members(values: pl.Series, *, named: bool = True) -> pl.Series:
    """Each value as JSON text: `"name":value`, or the bare value when not `named`; null stays null."""
    if values.dtype.is_temporal() or values.dtype.is_decimal() or values.dtype in (pl.Binary, pl.Categorical):
        values = text(values)
    elif values.dtype == pl.Float32 or values.dtype == pl.Float64:
        values = values.fill_nan(None)
    encoded = pl.DataFrame({values.name: values}).to_struct().struct.json_encode().alias(values.name)
    # The braces of {"name":value} go; so does `"name":`, whose length the encoding of an empty value tells.
    skipped = 1 if named else len(orjson.dumps(values.name).decode()) + 2
    inner = encoded.str.head(-1).str.slice(skipped)
    return inner.set(values.is_null(), None)


def json_value(values: pl.Series) -> pl.Series:
    """JSON text of a column: text that is a JSON object or array stays, any other value is encoded."""
    if values.dtype != pl.String:
        return json_members(values, named=False)
    structured = values.map_elements(_is_structured, pl.Boolean)
    if structured.all():
        return values
    known = text(values)
    return known.zip_with(structured.fill_null(False), json_members(known, named=False))


def _is_structured(candidate: str) -> bool:
    """Whether text is a JSON object or array that can be written again: reading allows deeper nesting than writing."""
    if not candidate.lstrip().startswith(("{", "[")):
        return False
    try:
        orjson.dumps(orjson.loads(candidate))
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return False
    return True


def count(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Whole numbers of at least zero."""
    return _not_negative(code(values, dtype))


def code(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Whole numbers; a fraction that is zero is dropped, any other makes the value unknown."""
    if values.dtype.is_integer():
        return values.cast(dtype, strict=False)
    exact = _number(values).cast(pl.Decimal(38, 9), strict=False)
    whole = exact.cast(dtype, strict=False)
    return whole.set(whole.cast(pl.Decimal(38, 9)) != exact, None)


def amount(values: pl.Series, dtype: pl.DataType) -> pl.Series:
    """Decimals of at least zero, rounded half to even from the shortest decimal form of the value."""
    return _not_negative(_number(values).cast(dtype, strict=False))


def _not_negative(numbers: pl.Series) -> pl.Series:
    least: Any = numbers.min()
    return numbers if least is None or least >= 0 else numbers.set(numbers < 0, None)


def truth(values: pl.Series) -> pl.Series:
    """Booleans, also written as words or as 0 and 1."""
    if values.dtype == pl.Boolean:
        return values
    words = _written(values).str.strip_chars().str.to_lowercase()
    return words.replace_strict(_TRUTH, default=None, return_dtype=pl.Boolean)


def instant(values: pl.Series, zone: str) -> pl.Series:
    """Instants in UTC from times, ISO 8601 text or Unix numbers; what names no zone is in `zone`.

    A number is in seconds, milliseconds, microseconds or nanoseconds by its size.
    """
    converted = _instant(values, zone)
    microseconds = converted.cast(pl.Int64)
    earliest: Any = microseconds.min()
    latest: Any = microseconds.max()
    if earliest is None or (earliest >= _FIRST_MICROSECOND and latest <= _LAST_MICROSECOND):
        return converted
    return converted.set(~converted.is_between(*_REPRESENTABLE), None)


def _instant(values: pl.Series, zone: str) -> pl.Series:
    if isinstance(values.dtype, pl.Datetime):
        if values.dtype.time_zone is None:
            return _located(values.cast(pl.Datetime("us")), zone)
        return values.cast(INSTANT)
    if values.dtype == pl.Date:
        return _located(values.cast(pl.Datetime("us")), zone)
    if values.dtype.is_numeric():
        return _from_epoch(values)
    written = _written(values)
    # The usual form in one quick step; the others one by one where it fails.
    usual = written.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", time_unit="us", time_zone="UTC", strict=False)
    if usual.null_count() == written.null_count():
        return usual
    number = _number(written).cast(pl.Float64, strict=False)
    return usual.fill_null(_from_iso(written, zone)).fill_null(_from_epoch(number))


def _from_iso(written: pl.Series, zone: str) -> pl.Series:
    parts = written.str.extract_groups(_ISO).struct.unnest()
    parts.columns = ["day", "minute", "second", "fraction", "offset"]
    local = (
        parts.select(
            pl.concat_str(
                "day",
                pl.lit(" "),
                pl.col("minute").fill_null("00:00"),
                pl.col("second").fill_null(":00"),
                pl.lit("."),
                pl.col("fraction").fill_null("0").str.pad_end(6, "0"),
            )
        )
        .to_series()
        .str.to_datetime("%Y-%m-%d %H:%M:%S%.6f", time_unit="us", strict=False)
    )
    offset = parts["offset"].str.replace("^(Z|z|UTC)$", "+00:00").str.replace(":", "", literal=True).str.pad_end(5, "0")
    minutes = offset.str.slice(1, 2).cast(pl.Int32) * 60 + offset.str.slice(3, 2).cast(pl.Int32)
    signed = minutes.zip_with(offset.str.starts_with("+"), -minutes)
    microseconds = signed.cast(pl.Int64) * 60_000_000
    shifted = (local - microseconds.cast(pl.Duration("us"))).dt.replace_time_zone("UTC")
    return shifted.zip_with(parts["offset"].is_not_null(), _located(local, zone)).alias(written.name)


def _from_epoch(values: pl.Series) -> pl.Series:
    number = values.cast(pl.Float64)
    micros = number / 1e3
    for limit, factor in reversed(_EPOCH_LIMITS):
        micros = (number * factor).zip_with(number.abs() < limit, micros)
    return micros.round().cast(pl.Int64, strict=False).cast(INSTANT).alias(values.name)


def _located(local: pl.Series, zone: str) -> pl.Series:
    return local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")


def _number(values: pl.Series) -> pl.Series:
    """Decimal text of numbers. A truth value is no number."""
    if values.dtype == pl.Boolean:
        return pl.Series(values.name, [None], dtype=pl.String).new_from_index(0, len(values))
    written = _written(values)
    return written.str.strip_chars() if values.dtype == pl.String else written


def convert(values: pl.Series, kind: Kind, zone: str) -> pl.Series:
    """A column, without blank text, of the field type `kind`."""
    match kind:
        case "text":
            return values if values.dtype == pl.String else text(values)
        case "json":
            return json_value(values)
        case "money":
            return amount(values, MONEY)
        case "seconds":
            return amount(values, SECONDS)
        case "count32":
            return count(values, pl.Int32())
        case "count64":
            return count(values, pl.Int64())
        case "code":
            return code(values, pl.Int32())
        case "truth":
            return truth(values)
        case "instant":
            return instant(values, zone)
        case "steps":
            return values


def joined_members(members: Sequence[pl.Series], height: int) -> pl.Series:
    """JSON members of each row joined with commas; a row without any is null."""
    given = [values for values in members if values.null_count() < height]
    if not given:
        return pl.Series([None], dtype=pl.String).new_from_index(0, height)
    if len(given) == 1:
        return given[0]
    columns = {str(index): values for index, values in enumerate(given)}
    joined = pl.DataFrame(columns).select(pl.concat_str(pl.all(), separator=",", ignore_nulls=True)).to_series()
    return joined.set(joined == "", None)
