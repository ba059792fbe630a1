"""Landing files: what is read, what is skipped, what stays, and what an interruption leaves."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pattern_pipeline.detection.redaction_policy import RedactionPolicy
from pattern_pipeline.errors import InvalidInput, NotFound
from pattern_pipeline.history.forgetting import forget
from pattern_pipeline.history.landing import configured, land
from pattern_pipeline.history.mapping import ReadOptions
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.history.batches import touched, wipe
from pattern_pipeline_tests.history.files import default_policy, landed, lines, record, write
from pattern_pipeline_tests.tables import snapshot

RUNS_AND_STEPS = ("workflow_history", "tool_calls")


def test_what_is_unchanged_is_not_read(warehouse: Warehouse, tmp_path: Path) -> None:
    source = write(tmp_path / "runs.jsonl", [record(1)])
    assert landed(warehouse, source).total.runs.inserted == 1
    again = landed(warehouse)
    assert (again.unchanged, again.total.rows_read) == (1, 0)


def test_an_edit_of_equal_size_and_time_is_found(warehouse: Warehouse, tmp_path: Path) -> None:
    source = write(tmp_path / "runs.jsonl", [record(1)])
    before = source.stat()
    landed(warehouse, source)
    write(source, [record(1, cost_usd="0.7")])
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert source.stat().st_size == before.st_size
    assert landed(warehouse).total.runs.updated == 1


def test_only_the_tail_of_a_file_that_grew_is_read(warehouse: Warehouse, tmp_path: Path) -> None:
    source = write(tmp_path / "runs.jsonl", [record(1), record(2)])
    landed(warehouse, source)
    with source.open("a") as stream:
        stream.write(lines([record(3)]) + '{"run_id": "half')
    report = landed(warehouse)
    assert report.sources[0].outcome == "continued"
    assert (report.total.rows_read, report.total.runs.inserted) == (1, 1)
    with source.open("a") as stream:
        stream.write(lines(['way", ' + json.dumps(record(4))[1:]]))
    assert landed(warehouse).total.rows_read == 1
    assert len(snapshot(warehouse)["workflow_history"]) == 4
    assert snapshot(warehouse)["quarantined_records"] == []


def test_a_file_that_grew_and_was_edited_is_read_from_its_beginning(warehouse: Warehouse, tmp_path: Path) -> None:
    source = write(tmp_path / "runs.jsonl", [record(1), record(2)])
    landed(warehouse, source)
    write(source, [record(1, cost_usd="0.7"), record(3)])
    total = landed(warehouse).total.runs
    assert (total.inserted, total.updated, total.deleted) == (1, 1, 1)


@pytest.mark.parametrize("seed", [1, 2])
def test_however_the_same_runs_are_spread_over_files_the_tables_are_identical(
    module_warehouse: Warehouse, shared_dir: Path, tmp_path: Path, seed: int
) -> None:
    wipe(module_warehouse)
    original = shared_dir / "data" / "agent_runs.jsonl"
    landed(module_warehouse, original)
    expected = snapshot(module_warehouse, RUNS_AND_STEPS)
    assert [len(rows) for rows in expected.values()] == [60, 5013]

    wipe(module_warehouse)
    records = original.read_text().splitlines()
    random.Random(seed).shuffle(records)
    write(tmp_path / "b.jsonl", records[:40])
    write(tmp_path / "a.jsonl", records[30:])
    write(tmp_path / "again.jsonl", records)
    landed(module_warehouse, tmp_path)
    assert landed(module_warehouse, original).total.runs.unchanged == 60
    assert snapshot(module_warehouse, RUNS_AND_STEPS) == expected


def test_a_vanished_or_moved_file_deletes_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    source = write(tmp_path / "runs.jsonl", [record(1), record(2)])
    write(tmp_path / "other.jsonl", [record(3)])
    landed(warehouse, tmp_path)
    before = snapshot(warehouse)
    source.rename(tmp_path / "moved.jsonl")
    assert landed(warehouse).total.runs.unchanged == 2
    (tmp_path / "moved.jsonl").unlink()
    (tmp_path / "other.jsonl").unlink()
    landed(warehouse)
    assert snapshot(warehouse) == before


def test_a_file_that_came_back_is_read_again(warehouse: Warehouse, tmp_path: Path) -> None:
    source = write(tmp_path / "runs.jsonl", [record(1)])
    landed(warehouse, source)
    source.unlink()
    landed(warehouse)
    write(source, [record(2)])
    assert landed(warehouse).total.runs.deleted == 1
    assert "generic:run-2" in snapshot(warehouse)["workflow_history"][0]


def test_the_second_best_file_is_read_again_in_the_same_landing(warehouse: Warehouse, tmp_path: Path) -> None:
    best = write(tmp_path / "a.jsonl", [record(1)])
    write(tmp_path / "b.jsonl", [record(1, ended_at="2026-03-01T01:05:00Z")])
    landed(warehouse, tmp_path)
    write(best, [record(1, status="running", ended_at=None)])
    report = landed(warehouse, best)
    assert [Path(each.location).name for each in report.sources] == ["a.jsonl", "b.jsonl"]
    assert '"end_time": "2026-03-01T01:05:00+00:00"' in snapshot(warehouse)["workflow_history"][0]


def test_a_file_read_again_in_passing_is_redacted_as_the_policy_says(warehouse: Warehouse, tmp_path: Path) -> None:
    ticket = RedactionPolicy(patterns={"ticket": "TCK-[0-9]{4}"})
    policy = default_policy().model_copy(update={"redaction": ticket})
    best = write(tmp_path / "a.jsonl", [record(1)])
    write(tmp_path / "b.jsonl", [record(1, task_text="see TCK-1234", ended_at="2026-03-01T01:05:00Z")])
    land(warehouse, [str(tmp_path)], policy=policy, settings=Settings())
    write(best, [record(1, status="running", ended_at=None)])
    land(warehouse, [str(best)], policy=policy, settings=Settings())
    assert '"nl_input": "see <secret:ticket>"' in snapshot(warehouse)["workflow_history"][0]


def test_forgetting_a_source_removes_what_only_it_supplied(warehouse: Warehouse, tmp_path: Path) -> None:
    first = write(tmp_path / "a.jsonl", [record(1), record(2), "not JSON"])
    second = write(tmp_path / "b.jsonl", [record(2), record(3)])
    landed(warehouse, first, second)
    hours = touched(warehouse)
    assert forget(warehouse, str(first)).runs_deleted == 1
    assert [each.spec for each in configured(warehouse)] == [str(second)]
    left = snapshot(warehouse)
    assert (len(left["workflow_history"]), left["quarantined_records"]) == (2, [])
    assert sum(generation != hours[hour] for hour, generation in touched(warehouse).items()) == 1
    with pytest.raises(NotFound):
        forget(warehouse, str(first))


def test_other_options_read_the_source_again(warehouse: Warehouse, tmp_path: Path) -> None:
    source = write(tmp_path / "runs.jsonl", [record(1)])
    landed(warehouse, source)
    total = landed(warehouse, source, options=ReadOptions(namespace="team-a")).total.runs
    assert (total.inserted, total.deleted) == (1, 1)
    assert landed(warehouse).unchanged == 1, "the options are remembered"


def test_one_unreadable_file_does_not_keep_the_others_out(warehouse: Warehouse, tmp_path: Path) -> None:
    write(tmp_path / "good.jsonl", [record(1)])
    (tmp_path / "empty.jsonl").write_text("")
    report = landed(warehouse, tmp_path)
    assert report.total.runs.inserted == 1
    assert "empty.jsonl" in report.notes[0]
    with pytest.raises(InvalidInput, match=r"empty\.jsonl"):
        landed(warehouse, tmp_path / "empty.jsonl")


def test_a_source_that_does_not_exist_is_not_remembered(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        landed(warehouse, tmp_path / "nothing.jsonl")
    assert configured(warehouse) == []


def test_runs_outside_the_partitions_are_named_with_the_setting(warehouse: Warehouse, tmp_path: Path) -> None:
    ahead = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    old = record(1, started_at="2024-01-01T00:00:00Z", ended_at="2024-01-01T01:00:00Z")
    running = record(3, started_at=None, ended_at=datetime.now(UTC).isoformat())
    report = landed(warehouse, write(tmp_path / "runs.jsonl", [old, record(2, ended_at=ahead), running]))
    assert report.to_dict()["outside_partitions"] == 2
    assert "PATTERN_PIPELINE_START_DATE" in report.notes[0]
    assert "--timezone" in report.notes[1]
    assert "running hour" in report.notes[2]


def test_two_landings_at_once_give_the_tables_of_one(
    module_warehouse: Warehouse, shared_dir: Path, tmp_path: Path
) -> None:
    wipe(module_warehouse)
    records = (shared_dir / "data" / "agent_runs.jsonl").read_text().splitlines()
    for number in range(3):
        write(tmp_path / f"{number}.jsonl", records[number * 10 : number * 10 + 30])
    landed(module_warehouse, tmp_path)
    expected = snapshot(module_warehouse, RUNS_AND_STEPS)
    wipe(module_warehouse)
    orders = (sorted(tmp_path.iterdir()), sorted(tmp_path.iterdir(), reverse=True))
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda paths: landed(module_warehouse, *paths), orders))
    assert snapshot(module_warehouse, RUNS_AND_STEPS) == expected
    assert sum(report.total.runs.inserted for report in reports) == len(expected["workflow_history"])


KILLED = """
import os, signal, sys

