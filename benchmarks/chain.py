"""The whole chain against a bare ADBC COPY of the same rows: `python -m benchmarks.chain [--runs N] [--larger M]`.

Reference: the landed rows of workflow_history and tool_calls, already in Arrow, copied by `adbc_ingest` into tables
with the same columns, keys and indexes on the same server. The chain: landing from a Parquet file (flat runs) or JSON
lines (`--steps`), signatures, sequences, occurrences, statistics, estimates and queue, each service called directly;
Dagster's own cost is not in it. Besides the ratio: how the time grows from N to M runs, what a further hour costs
after M runs against after none, and the peak memory of this process, which holds nothing of the reference until then.
"""

import argparse
import math
import multiprocessing
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import orjson
import polars as pl
import pyarrow as pa
from pydantic import SecretStr

from benchmarks.results import report
from pattern_pipeline.detection.policy import load_policy
from pattern_pipeline.history.hours import close_hours
from pattern_pipeline.history.landing import land
from pattern_pipeline.patterns.catalogue import mine_catalogue
from pattern_pipeline.patterns.estimates import estimate_patterns
from pattern_pipeline.patterns.occurrences import replace_occurrences
from pattern_pipeline.patterns.signatures import WindowDetector
from pattern_pipeline.patterns.statistics import publish_statistics, replace_statistics
from pattern_pipeline.patterns.versions import activate
from pattern_pipeline.patterns.windows import DAY, HOUR, Window
from pattern_pipeline.review.sync import sync
from pattern_pipeline.sample import generate_runs
from pattern_pipeline.sample.generator import END
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.embedded import EmbeddedServer
from pattern_pipeline.warehouse.urls import with_database

P = ParamSpec("P")
T = TypeVar("T")
Run = dict[str, Any]

DROP: Final = "DROP TABLE IF EXISTS reference_tool_calls, reference_workflow_history"
CREATE_RUNS: Final = "CREATE TABLE reference_workflow_history (LIKE workflow_history INCLUDING ALL)"
CREATE_STEPS: Final = (
    "CREATE TABLE reference_tool_calls (LIKE tool_calls INCLUDING ALL,"
    " FOREIGN KEY (workflow_id) REFERENCES reference_workflow_history ON DELETE CASCADE)"
)
RUNS_AN_HOUR: Final = 500
HOURS: Final = 5
TAIL: Final = ("publication", "estimates", "queue")
"""Stages that look at every pattern, at a bounded number of its occurrences: they grow with these, not with history."""


def chain(warehouse: Warehouse, settings: Settings, source: Path, window: Window | None = None) -> dict[str, float]:
    """Seconds of each stage over what `source` holds; `window`: the hours of it, if these are not all there are."""
    policy = load_policy("default")
    stages: dict[str, float] = {}

    def timed(name: str, stage: Callable[[], object]) -> None:
        start = time.perf_counter()
        stage()
        stages[name] = stages.get(name, 0.0) + time.perf_counter() - start

    timed("landing", lambda: land(warehouse, [str(source)], policy=policy, settings=settings))
    hours = window or _span(warehouse)
    activate(warehouse, policy)
    with warehouse.transaction() as tx:
        timed("closing", lambda: close_hours(tx, hours.start, hours.end))
    detector = WindowDetector(policy)
    timed("signatures", lambda: detector.replace(warehouse, hours))
    if window is None:  # The catalogue is mined once a day.
        timed("sequences", lambda: mine_catalogue(warehouse, policy))
    timed("occurrences", lambda: replace_occurrences(warehouse, policy, hours))
    timed("statistics", lambda: replace_statistics(warehouse, hours))
    timed("publication", lambda: publish_statistics(warehouse, policy))
    timed("estimates", lambda: estimate_patterns(warehouse, policy))
    timed("queue", lambda: sync(warehouse, "all", policy=policy))
    return stages


def _span(warehouse: Warehouse) -> Window:
    with warehouse.transaction() as tx:
        row = tx.connection.exec_driver_sql(
            "SELECT date_trunc('hour', min(event_time), 'UTC'), date_trunc('hour', max(event_time), 'UTC')"
            " FROM workflow_history"
        ).one()
    return Window(row[0], row[1] + HOUR)


def bare_copy(warehouse: Warehouse) -> float:
    """Seconds to copy the landed rows into empty tables of the same shape; the median of three."""
    seconds = []
    with warehouse.bulk() as tx, tx._connection.cursor() as cursor:
        for _ in range(3):
            for statement in (DROP, CREATE_RUNS, CREATE_STEPS):
                cursor.execute(statement)
            spent = 0.0
            for table in ("workflow_history", "tool_calls"):
                cursor.execute(f"SELECT * FROM {table}")
                rows = loadable(cursor.fetch_arrow_table())
                start = time.perf_counter()
                cursor.adbc_ingest(f"reference_{table}", rows, mode="append")
                spent += time.perf_counter() - start
            seconds.append(spent)
        cursor.execute(DROP)
    return statistics.median(seconds)


def loadable(rows: pa.Table) -> pa.Table:
    """The table with its numeric columns as decimals: the driver reads them as text and cannot write text back."""
    for index, field in enumerate(rows.schema):
        if "numeric" in str(field.type):
            texts = pa.chunked_array([chunk.storage for chunk in rows[field.name].chunks], pa.string())
            rows = rows.set_column(index, field.name, texts.cast(pa.decimal128(38, 12)))
    return rows


def written(directory: Path, runs: int, *, days: int, steps: bool = False) -> Path:
    """A file of generated runs: columns for flat runs, a JSON document a line for runs with steps."""
    return _apart(_write, directory, runs, days, steps)


