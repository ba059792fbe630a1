"""Trajectories of mini-swe-agent and SWE-agent: a run a file, a step a command, costs as billed."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice, product
from pathlib import Path
from typing import Any

import orjson
import pytest

from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.history.readers import discover, reader_for, trajectories
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.history.batches import wipe
from pattern_pipeline_tests.history.files import landed
from pattern_pipeline_tests.history.reading import Reading, read
from pattern_pipeline_tests.history.trajectories import (
    BEGIN,
    TASK,
    call,
    mini,
    mini_v1,
    result,
    swe,
    write_trajectory,
)
from pattern_pipeline_tests.tables import snapshot


def read_document(directory: Path, document: dict[str, Any], name: str = "a.traj.json") -> Reading:
    return read(write_trajectory(directory / name, document))


def test_a_mini_trajectory_is_a_run_with_a_step_for_each_command(tmp_path: Path) -> None:
    reading = read_document(tmp_path, mini())
    run = reading.runs.row(0, named=True)
    assert (run["nl_input"], run["model_used"], run["status"], run["project"]) == (
        TASK,
        "deepseek/deepseek-chat",
        "completed",
        "/testbed",
    )
    assert (run["start_time"], run["end_time"]) == (
        datetime.fromtimestamp(BEGIN, UTC),
        datetime.fromtimestamp(BEGIN + 12.5, UTC),
    )
    assert (run["actual_cost_total"], run["cost_basis"], run["error_count"]) == (Decimal("0.03"), "billed", 1)
    assert (run["input_tokens"], run["cache_read_tokens"], run["output_tokens"]) == (1_400, 600, 22)
    extra = orjson.loads(run["extra"])
    assert (extra["exit_status"], extra["api_calls"], extra["instance_id"]) == ("Submitted", 2, "django__django-11039")
    columns = (
        "tool_call_id",
        "command",
        "cwd",
        "exit_code",
        "success",
        "cost_usd",
        "output_tokens",
        "duration_seconds",
    )
    assert reading.steps.select(columns).rows() == [
        ("call_0_0", "ls", "/testbed", 0, True, Decimal("0.005"), 5, Decimal(1)),
        ("call_0_1", "pytest -q", "/testbed", 1, False, Decimal("0.005"), 6, Decimal(2)),
        (
            "call_1_0",
            "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && cat patch.txt",
            "/testbed",
            None,
            None,
            Decimal("0.02"),
            11,
            None,
        ),
    ]
    assert reading.steps["error_message"].to_list() == [None, "1 failed\n", None]
    assert reading.quarantined.is_empty()


def test_version_1_tells_commands_and_results_in_its_texts(tmp_path: Path) -> None:
    reading = read_document(tmp_path, mini_v1())
    assert reading.steps.select("command", "exit_code", "output_excerpt", "cost_usd").rows() == [
        ("ls", 0, "a.py\n", None),
        ("make", 2, "no rule\n", None),
    ]
    assert reading.runs.select("nl_input", "status", "actual_cost_total").rows() == [(TASK, "failed", Decimal("0.03"))]


def test_answers_of_the_responses_api_are_read_alike(tmp_path: Path) -> None:
    answer = {
        "object": "response",
        "id": "resp_1",
        "created_at": BEGIN,
        "output": [{"type": "function_call", "call_id": "c1"}],
        "usage": {"input_tokens": 50, "input_tokens_details": {"cached_tokens": 20}, "output_tokens": 7},
        "extra": {"actions": [{"command": "ls", "tool_call_id": "c1"}], "cost": 0.03, "timestamp": BEGIN + 1},
    }
    back = {"type": "function_call_output", "call_id": "c1", "output": "<returncode>0</returncode>", "extra": {}}
    reading = read_document(tmp_path, mini(answer, back))
    assert reading.steps.select("command", "exit_code", "input_tokens").rows() == [("ls", 0, 30)]
    assert reading.batches[0].skipped == {}


def test_a_swe_agent_trajectory_is_a_run_with_its_actions(tmp_path: Path) -> None:
    document = swe("find_file a.py", "python a.py", "", "exit_cost")
    reading = read_document(tmp_path, document, "i1.traj")
    run = reading.runs.row(0, named=True)
    assert (run["nl_input"], run["model_used"], run["status"], run["project"]) == (
        TASK,
        "gpt-4o",
        "completed",
        "https://github.com/SWE-agent/test-repo",
    )
    assert (run["actual_cost_total"], run["input_tokens"], run["output_tokens"]) == (Decimal("0.01952"), 7_141, 243)
    assert run["workflow_id"].startswith("swe-agent:SWE-agent__test-repo-i1:")
    columns = ("command", "cwd", "duration_seconds", "success", "exit_code", "output_excerpt")
    assert reading.steps.select(columns).rows() == [
        ("find_file a.py", "/repo/0", Decimal("0.281413"), None, None, "seen 0"),
        ("python a.py", "/repo/0", Decimal("1.281413"), None, None, "seen 1"),
    ]


def test_a_run_without_any_time_ends_when_its_file_was_last_changed(tmp_path: Path) -> None:
    path = write_trajectory(tmp_path / "i1.traj", swe())
    os.utime(path, (0, BEGIN))
    run = read(path).runs.row(0, named=True)
    assert (run["start_time"], run["end_time"]) == (None, datetime.fromtimestamp(BEGIN, UTC))
    assert orjson.loads(run["extra"])["time_from"] == "file"


def test_the_problem_statement_goes_before_what_the_model_was_told(tmp_path: Path) -> None:
    told = {"problem_statement": {"text": "As written.\n", "id": "i1"}}
    assert read_document(tmp_path, swe(replay_config=told), "i1.traj").runs["nl_input"].to_list() == ["As written."]


def test_a_cost_of_zero_is_one_that_the_agent_did_not_know(tmp_path: Path) -> None:
    document = mini(call(0, "ls", cost=0.0), result(0, 0, ""), cost=0.0)
    priced = read_document(tmp_path, document)
    listed = (700 * Decimal("0.28") + 300 * Decimal("0.028") + 11 * Decimal("0.42")) / 1_000_000
    columns = ("actual_cost_total", "estimated_cost_total", "cost_basis")
    assert priced.runs.select(columns).rows() == [(None, listed, "priced")]
    document["info"]["config"]["model"]["model_name"] = "house-model"
    unknown = read_document(tmp_path, document)
    assert unknown.runs.select(columns).rows() == [(None, None, "unpriced")]
    assert unknown.steps["cost_usd"].to_list() == [None]


def test_more_cached_than_sent_tokens_are_quarantined(tmp_path: Path) -> None:
    reading = read_document(tmp_path, mini(call(0, "ls", prompt_tokens=100)))
    assert reading.runs.is_empty()
    assert "invalid_figure" in reading.reasons


@pytest.mark.parametrize("name", ["a.traj", "a.traj.json", "a.json"])
@pytest.mark.parametrize("document", [mini(), mini_v1(), swe()], ids=["mini", "mini v1", "swe"])
def test_a_trajectory_is_recognised_by_its_content(tmp_path: Path, name: str, document: dict[str, Any]) -> None:
    path = write_trajectory(tmp_path / name, document)
    (location,) = discover(str(tmp_path))
    assert (location.path, reader_for(location).kind) == (path, "swe-agent")
    assert reader_for(location, "generic").kind == "generic"


def test_a_record_that_only_speaks_of_trajectories_is_none(tmp_path: Path) -> None:
    path = tmp_path / "runs.json"
    path.write_text(json.dumps([{"id": 1, "started_at": "2026-01-01", "trajectory": [], "info": {"exit_status": 1}}]))
    assert reader_for(discover(str(path))[0]).kind == "generic"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"trajectory": [{"action": "ls"', "no complete JSON object"),
        (b'{"trajectory": [' + b"[" * 3_000 + b"]" * 3_001 + b"}", "no complete JSON object"),
        (b'{"info": {"exit_status": 1}}', "holds no trajectory"),
        (b'{"trajectory": [1, 2]}', "holds no trajectory"),
    ],
)
def test_a_file_that_holds_no_trajectory_is_refused_by_name(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "a.traj").write_bytes(content)
    with pytest.raises(InvalidInput, match=rf"a\.traj.*{told}"):
        read(tmp_path / "a.traj")


def test_a_file_beyond_all_bounds_is_refused_without_being_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trajectories, "MAX_BYTES", 1 << 20)
    path = tmp_path / "a.traj"
    with path.open("wb") as stream:
        stream.write(b'{"trajectory": [')
        stream.truncate(1 << 40)
    with pytest.raises(InvalidInput, match=r"a\.traj is a trajectory of more than 1 MiB"):
        read(path)


ODD: list[Any] = [None, True, 7, -1.5, "", [], [1, "a", {}], {"a": {"b": []}}, "2026-03-01", "NaN", 1 << 63]
DOCUMENTS = pytest.mark.parametrize("original", [mini(), mini_v1(), swe()], ids=["mini", "mini v1", "swe"])


def places_in(document: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a document with each of its keys."""
    keys = document if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else ()
    for key in list(keys):
        yield document, key
        yield from places_in(document[key])


