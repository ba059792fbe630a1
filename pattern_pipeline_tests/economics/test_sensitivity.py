"""Which input would have to change by how much to flip a verdict."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from pattern_pipeline.economics import cashflow
from pattern_pipeline.economics.assumptions import RoiPolicy
from pattern_pipeline.economics.cashflow import Terms
from pattern_pipeline.economics.sensitivity import SWITCHING, Sensitivity, analyse, switching_factors
from pattern_pipeline_tests.economics.frames import WINDOW, frame, one, pattern, skewed

POLICY = RoiPolicy()
WORTH, HOPELESS, PROMISING = (
    pattern([1.0, 2.0] * 200, "test:a"),
    pattern(skewed(30), "test:b"),
    pattern([0.25, 0.3] * 100, "test:c"),
)


@pytest.fixture(scope="module")
def analysed() -> Sensitivity:
    return analyse(frame(WORTH, HOPELESS, PROMISING, pattern([], "test:d")), POLICY, window=WINDOW, roi_version="v1")


def draws(seed: int) -> Terms:
    rng = np.random.default_rng(seed)
    return Terms(
        rate=rng.gamma(100, 1, (2, 2000)),
        cost=rng.normal(0.3, 0.03, (2, 2000)),
        tool=np.full((2, 2000), 0.02),
        reliability=rng.beta(8, 2, (2, 2000)),
        coverage=np.asarray(0.8),
        build=rng.uniform(40, 150, (2, 2000)),
    )


@pytest.mark.parametrize("name", ["rate", "cost", "tool", "reliability", "coverage", "build"])
@pytest.mark.parametrize(("threshold", "share"), [("worth_at", 0.10), ("promising_at", 0.50)])
def test_the_quantile_of_the_npv_crosses_zero_at_the_switching_value(name: str, threshold: str, share: float) -> None:
    terms = draws(1)
    factor = switching_factors(terms, name, POLICY)[threshold]
    for k in np.flatnonzero(np.isfinite(factor)):
        npvs = [
            np.quantile(
                cashflow.net_present_value(replace(terms, **{name: getattr(terms, name) * multiple}), POLICY)[k], share
            )
            for multiple in (factor[k] * 0.995, factor[k] * 1.005)
        ]
        assert npvs[0] * npvs[1] < 0, (name, npvs)


def test_switching_values_agree_with_the_verdict(analysed: Sensitivity) -> None:
    rows = analysed.switching.filter(pl.col("input") == "monthly_rate")
    now, worth_at, promising_at = (
        dict(zip(rows["pattern_signature"], rows[c], strict=True)) for c in SWITCHING.names()[2:]
    )
    assert worth_at["test:a"] < now["test:a"]
    assert promising_at["test:b"] > now["test:b"]
    assert promising_at["test:c"] < now["test:c"] < worth_at["test:c"]
    assert one(PROMISING)["verdict"] == "promising"


def test_a_cheaper_build_flips_the_verdict_where_it_says_so(analysed: Sensitivity) -> None:
    at = analysed.switching.filter(pl.col("pattern_signature") == "test:c", pl.col("input") == "build_cost")[
        "worth_at"
    ][0]
    below, above = (RoiPolicy(build_cost_by_category={"test": at * factor}) for factor in (0.98, 1.02))
    # The pairing of draws follows the data, not the policy, so the same futures are compared.
    assert one(PROMISING, policy=below)["verdict"] == "worth_automating"
    assert one(PROMISING, policy=above)["verdict"] == "promising"


def test_impossible_values_are_not_offered(analysed: Sensitivity) -> None:
    offered = analysed.switching.filter(pl.col("pattern_signature") == "test:b")
    shares = offered.filter(pl.col("input").is_in(["reliability", "coverage"]))
    assert shares["worth_at"].to_list() == [None, None]
    assert offered.filter(pl.col("input") == "tool_cost")["promising_at"][0] is None


def test_a_free_tool_has_no_switching_value() -> None:
    free = analyse(
        frame(WORTH), RoiPolicy(tool_cost_by_category={"test": 0}), window=WINDOW, roi_version="v"
    ).switching.filter(pl.col("input") == "tool_cost")
    assert free.select("value", "worth_at", "promising_at").rows() == [(0.0, None, None)]


def test_a_pattern_without_distribution_has_no_switching_values(analysed: Sensitivity) -> None:
    assert "test:d" not in analysed.switching["pattern_signature"]
    nothing = analyse(frame(), POLICY, window=WINDOW, roi_version="v1")
    assert nothing.switching.schema == SWITCHING
    assert nothing.tornado.is_empty()


def test_tornado_shows_the_widest_swing_first_around_the_point_estimate(analysed: Sensitivity) -> None:
    rows = analysed.tornado.filter(pl.col("pattern_signature") == "test:a")
    npv = one(WORTH)["npv"]
    assert rows["swing"].to_list() == sorted(rows["swing"], reverse=True)
    assert len(rows) == 8
    for row in rows.to_dicts():
        assert min(row["npv_low"], row["npv_high"]) <= npv <= max(row["npv_low"], row["npv_high"]), row
