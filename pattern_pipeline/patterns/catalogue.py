"""The catalogue of sequences: mined over a trailing window, stored, and applied to windows of hours.

Mining and matching themselves are `detection.sequences` and `detection.sequence_occurrences`. A changed catalogue makes
exactly those hours stale in which it finds something else than the one before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.detection.sequence_occurrences import match
from pattern_pipeline.detection.sequence_runs import STEPS
from pattern_pipeline.detection.sequences import SEQUENCES, Catalogue, catalogue_of, mine
from pattern_pipeline.patterns.versions import NO_CATALOGUE
from pattern_pipeline.patterns.windows import HOUR, Chunk, Window, plan_chunks
from pattern_pipeline.warehouse.database import BulkTransaction, Warehouse

EMPTY = Catalogue(pl.DataFrame(schema=SEQUENCES), NO_CATALOGUE)


@dataclass(frozen=True)
class Mined:
    """What mining came to."""

    version: str
    sequences: int
    automatable: int
    steps: int
    touched_hours: int


def mine_catalogue(warehouse: Warehouse, policy: Policy) -> Mined:
    """Mine the policy's trailing window of the history; an equal catalogue changes nothing."""
    span = _span(warehouse)
    if span is None:
        return Mined(NO_CATALOGUE, 0, 0, 0, 0)
    window = Window(max(span.start, span.end - timedelta(days=policy.sequences.window_days)), span.end)
    with warehouse.bulk() as tx:
        tx.lock("sequence_catalog")
        old = stored_catalogue(tx)
        steps = sequence_steps(tx, Chunk(window, 1), 0)
        new = with_kept(tx, old, mine(steps, policy.sequences))
        mined = Mined(new.version, new.sequences.height, int(new.sequences["automatable"].sum()), steps.height, 0)
        if new.version == old.version:
            return mined
        hours = changed_hours(tx, plan_chunks(warehouse, span), old, new, policy)
        _store(tx, new, old, hours)
        tx.run(
            "patterns/record_catalogue",
            catalogue_version=new.version,
            detection_version=policy.detection_version,
            **window.params,
            steps=mined.steps,
            sequences=mined.sequences,
        )
    return Mined(mined.version, mined.sequences, mined.automatable, mined.steps, len(hours))


def stored_catalogue(tx: BulkTransaction) -> Catalogue:
    """The active catalogue; one without sequences and the version `none` before the first is mined."""
    version = tx.scalar("patterns/active_version", stage="catalogue")
    if version is None:
        return EMPTY
    return Catalogue(tx.frame("patterns/catalogue").cast(SEQUENCES), version)


def with_kept(tx: BulkTransaction, old: Catalogue, mined: Catalogue) -> Catalogue:
    """The mined catalogue with those of the old one that a person looks at or has decided upon."""
    kept = old.sequences.join(tx.frame("patterns/kept_sequences"), on="signature", how="semi")
    rare = kept.join(mined.sequences, on="signature", how="anti")
    return mined if rare.is_empty() else catalogue_of(pl.concat([mined.sequences, rare]))


def sequence_steps(tx: BulkTransaction, chunk: Chunk, part: int) -> pl.DataFrame:
    """The steps of a chunk (one of its slices), of schema `sequence_runs.STEPS`."""
    found = tx.frame("patterns/sequence_steps", **chunk.window.params, slices=chunk.slices, slice=part)
    return found.cast(STEPS)


def matches(tx: BulkTransaction, chunk: Chunk, catalogue: Catalogue, policy: Policy) -> Iterator[pl.DataFrame]:
    """Where the catalogue's sequences occur in a chunk, slice by slice (`sequence_occurrences.OCCURRENCES`)."""
    if catalogue.sequences.is_empty():
        return
    for part in range(chunk.slices):
        yield match(sequence_steps(tx, chunk, part), catalogue, policy.sequences)


def changed_hours(
    tx: BulkTransaction, chunks: list[Chunk], old: Catalogue, new: Catalogue, policy: Policy
) -> list[datetime]:
    """Hours with a run in which the two catalogues find different occurrences."""
    hours: set[datetime] = set()
    for chunk in chunks:
        for part in range(chunk.slices):
            steps = sequence_steps(tx, chunk, part)
            before, after = (match(steps, each, policy.sequences) for each in (old, new))
            different = pl.concat([before.join(after, on=before.columns, how="anti"),
                                   after.join(before, on=before.columns, how="anti")])  # fmt: skip
            tx.run("patterns/stage_workflows")
            tx.load("stage_workflows", different.select("workflow_id").unique(), temporary=True)
            hours.update(tx.frame("patterns/event_hours")["hour"])
    return sorted(hours)


def _store(tx: BulkTransaction, new: Catalogue, old: Catalogue, hours: list[datetime]) -> None:
    tx.run("patterns/clear_catalogue")
    tx.load("sequence_catalog", new.sequences.with_columns(pl.col("workflows", "days").cast(pl.Int32)))
    tx.run("patterns/activate", stage="catalogue", version=new.version)
    tx.run("patterns/stage_hours")
    tx.load("stage_hours", pl.DataFrame({"hour": hours}, schema={"hour": pl.Datetime("us", "UTC")}), temporary=True)
    tx.run("patterns/carry_over_hours", old=old.version, new=new.version)


def _span(warehouse: Warehouse) -> Window | None:
    """All closed hours with history."""
    with warehouse.transaction() as tx:
        row = tx.one("patterns/history_span")
    return None if row is None or row["first"] is None else Window(row["first"], row["last"] + HOUR)