@DOCUMENTS
def test_a_value_of_any_shape_spoils_nothing_else(tmp_path: Path, original: dict[str, Any]) -> None:
    keys = [key for _, key in places_in(original)]
    path = tmp_path / "a.traj"
    for number, odd in product([keys.index(key) for key in dict.fromkeys(keys)], (0, 5)):
        changed = copy.deepcopy(original)
        container, key = next(islice(places_in(changed), number, None))
        container[key] = ODD[(number + odd) % len(ODD)]
        write_trajectory(path, changed)
        try:
            reading = read(path)
        except InvalidInput as error:
            assert "holds no trajectory" in str(error)
            assert key in ("messages", "trajectory", 0)
        else:
            assert reading.runs.height or reading.reasons


def test_invalid_text_is_replaced_and_told(tmp_path: Path) -> None:
    path = write_trajectory(tmp_path / "a.traj", swe("ls A", "cat B"))
    path.write_bytes(path.read_bytes().replace(b"ls A", b"ls \\u0000").replace(b"cat B", b"cat \xff"))
    reading = read(path)
    assert reading.steps["command"].to_list() == ["ls \ufffd", "cat \ufffd"]
    assert reading.reasons == ["repaired"]


def test_messages_of_unknown_kinds_are_counted(tmp_path: Path) -> None:
    document = mini()
    document["messages"] += [{"role": "oracle"}, {"content": "x"}, 7]
    assert read_document(tmp_path, document).batches[0].skipped == {
        "message oracle": 1,
        "message (dict)": 1,
        "message (int)": 1,
    }


