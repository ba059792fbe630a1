"""Exact and score intervals against scipy."""

import numpy as np
import pytest
from scipy import stats

from pattern_pipeline.economics.intervals import beta, garwood, student_t, wilson


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390), (30, 20.241, 42.827)],
)
def test_rate_interval_equals_the_published_table(count: int, low: float, high: float) -> None:
    # Ulm (1990), Am J Epidemiol 131, table of exact 95 % Poisson limits.
    interval = garwood(count, 1)
    assert float(interval.low) == pytest.approx(low, abs=6e-4)
    assert float(interval.high) == pytest.approx(high, abs=6e-4)


def test_rate_interval_equals_chi_square_quantiles() -> None:
    counts, days = np.array([1, 7, 400, 78_167]), np.array([90, 14, 3, 365])
    low, high = garwood(counts, days, 0.9)
    assert low == pytest.approx(stats.chi2.ppf(0.05, 2 * counts) / 2 / days)
    assert high == pytest.approx(stats.chi2.ppf(0.95, 2 * counts + 2) / 2 / days)


def test_rate_without_exposure_is_unknown() -> None:
    assert np.isnan(np.stack(garwood([0, 5], [0, 0]))).all()


@pytest.mark.parametrize(("successes", "trials"), [(0, 1), (3, 3), (7, 20), (188, 206), (0, 400)])
def test_proportion_interval_equals_scipy(successes: int, trials: int) -> None:
    expected = stats.binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    low, high = wilson(successes, trials)
    assert (float(low), float(high)) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_three_of_three_is_far_from_certain() -> None:
    low, high = wilson(3, 3)
    assert round(float(low), 2) == 0.44
    assert float(high) == 1.0


def test_proportion_without_trials_is_unknown() -> None:
    assert np.isnan(np.stack(wilson([0], [0]))).all()


def test_mean_interval_equals_scipy() -> None:
    sample = np.array([0.2, 0.5, 0.1, 0.9, 0.4, 0.35])
    low, high = student_t(sample.mean(), sample.std(ddof=1), len(sample))
    expected = stats.t.interval(0.95, len(sample) - 1, sample.mean(), stats.sem(sample))
    assert (float(low), float(high)) == pytest.approx(expected)
    assert np.isnan(np.stack(student_t([1.0], [0.0], [1]))).all()


def test_beta_interval_equals_scipy() -> None:
    low, high = beta([8.0, 11], [2.0, 2], 0.8)
    expected = stats.beta.interval(0.8, [8, 11], [2, 2])
    assert low == pytest.approx(expected[0])
    assert high == pytest.approx(expected[1])
