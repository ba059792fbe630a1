"""Bootstrap intervals against scipy, and the same bytes for a pattern whatever else is computed beside it."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from pattern_pipeline.economics.bootstrap import (
    bca_interval,
    bootstrap_means,
    expanded_level,
    mean_evidence,
    mean_interval,
    on_exact_grid,
    resampling_weights,
    row_quantile,
)

RNG = np.random.default_rng(11)
SAMPLES = {
    "normal": RNG.normal(10, 2, (7, 40)),
    "gamma": RNG.gamma(4, 0.01, (7, 25)),
    "lognormal": RNG.lognormal(-3, 1, (7, 300)),
    "ties": RNG.integers(1, 4, (7, 20)).astype(float),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_bca_equals_scipy_on_the_same_resamples(name: str) -> None:
    sample = SAMPLES[name]
    means = bootstrap_means(sample, 2000)
    low, high = bca_interval(mean_evidence(sample), means, sample.shape[1])
    for k, row in enumerate(sample):
        # scipy asks only for this attribute of an earlier result; its stubs ask for scipy's own class.
        given: Any = SimpleNamespace(bootstrap_distribution=means[k])
        result = stats.bootstrap((row,), np.mean, n_resamples=0, bootstrap_result=given, method="BCa")
        expected = result.confidence_interval
        assert (low[k], high[k]) == pytest.approx((expected.low, expected.high), rel=1e-9)


def test_bca_is_close_to_scipy_with_its_own_resamples() -> None:
    sample = SAMPLES["lognormal"]
    low, high = bca_interval(mean_evidence(sample), bootstrap_means(sample, 10_000), sample.shape[1])
    expected = stats.bootstrap((sample,), np.mean, axis=1, n_resamples=10_000, rng=np.random.default_rng(1))
    error = expected.standard_error
    assert np.abs(low - expected.confidence_interval.low).max() < 0.12 * error.max()
    assert np.abs(high - expected.confidence_interval.high).max() < 0.2 * error.max()


def test_moments_equal_numpy_and_scipy() -> None:
    sample = SAMPLES["gamma"]
    evidence = mean_evidence(sample)
    assert evidence.mean == pytest.approx(sample.mean(axis=1), rel=1e-12)
    assert evidence.deviation == pytest.approx(sample.std(axis=1, ddof=1), rel=1e-10)
    assert evidence.skewness == pytest.approx(stats.skew(sample, axis=1), rel=1e-9)


def test_every_resample_has_n_values_and_every_value_the_same_chance() -> None:
    weights = resampling_weights(50, 4000)
    assert (weights.sum(axis=1) == 50).all()
    # Each value's total is Binomial(4000 * 50, 1/50): six standard deviations.
    assert np.abs(weights.sum(axis=0) - 4000).max() < 6 * np.sqrt(4000 * 49 / 50)
    assert weights.var() == pytest.approx(49 / 50, rel=0.02)


def test_sums_on_the_grid_are_exact_in_any_order() -> None:
    sample = RNG.lognormal(-3, 2, (3, 1000))
    units, quantum = on_exact_grid(sample)
    assert (units == np.rint(units)).all()
    assert units.max() * 1000 <= 2**53
    assert (units.sum(axis=1) == units[:, ::-1].cumsum(axis=1)[:, -1]).all()
    assert units * quantum == pytest.approx(sample, rel=0, abs=sample.max() * 2**-41)


def test_a_pattern_gets_the_same_bytes_alone_and_in_company() -> None:
    sample = RNG.lognormal(-3, 1, (130, 333))
    together = bootstrap_means(sample, 500)
    reversed_order = bootstrap_means(np.ascontiguousarray(sample[::-1]), 500)[::-1]
    assert together.tobytes() == np.ascontiguousarray(reversed_order).tobytes()
    assert all(np.array_equal(bootstrap_means(sample[[k]], 500)[0], together[k]) for k in (0, 63, 129))


@pytest.mark.parametrize("n", [5, 20])
def test_without_variance_the_interval_is_the_mean(n: int) -> None:
    sample = np.full((2, n), 0.1)
    means = bootstrap_means(sample, 200) if n >= 20 else None
    low, high = mean_interval(mean_evidence(sample), means, n)
    assert low == pytest.approx(0.1, rel=1e-12)
    assert np.array_equal(low, high)


def test_a_mean_cost_is_never_negative() -> None:
    sample = np.array([[0.0, 0, 0, 0, 9.0]])
    assert mean_interval(mean_evidence(sample), None, 5).low == 0


def test_row_quantile_equals_numpy() -> None:
    ordered = np.sort(RNG.normal(size=(4, 31)), axis=1)
    share = np.array([0.0, 0.137, 0.9, 1.0])
    expected = [np.quantile(row, q) for row, q in zip(ordered, share, strict=True)]
    assert row_quantile(ordered, share) == pytest.approx(expected)


@pytest.mark.parametrize(("n", "expected"), [(20, 0.9682), (100, 0.9539), (1000, 0.9504)])
def test_small_samples_are_asked_for_more_than_the_nominal_level(n: int, expected: float) -> None:
    wanted = np.sqrt(n / (n - 1)) * stats.t.ppf(0.975, n - 1)
    assert expanded_level(0.95, n) == pytest.approx(2 * stats.norm.cdf(wanted) - 1, rel=1e-12)
    assert expanded_level(0.95, n) == pytest.approx(expected, abs=2e-4)


def test_the_interval_of_a_mean_is_bca_at_the_expanded_level() -> None:
    sample = SAMPLES["gamma"]
    evidence, means, n = mean_evidence(sample), bootstrap_means(sample, 2000), sample.shape[1]
    expected = bca_interval(evidence, means, n, expanded_level(0.95, n))
    found = mean_interval(evidence, means, n)
    assert (found.low == expected.low).all()
    assert (found.high == expected.high).all()
