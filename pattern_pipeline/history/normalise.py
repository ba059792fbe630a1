"""Loose records into canonical history: derived fields, identity, redaction, and what has to be left out.

The one place where a record becomes runs and steps, whole columns at a time; every reader ends here. What happens to a
value that cannot be used:

* A run that cannot be placed or trusted is quarantined whole: without any time (`no_time`), with a cost or token count
  that is negative, not finite or no number (`invalid_figure`), with more cached than input tokens (`negative_tokens`).
* Any other value that cannot be used is left out, the record lands, and a row of the quarantine says so
  (`field_dropped`, `invalid_steps`). A start after the end is such a value: the end decides the hour, the start goes.

Which of several records of one run counts is not decided here: each goes into a batch of its own, for the merge.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, get_args

import polars as pl

from pattern_pipeline.history.coercion import joined_members
from pattern_pipeline.history.faults import Faults
from pattern_pipeline.history.fields import STATUS_VALUES, Status
from pattern_pipeline.history.list_prices import BUCKETS, list_price
from pattern_pipeline.history.mapping import ReadOptions
from pattern_pipeline.history.model import MONEY, RUNS, SECONDS, STEPS, Batch, conform
from pattern_pipeline.history.records import Records, Steps
from pattern_pipeline.history.redaction import Redactor
from pattern_pipeline.history.resolve import Resolved, resolve

_OUTPUT_LENGTH: Final = 2_000
_KEY_BYTES: Final = 800
_FIGURES: Final = (
    "actual_cost_total",
    "estimated_cost_total",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "total_tokens",
)
_ENUMERATIONS: Final = ("status", "cost_basis", "source", "position")


class Normaliser:
    """Makes canonical batches of the records of one source.

    Args:
        kind: Name of the reader.
        options: Of the read.
        is_priced: The records' costs are the price book's, those of the steps their own shares; else they were billed.
    """

    def __init__(self, kind: str, options: ReadOptions, *, is_priced: bool = False) -> None:
        self._kind = kind
        self._is_priced = is_priced
        self._options = options
        self._namespace = options.namespace_for(kind)
        self._statuses = {**STATUS_VALUES, **options.mapping.values.status}
        self._redactor = Redactor(options.redaction)
        self.run_fields = options.mapping.run_fields()
        self.step_fields = options.mapping.step_fields()

    def batches(
        self, records: Records, steps: Steps, faults: Faults, *, rows_read: int, byte_offset: int | None
    ) -> Iterator[Batch]:
        """Canonical form of some records: one batch, and a further one for each time that an id stands there again.

        Args:
            records: The records that could be read.
            steps: The steps nested in them.
            faults: Records that could not be read; extended here by what cannot be used.
            rows_read: Number of records, readable or not.
            byte_offset: Where reading resumes after them.
        """
        given = _with_end_deciding(resolve(records, self.run_fields, self._options.zone, statuses=get_args(Status)))
        calls = self._calls(steps, faults, records.positions, given.frame)
        runs = self._runs(given.frame, calls).with_columns(
            pl.Series("extra", _as_object(given.others)), records.positions.alias("position")
        )
        usable = _usable(runs, given, records, faults)
        lost = {name: values for name, values in given.lost.items() if name not in _FIGURES}
        faults.add_lost(records.positions, lost, usable)
        first, *again = _one_version_each(self._identified(runs.filter(usable)))
        quarantined, counts = faults.quarantined(self._redactor)
        batch = self._redacted(first, calls, byte_offset)
        redactions = counts + Counter(batch.redactions)
        yield replace(batch, quarantined=quarantined, rows_read=rows_read, redactions=redactions)
        for later in again:
            yield self._redacted(later, calls, byte_offset)

    def _redacted(self, runs: pl.DataFrame, calls: pl.DataFrame, byte_offset: int | None) -> Batch:
        """The batch of these runs and of those of the calls that are theirs."""
        landed, run_counts = self._redactor.frame(conform(runs, RUNS), json=("extra",), skip=_ENUMERATIONS)
        placed = _placed(calls, runs)
        taken, call_counts = self._redactor.frame(placed, json=("extra", "tool_params"), skip=("workflow_id",))
        return Batch(landed, _with_unique_ids(taken), redactions=run_counts + call_counts, byte_offset=byte_offset)

    def _calls(self, steps: Steps, faults: Faults, positions: pl.Series, runs: pl.DataFrame) -> pl.DataFrame:
        """Canonical steps with `run`, the index of their record; what could not be used of them goes to `faults`.

        Without a cost of its own a step has the list price of its tokens, by the model of its run.
        """
        given = resolve(steps.records, self.step_fields, self._options.zone)
        if steps.faults:
            where = pl.Series(list(steps.faults), dtype=pl.UInt32)
            detail = "Steps that cannot be read were left out: a list of objects is expected."
            faults.add(positions.gather(where), "invalid_steps", detail, pl.Series(list(steps.faults.values())))
        if given.lost:
            places = positions.gather(steps.run) + ", step " + (steps.seq + 1).cast(pl.String)
            faults.add_lost(places, given.lost, pl.repeat(True, len(steps.seq), eager=True))
        written_command = pl.col("tool_params").str.json_path_match("$.command")
        bare_params = pl.when(pl.col("tool_params").str.starts_with('"')).then(
            pl.col("tool_params").str.json_path_match("$")
        )
        seconds = pl.coalesce("duration_seconds", _milliseconds("duration_ms"), _elapsed("called_at", "completed_at"))
        calls = given.frame.with_columns(
            steps.run,
            steps.seq,
            pl.Series("extra", _as_object(given.others)),
            runs["model_used"].gather(steps.run),
            moment=pl.coalesce("called_at", "completed_at"),
            is_billed=pl.col("cost_usd").is_not_null(),
        )
        if not self._is_priced:
            listed = list_price(calls, self._options.prices)
            calls = calls.with_columns(cost_usd=pl.coalesce("cost_usd", listed))
        return calls.with_columns(
            command=pl.coalesce("command", written_command, bare_params),
            duration_seconds=seconds,
            success=pl.coalesce("success", ~pl.col("is_error"), pl.col("exit_code") == 0),
            cost_usd=pl.col("cost_usd") if self._is_priced else _share_of_call(),
        )

    def _runs(self, given: pl.DataFrame, calls: pl.DataFrame) -> pl.DataFrame:
        """Canonical runs with `run`, their index: what follows from the given fields and from the steps."""
        from_steps = calls.group_by("run").agg(
            last_step=pl.max_horizontal("called_at", "completed_at").max(),
            steps_cost=pl.when(pl.col("cost_usd").is_not_null().all()).then(pl.col("cost_usd").sum()),
            steps_billed=pl.col("is_billed").all(),
        )
        known_status = (
            pl.col("status").str.strip_chars().str.to_lowercase().replace_strict(self._statuses, default="failed")
        )
        outcome = pl.when("success").then(pl.lit("completed")).when(~pl.col("success")).then(pl.lit("failed"))
        runs = (
            given.with_row_index("run")
            .join(from_steps, on="run", how="left", maintain_order="left")
            .with_columns(
                status=pl.when(pl.col("status").is_not_null()).then(known_status).otherwise(outcome),
                event_time=pl.coalesce("end_time", "last_step", "start_time"),
                duration_seconds=pl.coalesce(
                    "duration_seconds", _milliseconds("duration_ms"), _elapsed("start_time", "end_time")
                ),
                actual_cost_total=pl.lit(None, MONEY)
                if self._is_priced
                else pl.coalesce("actual_cost_total", pl.when("steps_billed").then("steps_cost")),
                source=pl.lit(self._kind),
            )
            .with_columns(self._token_buckets())
            .with_columns(total_tokens=pl.coalesce("total_tokens", _sum_of_buckets()))
        )
        return self._with_cost_basis(runs)

    def _token_buckets(self) -> list[pl.Expr]:
        """Disjoint buckets: cached tokens go out of an input that counts them too."""
        is_included = self._options.mapping.input_includes_cache
        cache_read = pl.coalesce("cache_read_tokens", "cached_input_tokens")
        match is_included:
            case True:
                counted_twice = cache_read.fill_null(0) + pl.col("cache_write_tokens").fill_null(0)
            case False:
                counted_twice = pl.lit(0, pl.Int64)
            case None:
                counted_twice = pl.col("cached_input_tokens").fill_null(0)
        return [(pl.col("input_tokens") - counted_twice).alias("input_tokens"), cache_read.alias("cache_read_tokens")]

    def _with_cost_basis(self, runs: pl.DataFrame) -> pl.DataFrame:
        """A cost that came with the record is billed; without one, the list price of the tokens is the estimate.

        An estimate of the source's own stays what it is, and is no cost, where the book has no price.
        """
        listed = (
            runs["estimated_cost_total"]
            if self._is_priced
            else list_price(runs.with_columns(moment="event_time"), self._options.prices)
        )
        is_billed = pl.col("actual_cost_total").is_not_null()
        estimate = pl.coalesce(listed, pl.lit(None, MONEY) if self._is_priced else "steps_cost")
        basis = pl.when(is_billed).then(pl.lit("billed")).when(estimate.is_not_null()).then(pl.lit("priced"))
        return runs.with_columns(
            estimated_cost_total=pl.when(is_billed)
            .then("estimated_cost_total")
            .otherwise(pl.coalesce(estimate, "estimated_cost_total")),
            cost_basis=basis.otherwise(pl.lit("unpriced")),
        )

    def _identified(self, runs: pl.DataFrame) -> pl.DataFrame:
        """Runs with their id: the source's own, else a hash of what tells the run whatever file it stands in."""
        own = runs["workflow_id"]
        if own.has_nulls():
            moment = pl.coalesce("start_time", "event_time").dt.timestamp("us")
            own = own.fill_null(_hashes(runs.select("session_id", "nl_input", moment)))
        redacted, _ = self._redactor.text(own)
        if (own != redacted).any():
            # Ids with a secret in them stay apart from each other.
            own = redacted.zip_with(own == redacted, redacted + "-" + _hashes(own.to_frame()))
        return runs.with_columns(
            (f"{self._namespace}:" + _bounded(own)).alias("workflow_id"), _bounded(runs["session_id"])
        )


