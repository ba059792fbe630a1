"""Signatures and templates of many tool calls at once: of the calls of one outline one is read, and joined back.

Only the vectorising belongs here; what one call means is `steps.py`, which calls mean the same `outlines.py`.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import lru_cache, partial
from itertools import count
from typing import Final

import polars as pl

from pattern_pipeline.detection.outlines import Outliner
from pattern_pipeline.detection.steps import Step, is_shell, read_step, side_of
from pattern_pipeline.detection.steps_policy import StepPolicy

MEMO_READINGS: Final = 16_384
"""Readings, tools and directories that are remembered from one frame to the next."""
MEMO_LENGTH: Final = 4_096
"""Code points of an outline whose reading is still remembered: with `MEMO_READINGS` it bounds the memory."""

DETECTED: Final = pl.Schema(
    {
        "workflow_id": pl.String(),
        "step_seq": pl.Int32(),
        "part": pl.Int16(),
        "layer": pl.String(),
        "rule_id": pl.String(),
        "matched_text": pl.String(),
        "signature": pl.String(),
        "template": pl.String(),
    }
)
"""Columns of `StepDetector.detect_steps`; `template` is that of the whole step and stands on its naming part."""

SLOT_VALUES: Final = pl.Schema(
    {
        "template": pl.String(),
        "workflow_id": pl.String(),
        "step_seq": pl.Int32(),
        "slot": pl.Int16(),
        "kind": pl.String(),
        "value": pl.String(),
    }
)
"""Columns of `StepDetector.slot_values`; `slot` counts from 0."""

_Part = tuple[int, str, str, str, str | None]  # as in _PARTS, without the call

_CALL: Final = ("tool_name", "command", "cwd", "tool_params")
_PARTS: Final = pl.Schema(
    {
        "call": pl.UInt32(),
        "part": pl.Int16(),
        "rule_id": pl.String(),
        "matched_text": pl.String(),
        "signature": pl.String(),
        "template": pl.String(),
    }
)
_SLOTS: Final = pl.Schema(
    {"call": pl.UInt32(), "template": pl.String(), "slot": pl.Int16(), "kind": pl.String(), "value": pl.String()}
)


class StepDetector:
    """Detects steps under one policy; remembers what it read, within a bound."""

    def __init__(self, policy: StepPolicy) -> None:
        self._policy = policy
        self._outliner = Outliner(policy)
        self._runs_commands = lru_cache(MEMO_READINGS)(partial(_runs_commands, policy=policy))
        self._side_of = lru_cache(MEMO_READINGS)(partial(side_of, sides=policy.sides))
        self._parts: dict[Hashable, tuple[_Part, ...]] = {}

    def detect_steps(self, steps: pl.DataFrame) -> pl.DataFrame:
        """One row per step and signature, in the order of the steps, the naming signature (part 0) first.

        Args:
            steps: `workflow_id`, `step_seq` (Int32), `tool_name`, `command`, `cwd`, `tool_params` (JSON String).

        Returns:
            A frame of schema `DETECTED`. A step without an operation has no row.
        """
        calls = self._distinct_calls(steps)
        columns = [calls[column].to_list() for column in _CALL]
        first_of: dict[Hashable, int] = {}
        firsts = list(map(first_of.setdefault, map(self._likeness, *columns), count()))
        rows = [
            (first, *part)
            for alike, first in first_of.items()
            for part in self._parts_of(alike, *(column[first] for column in columns))
        ]
        found = pl.DataFrame(rows, schema=_PARTS, orient="row")
        detected = _on_steps(steps, calls.with_columns(call=pl.Series(firsts, dtype=pl.UInt32)), found, "part")
        return detected.with_columns(layer=pl.lit("step")).select(DETECTED.names())

    def slot_values(self, steps: pl.DataFrame) -> pl.DataFrame:
        """One row per step with an operation and slot of its template.

        Args:
            steps: As for `detect_steps`.

        Returns:
            A frame of schema `SLOT_VALUES`.
        """
        calls = self._distinct_calls(steps)
        rows = [
            (call, step.template.text, position, *slot)
            for call, step in enumerate(map(self._step, *(calls[column].to_list() for column in _CALL)))
            if step.matches
            for position, slot in enumerate(step.template.slots)
        ]
        return _on_steps(steps, calls, pl.DataFrame(rows, schema=_SLOTS, orient="row"), "slot").select(
            SLOT_VALUES.names()
        )

    def _distinct_calls(self, steps: pl.DataFrame) -> pl.DataFrame:
        """The distinct calls, in order of appearance, each with the rows of its steps."""
        tool = pl.col("tool_name").str.strip_chars().str.to_lowercase()
        # The parameters of a shell call say nothing that its command does not; without them more calls are equal.
        parameters = pl.when(~tool.is_in(sorted(self._policy.shell_names)).fill_null(False)).then("tool_params")
        return (
            steps.select("tool_name", "command", "cwd", parameters.alias("tool_params"))
            .with_row_index("step")
            .group_by(_CALL, maintain_order=True)
            .agg("step")
            .with_row_index("call")
        )

    def _likeness(self, tool: str | None, command: str | None, cwd: str | None, params: str | None) -> Hashable:
        """What calls that are read alike have in common: of a command its outline and the side of its directory."""
        if command and self._runs_commands(tool) and (outline := self._outliner.outline(command)) is not None:
            return outline, self._side_of(cwd or "")
        return tool, command, cwd, params

    def _step(self, tool: str | None, command: str | None, cwd: str | None, params: str | None) -> Step:
        return read_step(tool, command, cwd, params, self._policy)

    def _parts_of(self, alike: Hashable, *call: str | None) -> tuple[_Part, ...]:
        found = self._parts.get(alike)
        if found is None:
            step = self._step(*call)
            found = tuple(
                (part, match.rule_id, match.text, match.signature, None if part else step.template.text)
                for part, match in enumerate(step.matches)
            )
            if len(repr(alike)) <= MEMO_LENGTH:
                if len(self._parts) >= MEMO_READINGS:
                    self._parts.clear()
                self._parts[alike] = found
        return found


def _runs_commands(tool: str | None, policy: StepPolicy) -> bool:
    """Whether a call of the tool is a shell command when it has a command."""
    return is_shell((tool or "").strip(), "command", policy)


def _on_steps(steps: pl.DataFrame, calls: pl.DataFrame, found: pl.DataFrame, order: str) -> pl.DataFrame:
    """What was found per distinct call, on each step that made the call, in the order of the steps."""
    joined = calls.select("call", "step").explode("step").join(found, on="call").sort("step", order)
    return joined.with_columns(steps[column].gather(joined["step"]) for column in ("workflow_id", "step_seq"))