from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.history.files import landed

def die_after_a_batch(progress):
    os.kill(os.getpid(), signal.SIGKILL)

landed(Warehouse(sys.argv[1]), sys.argv[2], progress=die_after_a_batch)
"""


@pytest.mark.parametrize("delay", [None, 0.2])
def test_a_landing_that_was_killed_is_completed_by_the_next(
    module_warehouse: Warehouse, tmp_path: Path, delay: float | None
) -> None:
    wipe(module_warehouse)
    many = [record(number % 24, run_id=f"run-{number}", steps=[{"tool": "bash"}]) for number in range(21_000)]
    source = write(tmp_path / "runs.jsonl", [*many, "not JSON"])
    url = module_warehouse.url
    process = subprocess.Popen([sys.executable, "-c", KILLED, url, str(source)], cwd=Path(__file__).parents[2])
    if delay is not None:
        while process.poll() is None and not touched(module_warehouse):
            time.sleep(0.01)
        time.sleep(delay)
        process.kill()
    assert process.wait(60) == -signal.SIGKILL
    landed(module_warehouse)
    assert landed(module_warehouse, source).unchanged == 1
    found = snapshot(module_warehouse, (*RUNS_AND_STEPS, "quarantined_records"))
    assert [len(rows) for rows in found.values()] == [21_000, 21_000, 1]