def _with_end_deciding(given: Resolved) -> Resolved:
    """Leave out a start that lies after the end."""
    start, end = given.frame["start_time"], given.frame["end_time"]
    is_late = (start > end).fill_null(False)
    if not is_late.any():
        return given
    told = ("start_time=" + start.cast(pl.String)).set(~is_late, None)
    before = given.lost.get("start_time", told)
    frame = given.frame.with_columns(start.set(is_late, None))
    return Resolved(frame, given.others, {**given.lost, "start_time": before.fill_null(told)})


def _usable(runs: pl.DataFrame, given: Resolved, records: Records, faults: Faults) -> pl.Series:
    """Which runs can land; the others go to `faults` with the whole record as excerpt."""
    figures = [values for name, values in given.lost.items() if name in _FIGURES]
    wrong_figures = joined_members(figures, runs.height)
    verdicts = (
        (runs["event_time"].is_null(), "no_time", "The record holds no usable time; map its column with --mapping."),
        (
            wrong_figures.is_not_null(),
            "invalid_figure",
            "A cost or token count must be a number of at least zero: " + wrong_figures + ".",
        ),
        (
            (runs["input_tokens"] < 0).fill_null(False),
            "negative_tokens",
            "More tokens are cached than were given as input; set input_includes_cache = false in the mapping.",
        ),
    )
    rejected = pl.repeat(False, runs.height, eager=True)
    for where, reason, detail in verdicts:
        if where.any():
            told = detail if isinstance(detail, str) else detail.filter(where)
            faults.add(runs["position"].filter(where), reason, told, records.as_text(where))
            rejected |= where
    return ~rejected


