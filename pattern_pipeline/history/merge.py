"""Merging a batch into history: one transaction with its quarantine, touched hours and ledger entry.

The stored version of a run is a function of what its sources say of it (`run_sources`), never of the order in which
they were read; the rules stand in record_versions.sql, rank_versions.sql and resolve.sql. Reading sources and deciding
what to read belong to `landing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import orjson
import polars as pl

from pattern_pipeline.history.content import Prepared, copyable, with_content
from pattern_pipeline.history.ledger import Source
from pattern_pipeline.history.model import Batch
from pattern_pipeline.history.supersession import is_possible, regrouped
from pattern_pipeline.warehouse.database import BulkTransaction

MERGE_LOCK = "history merge"
"""Held while versions are compared and written, so that two merges never decide upon each other's halves."""


@dataclass(frozen=True)
class MergeCounts:
    """Runs by what became of them; `moved` are those of `updated` that now count in another hour."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    moved: int = 0

    def __add__(self, other: MergeCounts) -> MergeCounts:
        return MergeCounts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


def merge(bulk: BulkTransaction, source: Source, prepared: Prepared, *, pass_is_complete: bool) -> MergeCounts:
    """Merges a batch; the caller's transaction makes it and its ledger entry one.

    Args:
        bulk: A transaction that has merged nothing yet.
        source: Where the batch comes from.
        prepared: Runs, their steps, bad records.
        pass_is_complete: The batch is the last of a reading from the beginning: what it did not see has vanished.
    """
    batch = prepared.batch
    this_pass = {"source_id": source.source_id, "pass": source.pass_number}
    takes_back = pass_is_complete and source.pass_number > 1
    bulk.run("history/create_stage")
    bulk.load("staged_runs", prepared.versions.select("workflow_id"), temporary=True)
    bulk.run("history/analyze_stage")
    bulk.lock(MERGE_LOCK)
    if batch.quarantined.height:
        bulk.load("staged_quarantine", batch.quarantined, temporary=True)
        bulk.run("history/add_quarantined", **this_pass)
    is_new = not takes_back and bool(bulk.scalar("history/all_new"))
    if is_new:
        bulk.load("run_sources", _supplied(source, prepared))
        counts = _store_new(bulk, prepared.runs, batch.steps, prepared.versions)
    else:
        bulk.load("staged_versions", prepared.versions, temporary=True)
        _compare(bulk, this_pass, takes_back=takes_back)
        counts = store(bulk, prepared.runs, batch.steps)
    if takes_back:
        bulk.run("history/clear_old_quarantined", **this_pass)
    _account(bulk, source, batch)
    return counts


def merge_new(bulk: BulkTransaction, parts: Sequence[tuple[Source, Prepared]]) -> dict[int, MergeCounts]:
    """Merges what several sources say of runs that nobody told of before, as one batch.

    Left out are sources that tell of a run that is known already, or that one before them tells otherwise.

    Args:
        bulk: A transaction that has merged nothing yet.
        parts: Sources in their first pass, each with all that it holds; without bad records.

    Returns:
        What became of the runs of each source that was merged, by its id.
    """
    bulk.run("history/create_stage")
    bulk.load("staged_runs", pl.concat(each.versions.select("workflow_id") for _, each in parts), temporary=True)
    bulk.run("history/analyze_stage")
    bulk.lock(MERGE_LOCK)
    known = set(bulk.frame("history/known_runs")["workflow_id"])
    told: dict[str, str] = {}
    counts: dict[int, MergeCounts] = {}
    chosen: list[tuple[Source, Prepared]] = []
    own: list[Prepared] = []
    for source, prepared in parts:
        contents = dict(prepared.runs.select("workflow_id", "content_hash").iter_rows())
        if known.isdisjoint(contents) and all(told.get(run, content) == content for run, content in contents.items()):
            chosen.append((source, prepared))
            own.append(prepared.without(told))
            inserted = own[-1].runs.height
            counts[source.source_id] = MergeCounts(inserted=inserted, unchanged=len(contents) - inserted)
            told |= contents
    if chosen:
        bulk.load("run_sources", pl.concat(_supplied(source, prepared) for source, prepared in chosen))
        versions = pl.concat(each.versions for each in own)
        _store_new(
            bulk,
            pl.concat(each.runs for each in own),
            pl.concat(each.batch.steps for each in own),
            versions.with_columns(ordinal=pl.int_range(pl.len(), dtype=pl.Int32)),
        )
    for source, prepared in chosen:
        _account(bulk, source, prepared.batch)
    return counts


def _supplied(source: Source, prepared: Prepared) -> pl.DataFrame:
    """Rows of `run_sources`: what a source says in its pass."""
    own = (("source_id", source.source_id), ("pass", source.pass_number))
    values = (pl.lit(value, dtype=pl.Int32).alias(column) for column, value in own)
    return prepared.versions.drop("ordinal", "event_time").with_columns(values)


def _store_new(bulk: BulkTransaction, runs: pl.DataFrame, steps: pl.DataFrame, versions: pl.DataFrame) -> MergeCounts:
    """Stores runs that nobody told of before; `versions` has a row for each of them."""
    if not is_possible(bulk):
        return add(bulk, runs, steps)
    bulk.load("staged_versions", versions, temporary=True)
    bulk.run("history/resolve_new")
    return store(bulk, runs, steps)


def _account(bulk: BulkTransaction, source: Source, batch: Batch) -> None:
    bulk.run(
        "history/account_batch",
        source_id=source.source_id,
        rows_read=batch.rows_read,
        runs_read=batch.runs.height,
        steps_read=batch.steps.height,
        redactions=orjson.dumps(dict(batch.redactions)).decode(),
        first_event_time=batch.runs["event_time"].min(),
        last_event_time=batch.runs["event_time"].max(),
    )


def _compare(bulk: BulkTransaction, this_pass: Mapping[str, int], *, takes_back: bool) -> None:
    """Decides between what this source says of each staged run now and all that was said before."""
    bulk.run("history/clear_former_conflicts", source_id=this_pass["source_id"])
    bulk.run("history/quarantine_rivals", **this_pass)
    bulk.run("history/record_versions", **this_pass)
    if takes_back:
        bulk.run("history/vanished_versions", **this_pass)
    resolve(bulk)


def remove(bulk: BulkTransaction, source: Source) -> MergeCounts:
    """Takes back all that a source said, and the source itself; runs that others supplied as well stay."""
    nothing = Batch()
    bulk.run("history/create_stage")
    bulk.lock(MERGE_LOCK)
    bulk.run("history/remove_versions", source_id=source.source_id)
    resolve(bulk)
    counts = store(bulk, with_content(nothing.runs, nothing.steps), nothing.steps)
    bulk.run("history/remove_source", source_id=source.source_id)
    return counts


def resolve(bulk: BulkTransaction) -> None:
    """Decides what becomes of each run of `staged_versions`, and notes those that contradict another under their id."""
    bulk.run("history/rank_versions")
    bulk.run("history/clear_conflicts")
    bulk.run("history/add_conflicts")
    bulk.run("history/resolve")


def add(bulk: BulkTransaction, runs: pl.DataFrame, steps: pl.DataFrame) -> MergeCounts:
    """Stores runs of which nothing was known: all of a first ingest, without the detour over `resolved`.

    Args:
        bulk: The merging transaction.
        runs: Runs with content that are not in history, where all sources have one rank.
        steps: Their steps.
    """
    write(bulk, runs.with_columns(is_update=pl.lit(False)), steps)
    hours = runs.select(pl.col("event_time").dt.truncate("1h").unique().alias("hour"))
    bulk.load("staged_hours", hours, temporary=True)
    bulk.run("history/touch_staged_hours")
    return MergeCounts(inserted=runs.height)


def store(bulk: BulkTransaction, runs: pl.DataFrame, steps: pl.DataFrame) -> MergeCounts:
    """Does what `resolved` says, touches the hours, and asks for the sources that must be read again.

    Args:
        bulk: The merging transaction.
        runs: The batch's runs with content; `resolved.ordinal` numbers its rows.
        steps: Their steps.
    """
    with regrouped(bulk):
        bulk.run("history/delete_runs")
        wanted = bulk.frame("history/wanted_rows")
        if wanted.height:
            write(bulk, runs[wanted["ordinal"]].with_columns(wanted["is_update"]), steps)
    bulk.run("history/touch_hours")
    bulk.run("history/want_reread")
    return MergeCounts(**bulk.frame("history/merge_counts").row(0, named=True))


def write(bulk: BulkTransaction, runs: pl.DataFrame, steps: pl.DataFrame) -> None:
    """Copies new runs, corrects changed ones in place and replaces their steps.

    Args:
        bulk: The merging transaction.
        runs: Frame of `RUNS` with `step_count`, `content_hash` and `is_update`.
        steps: Steps of these and possibly other runs.
    """
    rows = copyable(runs.drop("position"))
    new, corrected = (rows.filter(pl.col("is_update") == updates).drop("is_update") for updates in (False, True))
    if new.height:
        bulk.load("workflow_history", new)
    if corrected.height:
        bulk.load("corrected_runs", corrected, temporary=True)
        bulk.run("history/delete_corrected_steps")
        bulk.run("history/correct_runs")
    written = steps.join(runs, on="workflow_id", how="semi", maintain_order="left")
    if written.height:
        bulk.load("tool_calls", copyable(written))
