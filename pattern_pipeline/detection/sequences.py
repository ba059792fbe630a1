"""Mining: the closed frequent sequences of a window of steps, as a versioned catalogue.

What counts as an element is `sequence_runs.py`; where a catalogue's sequences occur is `sequence_occurrences.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl

from pattern_pipeline.detection.sequence_policy import SequencePolicy
from pattern_pipeline.detection.sequence_runs import elements_of, error_fixes, plays, with_elements

Integers = npt.NDArray[np.int64]

SEQUENCES: Final = pl.Schema(
    {
        "signature": pl.String(),
        "kind": pl.String(),
        "elements": pl.List(pl.String()),
        "readable": pl.String(),
        "workflows": pl.Int64(),
        "days": pl.Int64(),
        "automatable": pl.Boolean(),
        "exclusion_reason": pl.String(),
    }
)
"""Columns of a catalogue. `kind` is `sequence` (elements: templates) or `error_fix` (element: the verification)."""


@dataclass(frozen=True)
class Catalogue:
    """The sequences of one window, of schema `SEQUENCES`, by signature; `version` stands for their elements."""

    sequences: pl.DataFrame
    version: str


class _Found(NamedTuple):
    """A sequence by its first occurrence, with its support; `repeated`: its elements that were repeated somewhere."""

    start: int
    length: int
    workflows: int
    days: int
    repeated: tuple[bool, ...]


def mine(steps: pl.DataFrame, policy: SequencePolicy) -> Catalogue:
    """The closed frequent sequences of the steps, and the frequent repairs.

    Frequent: contained in at least `min_workflows` workflows on at least `min_days` days, and in at least `min_share`
    of the workflows that contain either of the two sequences that are one element shorter, which are frequent as well.
    Closed: no longer frequent sequence, up to `max_length`, is contained in as many workflows. Each length is one sort
    of integers over the runs whose parts are frequent, so time is near-linear in the steps; runs are compared exactly,
    not by hash.

    Args:
        steps: Of schema `sequence_runs.STEPS`, in any order.
        policy: The section `[sequences]`.
    """
    placed = with_elements(steps)
    elements = elements_of(placed)
    operations = _operations(elements)
    templates = elements["template"]
    rows = [
        _sequence(templates[found.start : found.start + found.length].to_list(), found, operations, policy)
        for found in _closed_frequent(elements, policy)
    ]
    sequences = pl.DataFrame(rows, schema=SEQUENCES, orient="row")
    return catalogue_of(pl.concat([sequences, _frequent_fixes(error_fixes(placed, policy), policy)]))


def catalogue_of(sequences: pl.DataFrame) -> Catalogue:
    """The catalogue of some sequences; its version is the hash of their sorted kinds and elements."""
    ordered = sequences.sort("signature")
    content = sorted([kind, *elements] for kind, elements in ordered.select("kind", "elements").iter_rows())
    return Catalogue(ordered, _digest(content))


def _closed_frequent(elements: pl.DataFrame, policy: SequencePolicy) -> Iterator[_Found]:
    """Level by level: a run of n elements is frequent only if both its runs of n - 1 are."""
    codes, lines, workflows, days = (_dense(elements[name]) for name in ("template", "line", "workflow_id", "day"))
    repeated = elements["repeated"].to_numpy()
    # Of the level before: the number of the frequent run that starts at each element, -1 without; and its survivors.
    run_at: Integers = np.full(len(codes), -1)
    pending: dict[int, _Found] = {}
    supports: Integers = np.zeros(0, np.int64)
    for length in range(1, policy.max_length + 1):
        starts: Integers = np.arange(len(codes) - length + 1)
        starts = starts[lines[starts] == lines[starts + length - 1]]
        if length == 1:
            keys = codes[starts]
        else:
            starts = starts[(run_at[starts] >= 0) & (run_at[starts + 1] >= 0)]
            keys = run_at[starts] * (int(codes.max(initial=0)) + 1) + codes[starts + length - 1]
        _, firsts, runs = np.unique(keys, return_index=True, return_inverse=True)
        in_workflows = _distinct(runs, workflows[starts], len(firsts))
        on_days = _distinct(runs, days[starts], len(firsts))
        frequent = (in_workflows >= policy.min_workflows) & (on_days >= policy.min_days)
        if length > 1:
            before, after = supports[run_at[starts[firsts]]], supports[run_at[starts[firsts] + 1]]
            frequent &= in_workflows >= policy.min_share * np.maximum(before, after)
        for run in np.flatnonzero(frequent):
            first = int(starts[firsts[run]])
            for part in (int(run_at[first]), int(run_at[first + 1])) if length > 1 else ():
                if part in pending and supports[part] == in_workflows[run]:
                    del pending[part]
        yield from pending.values()
        kept = frequent[runs]
        starts, runs = starts[kept], runs[kept]
        supports = in_workflows
        run_at = np.full(len(codes), -1)
        run_at[starts] = runs
        again = [np.bincount(runs, repeated[starts + offset], len(firsts)) > 0 for offset in range(length)]
        pending = {
            int(run): _Found(
                int(run_first), length, int(in_workflows[run]), int(on_days[run]), tuple(bool(at[run]) for at in again)
            )
            for run, run_first in zip(*np.unique(runs, return_index=True), strict=True)
            for run_first in (starts[run_first],)
            if length >= policy.min_length
        }
    yield from pending.values()


def _dense(values: pl.Series) -> Integers:
    return values.rank("dense").fill_null(0).cast(pl.Int64).to_numpy()


def _distinct(runs: Integers, members: Integers, count: int) -> Integers:
    """For each run, the number of distinct members among its occurrences."""
    width = int(members.max(initial=0)) + 1
    # Sorted, not `np.unique`: that one hashes, and its misses of the cache grow faster than the history.
    pairs = np.sort(runs * width + members)
    is_first = np.diff(pairs, prepend=-1) != 0
    return np.bincount(pairs[is_first] // width, minlength=count)


def _operations(elements: pl.DataFrame) -> Mapping[str, str]:
    """Template -> the signature that names it most often (of equals the least)."""
    counted = elements.group_by("template", "signature").len().sort("len", "signature", descending=[True, False])
    named = counted.group_by("template", maintain_order=True).agg(pl.col("signature").first())
    return dict(named.iter_rows())


def _sequence(
    elements: Sequence[str], found: _Found, operations: Mapping[str, str], policy: SequencePolicy
) -> tuple[Any, ...]:
    signatures = [operations[element] for element in elements]
    names = [signature.rpartition(":")[0] for signature in signatures]
    readable = " > ".join(f"{name}+" if again else name for name, again in zip(names, found.repeated, strict=True))
    ends = "-".join(signatures[end].split(":")[1] for end in (0, -1))
    reason = _exclusion(signatures, policy)
    signature = f"seq:{ends}:{_digest(elements)}"
    return signature, "sequence", elements, readable, found.workflows, found.days, reason is None, reason


def _exclusion(signatures: Sequence[str], policy: SequencePolicy) -> str | None:
    """The reason code of the first shape of normal orchestration that fits."""
    roles = {role: plays(role, policy, signatures) for role in policy.roles}
    for shape in policy.orchestration:
        allowed = frozenset[str]().union(*(roles[role] for role in shape.only))
        wanted = frozenset[str]().union(*(roles[role] for role in shape.contains))
        if (not shape.only or allowed.issuperset(signatures)) and (not shape.contains or wanted):
            return shape.id
    return None


def _frequent_fixes(fixes: pl.DataFrame, policy: SequencePolicy) -> pl.DataFrame:
    counted = fixes.group_by("signature", "verification").agg(
        pl.col("workflow_id").n_unique().alias("workflows"), pl.col("day").n_unique().alias("days")
    )
    return (
        counted.filter((pl.col("workflows") >= policy.min_workflows) & (pl.col("days") >= policy.min_days))
        .with_columns(
            kind=pl.lit("error_fix"),
            elements=pl.concat_list("verification"),
            readable=pl.format("{} fails > change > {} passes", "verification", "verification"),
            automatable=pl.lit(True),
            exclusion_reason=pl.lit(None, pl.String),
        )
        .select(SEQUENCES.names())
        .cast(SEQUENCES)
    )


def _digest(content: object) -> str:
    return hashlib.sha256(orjson.dumps(content)).hexdigest()[:12]
