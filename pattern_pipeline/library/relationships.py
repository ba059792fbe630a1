"""Relationships that are found, not stated: similar templates, and sequences that contain another.

Whatever a person has said of a pair stands; stating it is an operation (`recording`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from rapidfuzz import fuzz, process, utils

from pattern_pipeline.warehouse.database import Warehouse

MOST_TEMPLATES: Final = 5_000
"""Templates, most used first, that are compared: each is compared with each."""
MIN_SIMILARITY: Final = 80
"""Of 100: token-set similarity from which on two templates count as similar."""
MOST_SIMILAR: Final = 10
"""Similar templates of a template that are kept."""
_CHUNK: Final = 250


class Candidate(NamedTuple):
    """A template as it is compared; `steps` are those of a sequence."""

    id: str
    pattern_type: str
    template_code: str
    steps: tuple[str, ...]


class Edge(NamedTuple):
    """A relationship; of a symmetric one the lesser id is the source."""

    source: str
    target: str
    type: str
    strength: float


@dataclass(frozen=True)
class Derived:
    """What deriving came to: relationships found, rows written and rows dropped."""

    similar: int
    extends: int
    written: int
    dropped: int


def derive_relationships(warehouse: Warehouse) -> Derived:
    """Find the relationships among the templates in force and replace those that were found before."""
    with warehouse.transaction() as tx:
        tx.lock("pattern_relationships")
        rows = tx.rows("library/related_candidates", limit=MOST_TEMPLATES)
        candidates = [Candidate(**{**row, "steps": tuple(row["steps"] or ())}) for row in rows]
        stated = [(row["source"], row["target"]) for row in tx.rows("library/stated_extensions")]
        similar, extends = set(similar_pairs(candidates)), set(without_cycles(extensions(candidates), stated))
        found = sorted(similar | extends)
        edges = {
            "sources": [edge.source for edge in found],
            "targets": [edge.target for edge in found],
            "types": [edge.type for edge in found],
        }
        dropped = tx.run("library/drop_derived_relationships", **edges)
        written = tx.run("library/store_derived_relationships", **edges, strengths=[edge.strength for edge in found])
    return Derived(len(similar), len(extends), written, dropped)


def similar_pairs(candidates: Sequence[Candidate]) -> Iterator[Edge]:
    """Pairs of one type whose templates share most words, `MOST_SIMILAR` per template, with their likeness."""
    for kind in sorted({each.pattern_type for each in candidates}):
        group = sorted((each for each in candidates if each.pattern_type == kind), key=lambda each: each.id)
        codes = [each.template_code for each in group]
        for start in range(0, len(group), _CHUNK):
            scores = process.cdist(
                codes[start : start + _CHUNK],
                codes,
                scorer=fuzz.token_set_ratio,
                processor=utils.default_process,
                score_cutoff=MIN_SIMILARITY,
                dtype=np.uint8,
            )
            for row, of_one in enumerate(scores, start):
                of_one[row] = 0
                # Stable, so that of equally similar ones those of the least ids are kept.
                best = np.argsort(-of_one.astype(np.int16), kind="stable")[:MOST_SIMILAR]
                for column in best[of_one[best] > 0]:
                    one, other = sorted((group[row].id, group[column].id))
                    yield Edge(one, other, "similar", int(of_one[column]) / 100)


def extensions(candidates: Sequence[Candidate]) -> Iterator[Edge]:
    """Sequences that contain another one without a gap; the strength is the share of their steps that it makes up."""
    sequences = {each.steps: each for each in sorted(candidates, reverse=True) if each.steps}
    for steps, longer in sequences.items():
        parts = {steps[i:j] for i in range(len(steps)) for j in range(i + 1, len(steps) + 1)} - {steps}
        for part in parts & sequences.keys():
            yield Edge(longer.id, sequences[part].id, "extends", round(len(part) / len(steps), 2))


def without_cycles(found: Iterable[Edge], stated: Sequence[tuple[str, str]]) -> Iterator[Edge]:
    """Extensions without those by which a template would extend itself together with what people have stated."""
    targets: dict[str, set[str]] = {}
    for source, target in stated:
        targets.setdefault(source, set()).add(target)
    # Those that are found make no cycle among themselves: each leads to a shorter sequence.
    for edge in sorted(found) if stated else found:
        if not stated or edge.source not in _reached(edge.target, targets):
            targets.setdefault(edge.source, set()).add(edge.target)
            yield edge


def _reached(start: str, targets: Mapping[str, set[str]]) -> set[str]:
    reached, ahead = set(), [start]
    while ahead:
        here = ahead.pop()
        if here not in reached:
            reached.add(here)
            ahead += targets.get(here, ())
    return reached
