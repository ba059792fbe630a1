"""Uncertain inputs as draws: rate, reliability, mean cost and build cost of every pattern, many times over.

Belongs here: which distribution each input has and how it is sampled. Does not belong here: what is made of the draws.

Sampling is a Latin hypercube (McKay, Beckman and Conover 1979, Technometrics 21): each input takes every quantile
(k + 1/2) / draws exactly once, paired at random with those of the other inputs. The pairing is rotated for each pattern
by the bits of its input hash. So quantiles are looked up in one table per distribution, draws are a function of the
pattern's own inputs alone, and percentiles are less noisy than those of independent draws.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pattern_pipeline.economics import quantiles
from pattern_pipeline.economics.assumptions import RoiPolicy
from pattern_pipeline.economics.bootstrap import MeanEvidence, bootstrap_means, mean_evidence
from pattern_pipeline.economics.cashflow import Terms
from pattern_pipeline.economics.evidence import Evidence
from pattern_pipeline.economics.intervals import FloatArray

PATTERNS_AT_ONCE = 512
"""Bounds the memory: a matrix of 512 patterns and 2,000 draws takes 8 MB, about a dozen are alive."""

RATE, RELIABILITY, COST, BUILD = range(4)


@dataclass(frozen=True)
class SimulatedBlock:
    """Patterns with equally many sampled costs.

    Attributes:
        rows: their positions in the evidence.
        sample_size: how many costs each of them has.
        costs: moments of the cost samples.
        bootstrap: bootstrap means (rows x draws), None where Student's t takes their place.
        terms: draws of the cash-flow model's inputs (rows x draws).
    """

    rows: NDArray[np.int64]
    sample_size: int
    costs: MeanEvidence
    bootstrap: FloatArray | None
    terms: Terms


def simulate(evidence: Evidence, policy: RoiPolicy) -> Iterator[SimulatedBlock]:
    """Draws of every pattern that has enough priced occurrences and any exposure, in blocks of bounded size."""
    usable = (evidence.sizes >= policy.min_priced) & (evidence.column("exposure_days") > 0)
    for size in np.unique(evidence.sizes[usable]):
        rows = np.flatnonzero(usable & (evidence.sizes == size))
        for start in range(0, len(rows), PATTERNS_AT_ONCE):
            yield _block(evidence, rows[start : start + PATTERNS_AT_ONCE], int(size), policy)


def _block(evidence: Evidence, rows: NDArray[np.int64], size: int, policy: RoiPolicy) -> SimulatedBlock:
    def column(name: str) -> FloatArray:
        return evidence.column(name)[rows]

    draws = policy.draws
    levels = (np.arange(draws) + 0.5) / draws
    ranks = [
        (order + evidence.seeds[rows, dimension, None]) % draws
        for dimension, order in enumerate(_hypercube_orders(draws))
    ]
    sample = evidence.sample_block(rows)
    costs = mean_evidence(sample)
    bootstrap = bootstrap_means(sample, draws) if size >= policy.bootstrap_from else None
    means = _truncated_t(costs, size, levels) if bootstrap is None else bootstrap
    cost = np.take_along_axis(means, ranks[COST], axis=1)

    months = policy.month_days / column("exposure_days")[:, None]
    counts, nth_count = np.unique(column("occurrences"), return_inverse=True)
    rates = quantiles.gamma(counts + 0.5, levels)

    a, b = column("beta_a"), column("beta_b")
    _, first, nth_posterior = np.unique(a + 1j * b, return_index=True, return_inverse=True)
    reliabilities = quantiles.beta(a[first], b[first], levels)

    terms = Terms(
        rate=rates[nth_count[:, None], ranks[RATE]] * months,
        cost=cost,
        tool=column("tool_fixed")[:, None] + column("tool_ratio")[:, None] * cost,
        reliability=reliabilities[nth_posterior[:, None], ranks[RELIABILITY]],
        coverage=np.asarray(policy.coverage),
        build=column("build_cost")[:, None] * build_cost_factors(levels, policy)[ranks[BUILD]],
    )
    return SimulatedBlock(rows, size, costs, bootstrap, terms)


def build_cost_factors(levels: FloatArray, policy: RoiPolicy) -> FloatArray:
    """Quantiles of the build cost as multiples of its most likely value, PERT(low, 1, high).

    Malcolm et al. (1959), Operations Research 7: a Beta on [low, high] with a = 1 + 4 (mode - low) / (high - low) and
    b = 1 + 4 (high - mode) / (high - low), whose mean is (low + 4 mode + high) / 6.
    """
    low, high = policy.build_cost_low_factor, policy.build_cost_high_factor
    if low == high:
        return np.ones_like(levels)
    a, b = 1 + 4 * (1 - low) / (high - low), 1 + 4 * (high - 1) / (high - low)
    factors: FloatArray = low + (high - low) * quantiles.beta(np.array([a]), np.array([b]), levels)[0]
    return factors


def _truncated_t(costs: MeanEvidence, n: int, levels: FloatArray) -> FloatArray:
    """Quantiles of each mean cost (rows x levels): Student's t around the sample mean, truncated at zero."""
    mean, error = costs.mean[:, None], costs.deviation[:, None] / np.sqrt(n)
    varies = error > 0
    at_zero = special.stdtr(n - 1, np.divide(-mean, error, out=np.full_like(mean, -np.inf), where=varies))
    quantile = quantiles.student_t(n - 1, at_zero + (1 - at_zero) * levels)
    return np.where(varies, np.maximum(mean + error * quantile, 0.0), mean)


@lru_cache(maxsize=2)
def _hypercube_orders(draws: int) -> NDArray[np.int64]:
    """A random order of the quantiles for each input (4 x draws); raw bits only, stable across numpy releases."""
    return np.argsort(np.random.Philox(key=draws).random_raw(4 * draws).reshape(4, draws), axis=1)
