"""Which models the history used, and whether the price book knows what they cost.

What tokens cost is in `pricing`; nothing is priced or changed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pattern_pipeline.history.pricing import PriceBook
from pattern_pipeline.warehouse.database import Warehouse


@dataclass(frozen=True)
class ModelTokens:
    """One model of the history.

    Attributes:
        model: Its name; None for runs that name none.
        runs: Runs that used it most.
        tokens: Of these runs.
        share: Of all tokens, 0 to 1.
        unpriced_tokens: Tokens of runs without any cost.
        cost_usd: Of the runs that have one, billed or priced; None without any.
        price: USD per million input and output tokens in the book as it is now; None: not in it.
    """

    model: str | None
    runs: int
    tokens: int
    share: float
    unpriced_tokens: int
    cost_usd: Decimal | None
    price: tuple[Decimal, Decimal] | None


@dataclass(frozen=True)
class PriceCheck:
    """The models by tokens, the most first, and the version of the book that they were looked up in."""

    version: str
    models: tuple[ModelTokens, ...]

    @property
    def unpriced_share(self) -> float:
        """Share of the tokens that have no cost, 0 to 1."""
        tokens = sum(each.tokens for each in self.models)
        return sum(each.unpriced_tokens for each in self.models) / tokens if tokens else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        models = [
            {
                "model": each.model,
                "runs": each.runs,
                "tokens": each.tokens,
                "share": round(each.share, 6),
                "unpriced_tokens": each.unpriced_tokens,
                "cost_usd": each.cost_usd,
                "input_usd_per_million": each.price and each.price[0],
                "output_usd_per_million": each.price and each.price[1],
            }
            for each in self.models
        ]
        return {"version": self.version, "unpriced_share": round(self.unpriced_share, 6), "models": models}


def check_prices(warehouse: Warehouse, prices: PriceBook) -> PriceCheck:
    """Looks up every model of the history."""
    with warehouse.transaction() as tx:
        rows = tx.rows("history/tokens_by_model")
    total = sum(row["tokens"] for row in rows)
    models = []
    for row in rows:
        price = prices.price(row["model"])
        models.append(
            ModelTokens(
                row["model"],
                row["runs"],
                row["tokens"],
                row["tokens"] / total if total else 0.0,
                row["unpriced_tokens"],
                row["cost_usd"],
                (price.input, price.output) if price else None,
            )
        )
    return PriceCheck(prices.version, tuple(models))
