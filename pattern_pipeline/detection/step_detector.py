"""Signatures and templates of many tool calls at once: each distinct call is read once and joined back.

Only the vectorising belongs here; what one call means is `steps.py`.
"""

from __future__ import annotations

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
        tool = pl.col("tool_name").str.strip_chars().str.to_lowercase()
        # The parameters of a shell call say nothing that its command does not; without them more calls are equal.
        parameters = pl.when(~tool.is_in(sorted(self._policy.shell_names)).fill_null(False)).then("tool_params")
        calls = (
            steps.with_columns(parameters.alias("tool_params"))
            .with_row_index("step")
            .group_by(_CALL, maintain_order=True)
            .agg("step")
            .with_row_index("call")
        )
        rows = [
            (call, part, match.rule_id, match.text, match.signature, None if part else step.template.text)
            for call, step in enumerate(map(self._step, *(calls[column] for column in _CALL)))
            for part, match in enumerate(step.matches)
        ]
        parts = pl.DataFrame(rows, schema=_PARTS, orient="row")
        detected = calls.select("call", "step").explode("step").join(parts, on="call").sort("step", "part")
        return detected.with_columns(
            steps["workflow_id"].gather(detected["step"]),
            steps["step_seq"].gather(detected["step"]),
            layer=pl.lit("step"),
        ).select(DETECTED.names())

    def _step(self, *call: Any) -> Step:
        command = call[1]
        return self._read(*call) if command and len(command) > MEMO_LENGTH else self._remembered(*call)

    def _read(self, tool: str | None, command: str | None, cwd: str | None, tool_params: str | None) -> Step:
        return read_step(tool, command, cwd, tool_params, self._policy)
