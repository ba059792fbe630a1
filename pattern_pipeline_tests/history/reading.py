"""Helpers of the reader tests: write a source, read it whole."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from pattern_pipeline.history.model import QUARANTINE, RUNS, STEPS, Batch
from pattern_pipeline.history.readers import ReadOptions, discover, reader_for

START = "2026-01-01T00:00:00Z"


@dataclass(frozen=True)
class Reading:
    """All batches of a source put together."""

    batches: Sequence[Batch]
    runs: pl.DataFrame
    steps: pl.DataFrame
    quarantined: pl.DataFrame

    @property
    def reasons(self) -> list[str]:
        return self.quarantined["reason"].to_list()

    def run(self, workflow_id: str) -> dict[str, Any]:
        return self.runs.row(by_predicate=pl.col("workflow_id") == workflow_id, named=True)


def read(spec: str | Path, options: ReadOptions | None = None, offset: int = 0) -> Reading:
    batches = [
        batch
        for location in discover(str(spec))
        for batch in reader_for(location).read(location, options or ReadOptions(), offset)
    ]
    for batch in batches:
        assert (batch.runs.schema, batch.steps.schema, batch.quarantined.schema) == (RUNS, STEPS, QUARANTINE)
    return Reading(
        batches,
        pl.concat([RUNS.to_frame(), *(batch.runs for batch in batches)]),
        pl.concat([STEPS.to_frame(), *(batch.steps for batch in batches)]),
        pl.concat([QUARANTINE.to_frame(), *(batch.quarantined for batch in batches)]),
    )


def write_lines(path: Path, *records: dict[str, Any] | str) -> Path:
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def a_run(**fields: Any) -> dict[str, Any]:
    return {"id": 1, "started_at": START, **fields}
