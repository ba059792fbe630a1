"""Closed-form interval estimates, vectorised: Poisson rate, proportion, mean, Beta.

Belongs here: intervals that a formula gives at once. Resampling is in `pattern_pipeline.economics.bootstrap`. Inputs
broadcast against each other; where an interval does not exist, both ends are NaN.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

FloatArray = NDArray[np.float64]


class Interval(NamedTuple):
    """Two arrays of one shape: the lower and the upper end."""

    low: FloatArray
    high: FloatArray


def garwood(count: ArrayLike, exposure: ArrayLike, level: float = 0.95) -> Interval:
    """Exact central interval of a Poisson rate, per unit of exposure.

    Garwood (1936), "Fiducial limits for the Poisson distribution", Biometrika 28: with a = 1 - level,
    [chi2(a/2; 2n) / 2D, chi2(1 - a/2; 2n + 2) / 2D], the lower end 0 at n = 0. A chi-square quantile with 2k degrees
    of freedom is twice the quantile of Gamma(k). NaN where the exposure is not positive.
    """
    tail = (1 - level) / 2
    n, days = np.broadcast_arrays(np.asarray(count, dtype=np.float64), np.asarray(exposure, dtype=np.float64))
    days = np.where(days > 0, days, np.nan)
    low = np.where(n > 0, special.gammaincinv(np.maximum(n, 1), tail), 0.0)
    return Interval(low / days, special.gammainccinv(n + 1, tail) / days)


def wilson(successes: ArrayLike, trials: ArrayLike, level: float = 0.95) -> Interval:
    """Score interval of a proportion, without continuity correction; NaN without trials.

    Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22.
    """
    z = special.ndtri((1 + level) / 2)
    s, n = np.broadcast_arrays(np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64))
    n = np.where(n > 0, n, np.nan)
    share = s / n
    scale = 1 + z**2 / n
    centre = (share + z**2 / (2 * n)) / scale
    half = z / scale * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # At 0 and at n successes the ends are exactly 0 and 1; rounding must not leave the unit interval.
    return Interval(np.where(s == 0, 0.0 * n, centre - half), np.where(s == n, 1.0, centre + half))


def student_t(mean: ArrayLike, deviation: ArrayLike, n: ArrayLike, level: float = 0.95) -> Interval:
    """Interval of a mean from its sample mean and sample standard deviation (n - 1); NaN below two values.

    Student (1908), "The probable error of a mean", Biometrika 6.
    """
    m, s, size = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in (mean, deviation, n)))
    size = np.where(size >= 2, size, np.nan)
    half = special.stdtrit(size - 1, (1 + level) / 2) * s / np.sqrt(size)
    return Interval(m - half, m + half)


def beta(a: ArrayLike, b: ArrayLike, level: float = 0.95) -> Interval:
    """Equal-tailed interval of a Beta(a, b) distribution, such as a posterior of a proportion."""
    tail = (1 - level) / 2
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    low, high = (np.asarray(special.betaincinv(first, second, p), dtype=np.float64) for p in (tail, 1 - tail))
    return Interval(low, high)
