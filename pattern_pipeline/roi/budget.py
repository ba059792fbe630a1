"""The budget: what the month of the latest event has cost so far, what it will have cost, and who the spender is.

The forecast is `economics.budget`; here are the rows that it is made of. The clock plays no part.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Final

import polars as pl
from pydantic import BaseModel

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.economics.budget import forecast_month
from pattern_pipeline.warehouse.database import Transaction, Warehouse

LEVEL: Final = 0.80
_SPEND: Final = pl.Schema(
    {"day": pl.Date(), "model": pl.String(), "runs": pl.Int64(), "priced_runs": pl.Int64(), "usd": pl.Float64()}
)


class ModelShare(BaseModel):
    """What a model took of the month; `usd` is None when none of its runs has a known price, never 0."""

    model: str | None
    runs: int
    priced_runs: int
    usd: float | None
    share: float | None


class PatternShare(BaseModel):
    """What a pattern took of the month, each call counted once over all patterns."""

    pattern_signature: str
    usd: float
    share: float | None


class Budget(BaseModel):
    """Spend in USD; shares are of what is spent so far, None when that is nothing.

    Attributes:
        month: Its first day.
        last_day: Day of the latest event: what is known reaches to it.
        low: Of the 80 % prediction interval, with `high`; None with too short a history.
        days_of_history: Days that the forecast rests on.
        uncovered_days: Those of them that no source covers; they count as days without spend.
        priced_runs: Runs of the month whose cost is known; what the others cost is in no figure.
        unattributed_usd: Part of the month that belongs to no pattern.
    """

    month: date
    last_day: date
    spent: float
    expected: float
    low: float | None
    high: float | None
    days_left: int
    days_of_history: int
    uncovered_days: int
    runs: int
    priced_runs: int
    models: tuple[ModelShare, ...]
    patterns: tuple[PatternShare, ...]
    unattributed_usd: float


def budget(warehouse: Warehouse, policy: Policy) -> Budget | None:
    """The budget of the month of the latest event; None without history."""
    with warehouse.transaction() as tx:
        days = tx.rows("patterns/history_days", window_days=policy.roi.window_days)
        if not days:
            return None
        latest = tx.scalar("patterns/latest_event")
        spend = pl.DataFrame(
            [dict(row) for row in tx.rows("roi/daily_spend", start=_midnight(days[0]["day"]), latest=latest)],
            schema=_SPEND,
        )
        month = days[-1]["day"].replace(day=1)
        patterns = _patterns(tx, month, latest)
    daily = pl.DataFrame({"day": [row["day"] for row in days]}, schema={"day": pl.Date}).join(
        spend.group_by("day").agg(pl.col("usd").sum()), on="day", how="left", maintain_order="left"
    )
    forecast = forecast_month(daily["usd"].fill_null(0).to_list(), days[-1]["day"], month, LEVEL)
    this_month = spend.filter(pl.col("day") >= month)
    return Budget(
        month=forecast.month,
        last_day=days[-1]["day"],
        spent=forecast.spent,
        expected=forecast.expected,
        low=forecast.low,
        high=forecast.high,
        days_left=forecast.days_left,
        days_of_history=forecast.days_of_history,
        uncovered_days=sum(not row["covered"] for row in days),
        runs=this_month["runs"].sum(),
        priced_runs=this_month["priced_runs"].sum(),
        models=_models(this_month, forecast.spent),
        patterns=tuple(
            PatternShare(pattern_signature=name, usd=usd, share=usd / forecast.spent if forecast.spent else None)
            for name, usd in patterns
        ),
        unattributed_usd=max(forecast.spent - sum(usd for _, usd in patterns), 0.0),
    )


def _patterns(tx: Transaction, month: date, latest: datetime) -> list[tuple[str, float]]:
    rows = tx.rows("roi/spend_by_pattern", start=_midnight(month), latest=latest)
    return [(row["pattern_signature"], row["usd"]) for row in rows]


def _models(spend: pl.DataFrame, total: float) -> tuple[ModelShare, ...]:
    by_model = (
        spend.group_by("model")
        .agg(
            pl.col("runs", "priced_runs").sum(),
            pl.when(pl.col("usd").count() > 0).then(pl.col("usd").sum()).alias("usd"),
        )
        .with_columns(share=pl.col("usd") / total if total else pl.lit(None, pl.Float64))
        .sort("usd", "model", descending=[True, False], nulls_last=True)
    )
    return tuple(ModelShare.model_validate(row) for row in by_model.to_dicts())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
