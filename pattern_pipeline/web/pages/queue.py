"""The list: what waits for a decision, with filters, search, order and pages; and why it is empty when it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import BaseModel, Field

from pattern_pipeline.review.filters import EVERYTHING
from pattern_pipeline.review.listing import Sort, Wanted, read_page
from pattern_pipeline.review.queue import QueueStatistics
from pattern_pipeline.review.sync import SyncResult
from pattern_pipeline.warehouse.database import Transaction
from pattern_pipeline.web.api.sync import bring_up_to_date
from pattern_pipeline.web.fields import Status, Word
from pattern_pipeline.web.pages.access import Deciding, Looking, SignedForm, check_form
from pattern_pipeline.web.pages.charts import Scale
from pattern_pipeline.web.pages.rendering import render
from pattern_pipeline.web.services import ServicesOf

router = APIRouter()

PAGE_SIZE = 25
SAMPLED_RUNS = 3
"""Latest runs of a pattern in which a command of it is looked for."""


class ListQuery(BaseModel):
    """The address of a list.

    Attributes:
        status: Without it the list shows what waits.
        done: Number of the history row that the last decision made, to say so.
    """

    status: Status | Literal["all"] = "pending"
    type: Word = ""
    q: Word = ""
    needs_review: bool = False
    sort: Sort = Sort.VALUE
    cursor: Word = ""
    done: int | None = Field(None, ge=1, lt=2**63)

    def wanted(self) -> Wanted:
        """What to read; a row that asks for another look may have any status."""
        return Wanted(
            status=None if self.status == "all" or self.needs_review else self.status,
            pattern_type=self.type or None,
            q=self.q,
            needs_review=self.needs_review,
            sort=self.sort,
            limit=PAGE_SIZE,
            cursor=self.cursor or None,
        )

    def address(self, **changes: Any) -> str:
        """The address of a list like this one; what is as usual is left out."""
        changed = self.model_copy(update={"done": None, "cursor": "", **changes})
        return "/?" + urlencode(changed.model_dump(mode="json", exclude_defaults=True))


class SyncForm(SignedForm):
    """Which preset to bring the queue up to date with.

    Attributes:
        dry_run: Only tell what would happen.
        confirmed: What would happen has been told; the preset that lets everything in needs that.
    """

    preset: Word
    dry_run: bool = False
    confirmed: bool = False


@dataclass(frozen=True)
class Synced:
    """What a sync did, or would do, and by which preset."""

    preset: str
    result: SyncResult


@router.get("/")
def show_queue(
    request: Request, services: ServicesOf, person: Looking, query: Annotated[ListQuery, Query()]
) -> Response:
    """A page of the queue."""
    return _render(request, services, query)


@router.post("/sync")
def sync_queue(request: Request, services: ServicesOf, person: Deciding, form: Annotated[SyncForm, Form()]) -> Response:
    """Bring the queue up to date, or tell what that would do."""
    check_form(request, form)
    only_tell = form.dry_run or (form.preset == EVERYTHING and not form.confirmed)
    result = bring_up_to_date(services, person, form.preset, only_tell)
    return _render(request, services, ListQuery(), Synced(form.preset, result))


def back_to_list(query_string: str, done: int | None = None) -> str:
    """The address of the list that a decision was made from, which is never one of another site."""
    known = ListQuery.model_fields.keys()
    try:
        query = ListQuery.model_validate({key: value for key, value in parse_qsl(query_string) if key in known})
    except ValueError:
        query = ListQuery()
    return query.address(cursor=query.cursor, done=done)


def _render(request: Request, services: ServicesOf, query: ListQuery, synced: Synced | None = None) -> Response:
    with services.warehouse.transaction() as transaction:
        listing = read_page(transaction, query.wanted())
        counts = QueueStatistics.model_validate(dict(transaction.rows("review/queue_statistics")[0]))
        samples = _samples(transaction, [row.pattern_id for row in listing.items])
        types = [row["pattern_type"] for row in transaction.rows("review/pattern_types")]
        done = transaction.one("review/review_of", history_id=query.done) if query.done else None
        explained = not (listing.items or query.q or query.type or query.needs_review) and query.status == "pending"
        examined = transaction.one("review/examined") if explained else None
    return render(
        request,
        "queue.html",
        query=query,
        listing=listing,
        samples=samples,
        counts=counts,
        types=types,
        done=done,
        examined=examined,
        synced=synced,
        presets=services.policy.queue.presets,
        scale=Scale.around([amount for row in listing.items for amount in (row.net_p10, row.net_p90)]),
    )


def _samples(transaction: Transaction, pattern_ids: list[int]) -> dict[int, str]:
    """What each pattern looks like when it is run."""
    rows = transaction.rows("review/samples", pattern_ids=pattern_ids, runs=SAMPLED_RUNS)
    return {row["pattern_id"]: row["sample"] for row in rows if row["sample"]}
