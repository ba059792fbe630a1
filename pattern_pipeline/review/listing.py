"""The queue in pages: filtered, searched and sorted, each page continuing where the last one ended.

Keyset paging: a page costs the same at any depth, and a decision between two pages neither repeats nor skips a row.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping

from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.review.queue import QueueEntry
from pattern_pipeline.warehouse.database import Transaction, Warehouse

MAX_LIMIT: Final = 200
RARE: Final = 2000
"""Words that no more patterns than this have count as rare."""
_WORD: Final = re.compile(r"[^\W_]+")


class Sort(StrEnum):
    """Orders of the queue; each has a statement of its own, so that each can use its index.

    The name of the column is accepted as well, like `impact_score`.
    """

    VALUE = "value"
    SAVINGS = "savings"
    IMPACT = "impact"
    CONFIDENCE = "confidence"
    OCCURRENCES = "occurrences"
    NEWEST = "newest"

    @classmethod
    def _missing_(cls, value: object) -> Sort | None:
        return _COLUMNS.get(str(value))


_COLUMNS: Final = {
    "npv_p10": Sort.VALUE,
    "potential_monthly_savings": Sort.SAVINGS,
    "impact_score": Sort.IMPACT,
    "confidence_score": Sort.CONFIDENCE,
    "occurrence_count": Sort.OCCURRENCES,
    "created_at": Sort.NEWEST,
}


class Wanted(BaseModel):
    """Which rows of the queue, in which order.

    Attributes:
        status: Only rows of this status; None: all.
        pattern_type: Only this category; None: all.
        q: Every word of it begins a word of the signature or of the readable form.
        needs_review: Only rows that ask for another look.
        sort: Highest first; unknown values come last.
        limit: Rows on a page.
        cursor: `Listing.next_cursor` of the page before.
    """

    model_config = ConfigDict(frozen=True)

    status: str | None = None
    pattern_type: str | None = None
    q: str = ""
    needs_review: bool = False
    sort: Sort = Sort.VALUE
    limit: int = Field(20, ge=1, le=MAX_LIMIT)
    cursor: str | None = None


class Listing(BaseModel):
    """A page of the queue.

    Attributes:
        items: The rows in order.
        next_cursor: Where the next page starts; None on the last one.
    """

    items: tuple[QueueEntry, ...]
    next_cursor: str | None


def page(warehouse: Warehouse, wanted: Wanted) -> Listing:
    """One page of the queue.

    Raises:
        InvalidInput: The cursor is not one of this order.
    """
    with warehouse.transaction() as transaction:
        return read_page(transaction, wanted)


def read_page(transaction: Transaction, wanted: Wanted) -> Listing:
    """`page` inside a transaction of the caller's."""
    after_key, after_id = _decode(wanted.cursor, wanted.sort) if wanted.cursor else (None, None)
    transaction.run("review/plan_for_these_values")
    words, pattern_ids = _search(transaction, wanted.q)
    rows = transaction.rows(
        f"review/page_by_{wanted.sort}",
        status=wanted.status,
        pattern_type=wanted.pattern_type,
        needs_review=wanted.needs_review,
        words=words,
        pattern_ids=pattern_ids,
        after_key=after_key,
        after_id=after_id,
        limit=wanted.limit + 1,
    )
    shown = rows[: wanted.limit]
    return Listing(
        items=tuple(QueueEntry.model_validate(dict(row)) for row in shown),
        next_cursor=_encode(shown[-1], wanted.sort) if len(rows) > wanted.limit else None,
    )


def _search(transaction: Transaction, text: str) -> tuple[str | None, list[int] | None]:
    """How a page finds the words of a search: by looking for them in each row, or at the rows known to have them.

    Common words are met soon on the way through the order; rare ones would have it walked to its end, so their rows are
    looked up first. A text without any word is in no pattern.
    """
    if not text.strip():
        return None, None
    # PostgreSQL's text search: all words, each as a prefix.
    words = " & ".join(f"{word}:*" for word in _WORD.findall(text.lower()))
    if not words:
        return None, []
    found = transaction.rows("review/patterns_with_words", words=words, limit=RARE + 1)
    if len(found) > RARE:
        return words, None
    return None, [row["pattern_id"] for row in found]


def _encode(row: RowMapping, sort: Sort) -> str:
    """The last row of a page as opaque text: the order, its value there, and the number, which decides among equals."""
    return base64.urlsafe_b64encode(f"{sort}|{row['sort_key']}|{row['pattern_id']}".encode()).decode()


def _decode(cursor: str, sort: Sort) -> tuple[Decimal | int | datetime, int]:
    try:
        order, key, pattern_id = base64.urlsafe_b64decode(cursor.encode()).decode().split("|")
        if order != sort:
            raise InvalidInput(f"cursor: it belongs to the order {order!r}; start again without one")
        return _KEYS[sort](key), _whole_number(pattern_id)
    except ValueError as error:
        raise InvalidInput("cursor: not one that this service gave out; start again without one") from error


def _whole_number(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise ValueError("not a whole number of the database's range")
    return int(text)


def _number(text: str) -> Decimal:
    """Without exponents, which would let a few letters stand for more digits than the database takes."""
    if not re.fullmatch(r"-Infinity|-?\d{1,40}(\.\d{1,40})?", text, re.ASCII):
        raise ValueError("not a plain number")
    return Decimal(text)


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant needs a zone")
    return instant


_KEYS: Final[Mapping[Sort, Callable[[str], Decimal | int | datetime]]] = {
    Sort.VALUE: _number,
    Sort.SAVINGS: _number,
    Sort.IMPACT: _number,
    Sort.CONFIDENCE: _number,
    Sort.OCCURRENCES: _whole_number,
    Sort.NEWEST: _instant,
}
