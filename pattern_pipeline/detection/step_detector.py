"""Signatures and templates of many tool calls at once: each distinct call is read once and joined back.

Only the vectorising belongs here; what one call means is `steps.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import polars as pl

from pattern_pipeline.detection.steps import Step, read_step
from pattern_pipeline.detection.steps_policy import StepPolicy

MEMO_CALLS: Final = 16_384
"""Distinct calls that are remembered from one frame to the next."""
MEMO_LENGTH: Final = 4_096
"""Code points of a command that is still remembered: with `MEMO_CALLS` it bounds the memory of the memo."""

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
    """Detects steps under one policy; remembers recent calls, within a bound."""

    def __init__(self, policy: StepPolicy) -> None:
        self._policy = policy
        self._remembered = lru_cache(MEMO_CALLS)(self._read)

    def detect_steps(self, steps: pl.DataFrame) -> pl.DataFrame:
        """One row per step and signature, in the order of the steps, the naming signature (part 0) first.

        Args:
            steps: `workflow_id`, `step_seq` (Int32), `tool_name`, `command`, `cwd`, `tool_params` (JSON String).

        Returns:
            A frame of schema `DETECTED`. A step without an operation has no row.
        """
        calls = self._distinct_calls(steps)
        rows = [
            (call, part, match.rule_id, match.text, match.signature, None if part else step.template.text)
            for call, step in enumerate(self._read_all(calls))
            for part, match in enumerate(step.matches)
        ]
        detected = _on_steps(steps, calls, pl.DataFrame(rows, schema=_PARTS, orient="row"), "part")
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
            for call, step in enumerate(self._read_all(calls))
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

    def _read_all(self, calls: pl.DataFrame) -> Iterator[Step]:
        return map(self._step, *(calls[column] for column in _CALL))

    def _step(self, *call: Any) -> Step:
        command = call[1]
        return self._read(*call) if command and len(command) > MEMO_LENGTH else self._remembered(*call)

    def _read(self, tool: str | None, command: str | None, cwd: str | None, tool_params: str | None) -> Step:
        return read_step(tool, command, cwd, tool_params, self._policy)


def _on_steps(steps: pl.DataFrame, calls: pl.DataFrame, found: pl.DataFrame, order: str) -> pl.DataFrame:
    """What was found per distinct call, on each step that made the call, in the order of the steps."""
    joined = calls.select("call", "step").explode("step").join(found, on="call").sort("step", order)
    return joined.with_columns(steps[column].gather(joined["step"]) for column in ("workflow_id", "step_seq"))
