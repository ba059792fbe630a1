"""What the performing of an operation hands back inside its transaction, and rows as everybody outside gets them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from pattern_pipeline.errors import NotFound


@dataclass(frozen=True)
class Outcome:
    """A success.

    Attributes:
        data: What the caller gets.
        count: How many things were found or changed.
        pattern_id: The template that it was about, if one.
        before: A changed row as it was, for the log.
        after: ... and as it is.
    """

    data: Any
    count: int
    pattern_id: UUID | None = None
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


def plain(row: RowMapping | Mapping[str, Any]) -> dict[str, Any]:
    """A row with exact decimals as numbers; times and ids stay what they are."""
    return {str(name): float(value) if isinstance(value, Decimal) else value for name, value in row.items()}


def listed(rows: Iterable[RowMapping | Mapping[str, Any]]) -> Outcome:
    """Rows that were asked for."""
    found = [plain(row) for row in rows]
    return Outcome(found, len(found))


def no_template(pattern_id: UUID) -> NotFound:
    """There is no template of that id."""
    return NotFound(f"template {pattern_id}: there is none of that id; see `pattern-pipeline library list`")
