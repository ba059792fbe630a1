"""Detection of texts in bulk, against the readable evaluator in the same run: `python -m benchmarks.detection [ROWS]`.

Microseconds per row of both (the evaluator on a sample), in turns, and the ratio with its spread.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Sequence

import polars as pl

from benchmarks.results import report
from pattern_pipeline.detection.evaluator import Evaluator
from pattern_pipeline.detection.kernel import Detector
from pattern_pipeline.detection.policy import load_policy
from pattern_pipeline.detection.runs import Run

SAMPLE = 10_000
REPEATS = 5

TASKS = (
    "Fix the {word} page when {n} items are selected, see issue #{i}",
    "Run the backend tests for {word} and report {i}",
    "Add a {word} endpoint to the api ({i})",
    "Update the docs of {word} for release 1.{i}",
    "Investigate why {word} is slow for customer {i}",
    "run pytest tests/test_{word}_{i}.py on the server",
    "build the client bundle for {word} {i}",
    "Rename {word}Service{i} to {word}Client{i}",
    "please format the code in src/{word}/{i}.py",
    "{word}: value {i} is not what the caller expects\n\nSteps to reproduce:\n1. open {word}\n2. click save\n",
    "Crash in {word} #{i}\n**Describe the bug**\nIt raises a KeyError for {n} rows.\n```\n>>> x()\n```\n",
    "“{word}” – ticket {i}: the export is empty",
)
WORDS = ("login", "export", "billing", "search", "invoice", "parser", "auth", "cache", "report", "session", "chart")
ERRORS = (None, None, None, "pytest: {i} failed", "No such file: /tmp/{i}", "mypy: {n} errors", "exit code {n}")
TEMPLATES = ("adw_test_iso", "adw_build_iso", "adw_sdlc_iso", "adw_ship_iso", None, None, None)


def history(rows: int, seed: int = 7) -> list[Run]:
    """Runs with mostly distinct texts."""
    rng = random.Random(seed)

    def filled(template: str | None, i: int) -> str | None:
        return template and template.format(word=rng.choice(WORDS), n=rng.randint(2, 90), i=i)

    return [
        Run(filled(rng.choice(TASKS), i), filled(rng.choice(ERRORS), i), rng.choice(TEMPLATES)) for i in range(rows)
    ]


def seconds(action: object, arguments: Sequence[object]) -> float:
    """Wall time of one call per argument."""
    start = time.perf_counter()
    for argument in arguments:
        action(argument)  # type: ignore[operator]
    return time.perf_counter() - start


def main(rows: int) -> None:
    """Measures both policies."""
    runs = history(rows)
    frame = pl.DataFrame(
        {
            "workflow_id": [str(position) for position in range(rows)],
            "nl_input": [run.nl_input for run in runs],
            "error_message": [run.error_message for run in runs],
            "workflow_template": [run.workflow_template for run in runs],
        }
    )
    print(f"{rows} rows, {frame['nl_input'].n_unique()} distinct texts, {pl.thread_pool_size()} threads")
    for name in ("default", "legacy"):
        policy = load_policy(name)
        evaluator, detector = Evaluator(policy), Detector(policy)
        sample = runs[:SAMPLE]
        bulk, per_row = [], []
        for _ in range(REPEATS):  # In turns, so that both meet the same neighbours.
            per_row.append(seconds(evaluator.detect, sample) / len(sample))
            bulk.append(seconds(detector.detect_texts, [frame]) / rows)
        result = report(
            f"texts of {rows:,} runs by the policy {name}",
            [one / other for one, other in zip(per_row, bulk, strict=True)],
            reference="the evaluator, run by run",
            goal=12,
            more_is_better=True,
            gated=True,
        )
        print(
            f"{name}: evaluator {statistics.median(per_row) * 1e6:.1f} us, "
            f"kernel {statistics.median(bulk) * 1e6:.2f} us, ratio {result.median:.1f} ({result.spread})"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
