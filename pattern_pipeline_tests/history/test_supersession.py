"""The same run seen through two kinds of source counts once, whichever is read first, as long as both are there."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pattern_pipeline.history.forgetting import forget
from pattern_pipeline.history.hours import close_hours, stale_hours
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.history.batches import stored, touched, wipe
from pattern_pipeline_tests.history.files import landed, write
from pattern_pipeline_tests.history.telemetry import claude, gen_ai, spans, tool, write_export
from pattern_pipeline_tests.history.transcripts import BEGIN, Session, text, use, write_transcript
from pattern_pipeline_tests.tables import snapshot

TRANSCRIPT, HOOKS, GENERIC = "transcript.jsonl", "hooks.jsonl", "spans.jsonl"
NAMES = (TRANSCRIPT, HOOKS, GENERIC)
HOOK_RUN, SPAN_RUN = "hooks:s1", "generic:span-run"


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of two prompts as transcript, as hook events and as spans; each knows calls that others do not."""
    folder = tmp_path_factory.mktemp("sources")
    session = Session("s1")
    session.prompt("run the tests")
    session.bash("t1", "pytest -q")
    session.call(text("Done."))
    session.prompt("commit it")
    session.call(use("t2", "Bash", command="git commit -am fix"), use("t3", "Read", file_path="a.py"))
    session.call(text("Committed."))
    write_transcript(folder / TRANSCRIPT, session.lines)
    hooks = [
        *events("t1", "Bash", 1, command="pytest -q"),
        *events("t9", "Bash", 2, command="make lint"),
        *events("t2", "Bash", 5, command="git commit -am fix"),
        *events(None, "Grep", 6, pattern="x"),
    ]
    write(folder / HOOKS, hooks)
    steps = [
        {"tool": "bash", "tool_use_id": "t2", "command": "git commit", "cost_usd": "0.25", "timestamp": at(5)},
        {"tool": "read", "request_id": "req_s1_3", "timestamp": at(5), "returncode": 3},
        {"tool": "bash", "tool_use_id": "t9", "timestamp": at(2), "returncode": 0},
        {"tool": "bash", "command": "echo end", "timestamp": at(7)},
    ]
    write(folder / GENERIC, [run_of("span-run", steps)])
    return folder


def at(second: int) -> str:
    return (BEGIN + timedelta(seconds=second)).isoformat()


def run_of(run_id: str, steps: Sequence[dict[str, Any]], session: str | None = "s1") -> dict[str, Any]:
    return {
        "run_id": run_id,
        "session_id": session,
        "started_at": at(0),
        "ended_at": at(8),
        "total_cost": "2.5",
        "total_tokens": 70,
        "steps": steps,
    }


def events(tool_use_id: str | None, tool: str, second: int, **given: Any) -> Iterable[dict[str, Any]]:
    """The start and the end of a call, half a second later."""
    payload = {"tool_name": tool, "tool_use_id": tool_use_id, "tool_input": given}
    for kind, half in (("PreToolUse", "000"), ("PostToolUse", "500")):
        yield {
            "event_type": kind,
            "session_id": "s1",
            "timestamp": f"2026-03-01T09:00:{second:02d}.{half}Z",
            "payload": json.dumps({**payload, "tool_response": {"stdout": f"output of {tool}"}}),
        }


def land_in_order(warehouse: Warehouse, sources: Path, *names: str) -> None:
    for name in names:
        landed(warehouse, sources / name)


def calls_of(warehouse: Warehouse, workflow_id: str) -> list[tuple[str, str | None]]:
    """Id and command of a run's calls in their order."""
    with warehouse.transaction() as tx:
        query = "SELECT tool_call_id, command FROM tool_calls WHERE workflow_id = %s ORDER BY seq"
        return [tuple(row) for row in tx.connection.exec_driver_sql(query, (workflow_id,))]


