"""The price book for whole columns: what records cost that carry tokens and a model but no bill.

The book and its rules are in `pricing`; which records ask for a price is decided by `normalise`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import polars as pl

from pattern_pipeline.history.model import MONEY
from pattern_pipeline.history.pricing import UNCHARGED, Price, PriceBook

BUCKETS: Final = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
"""Disjoint; what is written to a cache counts as kept for five minutes, since nothing says for how long."""

_FREE: Final = Price(models=(UNCHARGED,), input=Decimal(0), output=Decimal(0))
_MILLION: Final = Decimal(1_000_000)
_RATE: Final = pl.Decimal(38, 12)
_KEY: Final = ("model_used", "day")


def list_price(frame: pl.DataFrame, book: PriceBook) -> pl.Series:
    """USD of each row, as `MONEY`; NULL where the model has no price, or input or output tokens are unknown.

    Args:
        frame: `model_used`, `moment` (for the price of the day; NULL: the latest) and `BUCKETS`, of which a missing
            column of the cache holds nothing.
        book: Rates per million, exact to six places.
    """
    cached = [pl.lit(0, pl.Int64).alias(name) for name in BUCKETS[2:] if name not in frame.columns]
    calls = frame.with_columns(pl.col("moment").dt.date().alias("day"), *cached).select(*_KEY, *BUCKETS)
    known = [
        (model, day, *_rates(price))
        for model, day in calls.select(_KEY).unique().iter_rows()
        if (price := _FREE if model == UNCHARGED else book.price(model, day)) is not None
    ]
    rate_names = [f"usd_per_{name}" for name in BUCKETS]
    schema = pl.Schema({"model_used": pl.String(), "day": pl.Date(), **dict.fromkeys(rate_names, _RATE)})
    rates = pl.DataFrame(known, schema=schema, orient="row")
    parts = [pl.col(name).fill_null(0) * pl.col(rate) for name, rate in zip(BUCKETS, rate_names, strict=True)]
    has_price = pl.col(rate_names[0]).is_not_null()
    has_tokens = pl.all_horizontal(pl.col(BUCKETS[:2]).is_not_null()) & (pl.sum_horizontal(BUCKETS) > 0)
    is_sound = pl.all_horizontal(pl.col(BUCKETS).fill_null(0) >= 0)
    cost = pl.when(has_price & has_tokens & is_sound).then(pl.sum_horizontal(parts))
    joined = calls.join(rates, on=_KEY, how="left", nulls_equal=True, maintain_order="left")
    return joined.select(cost.cast(MONEY, strict=False).alias("cost")).to_series()


def _rates(price: Price) -> list[Decimal]:
    """USD per token of each bucket."""
    cache_read = price.input if price.cache_read is None else price.cache_read
    cache_write = price.input if price.cache_write_5m is None else price.cache_write_5m
    return [rate / _MILLION for rate in (price.input, price.output, cache_read, cache_write)]