def _one_version_each(runs: pl.DataFrame) -> list[pl.DataFrame]:
    """The runs in parts with distinct ids: the first record of each run, then the second, and so on."""
    if not runs["workflow_id"].is_duplicated().any():
        return [runs]
    occurrence = pl.int_range(pl.len()).over("workflow_id").alias("occurrence")
    return runs.with_columns(occurrence).partition_by("occurrence", include_key=False, maintain_order=True)


def _placed(calls: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """The steps of the landed runs, numbered by time, then place in the source.

    A step without time takes its predecessor's, the first ones their run's.
    """
    its_run = runs.select("run", "workflow_id", run_start="start_time", run_time="event_time")
    placed = calls.join(its_run, on="run", maintain_order="left").with_columns(
        event_time=pl.coalesce(pl.col("moment").forward_fill().over("run"), "run_start", "run_time")
    )
    ordered = placed.sort("run", "event_time", "seq", maintain_order=True)
    return conform(ordered.with_columns(seq=pl.int_range(pl.len()).over("run")), STEPS)


def _with_unique_ids(calls: pl.DataFrame) -> pl.DataFrame:
    """Steps with the source's call id, else one from their place; an id used again in the run is numbered."""
    calls = calls.with_columns(
        _bounded(calls["tool_call_id"]).fill_null("step-" + calls["seq"].cast(pl.String)),
        pl.col("output_excerpt").str.head(_OUTPUT_LENGTH),
    )
    key = ["workflow_id", "tool_call_id"]
    if not calls.select(pl.struct(key).is_duplicated().any()).item():
        return calls
    use = pl.int_range(1, pl.len() + 1).over(key)
    numbered = pl.col("tool_call_id") + "#" + use.cast(pl.String)
    return calls.with_columns(tool_call_id=pl.when(use > 1).then(numbered).otherwise("tool_call_id"))


def _bounded(keys: pl.Series) -> pl.Series:
    """Keys that an index of the database can hold: of a longer one its beginning and a hash."""
    lengths = keys.str.len_bytes()
    longest: Any = lengths.max()
    if longest is None or longest <= _KEY_BYTES:
        return keys
    is_long = (lengths > _KEY_BYTES).fill_null(False)
    shortened = keys.str.head(_KEY_BYTES // 8) + "-" + _hashes(keys.to_frame())
    return shortened.zip_with(is_long, keys).alias(keys.name)


def _as_object(members: pl.Series) -> pl.Series:
    return "{" + members + "}"


def _milliseconds(name: str) -> pl.Expr:
    return (pl.col(name) / 1_000).cast(SECONDS)


def _elapsed(start: str, end: str) -> pl.Expr:
    elapsed = (pl.col(end) - pl.col(start)).dt.total_microseconds()
    return pl.when(elapsed >= 0).then((elapsed.cast(pl.Decimal(24, 6)) / 1_000_000).cast(SECONDS))


def _sum_of_buckets() -> pl.Expr:
    both_known = pl.col("input_tokens").is_not_null() & pl.col("output_tokens").is_not_null()
    return pl.when(both_known).then(pl.sum_horizontal(BUCKETS))


def _share_of_call() -> pl.Expr:
    """A step's part of its model call's cost: even parts among the steps of one request, the remainder on the last.

    Where the steps of a request carry different costs, those are parts already.
    """
    call = ["run", "request_id"]
    one_cost = pl.col("cost_usd").n_unique().over(call) - pl.col("cost_usd").has_nulls().over(call).cast(pl.UInt32) == 1
    cost = pl.col("cost_usd").max().over(call)
    steps = pl.len().over(call)
    part = (cost / steps.cast(MONEY)).cast(MONEY)
    is_last = pl.int_range(pl.len()).over(call) == steps - 1
    share = pl.when(is_last).then(cost - part * (steps - 1)).otherwise(part).cast(MONEY)
    return pl.when(pl.col("request_id").is_not_null() & one_cost & (steps > 1)).then(share).otherwise("cost_usd")


def _hashes(columns: pl.DataFrame) -> pl.Series:
    """A short digest of each row, the same in every process and version."""
    rows = columns.select(pl.struct(pl.all().cast(pl.String)).struct.json_encode()).to_series()
    return rows.map_elements(lambda row: hashlib.blake2b(row.encode(), digest_size=10).hexdigest(), pl.String)
