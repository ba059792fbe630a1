"""What would flip a verdict: the switching values of one pattern's current estimate, computed when somebody looks.

Feeds the rows behind the estimate to `economics.sensitivity`; no formula lives here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.economics.evidence import gather
from pattern_pipeline.economics.exposure import Window
from pattern_pipeline.economics.sensitivity import analyse
from pattern_pipeline.warehouse.database import Transaction


def switching_values(
    transaction: Transaction, estimate: Mapping[str, Any], policy: Policy
) -> Sequence[Mapping[str, Any]] | None:
    """Rows of `economics.sensitivity.Sensitivity.switching` for a row of `roi_estimates`.

    None when the rows of its window or the policy are no longer those that the estimate was made of: what flips a
    verdict must be said of the very figures that are shown.
    """
    window = Window(estimate["window_start"], estimate["window_end"])
    row = transaction.one(
        "patterns/roi_inputs",
        window_start=window.start,
        window_end=window.end,
        sample_size=policy.roi.sample_size,
        first_pattern=estimate["pattern_id"],
        last_pattern=estimate["pattern_id"],
    )
    if row is None:
        return None
    inputs = pl.DataFrame([dict(row)], schema_overrides={"recent_costs": pl.List(pl.Float64())}).with_columns(
        exposure_days=pl.lit(estimate["exposure_days"]), gap_days=pl.lit(estimate["gap_days"])
    )
    evidence = gather(inputs, policy.roi, window, policy.roi_version)
    if evidence.frame["input_hash"][0] != estimate["input_hash"]:
        return None
    return analyse(inputs, policy.roi, window=window, roi_version=policy.roi_version).switching.to_dicts()
