"""Our vectorised quantiles against scipy."""

import numpy as np
import pytest
from scipy import stats

from pattern_pipeline.economics import quantiles

LEVELS = (np.arange(2000) + 0.5) / 2000


def test_gamma_quantiles_equal_scipy_at_small_and_large_shapes() -> None:
    shapes = np.array([0.5, 1.5, 5.5, 100.5, 78_167.5])
    exact = stats.gamma.ppf(LEVELS, shapes[:, None])
    assert quantiles.gamma(shapes, LEVELS) / shapes[:, None] == pytest.approx(exact / shapes[:, None], abs=2e-7)


def test_beta_quantiles_equal_scipy_and_stay_shares() -> None:
    a, b = np.array([8.0, 10, 208, 8]), np.array([2.0, 2, 2, 60])
    result = quantiles.beta(a, b, LEVELS)
    assert result == pytest.approx(stats.beta.ppf(LEVELS, a[:, None], b[:, None]), abs=2e-8)
    assert result.min() >= 0
    assert result.max() <= 1


@pytest.mark.parametrize("degrees", [4, 10, 18])
def test_student_quantiles_equal_scipy(degrees: int) -> None:
    assert quantiles.student_t(degrees, LEVELS[None, :])[0] == pytest.approx(stats.t.ppf(LEVELS, degrees), rel=1e-6)


def test_a_row_does_not_depend_on_the_others() -> None:
    shapes = np.linspace(0.5, 900, 37)
    together = quantiles.gamma(shapes, LEVELS)
    assert all(np.array_equal(quantiles.gamma(shapes[[k]], LEVELS)[0], together[k]) for k in (0, 17, 36))
