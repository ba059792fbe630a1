"""The whole chain against a bare ADBC COPY of the same rows: `python -m benchmarks.chain [--runs N] [--steps]`.

Reference: the landed rows of workflow_history and tool_calls, already in Arrow, copied by `adbc_ingest` into tables
with the same columns, keys and indexes on the same server. The chain: landing from a Parquet file (flat runs) or JSON
lines (runs with steps), signatures, sequences, occurrences, statistics, estimates and queue, each service called
directly; Dagster's own cost is not in it. Prints seconds, the ratio, the share of each stage, and the peak memory of
this process.
"""

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pyarrow as pa
from pydantic import SecretStr

from pattern_pipeline.detection.policy import load_policy
from pattern_pipeline.history.hours import close_hours
from pattern_pipeline.history.landing import land
from pattern_pipeline.patterns.catalogue import mine_catalogue
from pattern_pipeline.patterns.estimates import estimate_patterns
from pattern_pipeline.patterns.occurrences import replace_occurrences
from pattern_pipeline.patterns.signatures import WindowDetector
from pattern_pipeline.patterns.statistics import publish_statistics, replace_statistics
from pattern_pipeline.patterns.versions import activate
from pattern_pipeline.patterns.windows import HOUR, Window
from pattern_pipeline.review.sync import sync
from pattern_pipeline.sample import generate_runs
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.embedded import EmbeddedServer
from pattern_pipeline.warehouse.urls import with_database

TABLES = ("workflow_history", "tool_calls")


def chain(warehouse: Warehouse, settings: Settings, source: Path) -> dict[str, float]:
    """Seconds of each stage, over an empty database."""
    policy = load_policy("default")
    stages: dict[str, float] = {}

    def timed(name: str, stage: Callable[[], object]) -> None:
        start = time.perf_counter()
        stage()
        stages[name] = stages.get(name, 0.0) + time.perf_counter() - start

    timed("landing", lambda: land(warehouse, [str(source)], policy=policy, settings=settings))
    with warehouse.transaction() as tx:
        row = tx.connection.exec_driver_sql(
            "SELECT date_trunc('hour', min(event_time), 'UTC'), date_trunc('hour', max(event_time), 'UTC')"
            " FROM workflow_history"
        ).one()
    window = Window(row[0], row[1] + HOUR)
    activate(warehouse, policy)
    with warehouse.transaction() as tx:
        timed("closing", lambda: close_hours(tx, window.start, window.end))
    detector = WindowDetector(policy)
    timed("signatures", lambda: detector.replace(warehouse, window))
    timed("sequences", lambda: mine_catalogue(warehouse, policy))
    timed("occurrences", lambda: replace_occurrences(warehouse, policy, window))
    timed("statistics", lambda: replace_statistics(warehouse, window))
    timed("statistics", lambda: publish_statistics(warehouse, policy))
    timed("estimates", lambda: estimate_patterns(warehouse, policy))
    timed("queue", lambda: sync(warehouse, "all", policy=policy))
    return stages


def bare_copy(warehouse: Warehouse) -> float:
    """Seconds to copy the landed rows into empty tables of the same shape; the median of three."""
    seconds = []
    with warehouse.bulk() as tx:
        for _ in range(3):
            spent = 0.0
            for table in TABLES:
                with tx._connection.cursor() as cursor:
                    cursor.execute(f"SELECT * FROM {table}")
                    rows = loadable(cursor.fetch_arrow_table())
                    cursor.execute(f"DROP TABLE IF EXISTS reference_{table}")
                    cursor.execute(f"CREATE TABLE reference_{table} (LIKE {table} INCLUDING ALL)")
                    start = time.perf_counter()
                    cursor.adbc_ingest(f"reference_{table}", rows, mode="append")
                    spent += time.perf_counter() - start
            seconds.append(spent)
    return statistics.median(seconds)


def loadable(rows: pa.Table) -> pa.Table:
    """The table with its numeric columns as decimals: the driver reads them as text and cannot write text back."""
    for index, field in enumerate(rows.schema):
        if "numeric" in str(field.type):
            texts = pa.chunked_array([chunk.storage for chunk in rows[field.name].chunks], pa.string())
            rows = rows.set_column(index, field.name, texts.cast(pa.decimal128(38, 12)))
    return rows


def write_source(directory: Path, runs: Iterator[dict[str, Any]], steps: bool) -> Path:
    """The runs as a file: columns for flat runs, a JSON document a line for runs with steps."""
    if not steps:
        source = directory / "runs.parquet"
        pl.DataFrame(list(runs), infer_schema_length=None).write_parquet(source)
        return source
    source = directory / "runs.jsonl"
    with source.open("wb") as file:
        file.writelines(orjson.dumps(run) + b"\n" for run in runs)
    return source


@contextmanager
def server(directory: Path) -> Iterator[str]:
    """A server with all its durability on."""
    embedded = EmbeddedServer(directory)
    with embedded.hold() as url:
        yield url


def main() -> None:
    """Run the benchmark and print its table."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--runs", type=int, default=20_000)
    arguments.add_argument("--days", type=int, default=90)
    arguments.add_argument("--steps", action="store_true", help="runs with steps; without, flat runs")
    arguments.add_argument("--repeats", type=int, default=3)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch, server(Path(scratch) / "state") as url:
        source = write_source(Path(scratch), generate_runs(given.runs, days=given.days, steps=given.steps), given.steps)
        ratios = []
        for repeat in range(given.repeats):
            settings = Settings(
                database_url=SecretStr(with_database(url, f"chain_{repeat}")), home=Path(scratch) / "home"
            )
            with Warehouse.open(settings) as warehouse:
                stages = chain(warehouse, settings, source)
                reference = bare_copy(warehouse)
            total = sum(stages.values())
            ratios.append(total / reference)
            shares = ", ".join(f"{name} {seconds / reference:.2f}" for name, seconds in stages.items())
            print(f"chain {total:.1f} s, bare COPY {reference:.1f} s, ratio {ratios[-1]:.2f} ({shares})")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{given.runs:,} runs{' with steps' if given.steps else ''}: ratio {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f} over {given.repeats}), peak memory of this process {peak:.0f} MB"
    )


if __name__ == "__main__":
    main()
