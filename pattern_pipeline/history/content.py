"""Canonical content of runs: the hashes by which two versions of a run are compared, and the form that is copied.

The hashes depend on values only, not on the source, the order of columns or the version of a library: they are stored
and compared for years. How versions are merged does not belong here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final, Self

import polars as pl

from pattern_pipeline.history.model import RUNS, STEPS, Batch

TERMINAL: Final = ("completed", "failed")

# PostgreSQL text never holds a NUL, so neither mark can be part of a value.
_BETWEEN: Final = "\x00"
_UNKNOWN: Final = "\x00\x01"
_BETWEEN_STEPS: Final = "\x00\x02"

_RUN_VALUES: Final = sorted(set(RUNS) - {"position"})
_STEP_VALUES: Final = sorted(set(STEPS) - {"workflow_id"})
_JSON_COLUMNS: Final = ("extra", "tool_params")


@dataclass(frozen=True)
class Prepared:
    """A batch with what its runs are compared by: all of a merge that needs no database.

    Attributes:
        batch: As a reader yielded it.
        runs: Its runs with `step_count` (Int32) and `content_hash`.
        versions: Of these runs, as by `versions`.
    """

    batch: Batch
    runs: pl.DataFrame
    versions: pl.DataFrame

    @classmethod
    def of(cls, batch: Batch) -> Self:
        """The batch with its contents hashed."""
        runs = with_content(batch.runs, batch.steps)
        return cls(batch, runs, versions(runs))

    def without(self, known: Collection[str]) -> Self:
        """The runs that are not `known`, and their steps."""
        is_known = pl.col("workflow_id").is_in(list(known))
        if not known or self.runs.filter(is_known).is_empty():
            return self
        batch = replace(self.batch, runs=self.batch.runs.filter(~is_known), steps=self.batch.steps.filter(~is_known))
        return type(self)(batch, self.runs.filter(~is_known), self.versions.filter(~is_known))


def with_content(runs: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """`runs` with `step_count` (Int32) and `content_hash` (32 hex digits over the run and its steps in their order)."""
    content = (
        steps.sort("workflow_id", "seq", "tool_call_id")
        .group_by("workflow_id", maintain_order=True)
        .agg(
            step_count=pl.len().cast(pl.Int32),
            steps_content=_canonical(steps, _STEP_VALUES).str.join(_BETWEEN_STEPS),
        )
    )
    joined = runs.join(content, on="workflow_id", how="left", maintain_order="left")
    canonical = joined.select(
        pl.concat_str(_canonical(runs, _RUN_VALUES), pl.col("steps_content").fill_null(""), separator=_BETWEEN_STEPS)
    ).to_series()
    return joined.drop("steps_content").with_columns(
        pl.col("step_count").fill_null(0), _digests(canonical).alias("content_hash")
    )


def versions(runs: pl.DataFrame) -> pl.DataFrame:
    """What decides between versions of a run, a row for each of `runs` (with content): columns of `staged_versions`."""
    return runs.select(
        ordinal=pl.int_range(pl.len(), dtype=pl.Int32),
        workflow_id="workflow_id",
        content_hash="content_hash",
        is_terminal=pl.col("status").is_in(TERMINAL).fill_null(False),
        started_at="start_time",
        end_time="end_time",
        event_time="event_time",
        step_count="step_count",
        text_hash=_digests(runs["nl_input"].fill_null(_UNKNOWN)),
        position="position",
    )


def copyable(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with JSON text in the binary form of jsonb (a version byte, then the text), which COPY takes directly."""
    present = [column for column in _JSON_COLUMNS if column in frame.columns]
    return frame.with_columns((pl.lit("\x01") + pl.col(column)).cast(pl.Binary).alias(column) for column in present)


def _canonical(frame: pl.DataFrame, columns: list[str]) -> pl.Expr:
    """One text for the values of each row; times as microseconds, decimals with all their places."""
    values = (
        pl.col(column).dt.epoch("us") if isinstance(frame.schema[column], pl.Datetime) else pl.col(column)
        for column in columns
    )
    return pl.concat_str((value.cast(pl.String).fill_null(_UNKNOWN) for value in values), separator=_BETWEEN)


def _digests(texts: pl.Series) -> pl.Series:
    # polars' own hash may change with its version. In bytes, since a third of the time would go with texts.
    contents = texts.cast(pl.Binary).to_list()
    digests = [hashlib.blake2b(content, digest_size=16).digest() for content in contents]
    return pl.Series(digests, dtype=pl.Binary).bin.encode("hex")
