"""The made-up history: the same bytes for a seed, realistic in rhythm and cost, every fault in its place."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pattern_pipeline.sample import END, generate_runs, planted_faults, planted_secrets, write_sample
from pattern_pipeline.sample.corpus import load_corpus

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = 600


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_sample(tmp_path_factory.mktemp("sample"), workflows=WORKFLOWS)


@pytest.fixture(scope="module")
def runs() -> list[dict[str, Any]]:
    return list(generate_runs(2000))


def _readable(path: Path) -> list[dict[str, Any]]:
    """The lines that a tolerant reader could turn into runs."""
    found = []
    for line in path.read_bytes().splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        if (
            isinstance(row, dict)
            and "started_at" in row
            and isinstance(row["output_tokens"], int)
            and row["input_tokens"] >= 0
        ):
            found.append(row)
    return found


def test_the_same_seed_writes_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    first, again = write_sample(tmp_path / "a", workflows=200), write_sample(tmp_path / "b", workflows=200)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    other = write_sample(tmp_path / "c", workflows=200, seed=8)
    assert other[0].read_bytes() != first[0].read_bytes()


def test_a_longer_history_starts_with_the_same_runs() -> None:
    assert list(generate_runs(50)) == list(generate_runs(60))[:50]


def test_both_files_together_hold_exactly_the_promised_runs(files: list[Path]) -> None:
    history, late = (_readable(path) for path in files)
    faults = planted_faults(WORKFLOWS)
    assert len({run["run_id"] for run in history + late}) == faults.workflows
    assert len(history) == WORKFLOWS - faults.late_runs
    assert len(late) == faults.late_runs + faults.repeated_runs + faults.id_conflicts


def test_the_late_export_brings_earlier_runs_and_repeats_others_word_for_word(files: list[Path]) -> None:
    history, late = (_readable(path) for path in files)
    known = {run["run_id"]: run for run in history}
    fresh = [run for run in late if run["run_id"] not in known]
    faults = planted_faults(WORKFLOWS)
    assert len(fresh) == faults.late_runs
    assert min(run["started_at"] for run in fresh) < max(run["started_at"] for run in history)
    assert sum(known.get(run["run_id"]) == run for run in late) == faults.repeated_runs


def test_one_id_is_claimed_by_two_different_runs(files: list[Path]) -> None:
    history, late = (_readable(path) for path in files)
    known = {run["run_id"]: run for run in history}
    conflicts = [
        run for run in late if run["run_id"] in known and run["task_text"] != known[run["run_id"]]["task_text"]
    ]
    assert len(conflicts) == planted_faults(WORKFLOWS).id_conflicts
    assert conflicts[0]["started_at"] != known[conflicts[0]["run_id"]]["started_at"]


def test_every_unreadable_record_stands_between_good_ones(files: list[Path]) -> None:
    lines = files[0].read_bytes().splitlines()
    assert len(lines) - len(_readable(files[0])) == len(planted_faults(WORKFLOWS).unreadable) == 5
    assert isinstance(json.loads(lines[-1]), dict)


def test_each_secret_stands_in_a_prompt_a_command_and_an_error_text(files: list[Path]) -> None:
    rows = _readable(files[0])
    for secret in planted_secrets():
        assert sum(secret in row["task_text"] for row in rows) == 1
        assert sum(secret in row.get("error_message", "") for row in rows) == 1
        assert sum(secret in step.get("command", "") for row in rows for step in row.get("steps", ())) == 1


def test_no_tracked_file_contains_a_planted_secret() -> None:
    for secret in planted_secrets():
        pattern = secret.splitlines()[0]
        found = subprocess.run(
            ["git", "grep", "--untracked", "-lF", "-e", pattern], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert (found.returncode, found.stdout) == (1, "")


def test_runs_keep_office_hours_within_the_promised_days(runs: list[dict[str, Any]]) -> None:
    starts = [datetime.fromisoformat(run["started_at"]) for run in runs]
    assert END - timedelta(days=30) <= min(starts)
    assert max(starts) < END
    assert END.tzinfo is UTC
    weekdays = Counter(start.weekday() for start in starts)
    assert max(weekdays[5], weekdays[6]) * 3 < min(weekdays[day] for day in range(5))
    assert sum(8 <= start.hour < 18 for start in starts) > 0.75 * len(starts)


def test_most_runs_have_steps_in_time_order_and_the_others_are_flat(runs: list[dict[str, Any]]) -> None:
    flat = sum("steps" not in run for run in runs)
    assert 0.05 < flat / len(runs) < 0.30
    for run in runs:
        times = [step["timestamp"] for step in run.get("steps", ())]
        assert times == sorted(times)
        assert datetime.fromisoformat(run["started_at"]) <= datetime.fromisoformat(run["ended_at"])


def test_step_costs_never_exceed_the_run_and_have_a_heavy_tail(runs: list[dict[str, Any]]) -> None:
    priced = [run for run in runs if "cost_usd" in run]
    for run in priced:
        assert sum(step["call_cost_usd"] for step in run.get("steps", ())) <= run["cost_usd"] + 1e-6
    costs = sorted(run["cost_usd"] for run in priced)
    assert sum(costs[-len(costs) // 10 :]) > 0.25 * sum(costs)


def test_one_model_has_no_price_and_its_runs_no_cost(runs: list[dict[str, Any]]) -> None:
    unpriced = {model.name for model in load_corpus().models if model.prices is None}
    assert {run["model"] for run in runs if "cost_usd" not in run} == unpriced
    assert len(unpriced) == 1


def test_the_weekly_refresh_repeats_as_one_sequence_on_many_days(runs: list[dict[str, Any]]) -> None:
    shape = ["git pull && pip install -r requirements.txt", "pytest", "git commit", "gh pr create"]
    days = {
        run["started_at"][:10]
        for run in runs
        if [
            known
            for step, known in zip(run.get("steps", ()), shape, strict=False)
            if step.get("command", "").startswith(known)
        ]
        == shape
    }
    assert len(days) > 15


def test_a_failing_check_is_edited_and_passes(runs: list[dict[str, Any]]) -> None:
    repaired = 0
    for run in runs:
        steps = run.get("steps", ())
        repaired += any(
            first.get("command", "-") == last.get("command")
            and (first["returncode"], middle["tool"], last["returncode"]) == (1, "Edit", 0)
            for first, middle, last in zip(steps, steps[1:], steps[2:], strict=False)
        )
    assert repaired > 100


def test_texts_are_varied_and_leave_no_slot_open(runs: list[dict[str, Any]]) -> None:
    assert len({run["task_text"] for run in runs}) > 900
    for run in runs:
        texts = [
            run["task_text"],
            run.get("error_message", ""),
            *(str(step.get("tool_input", "")) for step in run.get("steps", ())),
        ]
        assert not any(re.search(r"(?<!\{')\{[a-z0-9]+\}", text) for text in texts)


def test_flat_runs_for_benchmarks_carry_costs_without_steps() -> None:
    rows = list(generate_runs(500, days=3, seed=1, steps=False))
    assert not any("steps" in row for row in rows)
    assert sum(row.get("cost_usd", 0) for row in rows) > 0
    assert min(row["started_at"] for row in rows) >= (END - timedelta(days=3)).isoformat()


def test_a_sample_too_small_for_its_faults_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 100"):
        write_sample(tmp_path, workflows=99)
