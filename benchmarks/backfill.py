"""A year in one backfill run, against a bare ADBC COPY: `python -m benchmarks.backfill [--runs N] [--hours N]`.

The runs are landed first; the backfill closes, detects, counts and aggregates their hours in one Dagster run, on the
instance that dagster.yaml describes. Reference: the landed rows copied into tables of the same shape on the same
server. Dagster's share is what of the run's time passed outside the assets' functions: planning, events, the log.
Prints also the peak memory of the run's process and how long the status of all partitions takes to be read afterwards.
"""

import argparse
import os
import resource
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import dagster as dg

from benchmarks.chain import bare_copy, server, written
from benchmarks.results import report

A_YEAR = 8_760
FIRST_OF_STEP = {
    dg.DagsterEventType.STEP_OUTPUT,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.ASSET_MATERIALIZATION,
}


def seconds_in_assets(instance: dg.DagsterInstance, run_id: str) -> float:
    """Between the start of each step and its first result."""
    started: dict[str, float] = {}
    total = 0.0
    for entry in instance.all_logs(run_id, of_type={dg.DagsterEventType.STEP_START, *FIRST_OF_STEP}):
        step = str(entry.step_key)
        if entry.get_dagster_event().event_type == dg.DagsterEventType.STEP_START:
            started[step] = entry.timestamp
        elif step in started:
            total += entry.timestamp - started.pop(step)
    return total


def main() -> None:
    """Run the benchmark and print its figures."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--runs", type=int, default=50_000)
    arguments.add_argument("--hours", type=int, default=A_YEAR, help="whole days of them")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        source = written(Path(scratch), given.runs, days=given.hours // 24)
        # Partitions are read from the environment when they are imported.
        os.environ["PATTERN_PIPELINE_HOME"] = str(Path(scratch) / "state")
        with server(Path(scratch) / "state"):
            backfill(source, given.runs, given.hours)


def backfill(source: Path, runs: int, hours: int) -> None:
    """Land, backfill, copy, and report."""
    from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

    from pattern_pipeline.history.landing import land
    from pattern_pipeline.partitions import HOURLY, SPINE
    from pattern_pipeline.patterns.windows import Window, floor_day
    from pattern_pipeline.runs import chain_runner
    from pattern_pipeline.sample.generator import END
    from pattern_pipeline.settings import get_settings

    settings = get_settings()
    end = floor_day(END)
    window = Window(end - timedelta(hours=hours), end)
    with chain_runner(settings, lambda _: None) as runner:
        land(runner.pipeline.warehouse, [str(source)], policy=runner.pipeline.policy, settings=settings)
        start = time.perf_counter()
        runner.recompute(window)
        total = time.perf_counter() - start
        inside = seconds_in_assets(runner.instance, runner.run_ids[-1])
        key = dg.AssetKey(SPINE[-1])
        start = time.perf_counter()
        status = get_and_update_asset_status_cache_value(runner.instance, key, HOURLY)
        queried = time.perf_counter() - start
        done = len(status.deserialize_materialized_partition_subsets(HOURLY)) if status else 0
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        reference = bare_copy(runner.pipeline.warehouse)
    size = f"{hours:,} hours with {runs:,} runs"
    print(f"{size}: {total:.1f} s in one run, {done:,} partitions done; bare COPY {reference:.1f} s")
    for result in (
        report(f"backfill of {size}", total / reference, reference="bare ADBC COPY"),
        report("Dagster's share of it", 1 - inside / total, unit="share", goal=0.2),
        report("peak memory of it", peak, unit="MB", goal=600),
        report("status of its partitions", queried * 1000, unit="ms", goal=1000),
    ):
        print(f"{result.name}: {result.median:.3g} {result.unit}")


if __name__ == "__main__":
    main()