def call(warehouse: Warehouse, tool_call_id: str) -> dict[str, Any]:
    """The call of that id that counts."""
    with warehouse.transaction() as tx:
        query = """SELECT tool_calls.* FROM tool_calls JOIN workflow_history USING (workflow_id)
                   WHERE tool_call_id = %s AND superseded_by IS NULL"""
        return dict(tx.connection.exec_driver_sql(query, (tool_call_id,)).mappings().one())


def counted(warehouse: Warehouse) -> tuple[int, int]:
    """Runs and calls that count."""
    with warehouse.transaction() as tx:
        query = """SELECT count(DISTINCT workflow_id), count(tool_call_id)
                   FROM workflow_history LEFT JOIN tool_calls USING (workflow_id) WHERE superseded_by IS NULL"""
        runs, calls = tx.connection.exec_driver_sql(query).one()
        return runs, calls


def test_the_better_source_counts_and_takes_what_only_the_others_know(warehouse: Warehouse, sources: Path) -> None:
    land_in_order(warehouse, sources, *NAMES)
    assert {stored(warehouse, each)["superseded_by"] for each in (HOOK_RUN, SPAN_RUN)} == {"claude:s1-0", "claude:s1-4"}
    first, second = calls_of(warehouse, "claude:s1-0"), calls_of(warehouse, "claude:s1-4")
    assert first == [("t1", "pytest -q"), ("t9", "make lint")]
    assert [each for each, _ in second[:2]] == ["t2", "t3"]
    assert [command for _, command in second[2:]] == [None, "echo end"], "a search without id, and the last span"
    assert (stored(warehouse, "claude:s1-0")["step_count"], stored(warehouse, "claude:s1-4")["step_count"]) == (2, 4)
    assert counted(warehouse) == (2, 6)


def test_a_merged_call_keeps_what_is_known_and_learns_what_is_not(warehouse: Warehouse, sources: Path) -> None:
    land_in_order(warehouse, sources, *NAMES)
    commit, read = call(warehouse, "t2"), call(warehouse, "t3")
    assert commit["command"] == "git commit -am fix"
    assert commit["output_excerpt"] == "output of Bash"
    assert read["exit_code"] == 3, "the span has no id of the call, only that of the model's request"


