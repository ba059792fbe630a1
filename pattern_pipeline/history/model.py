"""The canonical shape of history: what every reader yields and landing stores.

Here are the column names and types of runs, steps and quarantined records, and the batch that carries them. How a
source becomes these columns belongs to the readers; how they reach PostgreSQL belongs to landing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

INSTANT: Final = pl.Datetime("us", "UTC")
MONEY: Final = pl.Decimal(24, 12)
SECONDS: Final = pl.Decimal(18, 6)

# Columns of `workflow_history` that a source determines, and where in the source the run stood.
RUNS: Final = pl.Schema(
    {
        "workflow_id": pl.String(),
        "adw_id": pl.String(),
        "session_id": pl.String(),
        "parent_workflow_id": pl.String(),
        "source": pl.String(),
        "project": pl.String(),
        "nl_input": pl.String(),
        "workflow_template": pl.String(),
        "workflow_type": pl.String(),
        "model_used": pl.String(),
        "status": pl.String(),
        "start_time": INSTANT,
        "end_time": INSTANT,
        "duration_seconds": SECONDS,
        "error_message": pl.String(),
        "error_count": pl.Int32(),
        "retry_count": pl.Int32(),
        "input_tokens": pl.Int64(),
        "output_tokens": pl.Int64(),
        "cache_read_tokens": pl.Int64(),
        "cache_write_tokens": pl.Int64(),
        "total_tokens": pl.Int64(),
        "estimated_cost_total": MONEY,
        "actual_cost_total": MONEY,
        "cost_basis": pl.String(),
        "extra": pl.String(),  # JSON object text
        "event_time": INSTANT,
        "position": pl.String(),
    }
)

# Columns of `tool_calls`. `cost_usd` is the step's own share of the model call that issued it.
STEPS: Final = pl.Schema(
    {
        "workflow_id": pl.String(),
        "tool_call_id": pl.String(),
        "seq": pl.Int32(),
        "agent_id": pl.String(),
        "tool_name": pl.String(),
        "tool_params": pl.String(),  # JSON text
        "command": pl.String(),
        "cwd": pl.String(),
        "called_at": INSTANT,
        "completed_at": INSTANT,
        "duration_seconds": SECONDS,
        "success": pl.Boolean(),
        "exit_code": pl.Int32(),
        "error_message": pl.String(),
        "input_tokens": pl.Int64(),
        "output_tokens": pl.Int64(),
        "cost_usd": MONEY,
        "request_id": pl.String(),
        "output_excerpt": pl.String(),
        "extra": pl.String(),  # JSON object text
        "event_time": INSTANT,
    }
)

# A record that could not become history, or a field of a landed record that had to be left out.
QUARANTINE: Final = pl.Schema(
    {
        "position": pl.String(),
        "reason": pl.String(),
        "detail": pl.String(),
        "excerpt": pl.String(),  # redacted and bounded
    }
)


def empty(schema: pl.Schema) -> pl.DataFrame:
    """A frame of `schema` without rows."""
    return pl.DataFrame(schema=schema)


def conform(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """The columns of `schema`, in its order and with its types."""
    return frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items())


@dataclass(frozen=True)
class Batch:
    """A bounded part of a source in canonical form.

    Attributes:
        runs: Frame of schema `RUNS`; every `workflow_id` once. Further records of a run follow in further batches.
        steps: Frame of schema `STEPS`; every `workflow_id` is one of `runs`.
        quarantined: Frame of schema `QUARANTINE`.
        rows_read: Records of the source that this batch accounts for, good or bad.
        redactions: Number of values replaced, by kind of secret.
        facts: Sums that a reader has to tell of what it read, by name.
        skipped: Records that hold nothing known, by type.
        byte_offset: Where a later read of a growing file resumes after this batch; None for a source without offsets.
    """

    runs: pl.DataFrame = field(default_factory=lambda: empty(RUNS))
    steps: pl.DataFrame = field(default_factory=lambda: empty(STEPS))
    quarantined: pl.DataFrame = field(default_factory=lambda: empty(QUARANTINE))
    rows_read: int = 0
    redactions: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, int] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)
    byte_offset: int | None = None
