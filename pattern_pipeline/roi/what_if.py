"""What if: the estimates under changed assumptions, beside those of the policy. Nothing is stored.

Both sides are drawn from the same random numbers, so that a difference is due to the assumptions and not to chance.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import polars as pl
from pydantic import BaseModel, ValidationError

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.economics.assumptions import RoiPolicy
from pattern_pipeline.economics.estimates import estimate
from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.patterns.estimates import FIRST_PATTERN, LAST_PATTERN, roi_inputs
from pattern_pipeline.roi.executions import find_pattern
from pattern_pipeline.warehouse.database import Warehouse

FIGURES: Final = ("net_monthly_savings", "net_p50", "npv_p10", "npv_p50", "probability_of_loss", "verdict")


class Change(BaseModel):
    """An assumption with its value in the policy (None: not there) and the one that was asked about."""

    key: str
    policy: float | str | None
    asked: float | str


class Outcome(BaseModel):
    """One pattern by the policy (`now`) and under the changed assumptions (`then`); keys are those of an estimate."""

    pattern_signature: str
    now: Mapping[str, Any]
    then: Mapping[str, Any]

    @property
    def turned(self) -> bool:
        """Whether the verdict is another."""
        return bool(self.now["verdict"] != self.then["verdict"])


class WhatIf(BaseModel):
    """The answer: verdicts counted on both sides, and every pattern, best first under the changed assumptions."""

    changes: tuple[Change, ...]
    verdicts_now: Mapping[str, int]
    verdicts_then: Mapping[str, int]
    patterns: tuple[Outcome, ...]


def what_if(warehouse: Warehouse, policy: Policy, assignments: Sequence[str], pattern: str | None = None) -> WhatIf:
    """Estimate anew with changed assumptions.

    Args:
        warehouse: Where the aggregates are.
        policy: The assumptions to start from.
        assignments: `key=value` each, keys as in the policy's `[roi]`, e.g. `coverage=0.5`,
            `build_cost_by_category.test=200`.
        pattern: Only this one, by signature or number.

    Raises:
        InvalidInput: No assignment, an unknown key, or a value that does not fit.
        NotFound: No such pattern.
    """
    changed, changes = changed_policy(policy.roi, assignments)
    first, last = FIRST_PATTERN, LAST_PATTERN
    if pattern is not None:
        with warehouse.transaction() as tx:
            first = last = find_pattern(tx, pattern)[0]
    frames = []
    with warehouse.bulk() as bulk:
        for roi in (policy.roi, changed):
            inputs = roi_inputs(bulk, policy.model_copy(update={"roi": roi}), first, last)
            if inputs is None:
                return WhatIf(changes=changes, verdicts_now={}, verdicts_then={}, patterns=())
            frame, window = inputs
            seen = frame.filter(pl.col("occurrences") > 0)
            frames.append(estimate(seen, roi, window=window, roi_version=policy.roi_version))
    return _compared(changes, *frames)


def changed_policy(policy: RoiPolicy, assignments: Iterable[str]) -> tuple[RoiPolicy, tuple[Change, ...]]:
    """The policy with some values replaced, validated like a policy file.

    Raises:
        InvalidInput: No assignment, an unknown key, or a value that does not fit; names the key and what is allowed.
    """
    document = policy.model_dump()
    known = dict(assumptions(policy))
    changes = []
    for assignment in assignments:
        key, separator, text = (part.strip() for part in assignment.partition("="))
        if not separator or not key or not text:
            raise InvalidInput(f"{assignment!r}: write an assumption as key=value, e.g. coverage=0.5")
        *path, name = key.split(".")
        parent = _parent(document, path)
        if key not in known and not (path and path[-1].endswith("_by_category") and isinstance(parent, dict)):
            raise InvalidInput(_unknown(key, known))
        assert isinstance(parent, dict)
        parent[name] = _value(key, text)
        changes.append(Change(key=key, policy=known.get(key), asked=parent[name]))
    if not changes:
        raise InvalidInput("what if what? Give at least one assumption, e.g. --set coverage=0.5")
    try:
        return RoiPolicy.model_validate(document), tuple(changes)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(map(str, problem["loc"])) or "assumptions"
        raise InvalidInput(f"{where}: {problem['msg'].removeprefix('Value error, ')}") from error


def assumptions(policy: RoiPolicy) -> Iterator[tuple[str, float | str]]:
    """Every single value of the policy's `[roi]`, by its dotted key; the tiers of effectiveness are a table apart."""
    return _leaves(policy.model_dump(), ())


def _leaves(document: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[str, float | str]]:
    for name, value in document.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, name))
        elif not isinstance(value, list | tuple):
            yield ".".join((*path, name)), value


def _parent(document: dict[str, Any], path: Sequence[str]) -> Any:
    found: Any = document
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _value(key: str, text: str) -> float | str:
    """A number; anything else cannot be an assumption of `[roi]`."""
    try:
        value = json.loads(text, parse_constant=str)
    except json.JSONDecodeError:
        value = text
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInput(f"{key}: {text!r} is not a number")
    return value


def _unknown(key: str, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(key, known, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "`pattern-pipeline roi assumptions` lists them"
    return f"{key}: there is no such assumption; {hint}"


def _compared(changes: tuple[Change, ...], now: pl.DataFrame, then: pl.DataFrame) -> WhatIf:
    before = {row["pattern_signature"]: row for row in now.to_dicts()}
    ranked = then.sort("npv_p10", "pattern_signature", descending=[True, False], nulls_last=True).to_dicts()
    return WhatIf(
        changes=changes,
        verdicts_now=dict(now["verdict"].value_counts(sort=True).iter_rows()),
        verdicts_then=dict(then["verdict"].value_counts(sort=True).iter_rows()),
        patterns=tuple(
            Outcome(
                pattern_signature=row["pattern_signature"],
                now={name: before[row["pattern_signature"]][name] for name in FIGURES},
                then={name: row[name] for name in FIGURES},
            )
            for row in ranked
            if row["pattern_signature"] in before
        ),
    )