@pytest.mark.parametrize("order", [*itertools.permutations(NAMES)][1:])
def test_the_order_of_landing_does_not_matter(
    module_warehouse: Warehouse, sources: Path, order: tuple[str, ...]
) -> None:
    wipe(module_warehouse)
    land_in_order(module_warehouse, sources, *NAMES)
    expected = snapshot(module_warehouse)
    wipe(module_warehouse)
    land_in_order(module_warehouse, sources, *order)
    assert snapshot(module_warehouse) == expected


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.sampled_from(["land", "change", "forget"]), st.sampled_from(NAMES)), max_size=7),
    left=st.sets(st.sampled_from(NAMES)),
)
def test_whatever_was_landed_changed_and_forgotten_leaves_no_trace(
    module_warehouse: Warehouse, sources: Path, tmp_path: Path, steps: list[tuple[str, str]], left: set[str]
) -> None:
    wipe(module_warehouse)
    for name in NAMES:
        (tmp_path / name).write_bytes((sources / name).read_bytes())
    known: set[str] = set()
    for action, name in steps:
        if action == "forget":
            if name in known:
                forget(module_warehouse, str(tmp_path / name))
            known -= {name}
            continue
        whole = (sources / name).read_text()
        half = "".join(whole.splitlines(keepends=True)[: whole.count("\n") // 2])
        (tmp_path / name).write_text(half if action == "change" and half else whole)
        landed(module_warehouse, tmp_path / name)
        known.add(name)
    for name in NAMES:
        (tmp_path / name).write_bytes((sources / name).read_bytes())
        if name in left:
            landed(module_warehouse, tmp_path / name)
        elif name in known:
            forget(module_warehouse, str(tmp_path / name))
    found = snapshot(module_warehouse)

    wipe(module_warehouse)
    land_in_order(module_warehouse, tmp_path, *sorted(left))
    assert found == snapshot(module_warehouse)


def test_without_the_better_source_the_other_comes_back(warehouse: Warehouse, sources: Path) -> None:
    land_in_order(warehouse, sources, HOOKS)
    before = snapshot(warehouse)
    landed(warehouse, sources / TRANSCRIPT)
    assert snapshot(warehouse) != before
    forget(warehouse, str(sources / TRANSCRIPT))
    assert snapshot(warehouse) == before


def test_exported_telemetry_ranks_below_transcripts_and_claude_codes_own_above_hooks(
    warehouse: Warehouse, sources: Path, tmp_path: Path
) -> None:
    own = [
        claude(1, "interaction", 0, 9, user_prompt="run the tests", interaction__sequence=1),
        claude(2, "tool", 2, 4, 1, tool_name="Bash", tool_use_id="t1", full_command="pytest -q"),
        claude(3, "tool", 5, 6, 1, tool_name="Read", tool_use_id="t8", file_path="b.py"),
    ]
    common = gen_ai(1, "execute_tool", 2, 3, of={**tool("Bash", "t9", {}), "conversation__id": "s1"}, trace="b" * 32)
    landed(warehouse, write_export(tmp_path / "otel.jsonl", [spans(common)]))
    landed(warehouse, sources / HOOKS)
    assert superseded(warehouse) == {"otel": "hooks"}
    landed(warehouse, write_export(tmp_path / "claude-otel.jsonl", [spans(*own, service="claude-code")]))
    assert superseded(warehouse) == {"otel": "claude-otel", "hooks": "claude-otel"}
    landed(warehouse, sources / TRANSCRIPT)
    assert superseded(warehouse) == {"otel": "claude", "hooks": "claude", "claude-otel": "claude"}
    assert counted(warehouse) == (2, 6), "t1, t2, t3 of the transcript, t8, t9 and a search of the others"


def superseded(warehouse: Warehouse) -> dict[str, str]:
    """The kind of source of each superseded run, and that of the run which counts instead."""
    with warehouse.transaction() as tx:
        query = """SELECT run.source, better.source FROM workflow_history AS run
                   JOIN workflow_history AS better ON better.workflow_id = run.superseded_by"""
        return {row[0]: row[1] for row in tx.connection.exec_driver_sql(query)}


def test_a_purged_line_of_the_better_source_gives_its_call_back(warehouse: Warehouse, tmp_path: Path) -> None:
    session = Session("s1")
    session.prompt("lint")
    session.bash("t1", "make lint")
    session.bash("t2", "make test")
    path = write_transcript(tmp_path / TRANSCRIPT, session.lines)
    hooks = [*events("t1", "Bash", 1, command="make lint"), *events("t2", "Bash", 2, command="make test")]
    landed(warehouse, path, write(tmp_path / HOOKS, hooks))
    assert counted(warehouse) == (1, 2)
    write_transcript(path, session.lines[:3])
    landed(warehouse)
    assert calls_of(warehouse, "claude:s1-0") == [("t1", "make lint"), ("t2", "make test")]
    write_transcript(path, session.lines[:1])
    landed(warehouse)
    assert stored(warehouse, HOOK_RUN)["superseded_by"] is None, "nothing that both know is left"


def test_hooks_count_above_spans_where_there_is_no_transcript(warehouse: Warehouse, sources: Path) -> None:
    land_in_order(warehouse, sources, GENERIC, HOOKS)
    assert stored(warehouse, SPAN_RUN)["superseded_by"] == HOOK_RUN
    ids = [each for each, _ in calls_of(warehouse, HOOK_RUN)]
    assert ids[:3] == ["t1", "t9", "t2"]
    assert [each.partition("@")[0] for each in ids[3:]] == ["step-2", "step-3", "step-3"]
    assert len(set(ids)) == 6, "a number that both sources gave becomes an id of its own"
    assert call(warehouse, "t2")["cost_usd"] is not None, "the price that only the span knows"


@pytest.mark.parametrize(
    ("session", "step"),
    [
        ("s1", {"tool": "bash", "tool_use_id": "elsewhere"}),
        ("s2", {"tool": "bash", "tool_use_id": "t1"}),
        (None, {"tool": "bash", "tool_use_id": "t1"}),
        ("s1", {"tool": "bash"}),
    ],
    ids=["no call in common", "another session", "no session", "a call without id"],
)
def test_runs_that_only_resemble_each_other_stay_apart(
    warehouse: Warehouse, sources: Path, tmp_path: Path, session: str | None, step: dict[str, Any]
) -> None:
    path = write(tmp_path / GENERIC, [run_of("other", [{**step, "timestamp": at(1)}], session)])
    landed(warehouse, sources / TRANSCRIPT, path)
    assert counted(warehouse) == (3, 4)


def test_two_runs_of_one_kind_are_no_reason_to_merge(warehouse: Warehouse, tmp_path: Path) -> None:
    steps = [{"tool": "bash", "tool_use_id": "t1", "timestamp": at(1)}]
    landed(warehouse, write(tmp_path / GENERIC, [run_of("a", steps), run_of("b", steps)]))
    assert counted(warehouse) == (2, 2)


def test_the_report_says_what_adding_up_would_count_twice(warehouse: Warehouse, sources: Path) -> None:
    landed(warehouse, sources / TRANSCRIPT)
    report = landed(warehouse, sources / HOOKS, sources / GENERIC)
    assert (report.merged.runs, report.merged.calls, report.merged.same_calls) == (2, 8, 5)
    assert report.to_dict()["merged"] == {"runs": 2, "calls": 8, "same_calls": 5, "tokens": 70, "usd": "2.500000000000"}
    told = next(note for note in report.notes if "better source" in note)
    assert "5 of their 8 tool calls" in told
    assert "2 runs, 5 calls, 70 tokens and $2.50 too much" in told


def test_the_hours_of_both_runs_are_counted_again(warehouse: Warehouse, tmp_path: Path) -> None:
    hour = BEGIN
    later = hour + timedelta(hours=1)
    span = {**run_of("span-run", [{"tool": "bash", "tool_use_id": "t1"}, {"tool": "bash"}]), "ended_at": at(3_700)}
    landed(warehouse, write(tmp_path / GENERIC, [span]))
    assert closed(warehouse) == {later: (1, 2)}
    session = Session("s1")
    session.prompt("lint")
    session.bash("t1", "make lint")
    path = write_transcript(tmp_path / TRANSCRIPT, session.lines)
    landed(warehouse, path)
    assert stale(warehouse) == [hour, later]
    assert closed(warehouse) == {hour: (1, 2), later: (0, 0)}
    before = touched(warehouse)
    landed(warehouse)
    assert touched(warehouse) == before, "nothing new touches nothing"
    write(tmp_path / GENERIC, [{**span, "steps": [*span["steps"], {"tool": "bash"}]}])
    landed(warehouse)
    assert closed(warehouse) == {hour: (1, 3), later: (0, 0)}
    forget(warehouse, str(path))
    assert closed(warehouse) == {hour: (0, 0), later: (1, 3)}


def stale(warehouse: Warehouse) -> list[Any]:
    with warehouse.transaction() as tx:
        tx.connection.exec_driver_sql("UPDATE history_hours SET detection_version = 'x', catalogue_version = 'x'")
        tx.connection.exec_driver_sql(
            "INSERT INTO active_versions VALUES ('detection', 'x'), ('catalogue', 'x') ON CONFLICT DO NOTHING"
        )
        return [each.hour for each in stale_hours(tx, BEGIN - timedelta(days=1), BEGIN + timedelta(days=1))]


def closed(warehouse: Warehouse) -> dict[Any, tuple[int, int]]:
    with warehouse.transaction() as tx:
        hours = close_hours(tx, BEGIN - timedelta(days=1), BEGIN + timedelta(days=1))
        return {each.hour: (each.workflow_count, each.step_count) for each in hours}
