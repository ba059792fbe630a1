"""Questions about one estimate: what it says in words, whether it can be computed again, and what would change it.

Everything is read; nothing is stored. An estimate is answered for by the policy that it was made with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from pydantic import BaseModel

from pattern_pipeline.economics.assumptions import RoiPolicy
from pattern_pipeline.economics.estimates import estimate
from pattern_pipeline.economics.evidence import INPUT, Evidence, gather
from pattern_pipeline.economics.exposure import Window
from pattern_pipeline.economics.sensitivity import Sensitivity, analyse, switching
from pattern_pipeline.economics.words import explain
from pattern_pipeline.errors import NotFound
from pattern_pipeline.patterns.report import plain
from pattern_pipeline.roi.executions import find_pattern
from pattern_pipeline.warehouse.database import Transaction, Warehouse

EARLIER: Final = 12


class Explained(BaseModel):
    """A pattern's current estimate with its explanation.

    Attributes:
        estimate: The row of `roi_estimates`.
        in_words: Sentences by theme: verdict, seen, costs, saves, certainty, would_change.
        switching: Per input the value from which on the verdict would be another (`economics.sensitivity`).
        tornado: Per input the NPV at the ends of its plausible range, widest swing first.
        reproducible: The rows behind the estimate still give exactly this; False: they were corrected since.
        earlier: Estimates before it, newest first.
    """

    pattern_signature: str
    readable: str
    status: str
    estimate: Mapping[str, Any]
    in_words: Mapping[str, Any]
    switching: tuple[Mapping[str, Any], ...]
    tornado: tuple[Mapping[str, Any], ...]
    reproducible: bool
    earlier: tuple[Mapping[str, Any], ...]


def explained(warehouse: Warehouse, pattern: str) -> Explained:
    """The current estimate of a pattern, by signature or number.

    Raises:
        NotFound: No such pattern, or it has not been estimated yet.
    """
    with warehouse.transaction() as tx:
        pattern_id, signature = find_pattern(tx, pattern)
        found = tx.one("roi/current_estimates", pattern_id=pattern_id, limit=1)
        if found is None:
            raise NotFound(f"pattern {signature!r} has no estimate yet; `pattern-pipeline run` makes one")
        row = plain(dict(found))
        analysed = sensitivity(tx, dict(found))
        earlier = tx.rows("roi/estimate_history", pattern_id=pattern_id, limit=EARLIER)
    flips = analysed.switching.drop("pattern_signature").to_dicts() if analysed else []
    tornado = analysed.tornado.drop("pattern_signature").to_dicts() if analysed else []
    return Explained(
        pattern_signature=row.pop("pattern_signature"),
        readable=row.pop("readable"),
        status=row.pop("status"),
        estimate=row,
        in_words=vars(explain(row, flips)),
        switching=tuple(flips),
        tornado=tuple(tornado),
        reproducible=analysed is not None,
        earlier=tuple(plain(dict(each)) for each in earlier if each["input_hash"] != row["input_hash"]),
    )


def sensitivity(tx: Transaction, row: Mapping[str, Any]) -> Sensitivity | None:
    """What would change a row of `roi_estimates`; None when the rows behind it are no longer what they were."""
    found = _basis(tx, row)
    if found is None:
        return None
    return analyse(found.inputs, found.policy, window=found.window, roi_version=row["roi_version"])


def switching_values(tx: Transaction, row: Mapping[str, Any]) -> pl.DataFrame | None:
    """The `switching` of `sensitivity` alone, for those who wait for a page."""
    found = _basis(tx, row)
    return None if found is None else switching(found.evidence, found.policy)


def recomputed(tx: Transaction, row: Mapping[str, Any]) -> pl.DataFrame | None:
    """A row of `roi_estimates`, computed again from what is stored with it and from the occurrences of its window.

    Returns:
        One row with the columns of `economics.estimates.ESTIMATES`; None when the costs of the occurrences were
        corrected since, so that they are not those that the estimate was made of.
    """
    found = _basis(tx, row)
    if found is None:
        return None
    return estimate(found.inputs, found.policy, window=found.window, roi_version=row["roi_version"])


@dataclass(frozen=True)
class _Basis:
    """What an estimate was made of."""

    inputs: pl.DataFrame
    evidence: Evidence
    policy: RoiPolicy
    window: Window


def _basis(tx: Transaction, row: Mapping[str, Any]) -> _Basis | None:
    """What an estimate was made of, if that still gives its `input_hash`."""
    document = tx.scalar("roi/recorded_policy", version=row["roi_version"])
    if document is None or not row["inputs"]:
        return None
    policy = RoiPolicy.model_validate(document)
    window = Window(row["window_start"], row["window_end"])
    now = tx.one(
        "patterns/roi_inputs",
        window_start=window.start,
        window_end=window.end,
        sample_size=policy.sample_size,
        first_pattern=row["pattern_id"],
        last_pattern=row["pattern_id"],
    )
    if now is None:
        return None
    inputs = pl.DataFrame([{**row["inputs"], "recent_costs": now["recent_costs"]}], schema=INPUT)
    evidence = gather(inputs, policy, window, row["roi_version"])
    same = evidence.frame["input_hash"].item() == row["input_hash"]
    return _Basis(inputs, evidence, policy, window) if same else None
