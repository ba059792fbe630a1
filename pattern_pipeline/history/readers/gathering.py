"""Runs that were put together from many records, on their way into batches of bounded size.

For readers whose records are lines or events of runs rather than runs. How records become runs belongs to the readers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import polars as pl

from pattern_pipeline.history.faults import Faults
from pattern_pipeline.history.mapping import ReadOptions
from pattern_pipeline.history.model import Batch
from pattern_pipeline.history.normalise import Normaliser
from pattern_pipeline.history.records import Records, Steps
from pattern_pipeline.history.redaction import Redactor

_RUNS: Final = 2_000
_STEPS: Final = 10_000
_TYPES: Final = 50
_TYPE_LENGTH: Final = 60


class Gathering:
    """Takes runs as records under canonical names and gives canonical batches."""

    def __init__(self, kind: str, options: ReadOptions, *, is_priced: bool = False) -> None:
        self._normaliser = Normaliser(kind, options, is_priced=is_priced)
        self._redactor = Redactor(options.redaction)
        self._clear()

    def _clear(self) -> None:
        self._faults = Faults()
        self._rows_read = 0
        self._facts: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()
        self._rows: list[dict[str, Any]] = []
        self._steps: list[Sequence[Mapping[str, Any]]] = []
        self._step_count = 0
        self._positions: list[str] = []

    def account(
        self,
        *,
        rows_read: int = 0,
        faults: Faults | None = None,
        facts: Mapping[str, int] | None = None,
        skipped: Mapping[str, int] | None = None,
    ) -> None:
        """Adds to what the next batch tells of the source."""
        self._rows_read += rows_read
        self._faults.parts += faults.parts if faults else []
        self._facts.update(facts or {})
        self._skipped.update(skipped or {})

    def add(self, run: dict[str, Any], steps: Sequence[Mapping[str, Any]], position: str) -> None:
        """Adds a run that stands at `position`."""
        self._rows.append(run)
        self._steps.append(steps)
        self._step_count += len(steps)
        self._positions.append(position)

    @property
    def is_empty(self) -> bool:
        """Whether no run waits to be given."""
        return not self._rows

    def batches(self, byte_offset: int | None = None, *, is_last: bool = False) -> Iterator[Batch]:
        """The batches of what was added, once it is much or nothing more will come."""
        if not is_last and len(self._rows) < _RUNS and self._step_count < _STEPS:
            return
        first, *further = self._normaliser.batches(
            Records.of_rows(self._rows, self._normaliser.run_fields, pl.Series("position", self._positions, pl.String)),
            Steps.of_lists(self._steps, self._normaliser.step_fields),
            self._faults,
            rows_read=self._rows_read,
            byte_offset=byte_offset,
        )
        yield replace(first, facts=self._facts, skipped=self._told_types())
        yield from further
        self._clear()

    def _told_types(self) -> Counter[str]:
        """The unknown types of record; their names are the source's, so they are redacted too."""
        counted = self._skipped.most_common(_TYPES)
        names, _ = self._redactor.text(pl.Series([name for name, _ in counted], dtype=pl.String))
        told: Counter[str] = Counter()
        for name, (_, records) in zip(names.str.head(_TYPE_LENGTH), counted, strict=True):
            told[name] += records
        return told
