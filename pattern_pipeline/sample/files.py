"""Writes the sample as two source files and plants in them what real exports get wrong.

The runs themselves are made up in ``generator``. The faults: a second export that repeats runs and brings earlier ones
late, records that cannot be read, one id used twice, and secrets in prompts, commands and error texts. The secrets are
put together here from pieces, so that no file of the repository contains one.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from pattern_pipeline.sample.generator import Run, generate_runs

HISTORY: Final = "history.jsonl"
LATE: Final = "late-export.jsonl"

_LATE_EVERY: Final = 17  # one run in so many arrives with the second file only
_REPEATED_EVERY: Final = 50  # one run of the first file in so many stands in the second, too
_FEWEST_RUNS: Final = 100


@dataclass(frozen=True, slots=True)
class PlantedFaults:
    """What `write_sample` puts into the files, for the same number of workflows."""

    workflows: int  # distinct runs that can be read
    late_runs: int
    repeated_runs: int
    id_conflicts: int
    unreadable: tuple[str, ...]  # one name for each unreadable record
    secrets: tuple[str, ...]


def write_sample(directory: Path, *, workflows: int = 2000, seed: int = 7) -> list[Path]:
    """Write the sample history as JSON lines.

    Args:
        directory: Where the two files are written; it is made when it does not exist.
        workflows: Number of distinct readable runs in both files together, at least 100.
        seed: The same seed writes the same bytes.

    Returns:
        The files in the order in which a team would deliver them: the history, then the late export.

    Raises:
        ValueError: for fewer than 100 workflows, which the planted faults would dominate.
    """
    faults = planted_faults(workflows)
    runs = sorted(generate_runs(workflows, seed=seed), key=lambda run: str(run["started_at"]))
    late = runs[::_LATE_EVERY]
    prompt = [run for position, run in enumerate(runs) if position % _LATE_EVERY]
    repeated = prompt[::_REPEATED_EVERY]
    _plant_secrets(prompt, faults.secrets)

    directory.mkdir(parents=True, exist_ok=True)
    history_path, late_path = directory / HISTORY, directory / LATE
    lines = [orjson.dumps(run) for run in prompt]
    unreadable = _unreadable_lines(prompt[0])
    for number, line in enumerate(unreadable.values(), start=1):
        lines.insert(number * len(prompt) // (len(unreadable) + 1), line)
    _write(history_path, lines)
    _write(late_path, (orjson.dumps(run) for run in (*late, *repeated, _conflict_with(prompt[-1]))))
    return [history_path, late_path]


def planted_faults(workflows: int = 2000) -> PlantedFaults:
    """What `write_sample` plants among so many workflows."""
    if workflows < _FEWEST_RUNS:
        raise ValueError(f"the sample needs at least {_FEWEST_RUNS} workflows, not {workflows}")
    late = len(range(0, workflows, _LATE_EVERY))
    return PlantedFaults(
        workflows=workflows,
        late_runs=late,
        repeated_runs=len(range(0, workflows - late, _REPEATED_EVERY)),
        id_conflicts=1,
        unreadable=tuple(_unreadable_lines({"run_id": "", "started_at": "", "ended_at": ""})),
        secrets=planted_secrets(),
    )


def planted_secrets() -> tuple[str, ...]:
    """Invented secrets of the usual kinds; none was ever valid."""
    letters = "q7Zt2Lx9Vb4Nc8Rm5Kd1Hw6Js3Pf0Gy"
    header = "eyJhbGciOiJIUzI1NiJ9"
    return (
        "AK" + "IA" + "Q7ZT2LX9VB4NC8RM",
        "gh" + "p_" + letters + "Ab3D",
        "sk" + "-proj-" + letters + letters[::-1],
        "xo" + "xb-" + "2718281828-3141592653-" + letters[:24],
        ".".join((header, "eyJzdWIiOiJzYW1wbGUifQ", letters)),
        "postgresql" + "://reporting:" + letters[5:21] + "@db.internal/orders",
        "PGPASS" + "WORD=" + letters[3:17],
        "\n".join(("-----BEGIN RSA " + "PRIVATE KEY-----", letters * 2, "-----END RSA " + "PRIVATE KEY-----")),
    )


def _plant_secrets(runs: list[Run], secrets: Iterable[str]) -> None:
    """Each secret once in a prompt, once in a command and once in an error text, each in a run of its own."""
    with_command = iter([run for run in runs[1:-1] if any("command" in step for step in run.get("steps", ()))])
    for secret in secrets:
        for field in ("task_text", "error_message"):
            run = next(with_command)
            run[field] = f"{run.get(field, 'Refused:')} (with {secret})"
        run = next(with_command)
        step = next(step for step in run["steps"] if "command" in step)
        step["command"] = f"{step['command']} # {secret}"


def _unreadable_lines(run: Run) -> dict[str, bytes]:
    """Records that no reader can use, by what is wrong with them."""
    no_time = {key: value for key, value in run.items() if key not in ("started_at", "ended_at", "steps")}
    return {
        "half_a_line": orjson.dumps(run | {"run_id": "run-half"})[:-20],
        "no_time": orjson.dumps(no_time | {"run_id": "run-timeless"}),
        "negative_tokens": orjson.dumps(run | {"run_id": "run-negative", "input_tokens": -412}),
        "tokens_in_words": orjson.dumps(run | {"run_id": "run-words", "output_tokens": "about nine hundred"}),
        "not_an_object": orjson.dumps(["run-list", 12, None]),
    }


def _conflict_with(run: Run) -> Run:
    """Another run that claims the same id: it started elsewhere and was asked for something else."""
    other = copy.deepcopy(run)
    other["task_text"] = "Count the parking tickets of the delivery vans"
    other["started_at"], other["ended_at"] = "2026-09-02T03:04:05.000Z", "2026-09-02T03:09:05.000Z"
    other.pop("steps", None)
    return other


def _write(path: Path, lines: Iterable[bytes]) -> None:
    path.write_bytes(b"".join(line + b"\n" for line in lines))
