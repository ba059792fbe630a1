"""Detection of steps against `json.loads` of the same rows, in one run: `python -m benchmarks.steps [--rows N]`.

The rows are the real steps of `../shared`, or the package's sample where those are not there, repeated with other
names and numbers: as many of them are distinct as in the original. Each repeat starts with a fresh detector, so what
it remembers is part of the price. Prints steps per second, and the ratio of the processor times: the median of three
repeats, and their spread. The first line is the original alone, of which nearly every step is new to the detector.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

import polars as pl

from benchmarks.results import report
from pattern_pipeline.detection.policy import load_policy
from pattern_pipeline.detection.step_detector import StepDetector
from pattern_pipeline.detection.steps_policy import StepPolicy
from pattern_pipeline.sample.generator import generate_runs

ORIGINALS = "originals"
REPEATS = 3
CHUNK = 50_000
SAMPLE_RUNS = 400
AGENT_RUNS = Path(__file__).parents[2] / "shared" / "data" / "agent_runs.jsonl"
SCHEMA = {
    "workflow_id": pl.String,
    "step_seq": pl.Int32,
    "tool_name": pl.String,
    "command": pl.String,
    "cwd": pl.String,
    "tool_params": pl.String,
}
# File names, identifiers and numbers: what differs from one task to the next.
_VARYING = re.compile(
    r"\b[A-Za-z]\w*(?=\.[a-z]{1,5}\b|::|['\"](?:\s|$))|\b[A-Za-z]+_\w+|\b[A-Z][a-z]+[A-Z]\w*|(?<![-\w&>])\d{2,}\b"
)

T = TypeVar("T")
Row = tuple[str, int, str | None, str | None, str | None, str | None]


class Timing(NamedTuple):
    """Processor seconds of one pass over all rows, read as JSON and detected."""

    read: float
    detect: float
    rows: int
    distinct: int


def originals() -> list[Row]:
    """The steps that are repeated."""
    if AGENT_RUNS.exists():
        with AGENT_RUNS.open(encoding="utf-8") as lines:
            runs = [json.loads(line) for line in lines]
    else:
        runs = list(generate_runs(SAMPLE_RUNS))
    return [
        (run["run_id"], seq, step.get("tool"), step.get("command"), "/testbed", None)
        for run in runs
        for seq, step in enumerate(run.get("steps", ()))
    ]


def repeated(steps: list[Row]) -> Iterator[Row]:
    """The steps without end: the originals, then copies that each have their own names and numbers."""
    yield from steps
    copy = 0
    while True:
        copy += 1

        def renamed(found: re.Match[str], copy: int = copy) -> str:
            text = found.group()
            return str(int(text) + copy) if text.isdecimal() else f"{text}{copy}"

        for run, seq, tool, command, cwd, params in steps:
            yield f"{run}-{copy}", seq, tool, command and _VARYING.sub(renamed, command), cwd, params


def measured(rows: Iterator[Row], policy: StepPolicy) -> Timing:
    """Reads and detects the rows in chunks, each chunk one after the other."""
    detector = StepDetector(policy)
    read = detect = 0.0
    count = 0
    commands: set[int] = set()
    while chunk := list(islice(rows, CHUNK)):
        lines = [json.dumps(dict(zip(SCHEMA, row, strict=True))) for row in chunk]
        frame = pl.DataFrame(chunk, schema=SCHEMA, orient="row")
        read += seconds(lambda lines: list(map(json.loads, lines)), lines)
        detect += seconds(detector.detect_steps, frame)
        count += len(chunk)
        commands.update(hash(row[3]) for row in chunk)
    return Timing(read, detect, count, len(commands))


def seconds(action: Callable[[T], object], argument: T) -> float:
    """Processor time of one call, of all threads."""
    start = time.process_time()
    action(argument)
    return time.process_time() - start


def tell(name: str, timings: list[Timing]) -> None:
    """One line of figures; those that the goals are stated for are collected."""
    ratios = sorted(timing.detect / timing.read for timing in timings)
    speeds = [timing.rows / timing.detect for timing in timings]
    best = min(timings, key=lambda timing: timing.detect / timing.read)
    print(
        f"{name}: {best.rows} steps, {best.distinct / best.rows:.0%} distinct commands, "
        f"{statistics.median(speeds):,.0f} steps/s, "
        f"json.loads {best.read / best.rows * 1e6:.1f} us, detection {best.detect / best.rows * 1e6:.1f} us per step, "
        f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})",
        flush=True,
    )
    size = f"{best.rows:,} steps, {best.distinct / best.rows:.0%} of the commands distinct"
    report(f"detection of {size}", ratios, reference="json.loads of the rows", goal=None if name == ORIGINALS else 3)
    report(f"detection of {size}, steps a second", speeds, unit="", more_is_better=True)


def main(rows: int) -> None:
    """Measures the originals alone, then the asked number of rows."""
    policy = load_policy("default").detection.steps
    if policy is None:
        raise SystemExit("The default policy has no step layer.")
    steps = originals()
    tell(ORIGINALS, [measured(iter(steps), policy) for _ in range(REPEATS)])
    tell("repeated", [measured(islice(repeated(steps), rows), policy) for _ in range(REPEATS)])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    main(parser.parse_args().rows)
