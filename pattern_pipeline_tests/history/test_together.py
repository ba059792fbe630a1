"""Small new files land in one transaction, and history is what it would be had each landed alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pattern_pipeline.history import landing, together
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.history.batches import wipe
from pattern_pipeline_tests.history.files import landed, record, write
from pattern_pipeline_tests.history.transcripts import a_working_day, write_transcript
from pattern_pipeline_tests.tables import snapshot

TABLES = ("workflow_history", "tool_calls", "quarantined_records", "run_sources")
LEDGER = (
    "SELECT location, reader, rows_read, runs_read, steps_read, redactions::text, first_event_time, last_event_time, "
    "byte_offset, fingerprint, size_bytes, read_completely, reread_wanted FROM ingested_sources ORDER BY location"
)


def ledger_of(warehouse: Warehouse) -> list[Any]:
    with warehouse.transaction() as tx:
        return list(tx.connection.exec_driver_sql(LEDGER).all())


def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on no file is small."""
    monkeypatch.setattr(together, "_SMALL_BYTES", -1)


def some_files(directory: Path) -> Path:
    """Sessions, one with its sub-agent apart and one resumed; runs, two files with the same one; and bad ones."""
    directory.mkdir()
    day = a_working_day()
    main = [line for line in day.lines if not line["isSidechain"]]
    write_transcript(directory / "s1.jsonl", main)
    side = [line for line in day.lines if line["isSidechain"]]
    write_transcript(directory / "s1" / "subagents" / "agent-a1.jsonl", side)
    for number in range(2, 6):
        write_transcript(directory / f"s{number}.jsonl", a_working_day(f"s{number}").lines)
    write_transcript(directory / "s9.jsonl", [*main[:6], *a_working_day("s9").lines])
    write(directory / "a.jsonl", [record(1), record(2)])
    write(directory / "b.jsonl", [record(2), record(3, password="secret")])
    write(directory / "c.jsonl", [record(3, status="running", ended_at=None)])
    write(directory / "d.jsonl", [record(4), "no JSON"])
    write(directory / "e.jsonl", [record(5), record(5, cost_usd="0.7")])
    (directory / "empty.jsonl").touch()
    (directory / "broken.json").write_text("{")
    return directory


def test_files_landed_together_are_as_if_each_had_landed_alone(
    module_warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = some_files(tmp_path / "p")
    wipe(module_warehouse)
    together_report = landed(module_warehouse, files)
    found, entries = snapshot(module_warehouse, TABLES), ledger_of(module_warehouse)
    assert landed(module_warehouse).unchanged == len(together_report.sources) - 2

    wipe(module_warehouse)
    alone(monkeypatch)
    report = landed(module_warehouse, files)
    assert snapshot(module_warehouse, TABLES) == found
    assert ledger_of(module_warehouse) == entries
    assert len(found["workflow_history"]) == 23
    assert together_report.total.runs.inserted == report.total.runs.inserted
    outcomes = {each.location: (each.outcome, each.message) for each in report.sources}
    assert {each.location: (each.outcome, each.message) for each in together_report.sources} == outcomes
    assert {Path(each.location).name for each in report.unreadable} == {"empty.jsonl", "broken.json"}


def test_new_files_beside_known_ones_land_in_few_transactions(
    module_warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wipe(module_warehouse)
    landed(module_warehouse, write(tmp_path / "m.jsonl", [record(0)]))
    for number in range(1, 8):
        write(tmp_path / f"{number}.jsonl", [record(number)])
    merged: list[int] = []
    land_new = landing.land_new

    def counted(*arguments: Any) -> Any:
        result = land_new(*arguments)
        merged.append(len(result))
        return result

    monkeypatch.setattr(landing, "land_new", counted)
    monkeypatch.setattr(together, "_MOST_FILES", 4)
    report = landed(module_warehouse, tmp_path)
    assert (merged, report.unchanged, report.total.runs.inserted) == ([4, 3], 1, 7)
    assert len(snapshot(module_warehouse)["workflow_history"]) == 8


def test_a_group_that_is_interrupted_leaves_nothing_half_done(
    module_warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wipe(module_warehouse)
    for number in range(1, 5):
        write(tmp_path / f"{number}.jsonl", [record(number)])
    with monkeypatch.context() as broken:
        calls: list[int] = []

        def fails(*arguments: Any, **options: Any) -> None:
            calls.append(1)
            if len(calls) == 3:
                raise KeyboardInterrupt

        broken.setattr("pattern_pipeline.history.ledger.complete", fails)
        with pytest.raises(KeyboardInterrupt):
            landed(module_warehouse, tmp_path)
    assert not any(snapshot(module_warehouse, TABLES).values())
    assert landed(module_warehouse, tmp_path).total.runs.inserted == 4
    assert all(json.loads(row)["step_count"] == 0 for row in snapshot(module_warehouse)["workflow_history"])
