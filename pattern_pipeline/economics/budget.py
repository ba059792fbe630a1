"""What a month will cost: spend so far plus a forecast of the days that remain.

Belongs here: one simple, checkable forecast. It knows no trend and no holidays, and says so by its width only; the page
names the days it rests on.
"""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy import special

from pattern_pipeline.economics.intervals import FloatArray

LEAST_DAYS = 14
LAGS = 7
"""Days that one day's spend may still be felt in: a week, so that working weeks do not look like independent days."""


@dataclass(frozen=True)
class BudgetForecast:
    """Spend of a month in US dollars; ``low`` and ``high`` are None with too short a history.

    Attributes:
        month: its first day.
        spent: what is already known of it.
        expected: known plus forecast.
        low: lower end of the prediction interval, never below what is spent.
        high: upper end.
        days_left: days of the month after the last day of history.
        days_of_history: days that the forecast rests on.
    """

    month: date
    spent: float
    expected: float
    low: float | None
    high: float | None
    days_left: int
    days_of_history: int


def forecast_month(daily_spend: Sequence[float], last_day: date, month: date, level: float = 0.80) -> BudgetForecast:
    """Forecast a month's spend from consecutive days of history.

    The remaining k days cost k times the daily mean m. A prediction interval of their sum has to cover both their own
    variation and the uncertainty of m: m k +- t_{n-1} sqrt(V (k + k^2 / n)), V being the long-run variance of a day's
    spend (Newey and West 1987, Econometrica 55, Bartlett weights over 7 lags, at least the plain variance).

    Args:
        daily_spend: spend of each covered day, days without spend as 0, oldest first.
        last_day: the day of the last value.
        month: any day of the month to forecast; not before the month of ``last_day``.
        level: of the interval; 0.80 gives P10 and P90.

    Raises:
        ValueError: there is no history, or the month is over.
    """
    spend = np.asarray(daily_spend, dtype=np.float64)
    length = calendar.monthrange(month.year, month.month)[1]
    first, end = month.replace(day=1), month.replace(day=length)
    if not len(spend):
        raise ValueError("a forecast needs at least one day of history")
    if end < last_day.replace(day=1):
        raise ValueError(f"{first:%B %Y} is over: the history reaches to {last_day}")
    in_month = max((last_day - first).days + 1, 0)
    left = length - in_month
    spent = float(spend[len(spend) - min(in_month, len(spend)) :].sum())
    expected = spent + left * float(spend.mean())
    if len(spend) < LEAST_DAYS:
        return BudgetForecast(first, spent, expected, None, None, left, len(spend))
    n = len(spend)
    spread = np.sqrt(long_run_variance(spend) * (left + left**2 / n))
    half = float(special.stdtrit(n - 1, (1 + level) / 2) * spread)
    return BudgetForecast(first, spent, expected, max(spent, expected - half), expected + half, left, n)


def long_run_variance(values: FloatArray) -> float:
    """Variance of a day in a long sum of correlated days, Bartlett-weighted; at least the sample variance."""
    centred = values - values.mean()
    n = len(values)
    autocovariance = [float(centred[lag:] @ centred[: n - lag]) / (n - 1) for lag in range(LAGS + 1)]
    weighted = sum(2 * (1 - lag / (LAGS + 1)) * autocovariance[lag] for lag in range(1, LAGS + 1))
    return max(autocovariance[0] + weighted, autocovariance[0])
