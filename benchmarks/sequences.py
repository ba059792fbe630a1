"""Mining of sequences: how well planted ones are found in noise, and how time grows: `python -m benchmarks.sequences`.

Accuracy: sequences are planted in workflows, then a share of the steps is replaced by random ones, or random ones are
inserted. Recall is the share of the planted sequences that are found whole; precision the share of the found sequences
that are part of a planted one. Growth: seconds and peak memory of one mining, each in a process of its own, and the
exponent of time between the smallest and the largest history (1 is linear). `--full` mines up to a million steps.
"""

from __future__ import annotations

import argparse
import math
import random
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from benchmarks.results import report
from pattern_pipeline.detection.policy import load_policy
from pattern_pipeline.detection.sequence_runs import STEPS
from pattern_pipeline.detection.sequences import mine

NOISE = (0.0, 0.05, 0.10, 0.20)
PLANTED = 20
VOCABULARY = 3_000
STEPS_EACH = 40
QUICK, FULL = (25_000, 100_000), (250_000, 1_000_000)
ACCURACY_WORKFLOWS = {False: 400, True: 4_000}


def planted_sequences(rng: random.Random) -> list[tuple[str, ...]]:
    """Sequences of 3 to 6 elements that share none."""
    return [tuple(f"planted{number}.{at}" for at in range(rng.randint(3, 6))) for number in range(PLANTED)]


def noisy(elements: Sequence[str], kind: str, share: float, rng: random.Random) -> list[str]:
    """The elements with a share of them replaced, or as many random ones inserted."""
    result: list[str] = []
    for element in elements:
        is_hit = rng.random() < share
        if is_hit:
            result.append(f"noise{rng.randrange(VOCABULARY)}")
        if not is_hit or kind == "insert":
            result.append(element)
    return result


def history(workflows: int, planted: Sequence[Sequence[str]], kind: str, share: float, seed: int = 7) -> pl.DataFrame:
    """Workflows of some `STEPS_EACH` steps: planted sequences among random steps, spread over 30 days."""
    rng = random.Random(seed)
    rows = []
    for number in range(workflows):
        elements: list[str] = []
        while len(elements) < STEPS_EACH:
            elements += rng.choice(planted)
            elements += [f"noise{rng.randrange(VOCABULARY)}" for _ in range(rng.randint(1, 4))]
        day = date(2026, 1, 1) + timedelta(days=number % 30)
        rows += [
            (f"w{number:07}", None, seq, element, f"db:{element.partition('.')[0]}:query", True, day)
            for seq, element in enumerate(noisy(elements[:STEPS_EACH], kind, share, rng))
        ]
    return pl.DataFrame(rows, schema=STEPS, orient="row")


def accuracy(workflows: int) -> None:
    """Prints precision and recall for each kind and share of noise."""
    policy = load_policy("default").sequences
    planted = planted_sequences(random.Random(1))
    whole = set(planted)
    parts = {run[start:end] for run in planted for start in range(len(run)) for end in range(start + 1, len(run) + 1)}
    print(f"{workflows} workflows, {len(planted)} planted sequences\nnoise          precision  recall  found")
    for kind in ("insert", "replace"):
        for share in NOISE:
            catalogue = mine(history(workflows, planted, kind, share), policy)
            found = {tuple(elements) for elements in catalogue.sequences["elements"].to_list()}
            precision = len(found & parts) / len(found) if found else 0.0
            recall = len(found & whole) / len(whole)
            print(f"{kind:8} {share:4.0%}  {precision:9.3f}  {recall:6.3f}  {len(found):5}")
            noise = f"{share:.0%} of the steps noise ({kind}), {workflows:,} workflows"
            for name, value, goal in (("recall", recall, 1.0), ("precision", precision, 0.95)):
                report(
                    f"planted sequences, {name}, {noise}",
                    value,
                    unit="share",
                    goal=None if share else goal,
                    more_is_better=True,
                    gated=not share,
                )


def growth(sizes: Sequence[int]) -> None:
    """Prints time and memory for each size, and the exponent between the first and the last."""
    taken, peaks = [], []
    for size in sizes:
        command = [sys.executable, "-m", "benchmarks.sequences", "--measure", str(size)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        seconds, before, peak = map(float, output.split())
        taken.append(seconds)
        peaks.append(peak)
        print(
            f"{size:9,} steps: {seconds:7.2f} s, peak {peak:6.0f} MB, {before:.0f} MB of it before mining", flush=True
        )
    exponent = math.log(taken[-1] / taken[0]) / math.log(sizes[-1] / sizes[0])
    print(f"growth exponent {exponent:.2f}")
    report(f"catalogue of {sizes[-1]:,} steps, peak memory", peaks[-1], unit="MB", goal=600)
    report(f"catalogue, growth exponent of time, {sizes[0]:,} to {sizes[-1]:,} steps", exponent, unit="", goal=1.1)


def measure(size: int) -> None:
    """Mines one history in this process: processor seconds (median of three), and megabytes before and at the peak."""
    steps = history(size // STEPS_EACH, planted_sequences(random.Random(1)), "replace", 0.10)
    policy = load_policy("default").sequences
    before = peak_megabytes()
    times = []
    for _ in range(3):
        start = time.process_time()
        mine(steps, policy)
        times.append(time.process_time() - start)
    print(sorted(times)[1], before, peak_megabytes())


def peak_megabytes() -> float:
    """Peak resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Runs both measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--measure", type=int, metavar="STEPS", help="mine one history and print its figures")
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.measure)
        return
    accuracy(ACCURACY_WORKFLOWS[arguments.full])
    growth(FULL if arguments.full else QUICK)


if __name__ == "__main__":
    main()
