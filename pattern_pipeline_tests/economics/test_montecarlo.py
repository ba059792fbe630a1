"""The inputs of the simulation: how they are drawn, that they are independent, and that patterns are not paired."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from pattern_pipeline.economics.assumptions import RoiPolicy
from pattern_pipeline.economics.evidence import gather
from pattern_pipeline.economics.montecarlo import SimulatedBlock, build_cost_factors, simulate
from pattern_pipeline_tests.economics.frames import WINDOW, frame, pattern, skewed

POLICY = RoiPolicy()


def block(costs: list[float], **changes: Any) -> SimulatedBlock:
    evidence = gather(frame(pattern(costs, **changes)), POLICY, WINDOW, "v1")
    return next(simulate(evidence, POLICY))


def test_draws_follow_the_stated_distributions() -> None:
    drawn = block(skewed(40), occurrences=50, executions_succeeded=4, executions_failed=1).terms
    month = 30.4375 / 90
    assert stats.kstest(drawn.rate[0], stats.gamma(50.5, scale=month).cdf).statistic < 0.001
    assert stats.kstest(drawn.reliability[0], stats.beta(12, 3).cdf).statistic < 0.001
    pert = stats.beta(1 + 4 * 0.5 / 1.5, 1 + 4 * 1 / 1.5, loc=37.5, scale=112.5)
    assert stats.kstest(drawn.build[0], pert.cdf).statistic < 0.001


def test_mean_costs_of_few_occurrences_are_a_truncated_t() -> None:
    costs = [0.0, 0.0, 0.1, 0.2, 3.0]
    drawn = block(costs).terms.cost[0]
    t = stats.t(4, np.mean(costs), stats.sem(costs))
    assert drawn.min() >= 0
    truncated = (t.cdf(np.sort(drawn)) - t.cdf(0)) / (1 - t.cdf(0))
    assert truncated == pytest.approx((np.arange(2000) + 0.5) / 2000, abs=1e-5)


def test_mean_costs_of_many_occurrences_are_the_bootstrap_itself() -> None:
    simulated = block(skewed(40))
    assert simulated.bootstrap is not None
    assert np.array_equal(np.sort(simulated.terms.cost), np.sort(simulated.bootstrap))


def test_inputs_are_drawn_independently() -> None:
    drawn = block(skewed(40)).terms
    table = np.corrcoef([drawn.rate[0], drawn.reliability[0], drawn.cost[0], drawn.build[0]])
    # 1 / sqrt(2000) is the standard error of a correlation.
    assert np.abs(table - np.eye(4)).max() < 4 / np.sqrt(2000)


def test_two_patterns_are_not_paired_alike() -> None:
    rows = [pattern(skewed(40), name) for name in ("test:a", "test:b")]
    drawn = next(simulate(gather(frame(*rows), POLICY, WINDOW, "v1"), POLICY)).terms
    assert not np.array_equal(drawn.rate[0], drawn.rate[1])
    assert np.array_equal(np.sort(drawn.rate[0]), np.sort(drawn.rate[1]))


def test_build_cost_is_pert_with_the_stated_mean() -> None:
    levels = (np.arange(20_000) + 0.5) / 20_000
    assert build_cost_factors(levels, POLICY).mean() == pytest.approx((0.5 + 4 + 2) / 6, abs=1e-4)
    certain = RoiPolicy(build_cost_low_factor=1, build_cost_high_factor=1)
    assert (build_cost_factors(levels, certain) == 1).all()


def test_blocks_hold_every_usable_pattern_once() -> None:
    rows = [pattern(skewed(size, k), f"test:{k}") for k, size in enumerate([0, 4, 5, 5, 600, 700, 700])]
    blocks = list(simulate(gather(frame(*rows), POLICY, WINDOW, "v1"), POLICY))
    assert sorted(row for part in blocks for row in part.rows) == [2, 3, 4, 5, 6]
