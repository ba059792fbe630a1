"""The forecast of a month against the textbook, and what it refuses to say."""

from datetime import date

import numpy as np
import pytest
from scipy import stats

from pattern_pipeline.economics.budget import forecast_month, long_run_variance

LAST = date(2026, 3, 21)


def test_a_constant_spend_is_forecast_exactly() -> None:
    forecast = forecast_month([2.0] * 60, LAST, date(2026, 3, 5))
    assert (forecast.spent, forecast.expected, forecast.low, forecast.high) == (42, 62, 62, 62)
    assert (forecast.days_left, forecast.month) == (10, date(2026, 3, 1))


def test_a_coming_month_is_all_forecast() -> None:
    forecast = forecast_month([2.0] * 60, LAST, date(2026, 4, 1))
    assert (forecast.spent, forecast.expected, forecast.days_left) == (0, 60, 30)


def test_a_month_that_is_over_is_refused() -> None:
    with pytest.raises(ValueError, match="February 2026 is over"):
        forecast_month([2.0] * 60, LAST, date(2026, 2, 1))
    with pytest.raises(ValueError, match="at least one day"):
        forecast_month([], LAST, LAST)


def test_short_history_gives_no_interval() -> None:
    forecast = forecast_month([1.0, 3.0], LAST, LAST)
    assert (forecast.low, forecast.high) == (None, None)
    assert forecast.expected == pytest.approx(4 + 10 * 2)


def test_the_forecast_never_falls_below_what_is_spent() -> None:
    spend = [0.0] * 30 + [100.0]
    forecast = forecast_month(spend, LAST, LAST)
    assert forecast.low == forecast.spent == 100


def test_independent_days_give_the_textbook_prediction_interval() -> None:
    spend = np.tile([1.0, 3.0], 30)
    half = stats.t.ppf(0.9, 59) * np.sqrt(spend.var(ddof=1) * (10 + 100 / 60))
    forecast = forecast_month(spend.tolist(), LAST, LAST)
    assert forecast.high == pytest.approx(forecast.expected + half)


def test_spend_that_comes_in_waves_widens_the_interval() -> None:
    waves = np.repeat([1.0, 3.0, 2.0, 5.0, 0.5, 4.0], 7)
    shuffled = np.random.default_rng(0).permutation(waves)
    assert long_run_variance(waves) > 2 * long_run_variance(shuffled)


def test_eight_of_ten_intervals_hold_what_is_to_come() -> None:
    rng, held = np.random.default_rng(5), 0
    for _ in range(500):
        days = rng.gamma(2, 3, 70)
        forecast = forecast_month(days[:60].tolist(), LAST, LAST)
        assert forecast.low is not None
        assert forecast.high is not None
        held += forecast.low <= forecast.spent + days[60:].sum() <= forecast.high
    # Wider than nominal on purpose: estimated autocovariances are never allowed to narrow it.
    assert 0.78 <= held / 500 <= 0.93
