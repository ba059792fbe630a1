"""Every benchmark, one after the other, and a table of what they found: `python -m benchmarks [--full] [--gate]`.

Each runs in a process of its own, so that the peak memory of one is not that of another. Small sizes by default,
`--full` for those that the goals are stated for, `--only NAME` for some. `--json FILE` writes the figures with the
machine and the settings, `--gate` ends with 1 when a ratio is worse than its goal times the allowance.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

import orjson
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.results import COLLECTED, Result

ALLOWANCE: Final = 2.0
"""Shared machines are noisy: a gate looks for what became twice as slow, not for a few percent."""


class Benchmark(NamedTuple):
    """A module of this package, and what it is called with."""

    module: str
    small: tuple[str, ...] = ()
    full: tuple[str, ...] = ()


BENCHMARKS: Final = (
    Benchmark("chain", ("--runs", "50000"), ("--runs", "200000", "--larger", "1000000")),
    Benchmark("backfill", ("--runs", "20000"), ("--runs", "1000000")),
    Benchmark("detection", ("100000",), ("500000",)),
    Benchmark("steps", ("--rows", "100000"), ("--rows", "1000000")),
    Benchmark("sequences", (), ("--full",)),
    Benchmark("transcripts", ("50",), ("1000",)),
    Benchmark("bca", ("1000",), ("10000",)),
    Benchmark("coverage", ("500",), ("2000",)),
    Benchmark("partitions", ("--runs", "10000"), ("--runs", "250000")),
    Benchmark("review", ("--patterns", "5000"), ("--patterns", "100000")),
    Benchmark(
        "library", ("--templates", "5000", "--events", "50000"), ("--templates", "100000", "--events", "1000000")
    ),
)


def machine() -> dict[str, str | int]:
    """What the figures were measured on."""
    return {
        "processor": platform.machine(),
        "cores": psutil.cpu_count() or 0,
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name: version(name) for name in ("polars", "dagster", "adbc-driver-postgresql")},
    }


def run(benchmark: Benchmark, *, full: bool, log: Path) -> Iterator[Result]:
    """One benchmark; its own words go to standard error.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    log.unlink(missing_ok=True)
    command = [sys.executable, "-m", f"benchmarks.{benchmark.module}", *(benchmark.full if full else benchmark.small)]
    subprocess.run(command, check=True, stdout=sys.stderr, env={**os.environ, COLLECTED: str(log)})
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else ():
        yield Result.model_validate_json(line)


def table(results: Sequence[Result]) -> Table:
    """The results for people."""
    shown = Table("measured", "against", "median", "spread", "goal", "", title="Benchmarks")
    for each in results:
        sign = "at least" if each.more_is_better else "at most"
        goal = "" if each.goal is None else f"{sign} {each.goal:g}"
        kept = {True: "kept", False: "missed", None: ""}[each.within()]
        shown.add_row(each.name, each.reference or "", f"{each.median:.3g} {each.unit}", each.spread, goal, kept)
    return shown


def main() -> int:
    """Run what is asked for; the exit code."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    arguments.add_argument("--full", action="store_true")
    arguments.add_argument("--gate", action="store_true")
    arguments.add_argument("--only", nargs="*", choices=[each.module for each in BENCHMARKS])
    arguments.add_argument("--json", type=Path, metavar="FILE")
    given = arguments.parse_args()
    chosen = [each for each in BENCHMARKS if not given.only or each.module in given.only]
    begun = time.time()
    with tempfile.TemporaryDirectory() as scratch:
        results = [result for each in chosen for result in run(each, full=given.full, log=Path(scratch) / "results")]
    Console(width=None if sys.stdout.isatty() else 160).print(table(results))
    if given.json:
        document = {
            "machine": machine(),
            "full": given.full,
            "seconds": round(time.time() - begun),
            "results": [{**each.model_dump(), "median": each.median, "kept": each.within()} for each in results],
        }
        given.json.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    worse = [each.name for each in results if each.gated and each.within(ALLOWANCE) is False]
    if given.gate and worse:
        print("Much worse than the goal: " + "; ".join(worse), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
