"""The mean cost of an occurrence and its uncertainty, from samples of equal size.

Belongs here: moments, the bias-corrected and accelerated (BCa) bootstrap of the mean, Student's t below the bootstrap's
reach. Does not belong here: which rows are in a sample.

Every function takes a matrix with a row per pattern. Results are bit-identical whatever the other rows are, their
order, the BLAS and the number of threads: samples are put on a binary grid on which no sum of n of them ever rounds.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pattern_pipeline.economics.intervals import FloatArray, Interval, student_t

MANTISSA_BITS = 52


@dataclass(frozen=True)
class MeanEvidence:
    """What samples say about their means; one entry per row.

    Attributes:
        mean: sample means.
        deviation: sample standard deviations (n - 1 in the denominator), NaN for one value.
        skewness: moment coefficients of skewness, 0 for samples without variance.
    """

    mean: FloatArray
    deviation: FloatArray
    skewness: FloatArray


def on_exact_grid(sample: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Samples (rows x n, non-negative) as whole multiples of a quantum per row, and the quanta (rows x 1).

    The quantum is a power of two: the largest value takes at most 52 - ceil(log2 n) bits, so that every sum of n
    values, with repetition, is an integer below 2^53 and exact in any order. For n = 1000 a value moves by at most
    2^-42 of the largest one.
    """
    bits = MANTISSA_BITS - max(int(np.ceil(np.log2(sample.shape[1]))), 0)
    _, exponent = np.frexp(sample.max(axis=1, keepdims=True))
    quantum = np.ldexp(1.0, exponent - bits)
    return np.rint(sample / quantum), quantum


def mean_evidence(sample: FloatArray) -> MeanEvidence:
    """Moments of each row (rows x n, n >= 1)."""
    n = sample.shape[1]
    units, quantum = on_exact_grid(sample)
    mean = units.sum(axis=1) / n * quantum[:, 0]
    constant = units.max(axis=1) == units.min(axis=1)
    centred = np.where(constant[:, None], 0.0, sample - mean[:, None])
    squared = centred * centred
    second, third = squared.sum(axis=1), (squared * centred).sum(axis=1)
    deviation = np.sqrt(second / (n - 1)) if n > 1 else np.full_like(mean, np.nan)
    spread = np.where(constant, 1.0, second / n)
    return MeanEvidence(mean, deviation, np.where(constant, 0.0, third / n / (spread * np.sqrt(spread))))


def bootstrap_means(sample: FloatArray, resamples: int) -> FloatArray:
    """Means of bootstrap resamples (rows x resamples), all rows by one matrix product.

    Resampling n of n values with replacement weighs them multinomially; rows of equal n share the weights.
    """
    units, quantum = on_exact_grid(sample)
    n = sample.shape[1]
    means: FloatArray = (units @ resampling_weights(n, resamples).T) / n * quantum
    return means


@lru_cache(maxsize=1)
def resampling_weights(n: int, resamples: int) -> FloatArray:
    """How often each of n values is in each resample (resamples x n); a function of its arguments alone.

    Only raw bits of the generator are used, whose stream is guaranteed across releases of numpy (NEP 19); a 32-bit word
    times n, shifted by 32, is uniform on 0..n-1 up to n * 2^-32 (Lemire 2019, ACM TOMACS 29).
    """
    words = np.random.SFC64(n).random_raw((resamples * n + 1) // 2).view(np.uint32)[: resamples * n]
    cells = words.reshape(resamples, n).astype(np.int64)
    cells *= n
    cells >>= 32
    cells += np.arange(resamples)[:, None] * n
    counts = np.bincount(cells.ravel(), minlength=resamples * n)
    return counts.reshape(resamples, n).astype(np.float64)


def bca_interval(evidence: MeanEvidence, means: FloatArray, n: int, level: float = 0.95) -> Interval:
    """BCa interval of the mean for each row of bootstrap means (rows x resamples).

    Efron (1987), "Better bootstrap confidence intervals", JASA 82: the bias correction z0 is the normal quantile of the
    share of bootstrap means below the mean (ties count half); the acceleration comes from the jackknife, which for a
    mean has the closed form skewness / (6 sqrt n). Percentiles interpolate linearly, as in numpy and scipy.
    """
    resamples = means.shape[1]
    theta = evidence.mean[:, None]
    below = ((means < theta).sum(axis=1) + (means <= theta).sum(axis=1)) / 2
    # With every resample on one side the correction would be infinite: half a resample is the finest that is known.
    bias = special.ndtri(np.clip(below, 0.5, resamples - 0.5) / resamples)
    acceleration = evidence.skewness / (6 * np.sqrt(n))
    z = special.ndtri((1 + level) / 2)
    ordered = np.sort(means, axis=1)

    def end(quantile: float) -> FloatArray:
        shifted = bias + quantile
        return row_quantile(ordered, special.ndtr(bias + shifted / (1 - acceleration * shifted)))

    return Interval(end(-z), end(z))


def expanded_level(level: float, n: int) -> float:
    """The nominal level at which a bootstrap interval of n values covers like one of `level`.

    Bootstrap distributions are narrow by sqrt((n - 1) / n) and have normal tails where Student's are wanted; Hesterberg
    (2015), "What Teachers Should Know About the Bootstrap", The American Statistician 69, expands the percentiles for
    both.
    """
    wanted = np.sqrt(n / (n - 1)) * special.stdtrit(n - 1, (1 + level) / 2)
    return float(2 * special.ndtr(wanted) - 1)


def mean_interval(evidence: MeanEvidence, means: FloatArray | None, n: int, level: float = 0.95) -> Interval:
    """Interval of the mean: expanded BCa when bootstrap means are given, else Student's t cut off at zero.

    Costs cannot be negative, so neither can their mean. A sample without variance gives [mean, mean].
    """
    if means is None:
        low, high = student_t(evidence.mean, evidence.deviation, n, level)
        return Interval(np.maximum(low, 0.0), high)
    low, high = bca_interval(evidence, means, n, expanded_level(level, n))
    constant = evidence.deviation == 0
    return Interval(np.where(constant, evidence.mean, low), np.where(constant, evidence.mean, high))


def row_quantile(ordered: FloatArray, share: FloatArray) -> FloatArray:
    """Quantile of each sorted row (rows x k) at its own share, linear between order statistics."""
    position = np.clip(share, 0, 1) * (ordered.shape[1] - 1)
    lower = np.floor(position).astype(np.int64)
    rows: NDArray[np.int64] = np.arange(len(ordered))
    left, right = ordered[rows, lower], ordered[rows, np.minimum(lower + 1, ordered.shape[1] - 1)]
    quantile: FloatArray = left + (right - left) * (position - lower)
    return quantile