def written_hours(directory: Path) -> list[tuple[Window, Path]]:
    """Hours that follow all generated history, each with a file of its runs."""
    return _apart(_write_hours, directory)


def _apart(work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """The work done in a process of its own: what it takes is no memory of the chain."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as apart:
        return apart.submit(work, *given, **named).result()


def _write(directory: Path, runs: int, days: int, steps: bool) -> Path:
    made = generate_runs(runs, days, steps=steps)
    if not steps:
        return _parquet(directory / f"{runs}.parquet", made)
    source = directory / f"{runs}.jsonl"
    with source.open("wb") as file:
        file.writelines(orjson.dumps(run) + b"\n" for run in made)
    return source


def _write_hours(directory: Path) -> list[tuple[Window, Path]]:
    made = list(generate_runs(RUNS_AN_HOUR, steps=False))
    hours = []
    for number in range(HOURS + 1):
        start = END + DAY + number * HOUR
        window = Window(start, start + HOUR)
        runs = (in_hour(run, window, index) for index, run in enumerate(made))
        hours.append((window, _parquet(directory / f"hour_{number}.parquet", runs)))
    return hours


def _parquet(source: Path, runs: Iterable[Run]) -> Path:
    pl.DataFrame(list(runs), infer_schema_length=None).write_parquet(source)
    return source


def in_hour(run: Run, window: Window, index: int) -> Run:
    """A generated run as the one of that index in an hour."""
    moment = (window.start + HOUR * index / RUNS_AN_HOUR).isoformat()
    return {**run, "run_id": f"{run['run_id']} {window.start:%d %H}", "started_at": moment, "ended_at": moment}


@contextmanager
def server(directory: Path) -> Iterator[str]:
    """A server with all its durability on."""
    embedded = EmbeddedServer(directory)
    with embedded.hold() as url:
        yield url


class Measuring:
    """Chains over databases of their own on one server."""

    def __init__(self, url: str, scratch: Path, *, days: int, steps: bool) -> None:
        self._url = url
        self._scratch = scratch
        self._days = days
        self._steps = steps

    @contextmanager
    def database(self, name: str) -> Iterator[tuple[Warehouse, Settings]]:
        """An empty, migrated database."""
        settings = Settings(database_url=SecretStr(with_database(self._url, name)), home=self._scratch / "home")
        with Warehouse.open(settings) as warehouse:
            yield warehouse, settings

    def source(self, runs: int) -> Path:
        """Generated runs of the whole time."""
        return written(self._scratch, runs, days=self._days, steps=self._steps)

    def hours(self, warehouse: Warehouse, settings: Settings) -> list[dict[str, float]]:
        """Stages of hours that follow all history; without those of the first, which meets all texts anew."""
        hours = written_hours(self._scratch)
        return [chain(warehouse, settings, source, window) for window, source in hours][1:]


def main() -> None:
    """Run the benchmark and report its figures."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--runs", type=int, default=20_000)
    arguments.add_argument("--larger", type=int, help="how many runs growth and the hour are measured with")
    arguments.add_argument("--days", type=int, default=90)
    arguments.add_argument("--steps", action="store_true", help="runs with steps; without, flat runs")
    arguments.add_argument("--repeats", type=int, default=3)
    given = arguments.parse_args()
    larger = given.larger or 3 * given.runs
    kind = " with steps" if given.steps else ""
    with tempfile.TemporaryDirectory() as scratch, server(Path(scratch) / "state") as url:
        measuring = Measuring(url, Path(scratch), days=given.days, steps=given.steps)
        with measuring.database("larger") as (warehouse, settings):
            grown = sum(chain(warehouse, settings, measuring.source(larger)).values())
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{larger:,} runs{kind}: chain {grown:.1f} s, peak memory of this process {peak:.0f} MB")
            after_many = measuring.hours(warehouse, settings)
        with measuring.database("hours") as (warehouse, settings):
            after_none = measuring.hours(warehouse, settings)
        source, totals, ratios = measuring.source(given.runs), [], []
        for repeat in range(given.repeats):
            with measuring.database(f"chain_{repeat}") as (warehouse, settings):
                stages = chain(warehouse, settings, source)
                reference = bare_copy(warehouse)
            totals.append(sum(stages.values()))
            ratios.append(totals[-1] / reference)
            shares = ", ".join(f"{name} {seconds / reference:.2f}" for name, seconds in stages.items())
            print(f"{given.runs:,} runs{kind}: chain {totals[-1]:.1f} s, bare COPY {reference:.1f} s ({shares})")
    growth = [math.log(grown / total) / math.log(larger / given.runs) for total in totals]
    spine, tail = (
        [seconds(many, of_tail) / seconds(none, of_tail) for many, none in zip(after_many, after_none, strict=True)]
        for of_tail in (False, True)
    )
    hour, bare = f"an hour after {larger:,} runs", "bare ADBC COPY"
    for result in (
        report(f"chain over {given.runs:,} runs{kind}", ratios, reference=bare, goal=3.0, gated=True),
        report(f"growth from {given.runs:,} to {larger:,} runs", growth, unit="exponent", goal=1.03),
        report(f"{hour}, to statistics", spine, reference="an hour after none", goal=1.2),
        report(f"{hour}, publication to queue", tail, reference="an hour after none"),
        report(f"peak memory of the chain over {larger:,} runs", peak, unit="MB", goal=450),
    ):
        print(f"{result.name}: {result.median:.3g} {result.unit} ({result.spread or 'once'})")


def seconds(stages: dict[str, float], of_tail: bool) -> float:
    """Of the stages that look at every pattern, or of those that look at an hour alone."""
    return sum(spent for name, spent in stages.items() if (name in TAIL) is of_tail)


if __name__ == "__main__":
    main()
