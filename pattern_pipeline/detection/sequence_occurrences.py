"""Where the sequences of a catalogue occur: occurrences that never overlap, and the steps they cover.

Mining is `sequences.py`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from pattern_pipeline.detection.sequence_policy import SequencePolicy
from pattern_pipeline.detection.sequence_runs import elements_of, error_fixes, with_elements
from pattern_pipeline.detection.sequences import Catalogue, Integers

OCCURRENCES: Final = pl.Schema(
    {"workflow_id": pl.String(), "signature": pl.String(), "occurrence": pl.Int32(), "step_seq": pl.Int32()}
)
"""One row per step that an occurrence covers; `occurrence` counts from 0 per workflow and signature."""


def match(steps: pl.DataFrame, catalogue: Catalogue, policy: SequencePolicy) -> pl.DataFrame:
    """Occurrences of the automatable sequences: the longest first, then the left-most, none overlapping another.

    Of a repair and a sequence of equal place and length, the repair wins.

    Args:
        steps: Whole workflows, of schema `sequence_runs.STEPS`, in any order.
        catalogue: What is looked for.
        policy: The section `[sequences]` of the catalogue.

    Returns:
        A frame of schema `OCCURRENCES`, by workflow, signature, occurrence and step.
    """
    placed = with_elements(steps)
    wanted = catalogue.sequences.filter("automatable")
    fixes = error_fixes(placed, policy).join(wanted.filter(kind="error_fix"), on="signature", how="semi")
    candidates = pl.concat(
        [
            fixes.select("start", "length", "signature"),
            _candidates(elements_of(placed), wanted.filter(kind="sequence")),
        ]
    )
    chosen = _non_overlapping(candidates, placed.height)
    covered = (
        chosen.with_columns(element=pl.int_ranges("start", pl.col("start") + pl.col("length")))
        .explode("element")
        .join(placed.select("element", "workflow_id", "step_seq"), on="element")
    )
    occurrence = pl.col("start").rank("dense").over("workflow_id", "signature") - 1
    return (
        covered.with_columns(occurrence=occurrence)
        .sort("workflow_id", "signature", "occurrence", "step_seq")
        .select(OCCURRENCES.names())
        .cast(OCCURRENCES)
    )


def _candidates(elements: pl.DataFrame, sequences: pl.DataFrame) -> pl.DataFrame:
    """Every place at which a sequence stands: `start`, `length`, `signature`.

    The sequences form a tree of prefixes; all places go down the tree together, one level at a time.
    """
    vocabulary = sequences["elements"].explode().drop_nulls().unique().sort()
    width = len(vocabulary) + 1
    numbers = {element: number for number, element in enumerate(vocabulary)}
    tree: dict[int, int] = {}
    ends: dict[int, str] = {}
    for signature, parts in sequences.select("signature", "elements").iter_rows():
        node = 0
        for part in parts:
            node = tree.setdefault(node * width + numbers[part], len(tree) + 1)
        ends[node] = signature
    codes = elements["template"].replace_strict(numbers, default=len(vocabulary), return_dtype=pl.Int64).to_numpy()
    lines = elements["line"].to_numpy()
    edges = np.array(sorted(tree), dtype=np.int64)
    targets = np.array([tree[edge] for edge in sorted(tree)], dtype=np.int64)
    found = [pl.DataFrame(schema={"start": pl.Int64, "length": pl.Int64, "signature": pl.String})]
    starts: Integers = np.arange(len(codes))
    nodes: Integers = np.zeros(len(codes), np.int64)
    length = 0
    while len(starts) and len(edges):
        inside = starts + length < len(codes)
        starts, nodes = starts[inside], nodes[inside]
        wanted = nodes * width + codes[starts + length]
        index = np.minimum(np.searchsorted(edges, wanted), len(edges) - 1)
        going = (edges[index] == wanted) & (lines[starts + length] == lines[starts])
        starts, nodes = starts[going], targets[index[going]]
        length += 1
        signatures = pl.Series(nodes).replace_strict(ends, default=None, return_dtype=pl.String)
        at = pl.DataFrame({"start": starts, "length": np.full(len(starts), length), "signature": signatures})
        found.append(at.drop_nulls("signature"))
    return pl.concat(found)


def _non_overlapping(candidates: pl.DataFrame, elements: int) -> pl.DataFrame:
    """The candidates that are left when the longest go first, then the left-most, then the first given."""
    taken = np.zeros(elements + 1, dtype=np.int64)
    chosen = [candidates.clear()]
    for (length,), of_length in candidates.sort("length", descending=True, maintain_order=True).group_by(
        "length", maintain_order=True
    ):
        ordered = of_length.sort("start", maintain_order=True)
        starts = ordered["start"].to_numpy()
        before = np.concatenate(([0], np.cumsum(taken)))
        free = before[starts + length] == before[starts]
        ordered, starts = ordered.filter(pl.Series(free)), starts[free]
        following = np.searchsorted(starts, starts + length).tolist()
        kept: list[int] = []
        position = 0
        while position < len(following):
            kept.append(position)
            position = following[position]
        chosen.append(ordered[kept])
        covered = starts[kept][:, None] + np.arange(length) if kept else np.zeros((0, 1), np.int64)
        taken[covered.ravel()] = 1
    return pl.concat(chosen)
