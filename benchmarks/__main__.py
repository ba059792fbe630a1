"""Every benchmark, one after the other, and a table of what they found: `python -m benchmarks [--full | --gate]`.

Each runs in a process of its own, so that the peak memory of one is not that of another, and one that fails does not
take the others with it. Small sizes by default, `--full` for those that the goals are stated for, `--only NAME...` for
some. `--json FILE` writes the figures with the machine and the commands, `--markdown FILE` puts them between the marks
of a document, `--render JSON` does so without measuring anew.

`--gate` measures the ratios of `baseline.json`, those that need little time, and ends with 1 when one of them is worse
than there by more than the allowance; `--gate --json benchmarks/baseline.json` writes it anew.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console

from benchmarks.report import Benchmarked, Report, into_document, table
from benchmarks.results import COLLECTED, Result

ALLOWANCE: Final = 3.0
"""Shared machines are noisy: the gate looks for what became several times as slow, not for a few percent."""

BASELINE: Final = Path(__file__).with_name("baseline.json")


class Benchmark(NamedTuple):
    """A module of this package, and what it is called with at each size; None: not measured at that size."""

    module: str
    small: tuple[str, ...] = ()
    full: tuple[str, ...] = ()
    gate: tuple[str, ...] | None = None

    def arguments(self, size: str) -> tuple[str, ...] | None:
        """What the module is called with."""
        return {"small": self.small, "full": self.full, "gate": self.gate}[size]


BENCHMARKS: Final = (
    Benchmark("chain", ("--runs", "50000", "--larger", "100000"), ("--runs", "200000", "--larger", "1000000")),
    Benchmark("backfill", ("--runs", "20000", "--hours", "1440"), ("--runs", "1000000")),
    Benchmark("detection", ("100000",), ("500000",)),
    Benchmark("steps", ("--rows", "100000"), ("--rows", "1000000")),
    Benchmark("sequences", (), ("--full",)),
    Benchmark("transcripts", ("25",), ("1000",), ("25",)),
    Benchmark("bca", ("1000",), ("10000",), ("1000",)),
    Benchmark("coverage", ("500",), ("2000",)),
    Benchmark("partitions", ("--runs", "10000"), ("--runs", "250000")),
    Benchmark("review", ("--patterns", "5000"), ("--patterns", "100000")),
    Benchmark("library", ("--templates", "5000"), ("--templates", "100000")),
)


def measured(module: str, arguments: Sequence[str], directory: Path) -> Benchmarked:
    """One benchmark; its own words go to standard error."""
    log = directory / f"{module}.jsonl"
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    begun = time.monotonic()
    ended = subprocess.run(command, check=False, stdout=sys.stderr, env={**os.environ, COLLECTED: str(log)})
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return Benchmarked(
        module=module,
        arguments=tuple(arguments),
        seconds=round(time.monotonic() - begun),
        failed=ended.returncode != 0,
        results=tuple(Result.model_validate_json(line) for line in lines),
    )


def regressions(now: Report, before: Report) -> list[str]:
    """What became much worse than it was, and what is measured on one side only, in words."""
    new, old = now.gated(), before.gated()
    words = [f"{name}: measured here or in {BASELINE.name} only; write that file anew" for name in new.keys() ^ old]
    for name in new.keys() & old:
        if new[name].worse_than(old[name]) > ALLOWANCE:
            words.append(f"{name}: {new[name].median:.3g}, was {old[name].median:.3g}")
    return sorted(words)


def parsed(words: Sequence[str] | None = None) -> argparse.Namespace:
    """What was asked for; without words, on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--full", dest="size", action="store_const", const="full", default="small")
    sizes.add_argument("--gate", dest="size", action="store_const", const="gate")
    sizes.add_argument("--render", type=Path, metavar="JSON")
    parser.add_argument("--only", nargs="+", choices=[each.module for each in BENCHMARKS])
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    return parser.parse_args(words)


def measure(size: str, only: Sequence[str] | None, json: Path | None) -> Report:
    """Run what is asked for; the file is written after each benchmark, so that a long run loses nothing."""
    report = Report.begun(size)
    with tempfile.TemporaryDirectory() as scratch:
        for each in BENCHMARKS:
            arguments = each.arguments(size)
            if arguments is not None and (not only or each.module in only):
                report = report.with_benchmark(measured(each.module, arguments, Path(scratch)))
                if json:
                    json.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return report


def main() -> int:
    """Run what is asked for; the exit code."""
    given = parsed()
    is_baseline = given.json is not None and given.json.resolve() == BASELINE
    before = Report.load(BASELINE) if given.size == "gate" and not is_baseline and not given.only else None
    report = Report.load(given.render) if given.render else measure(given.size, given.only, given.json)
    Console(width=None if sys.stdout.isatty() else 160).print(table(report))
    if given.markdown:
        into_document(report, given.markdown)
    wrong = [f"benchmarks.{each.module} failed" for each in report.benchmarks if each.failed]
    if before:
        wrong += regressions(report, before)
    for words in wrong:
        print(words, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
