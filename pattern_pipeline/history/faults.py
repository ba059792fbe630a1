"""What could not become history, collected as quarantine rows with redacted, bounded excerpts.

Which values are faulty and what follows is decided where they are met; the wording of a row's columns is shared here.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from pattern_pipeline.history.model import QUARANTINE
from pattern_pipeline.history.redaction import Redactor

EXCERPT_LENGTH: Final = 500
# Longer than what is kept, so that a secret is whole when it is looked for.
UNREDACTED_LENGTH: Final = 8 * EXCERPT_LENGTH


@dataclass
class Faults:
    """Quarantine rows in the making, still with secrets in their excerpts."""

    parts: list[pl.DataFrame] = field(default_factory=list)

    def add(self, positions: pl.Series, reason: str, details: str | pl.Series, excerpts: pl.Series) -> None:
        """Add a row for each of `positions`."""
        if len(positions):
            columns = {"position": positions, "excerpt": excerpts.str.head(UNREDACTED_LENGTH)}
            rows = pl.DataFrame(columns).with_columns(reason=pl.lit(reason), detail=pl.lit(details))
            self.parts.append(rows.select(pl.col(name).cast(dtype) for name, dtype in QUARANTINE.items()))

    def add_lost(self, positions: pl.Series, lost: Mapping[str, pl.Series], where: pl.Series) -> None:
        """Add a row for each record in `where` of which fields were left out; `lost` as in `Resolved.lost`."""
        if not lost:
            return
        told = pl.DataFrame(dict(lost)).select(
            names=pl.concat_str(
                [pl.when(pl.col(name).is_not_null()).then(pl.lit(name)) for name in lost],
                separator=", ",
                ignore_nulls=True,
            ),
            values=pl.concat_str(pl.all(), separator=", ", ignore_nulls=True),
        )
        where = where & (told["names"] != "")
        details = "Left out, the rest has landed: " + told["names"].filter(where) + "."
        self.add(positions.filter(where), "field_dropped", details, told["values"].filter(where))

    def quarantined(self, redactor: Redactor) -> tuple[pl.DataFrame, Counter[str]]:
        """All rows, ready to be stored, and what was redacted in them. A position stands once for a reason."""
        if not self.parts:
            return QUARANTINE.to_frame(), Counter()
        rows = pl.concat(self.parts).unique(["position", "reason"], keep="first", maintain_order=True)
        redacted, counts = redactor.frame(rows, skip=("reason",))
        return redacted.with_columns(pl.col("excerpt").str.head(EXCERPT_LENGTH)), counts
