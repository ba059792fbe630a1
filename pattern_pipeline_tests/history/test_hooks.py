"""Hook events: the start and the end of a call are one step, each once."""

from __future__ import annotations

import json
import random
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
from polars.testing import assert_frame_equal

from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.history.readers import hooks
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.history.batches import wipe
from pattern_pipeline_tests.history.files import landed
from pattern_pipeline_tests.history.reading import Reading, read, write_lines
from pattern_pipeline_tests.tables import snapshot


def event(number: int, kind: str, tool: str | None = "Bash", **payload: Any) -> dict[str, Any]:
    """An event of the second `number`, as a row of the table."""
    return {
        "id": number,
        "event_id": f"evt-{number}",
        "event_type": kind,
        "session_id": payload.pop("session", "s1"),
        "timestamp": f"2026-03-01T09:00:{number:02d}",
        "tool_name": tool,
        "payload": json.dumps({"tool_name": tool, **payload}),
    }


def pairs(reading: Reading) -> list[tuple[Any, ...]]:
    return reading.steps.select("command", pl.col("called_at").dt.second(), pl.col("completed_at").dt.second()).rows()


def test_real_events_give_the_documented_calls(shared_dir: Path) -> None:
    reading = read(shared_dir / "data" / "hook_events.jsonl")
    steps = reading.steps
    assert sum(batch.rows_read for batch in reading.batches) == 5_957
    assert reading.runs["session_id"].n_unique() == reading.runs.height == 58
    started, ended = steps["called_at"].is_not_null(), steps["completed_at"].is_not_null()
    assert [int(each.sum()) for each in (started & ended, started & ~ended, ~started & ended)] == [2_884, 164, 25]
    assert steps.filter(started & (pl.col("tool_name") == "Bash"))["command"].is_not_null().sum() == 1_334
    assert dict(steps.filter(started)["tool_name"].value_counts().rows()) == {
        "Bash": 1_334,
        "Read": 724,
        "Grep": 294,
        "TodoWrite": 229,
        "Edit": 226,
        "Glob": 146,
        "Write": 36,
        "BashOutput": 24,
        "Task": 24,
        "KillShell": 7,
        "SlashCommand": 3,
        "AskUserQuestion": 1,
    }
    assert reading.quarantined.is_empty()
    assert reading.runs["cost_basis"].unique().to_list() == ["unpriced"]


def test_the_table_and_a_csv_of_it_give_the_same_as_the_lines(shared_dir: Path, tmp_path: Path) -> None:
    source = shared_dir / "data" / "hook_events.jsonl"
    events = pl.read_ndjson(source, infer_schema_length=None)
    expected = read(source)
    events.write_csv(tmp_path / "events.csv")
    with sa.create_engine(f"sqlite:///{tmp_path / 'hooks.db'}").begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE hook_events ({', '.join(events.columns)})")
        marks = ", ".join("?" * events.width)
        connection.exec_driver_sql(f"INSERT INTO hook_events VALUES ({marks})", events.rows())
    for spec in (tmp_path / "events.csv", f"sqlite:///{tmp_path / 'hooks.db'}#hook_events"):
        reading = read(spec)
        assert reading.steps.equals(expected.steps)
        assert reading.runs.drop("position").equals(expected.runs.drop("position"))


def test_calls_without_an_id_are_paired_first_start_to_next_end(tmp_path: Path) -> None:
    events = [
        event(1, "PreToolUse", tool_input={"command": "first"}),
        event(2, "PreToolUse", tool_input={"command": "second"}),
        event(3, "PreToolUse", "Read", tool_input={"file_path": "a.py"}),
        event(4, "PostToolUse", success=True),
        event(5, "PostToolUse", success=False, tool_response={"stderr": "no"}),
        event(6, "PostToolUse", success=True),
    ]
    reading = read(write_lines(tmp_path / "events.jsonl", *events))
    assert pairs(reading) == [("first", 1, 4), ("second", 2, 5), (None, 3, None), (None, None, 6)]
    assert reading.steps["success"].to_list() == [True, False, None, True]
    assert reading.steps["error_message"].to_list() == [None, "no", None, None]
    assert reading.steps["duration_seconds"].to_list() == [Decimal(3), Decimal(3), None, None]


def test_calls_with_an_id_are_paired_by_it(tmp_path: Path) -> None:
    events = [
        event(1, "PreToolUse", tool_input={"command": "first"}, tool_use_id="a"),
        event(2, "PreToolUse", tool_input={"command": "second"}, tool_use_id="b"),
        event(4, "PostToolUse", tool_use_id="b"),
        event(5, "PostToolUse", tool_use_id="a", duration_ms=250),
    ]
    reading = read(write_lines(tmp_path / "events.jsonl", *events))
    assert pairs(reading) == [("first", 1, 5), ("second", 2, 4)]
    assert reading.steps["tool_call_id"].to_list() == ["a", "b"]
    assert reading.steps["duration_seconds"].to_list() == [Decimal("0.25"), Decimal(2)]


def test_each_prompt_is_a_run_where_prompts_are_recorded(tmp_path: Path) -> None:
    events = [
        event(1, "SessionStart", None),
        event(2, "UserPromptSubmit", None, prompt="run the tests"),
        event(3, "PreToolUse", tool_input={"command": "pytest"}),
        event(4, "PostToolUse", success=False),
        event(5, "UserPromptSubmit", None, prompt="again"),
        event(6, "PreToolUse", tool_input={"command": "pytest"}),
        event(7, "PostToolUse", success=True),
        event(8, "Stop", None),
    ]
    reading = read(write_lines(tmp_path / "events.jsonl", *events))
    assert reading.runs.select("workflow_id", "nl_input", "status").rows() == [
        ("hooks:s1:evt-2", "run the tests", "failed"),
        ("hooks:s1:evt-5", "again", "completed"),
    ]


