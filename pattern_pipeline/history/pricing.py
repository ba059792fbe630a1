"""The price book: what tokens cost by model and day, for calls that carry no cost of their own.

The book is data (`prices.toml` beside this module, and a file of the user's that goes before it); reading it, choosing
the entry of a model and multiplying belong here. Who asks for a price, and what an unpriced call means, do not.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from pattern_pipeline.errors import InvalidInput

UNCHARGED: Final = "<synthetic>"
"""The model that clients give to messages which they made up themselves: no call was made."""

_MILLION: Final = Decimal(1_000_000)
_PLACES: Final = Decimal("1e-12")

Rate = Annotated[Decimal, Field(ge=0, lt=1_000_000, allow_inf_nan=False)]
Wildcard = Annotated[str, AfterValidator(str.lower), Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call or more, in disjoint buckets."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0

    @property
    def cache_write(self) -> int:
        """Tokens written to the cache, for however long."""
        return self.cache_write_5m + self.cache_write_1h

    @property
    def total(self) -> int:
        """All tokens."""
        return self.input + self.output + self.cache_read + self.cache_write

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write_5m + other.cache_write_5m,
            self.cache_write_1h + other.cache_write_1h,
        )


class Price(BaseModel):
    """What the models that match a wildcard cost, in USD per million tokens, from a day on.

    Attributes:
        models: Wildcards (`*`, `?`) over the lower-case model name.
        valid_from: First day, UTC; None: always.
        input: Tokens that are in no cache.
        output: Generated tokens, thinking included.
        cache_read: None: the price of input.
        cache_write_5m: Written for five minutes; None: the price of input.
        cache_write_1h: Written for an hour; None: the price of five minutes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: tuple[Wildcard, ...] = Field(min_length=1)
    valid_from: date | None = None
    input: Rate
    output: Rate
    cache_read: Rate | None = None
    cache_write_5m: Rate | None = None
    cache_write_1h: Rate | None = None

    def cost(self, usage: Usage) -> Decimal:
        """USD, exact to twelve places."""
        cache_read = self.input if self.cache_read is None else self.cache_read
        write_5m = self.input if self.cache_write_5m is None else self.cache_write_5m
        write_1h = write_5m if self.cache_write_1h is None else self.cache_write_1h
        parts = (
            usage.input * self.input,
            usage.output * self.output,
            usage.cache_read * cache_read,
            usage.cache_write_5m * write_5m,
            usage.cache_write_1h * write_1h,
        )
        return (sum(parts, Decimal(0)) / _MILLION).quantize(_PLACES)

    def specificity(self, model: str) -> int | None:
        """Literal characters of the closest wildcard that matches the lower-case name; None: none does."""
        fitting = (len(each) - each.count("*") - each.count("?") for each in self.models if fnmatchcase(model, each))
        return max(fitting, default=None)


class PriceBook(BaseModel):
    """Prices; `overrides` are the user's and go before `prices`, which are the shipped ones."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    prices: tuple[Price, ...] = ()
    overrides: tuple[Price, ...] = ()

    def price(self, model: str | None, day: date | None = None) -> Price | None:
        """The price of a model on a day (None: the latest); None when the book does not know the model."""
        if not model:
            return None
        key = model.lower(), day
        if key not in self._found:
            self._found[key] = self._closest(*key)
        return self._found[key]

    def cost(self, model: str | None, usage: Usage, day: date | None = None) -> Decimal | None:
        """USD of some tokens; None when the model has no price. What no model was asked for costs nothing."""
        if model == UNCHARGED or (not usage.total and model):
            return Decimal(0)
        price = self.price(model, day)
        return None if price is None else price.cost(usage)

    @cached_property
    def digest(self) -> str:
        """12 hex digits that change with any price."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    @cached_property
    def _found(self) -> dict[tuple[str, date | None], Price | None]:
        return {}

    @cached_property
    def _fitting(self) -> dict[str, list[Price]]:
        return {}

    def _closest(self, model: str, day: date | None) -> Price | None:
        """The first entry in force of those that fit the model."""
        if model not in self._fitting:
            self._fitting[model] = [*_by_closeness(self.overrides, model), *_by_closeness(self.prices, model)]
        in_force = (each for each in self._fitting[model] if day is None or (each.valid_from or date.min) <= day)
        return next(in_force, None)

    def with_overrides(self, own: PriceBook) -> Self:
        """This book with the user's prices in front of it."""
        version = f"{self.version}+{own.version}"
        return type(self)(version=version, prices=self.prices, overrides=(*own.overrides, *own.prices))


@cache
def shipped_prices() -> PriceBook:
    """The price book of the package."""
    text = files("pattern_pipeline.history").joinpath("prices.toml").read_text(encoding="utf-8")
    return PriceBook.model_validate(tomllib.loads(text))


def load_prices(own: Path | None = None) -> PriceBook:
    """The shipped price book, with the user's file in front of it.

    Raises:
        InvalidInput: The file cannot be read, is no TOML, or has a wrong key or value; the message names all three.
    """
    if own is None:
        return shipped_prices()
    try:
        content = tomllib.loads(own.expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"Price book {own} cannot be read: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"Price book {own} is no valid TOML: {error}.") from error
    try:
        return shipped_prices().with_overrides(PriceBook.model_validate({"version": "own", **content}))
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, detail['loc']))}: {detail['msg'].removeprefix('Value error, ')}"
            for detail in error.errors()
        )
        raise InvalidInput(
            f"Price book {own}: {faults}. Allowed: version, and [[prices]] with {', '.join(Price.model_fields)}."
        ) from error


def _by_closeness(prices: Sequence[Price], model: str) -> list[Price]:
    """The entries that fit the model, the most specific first; of equals the one that came into force last."""
    fitting = [(closeness, each) for each in reversed(prices) if (closeness := each.specificity(model)) is not None]
    fitting.sort(key=lambda found: (found[0], found[1].valid_from or date.min), reverse=True)
    return [price for _, price in fitting]