def test_copies_a_growing_file_and_any_order_end_in_the_same_tables(
    module_warehouse: Warehouse, tmp_path: Path
) -> None:
    other = mini(call(7, "make"), result(7, 0, "built"))
    final = {"a": mini(), "b": other, "c": swe()}
    wipe(module_warehouse)
    for name, document in final.items():
        os.utime(write_trajectory(tmp_path / "whole" / f"{name}.traj", document), (0, BEGIN))
    landed(module_warehouse, tmp_path / "whole")
    expected = snapshot(module_warehouse)
    assert [len(rows) for rows in expected.values()] == [3, 7, 0]

    wipe(module_warehouse)
    grown = copy.deepcopy(final["a"])
    grown["messages"] = grown["messages"][:4]
    grown["info"]["exit_status"] = ""
    places = tmp_path / "p"
    write_trajectory(places / "y" / "a.traj", grown)
    landed(module_warehouse, places)
    write_trajectory(places / "y" / "a.traj", final["a"], cut=40)  # while it is written anew
    write_trajectory(places / "x" / "b.traj", final["b"])
    assert [Path(each.location).name for each in landed(module_warehouse, places).unreadable] == ["a.traj"]
    for path in ("y/a", "z/copy", "x/b", "a/c", "b/c"):
        document = final["a" if path == "z/copy" else path[-1]]
        os.utime(write_trajectory(places / f"{path}.traj", document), (0, BEGIN))
    landed(module_warehouse, places)
    landed(module_warehouse)
    assert snapshot(module_warehouse) == expected


def test_the_same_task_run_again_is_another_run(tmp_path: Path) -> None:
    write_trajectory(tmp_path / "first" / "i1.traj", swe())
    write_trajectory(tmp_path / "second" / "i1.traj", swe(seconds=0.3))
    timeless = swe()
    for entry in timeless["trajectory"]:
        del entry["execution_time"]
    write_trajectory(tmp_path / "third" / "i1.traj", timeless)
    write_trajectory(tmp_path / "fourth" / "i1.traj", timeless)
    assert read(tmp_path).runs["workflow_id"].n_unique() == 4


SECRET = "ghp_" + "Qw8" * 12


@DOCUMENTS
def test_a_secret_in_any_field_leaves_no_trace(
    module_warehouse: Warehouse, tmp_path: Path, original: dict[str, Any]
) -> None:
    wipe(module_warehouse)
    for name, kinds in (("texts", str), ("values", str | int | float | None)):
        changed = copy.deepcopy(original)
        for container, key in places_in(changed):
            if isinstance(container[key], kinds):
                container[key] = f"{container[key]} {SECRET}"
        write_trajectory(tmp_path / f"{name}.traj", changed)
    report = landed(module_warehouse, tmp_path)
    assert report.total.redactions
    tables = ("workflow_history", "tool_calls", "quarantined_records", "run_sources", "ingested_sources")
    stored = snapshot(module_warehouse, tables)
    assert len(stored["workflow_history"]) == 1
    assert SECRET not in json.dumps(stored) + json.dumps(report.to_dict())
    with module_warehouse.transaction() as tx:
        wording = tx.connection.exec_driver_sql("SELECT string_agg(detail || excerpt, ' ') FROM quarantined_records")
        assert SECRET not in str(wording.scalar())
