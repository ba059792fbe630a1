"""Detected signatures: what the policy's rules see in the runs and steps of a window.

Texts and steps are read, detection itself happens in `detection`, and narrow rows of dictionary ids are stored.
Counting and cost belong to `occurrences`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any

import polars as pl
import pyarrow as pa

from pattern_pipeline.detection.kernel import Detector
from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.detection.step_detector import DETECTED, StepDetector
from pattern_pipeline.patterns.windows import Chunk, Committed, Window, nobody, plan_chunks
from pattern_pipeline.warehouse.ahead import one_ahead
from pattern_pipeline.warehouse.database import BulkTransaction, Warehouse

LOCK = "detected_signatures"
NOT_A_STEP = -1
ANALYZE_FROM = 5_000  # rows after which the planner's old idea of the table makes bad plans


@dataclass(frozen=True)
class Detected:
    """Rows written for a window."""

    workflows: int
    rows: int


@dataclass(frozen=True)
class _Part:
    """What was seen in a part of a window: rows with their texts, before these become ids, and characteristics."""

    workflows: int
    found: pl.DataFrame
    characteristics: pl.DataFrame


class WindowDetector:
    """The detectors of one policy, applied to windows of history."""

    def __init__(self, policy: Policy) -> None:
        self.version = policy.detection_version
        self._texts = Detector(policy)
        self._steps = StepDetector(policy.detection.steps) if policy.detection.steps else None

    def replace(self, warehouse: Warehouse, window: Window, committed: Committed = nobody) -> Detected:
        """Detect the window anew, one transaction per chunk; a repeat leaves the same rows."""
        chunks = plan_chunks(warehouse, window)
        done = []
        # From before the first read to behind the last write: whoever reads later also writes later.
        with warehouse.exclusively(LOCK), closing(one_ahead(self._parts(warehouse, chunks))) as parts:
            for chunk in chunks:
                done.append(self._replace_chunk(warehouse, chunk, islice(parts, chunk.slices)))
                committed(chunk.window)
            detected = Detected(sum(d.workflows for d in done), sum(d.rows for d in done))
            if detected.rows >= ANALYZE_FROM:
                with warehouse.bulk() as tx:
                    tx.run("patterns/analyze_detected")
        return detected

    def _parts(self, warehouse: Warehouse, chunks: Iterable[Chunk]) -> Iterator[_Part]:
        """What the rules see in each slice of each chunk."""
        for chunk in chunks:
            for part in range(chunk.slices):
                where: dict[str, Any] = {**chunk.window.params, "slices": chunk.slices, "slice": part}
                with warehouse.bulk() as tx:
                    runs = tx.frame("patterns/window_runs", **where)
                    steps = tx.frame("patterns/window_steps", **where)
                found = pl.concat([self._text_rows(runs), self._step_rows(steps)])
                described = self._texts.characteristics(runs.join(found, on="workflow_id", how="semi"))
                yield _Part(runs.height, found, described)

    def _replace_chunk(self, warehouse: Warehouse, chunk: Chunk, parts: Iterable[_Part]) -> Detected:
        params = chunk.window.params
        workflows = rows = 0
        with warehouse.bulk() as tx:
            tx.join(LOCK)
            tx.run("patterns/clear_detected", **params)
            for part in parts:
                rows += tx.load("detected_signatures", narrow(tx, part.found))
                tx.load("workflow_characteristics", with_jsonb(part.characteristics, "matched_characteristics"))
                workflows += part.workflows
            tx.run("patterns/mark_detected", **params, detection_version=self.version)
        return Detected(workflows, rows)

    def _text_rows(self, runs: pl.DataFrame) -> pl.DataFrame:
        found = self._texts.detect_texts(runs)
        return found.join(runs.select("workflow_id", "event_time"), on="workflow_id").select(
            "workflow_id",
            "event_time",
            pl.lit(NOT_A_STEP, pl.Int32).alias("step_seq"),
            pl.col("part").cast(pl.Int16),
            "signature",
            "layer",
            "rule_id",
            "matched_text",
            pl.lit(None, pl.String).alias("template"),
        )

    def _step_rows(self, steps: pl.DataFrame) -> pl.DataFrame:
        found = self._steps.detect_steps(steps) if self._steps else pl.DataFrame(schema=DETECTED)
        event_times = steps.select("workflow_id", "event_time").unique()
        return found.join(event_times, on="workflow_id").select(
            "workflow_id",
            "event_time",
            pl.col("step_seq").cast(pl.Int32),
            pl.col("part").cast(pl.Int16),
            "signature",
            "layer",
            "rule_id",
            "matched_text",
            pl.when(pl.col("part") == 0).then("template").alias("template"),
        )


def narrow(tx: BulkTransaction, found: pl.DataFrame) -> pl.DataFrame:
    """Replace the texts of detected rows by the ids of their dictionaries, which grow as needed."""
    for name, keys in (
        ("signatures", ["signature"]),
        ("evidence", ["layer", "rule_id", "matched_text"]),
        ("templates", ["template"]),
    ):
        distinct = found.select(keys).drop_nulls().unique().sort(keys)
        found = found.join(dictionary_ids(tx, name, distinct), on=keys, how="left")
    return found.select(
        "workflow_id", "event_time", "step_seq", "part", "signature_id", "evidence_id", "template_id"
    ).sort("workflow_id", "step_seq", "part")


def with_jsonb(frame: pl.DataFrame, column: str) -> pa.Table:
    """`frame` for a binary COPY with `column`, JSON text, going into a jsonb column."""
    table = frame.with_columns(pl.col(column).cast(pl.String)).to_arrow()
    json = pa.ExtensionArray.from_storage(pa.json_(), table[column].combine_chunks().cast(pa.string()))
    return table.set_column(table.schema.get_field_index(column), column, json)


def dictionary_ids(tx: BulkTransaction, name: str, values: pl.DataFrame) -> pl.DataFrame:
    """`values` (distinct, sorted) with their ids; unknown ones are added, in their order."""
    tx.run(f"patterns/stage_{name}")
    tx.load(f"stage_{name}", values, temporary=True)
    tx.run(f"patterns/add_{name}")
    return tx.frame(f"patterns/{name}_ids")