def test_what_a_hook_gets_on_its_standard_input_is_read_as_it_is(tmp_path: Path) -> None:
    common = {"session_id": "s1", "cwd": "/srv/app", "tool_name": "Bash", "tool_use_id": "t1"}
    start = {**common, "hook_event_name": "PreToolUse", "tool_input": {"command": "ls"}, "timestamp": 1772355600}
    end = {**common, "hook_event_name": "PostToolUse", "tool_response": {"stdout": "a.py"}, "timestamp": 1772355601.5}
    reading = read(write_lines(tmp_path / "hooks.jsonl", start, end))
    assert reading.steps.select("command", "cwd", "output_excerpt", "duration_seconds").rows() == [
        ("ls", "/srv/app", "a.py", Decimal("1.5"))
    ]


@pytest.mark.parametrize("name", ["event_type", "hook_event_name", "hook_event_type"])
def test_the_type_of_an_event_has_several_names_and_spellings(tmp_path: Path, name: str) -> None:
    common = {"session_id": "s1", "payload": {"tool_name": "Bash", "tool_input": {"command": "ls"}}}
    start = {**common, name: "pre_tool_use", "timestamp": 1772355600000}
    end = {**common, name: "PostToolUse", "timestamp": 1772355602000}
    reading = read(write_lines(tmp_path / "hooks.jsonl", start, end))
    assert reading.steps.select("command", "duration_seconds").rows() == [("ls", Decimal(2))]
    (tmp_path / "hooks.csv").write_text(
        f"session_id,{name},timestamp,tool_name\ns1,pre_tool_use,1772355600,Read\ns1,PostToolUse,1772355602,Read\n"
    )
    assert read(tmp_path / "hooks.csv").steps.select("tool_name", "duration_seconds").rows() == [("Read", Decimal(2))]


def test_bad_events_are_told_and_the_rest_is_read(tmp_path: Path) -> None:
    events = [
        event(1, "PreToolUse", tool_input={"command": "ls"}),
        {"id": 2, "event_type": "PreToolUse", "payload": "{}"},
        {**event(3, "PreToolUse"), "timestamp": "yesterday"},
        {**event(4, "PostToolUse"), "payload": "no JSON"},
        event(5, "FlightRecorder", None),
        {**event(6, "PreToolUse"), "payload": json.dumps({"tool_input": ["odd"], "tool_name": 7, "context": []})},
        "garbage",
    ]
    reading = read(write_lines(tmp_path / "events.jsonl", *events))
    assert sorted(reading.reasons) == ["invalid_json", "no_event", "no_time"]
    assert reading.steps.height == 2
    assert reading.batches[0].skipped == {"FlightRecorder": 1}
    assert sum(batch.rows_read for batch in reading.batches) == 7


def test_lines_without_any_event_are_refused(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "events.jsonl", {"event_type": 1, "session_id": "s1", "timestamp": "2026-03-01"})
    with pytest.raises(InvalidInput, match=r"events\.jsonl holds no hook events"):
        read(path)


def test_shuffled_events_and_a_growing_file_end_in_the_same_tables(warehouse: Warehouse, tmp_path: Path) -> None:
    events = [
        each
        for second in range(0, 40, 2)
        for session in ("s1", "s2")
        for each in (
            {**event(second, "PreToolUse", tool_input={"command": f"make {second}"}, session=session)},
            {**event(second + 1, "PostToolUse", success=True, session=session)},
        )
    ]
    whole = write_lines(tmp_path / "whole.jsonl", *events)
    landed(warehouse, whole)
    expected = snapshot(warehouse)
    assert [len(rows) for rows in expected.values()] == [2, 40, 0]

    wipe(warehouse)
    whole.unlink()
    random.Random(3).shuffle(events)
    path = write_lines(tmp_path / "events.jsonl", *events[:50])
    path.write_text(path.read_text()[:-9])
    landed(warehouse, path)
    landed(warehouse, write_lines(path, *events))
    landed(warehouse, path)
    assert snapshot(warehouse) == expected

    wipe(warehouse)
    path.unlink()
    write_lines(tmp_path / "a" / "part1.jsonl", *events[:50], *events[:20])
    later = write_lines(tmp_path / "a" / "part2.jsonl", *events[30:60])
    report = landed(warehouse, tmp_path / "a")
    write_lines(later, *events[30:])
    report = landed(warehouse, tmp_path / "a")
    assert snapshot(warehouse) == expected
    assert +Counter(report.total.facts) == {"paired_events": 40}


def test_a_file_too_large_to_be_held_gives_the_same(shared_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = shared_dir / "data" / "hook_events.jsonl"
    expected = read(source)
    monkeypatch.setattr(hooks, "HELD_BYTES", source.stat().st_size // 4)
    found = read(source)
    for part in ("runs", "steps", "quarantined"):
        assert_frame_equal(getattr(found, part), getattr(expected, part), check_row_order=False)
    assert sum(batch.rows_read for batch in found.batches) == 5_957
    told = [sum((Counter(batch.facts) for batch in each.batches), Counter()) for each in (found, expected)]
    assert told[0] == told[1]
