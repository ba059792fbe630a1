"""The same run seen through two kinds of source: the better one counts, and the other's calls are merged into it.

A run that shares its session and the id of a call or of a model request with a run of a higher-ranked source is
superseded by that run: it stays as its source gave it, but leaves every count. Calls that both have are one, which
takes from the worse source what the better one does not tell; the worse source's other calls join the better run.

Whenever runs of such a session change, the session is first taken apart (every call as its source gave it, see
`tool_calls.as_supplied`) and afterwards put together anew, from the best rank down. So the result depends only on what
the sources say, and re-reading, correcting or forgetting either of them is nothing special. Which version of one run is
stored belongs to `merge`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from pattern_pipeline.warehouse.database import BulkTransaction, Transaction

_BY_RANK = ("match_calls", "match_requests", "link_runs", "supersede_runs", "join_calls", "match_joined")
_AT_LAST = ("merge_calls", "move_calls", "merge_runs", "note_changes")


@dataclass(frozen=True)
class Merged:
    """What history counts once although two kinds of source tell of it.

    Attributes:
        runs: Superseded runs.
        calls: Tool calls that they supplied.
        same_calls: Those of them that the better source has too; the others joined its runs.
        tokens: Of the superseded runs.
        usd: Cost of the superseded runs, billed or priced.
    """

    runs: int = 0
    calls: int = 0
    same_calls: int = 0
    tokens: int = 0
    usd: Decimal = Decimal(0)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "usd": str(self.usd)}


def is_possible(bulk: BulkTransaction) -> bool:
    """Whether there are sources of different ranks, or were."""
    return bool(bulk.scalar("supersession/is_possible"))


@contextmanager
def regrouped(bulk: BulkTransaction) -> Iterator[None]:
    """Runs are inserted, corrected and deleted inside, as `resolved` says; what they share with others is decided anew.

    Where no two sources differ in rank it costs one look at an index.
    """
    if not is_possible(bulk):
        yield
        return
    bulk.run("supersession/create_stage")
    _take_apart(bulk)
    yield
    # Runs that are new, or in another session than before.
    _take_apart(bulk)
    _put_together(bulk)


def merged(tx: Transaction) -> Merged:
    """What is counted once now, in all of history."""
    row = tx.one("supersession/totals")
    return Merged() if row is None else Merged(**row)


def _take_apart(bulk: BulkTransaction) -> None:
    bulk.run("supersession/collect_sessions")
    bulk.run("supersession/separate")


def _put_together(bulk: BulkTransaction) -> None:
    bulk.run("supersession/fill_stage")
    ranks = bulk.frame("supersession/ranks")["rank"]
    for rank in ranks:
        for step in _BY_RANK:
            bulk.run(f"supersession/{step}", rank=rank)
    for step in _AT_LAST if len(ranks) else ("note_changes",):
        bulk.run(f"supersession/{step}")
