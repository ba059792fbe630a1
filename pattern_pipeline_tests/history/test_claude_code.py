"""Claude Code transcripts: every run, API call and tool call once, however its lines are spread over files."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pattern_pipeline.history.mapping import Mapping
from pattern_pipeline.history.readers import ReadOptions, claude_code, discover, gathering
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.history.batches import wipe
from pattern_pipeline_tests.history.files import landed
from pattern_pipeline_tests.history.reading import Reading, read
from pattern_pipeline_tests.history.transcripts import Session, a_working_day, text, use, write_transcript
from pattern_pipeline_tests.tables import snapshot

BUCKETS = ("output_tokens", "cache_read_tokens", "cache_write_tokens", "input_tokens")


def facts(reading: Reading) -> dict[str, int]:
    return {name: sum(batch.facts.get(name, 0) for batch in reading.batches) for name in reading.batches[0].facts}


def read_lines(path: Path, session: Session, **options: Any) -> Reading:
    return read(write_transcript(path / f"{session.name}.jsonl", session.lines), ReadOptions(**options))


@pytest.mark.parametrize(
    ("name", "calls", "lines", "tokens", "naive"),
    [
        ("claude_transcript_a", 4, 7, (61, 76_895, 4_394, 10), 64 + 138_092 + 4_568 + 19),
        ("claude_transcript_b", 1, 4, (358, 17_919, 8_889, 10), 367 + 71_676 + 35_556 + 40),
    ],
)
def test_real_transcripts_give_each_api_call_once(
    shared_dir: Path, name: str, calls: int, lines: int, tokens: tuple[int, ...], naive: int
) -> None:
    reading = read(shared_dir / "data" / f"{name}.jsonl")
    assert tuple(reading.runs[bucket].sum() for bucket in BUCKETS) == tokens
    told = facts(reading)
    assert (told["api_calls"], told["api_call_lines"], told["tokens"], told["tokens_naive"]) == (
        calls,
        lines,
        sum(tokens),
        naive,
    )


def test_a_real_transcript_gives_its_prompts_and_steps(shared_dir: Path) -> None:
    reading = read(shared_dir / "data" / "claude_transcript_a.jsonl")
    assert reading.runs.select("nl_input", "status", "model_used", "project").rows() == [
        ("status the html", "failed", "claude-opus-4-5-20251101", "~/Desktop/claude-code-sessions"),
        ("start the html", "completed", "claude-opus-4-5-20251101", "~/Desktop/claude-code-sessions"),
        (
            "https://tonghuikang.github.io/claude-code-sessions/ why is it not accessible here",
            None,
            "claude-opus-4-5-20251101",
            "~/Desktop/claude-code-sessions",
        ),
    ]
    assert reading.steps.select("tool_name", "command", "success").rows() == [
        ("Glob", None, True),
        ("Bash", "./run_server.sh", True),
        ("Bash", "git remote -v", None),
        ("Read", None, None),
        ("Bash", "git branch -a", None),
    ]
    assert reading.steps["duration_seconds"].to_list()[:2] == [Decimal("0.339"), Decimal("5.403")]
    # 10 input, 61 output, 76,895 read and 4,394 written for five minutes at $5, $25, $0.50 and $6.25 a million.
    assert reading.runs["estimated_cost_total"].sum() == Decimal("0.067485")
    assert reading.runs["cost_basis"].unique().to_list() == ["priced"]
    assert reading.runs["actual_cost_total"].null_count() == 3


def test_a_prompt_and_what_follows_is_a_run(tmp_path: Path) -> None:
    reading = read_lines(tmp_path, a_working_day())
    assert reading.runs["nl_input"].to_list() == ["run the tests", "review the code", "commit it"]
    assert reading.runs["workflow_id"].to_list() == ["claude:s1-0", "claude:s1-7", "claude:s1-15"]
    assert reading.runs["status"].to_list() == ["completed"] * 3
    steps = reading.steps.select("workflow_id", "tool_call_id", "seq", "agent_id", "success", "exit_code").rows()
    assert steps == [
        ("claude:s1-0", "t1", 0, None, False, 2),
        ("claude:s1-0", "t2", 1, None, True, None),
        ("claude:s1-7", "t3", 0, None, True, None),
        ("claude:s1-7", "t4", 1, "a1", True, None),
        ("claude:s1-15", "t5", 0, None, True, None),
    ]
    assert reading.steps["duration_seconds"].to_list()[1:3] == [Decimal("0.012"), Decimal(5)]


def test_the_cost_of_a_call_is_shared_by_the_steps_it_issued(tmp_path: Path) -> None:
    session = Session()
    session.prompt("go")
    session.call(*(use(f"t{number}", "Bash", command="ls") for number in range(3)), output=11)
    session.call(text(), output=5)
    reading = read_lines(tmp_path, session)
    first, whole = reading.steps["cost_usd"], reading.runs["estimated_cost_total"][0]
    call = (Decimal(3) * 5 + 11 * 25 + Decimal(1000) / 2 + Decimal(625)) / 1_000_000
    answer = (Decimal(3) * 5 + 5 * 25 + Decimal(1000) / 2 + Decimal(625)) / 1_000_000
    assert (first.sum(), whole) == (call, call + answer)
    assert reading.steps["output_tokens"].to_list() == [3, 3, 5]
    assert reading.runs["output_tokens"].to_list() == [16]
    assert reading.steps["request_id"].to_list() == ["req_s1_1"] * 3


@pytest.mark.parametrize(
    ("prompt", "nl_input", "template"),
    [
        ("fix it", "fix it", None),
        ("<command-name>/review</command-name>\n<command-args>src</command-args>", "/review src", "/review"),
        ("fix it <system-reminder>be brief</system-reminder>", "fix it", None),
        ("<ide_opened_file>a.py</ide_opened_file>fix it", "fix it", None),
        ("if a < b then <b>bold</b>", "if a < b then <b>bold</b>", None),
    ],
)
def test_the_input_is_what_was_typed(tmp_path: Path, prompt: str, nl_input: str, template: str | None) -> None:
    session = Session()
    session.prompt(prompt)
    session.call(text())
    run = read_lines(tmp_path, session).run("claude:s1-0")
    assert (run["nl_input"], run["workflow_template"]) == (nl_input, template)


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        ("<local-command-stdout>ok</local-command-stdout>", {}),
        ("<bash-input>ls</bash-input>", {}),
        ("This session is being continued from a previous conversation that ran out of context.", {}),
        ("Caveat: ...", {"isMeta": True}),
        ("A summary.", {"isCompactSummary": True}),
        ("<system-reminder>alone</system-reminder>", {}),
        ("", {}),
    ],
)
def test_what_nobody_typed_begins_no_run(tmp_path: Path, content: str, fields: dict[str, Any]) -> None:
    session = Session()
    session.prompt("fix it")
    session.call(text())
    session.prompt(content, **fields)
    session.call(text())
    assert read_lines(tmp_path, session).runs["nl_input"].to_list() == ["fix it"]


def test_a_local_command_is_no_run(tmp_path: Path) -> None:
    session = Session()
    session.prompt("<command-name>/clear</command-name>")
    session.prompt("fix it")
    session.call(text())
    assert read_lines(tmp_path, session).runs["nl_input"].to_list() == ["fix it"]


def test_how_a_run_ended_is_what_is_known_of_it(tmp_path: Path) -> None:
    session = Session()
    session.prompt("error")
    session.bash("t1", "make", "Exit code 1\nno rule", is_error=True)
    session.prompt("interrupted")
    session.bash("t2", "make")
    session.prompt("[Request interrupted by user]")
    session.prompt("failed request")
    session.line(
        "assistant",
        isApiErrorMessage=True,
        message={"id": "x", "model": "<synthetic>", "content": [text("API Error: 529")], "usage": {"input_tokens": 0}},
    )
    session.prompt("answered")
    session.call(text())
    session.prompt("open")
    session.call(use("t3", "Bash", command="make"))
    reading = read_lines(tmp_path, session)
    assert dict(reading.runs.select("nl_input", "status").rows()) == {
        "error": "failed",
        "interrupted": "failed",
        "failed request": "failed",
        "answered": "completed",
        "open": None,
    }
    assert reading.run("claude:s1-0")["error_message"] == "Exit code 1\nno rule"
    assert reading.run("claude:s1-0")["error_count"] == 1


def test_a_message_of_the_client_itself_costs_nothing_and_is_no_call(tmp_path: Path) -> None:
    session = Session(model="<synthetic>")
    session.prompt("go")
    session.call(text("No response requested."), output=0)
    run = read_lines(tmp_path, session).run("claude:s1-0")
    assert (run["total_tokens"], run["estimated_cost_total"], run["cost_basis"]) == (None, None, "unpriced")


def test_an_unknown_model_is_unpriced_and_never_free(tmp_path: Path) -> None:
    session = Session(model="claude-unheard-of")
    session.prompt("go")
    session.call(use("t1", "Bash", command="ls"))
    reading = read_lines(tmp_path, session)
    assert reading.runs.select("estimated_cost_total", "cost_basis", "total_tokens").rows() == [
        (None, "unpriced", 1_113)
    ]
    assert reading.steps["cost_usd"].to_list() == [None]


def test_a_session_is_a_run_where_that_is_wanted(tmp_path: Path) -> None:
    reading = read_lines(tmp_path, a_working_day(), mapping=Mapping(run_unit="session"))
    assert reading.runs.select("workflow_id", "nl_input").rows() == [("claude:s1", "run the tests")]
    assert reading.steps.height == 5


@pytest.mark.parametrize("place", ["sub-agent file", "workflow's file", "own file", "same file without names"])
def test_a_sub_agent_belongs_to_the_task_that_started_it(tmp_path: Path, place: str) -> None:
    session = a_working_day()
    whole = read_lines(tmp_path / "whole", session)
    side = [line for line in session.lines if line["isSidechain"]]
    main = [line for line in session.lines if not line["isSidechain"]]
    side[0]["parentUuid"] = None
    if place == "same file without names":
        for line in side:
            del line["agentId"]
        main = session.lines
    # A clock that is far off does not matter, since the task's result names its agent.
    elif place == "own file":
        side = [{**line, "timestamp": line["timestamp"].replace("T09", "T21")} for line in side]
    write_transcript(tmp_path / "p" / "s1.jsonl", main)
    if place != "same file without names":
        below = {"sub-agent file": "s1/subagents", "workflow's file": "s1/subagents/workflows/wf_1"}.get(place, "")
        write_transcript(tmp_path / "p" / below / "agent-a1.jsonl", side)
    reading = read(tmp_path / "p")
    columns = ("workflow_id", "tool_call_id", "command", "cost_usd")
    assert set(reading.steps.select(columns).rows()) == set(whole.steps.select(columns).rows())
    assert reading.steps.filter(tool_call_id="t4")["agent_id"].null_count() == 0
    runs = reading.runs.unique("workflow_id").sort("start_time")
    assert runs["total_tokens"].equals(whole.runs["total_tokens"])


def spread(lines: list[dict[str, Any]], folder: Path, seed: int) -> None:
    """Shuffled, over overlapping files, one of them cut in the middle of its last line."""
    shuffled = list(lines)
    random.Random(seed).shuffle(shuffled)
    third = len(lines) // 3
    write_transcript(folder / "a.jsonl", shuffled[: 2 * third])
    write_transcript(folder / "b.jsonl", [*shuffled[third:], shuffled[0]], cut=25)


@pytest.mark.parametrize("seed", range(4))
def test_however_lines_are_spread_over_files_the_tables_are_identical(
    module_warehouse: Warehouse, tmp_path: Path, shared_dir: Path, seed: int
) -> None:
    other = Session("s2")
    other.prompt("run the tests")
    other.bash("u1", "pytest")
    real = [
        json.loads(line)
        for name in "ab"
        for line in (shared_dir / "data" / f"claude_transcript_{name}.jsonl").read_text().splitlines()
    ]
    lines = [*a_working_day().lines, *other.lines, *real]
    wipe(module_warehouse)
    landed(module_warehouse, write_transcript(tmp_path / "whole" / "all.jsonl", lines))
    expected = snapshot(module_warehouse)
    assert [len(rows) for rows in expected.values()] == [8, 13, 0]

    wipe(module_warehouse)
    spread(lines, tmp_path / "p", seed)
    for _ in range(3):
        landed(module_warehouse, tmp_path / "p")
        assert snapshot(module_warehouse) == expected


@pytest.mark.parametrize("first", ["a", "b"])
@pytest.mark.parametrize("grows", [7, 4, 2])
def test_a_file_that_grows_or_comes_later_ends_in_the_same_tables(
    module_warehouse: Warehouse, tmp_path: Path, first: str, grows: int
) -> None:
    lines = a_working_day().lines
    wipe(module_warehouse)
    landed(module_warehouse, write_transcript(tmp_path / "whole" / "all.jsonl", lines))
    expected = snapshot(module_warehouse)

    wipe(module_warehouse)
    parts = {"a": lines[:12], "b": lines[10:]}
    files = {name: tmp_path / "p" / f"{name}.jsonl" for name in parts}
    write_transcript(files[first], parts[first][: len(parts[first]) - grows], cut=7)
    landed(module_warehouse, files[first])
    for name in sorted(parts, reverse=first == "b"):
        landed(module_warehouse, write_transcript(files[name], parts[name]))
    assert snapshot(module_warehouse) == expected
    assert landed(module_warehouse).unchanged == 2


@pytest.mark.parametrize("rewritten", ["nothing", "session", "session and ids"])
def test_what_a_resumed_session_copies_counts_once(tmp_path: Path, rewritten: str) -> None:
    original = a_working_day()
    resumed = Session("s9")
    for line in original.lines[:14]:
        copied = {**line, "sessionId": "s1" if rewritten == "nothing" else "s9"}
        if rewritten == "session and ids":
            copied |= {"uuid": f"copy-{line['uuid']}", "parentUuid": f"copy-{line['parentUuid']}"}
        resumed.lines.append(copied)
    for _ in range(20):
        resumed.line("queue-operation")
    resumed.prompt("and now")
    resumed.call(text(), output=77)
    whole = read_lines(tmp_path / "whole", original)
    write_transcript(tmp_path / "p" / "s1.jsonl", original.lines)
    write_transcript(tmp_path / "p" / "s9.jsonl", resumed.lines)
    runs = read(tmp_path / "p").runs.unique("workflow_id")
    assert runs.height == 4
    assert runs["output_tokens"].sum() == whole.runs["output_tokens"].sum() + 77
    told = facts(read(tmp_path / "p"))
    assert told["api_calls"] == 9
    assert told["tokens_naive"] > told["tokens"] == runs["total_tokens"].sum()


def test_a_purged_transcript_deletes_nothing(warehouse: Warehouse, tmp_path: Path) -> None:
    session = a_working_day()
    write_transcript(tmp_path / "s1.jsonl", [line for line in session.lines if not line["isSidechain"]])
    agent = tmp_path / "s1" / "subagents" / "agent-a1.jsonl"
    write_transcript(agent, [line for line in session.lines if line["isSidechain"]])
    landed(warehouse, tmp_path)
    before = snapshot(warehouse)
    agent.unlink()
    session.prompt("more")
    session.call(text())
    write_transcript(tmp_path / "s1.jsonl", [line for line in session.lines if not line["isSidechain"]])
    landed(warehouse)
    after = snapshot(warehouse)
    assert set(before["tool_calls"]) <= set(after["tool_calls"])
    assert len(after["workflow_history"]) == 4


def test_files_too_large_to_be_held_give_the_same_runs_and_can_be_continued(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    session = a_working_day()
    path = write_transcript(tmp_path / "s1.jsonl", session.lines)
    held = read(path)
    monkeypatch.setattr(claude_code, "HELD_BYTES", 100)
    monkeypatch.setattr(claude_code, "_LINES_BETWEEN", 1)
    monkeypatch.setattr(gathering, "_RUNS", 1)
    streamed = read(path)
    assert streamed.runs.equals(held.runs)
    assert streamed.steps.equals(held.steps)
    offset = streamed.batches[-1].byte_offset
    assert offset == path.read_bytes().index(b'{"type": "user", "sessionId": "s1", "uuid": "s1-7"')
    session.prompt("more")
    write_transcript(path, session.lines)
    continued = read(path, offset=offset)
    assert continued.runs["nl_input"].to_list() == ["review the code", "commit it", "more"]
    assert continued.runs[:1].equals(held.runs[1:2])


ODD = [None, True, 7, -1.5, "", "x" * 3_000, [], [1, "a", {}], {"a": {"b": []}}, "2026-03-01", "NaN", 1 << 70]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:12])
def test_a_line_of_any_shape_spoils_nothing_else(tmp_path: Path, odd: Any) -> None:
    good, other = a_working_day(), a_working_day("odd")
    bad = []
    for line in other.lines[:8]:
        for name in line:
            bad.append({**line, "uuid": f"odd-{len(bad)}", name: odd})
        for name in line["message"]:
            bad.append({**line, "uuid": f"odd-{len(bad)}", "message": {**line["message"], name: odd}})
    block = {"type": "tool_use", "id": odd, "name": odd, "input": odd}
    bad += [{**other.lines[1], "uuid": "b", "message": {"id": "m", "content": [block], "usage": {}}}]
    block = {"type": "tool_result", "tool_use_id": "t1", "content": odd, "is_error": odd}
    bad += [{**other.lines[4], "uuid": "c", "message": {"content": [block]}, "toolUseResult": odd}]
    counts = dict.fromkeys(("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation"), odd)
    bad += [{**other.lines[1], "uuid": "d", "message": {"id": "n", "usage": counts}}]
    expected = read_lines(tmp_path / "good", good)
    reading = read(write_transcript(tmp_path / "all.jsonl", [*good.lines, *bad]))
    wanted = reading.runs.filter(reading.runs["workflow_id"].is_in(expected.runs["workflow_id"].to_list()))
    assert wanted["nl_input"].to_list() == expected.runs["nl_input"].to_list()
    assert sum(batch.rows_read for batch in reading.batches) == len(good.lines) + len(bad)


def test_unreadable_lines_are_told_and_the_rest_is_read(tmp_path: Path) -> None:
    session = a_working_day()
    lines = [json.dumps(line).encode() for line in session.lines]
    deep = b'{"type": "user", "x": ' + b"[" * 5_000 + b"]" * 5_000 + b"}"
    nul = lines[15].replace(b"commit it", b"commit\\u0000 it")
    odd = [b"garbage", deep, b'{"type": "user", "message": 3, "sessionId": "s1"}', b"\xff\xfe\x00", b"[]", b""]
    unknown = [b'{"type": "novelty", "sessionId": "s1"}', b'{"type": ["a"]}', b'{"x": 1}', b'{"type": "summary"}']
    broken = lines[7].replace(b"review", b"rev\xff\xfeiew")
    path = tmp_path / "s1.jsonl"
    path.write_bytes(b"\n".join([*lines[:7], broken, *odd, *lines[8:15], nul, *lines[16:], *unknown, lines[0][:50]]))
    reading = read(path)
    assert reading.runs["nl_input"].to_list() == ["run the tests", "rev\ufffd\ufffdiew the code", "commit\ufffd it"]
    assert sorted(reading.reasons) == ["field_dropped", *["invalid_json"] * 4, "repaired"]
    assert reading.batches[0].skipped == {"novelty": 1, "(list)": 1, "(NoneType)": 1}
    assert reading.steps.height == 5


def test_files_that_lead_nowhere_are_passed_over(warehouse: Warehouse, tmp_path: Path) -> None:
    write_transcript(tmp_path / "s1.jsonl", a_working_day().lines)
    (tmp_path / "loop.jsonl").symlink_to(tmp_path / "loop.jsonl")
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "around").symlink_to(tmp_path)
    (tmp_path / "binary.jsonl").write_bytes(b"\x00\x01" * 500)
    report = landed(warehouse, tmp_path)
    assert [len(rows) for rows in snapshot(warehouse).values()] == [3, 5, 0]
    assert [Path(each.location).name for each in report.unreadable] == ["binary.jsonl"]


def test_what_a_client_keeps_beside_its_transcripts_is_no_source(tmp_path: Path) -> None:
    name = "3f0c9a52-8f5e-4b1c-9a63-0c1d2e3f4a5b"
    session = a_working_day(name)
    transcript = write_transcript(tmp_path / f"{name}.jsonl", session.lines)
    agent = write_transcript(tmp_path / name / "subagents" / "agent-a1.jsonl", session.lines[:1])
    index = {"version": 1, "entries": [{"sessionId": name, "created": "2026-03-01T09:00:00Z", "firstPrompt": "run"}]}
    for beside in (
        "sessions-index.json",
        f"{name}/subagents/agent-a1.meta.json",
        f"{name}/subagents/workflows/wf_1/journal.jsonl",
        f"{name}/tool-results/toolu_1.json",
        f"{name}/workflows/wf_1.json",
    ):
        write_transcript(tmp_path / beside, [index])
    own = write_transcript(tmp_path / "subagents" / "runs.jsonl", [{"id": 1}])
    assert {each.path for each in discover(str(tmp_path))} == {transcript, agent, own}
    assert {each.path for each in discover(f"{tmp_path}/**/*.jsonl")} == {transcript, agent, own}


SECRETS = {
    "anthropic": "sk-ant-api03-" + "Zx9" * 12,
    "github": "ghp_" + "Qw8" * 12,
    "aws": "AKIA" + "QZ7XKD93LMWPRT5V",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI5OTkifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg",
    "slack": "xoxb-" + "831-" * 5 + "abcdefghijkl",
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_a_secret_in_any_field_leaves_no_trace(warehouse: Warehouse, tmp_path: Path, secret: str) -> None:
    session = a_working_day()
    lines: list[Any] = list(session.lines)
    for line in session.lines[:9]:
        for name in line:
            changed = {**line, "uuid": f"{line['uuid']}-{name}"}
            lines.append({**changed, name: f"x {secret} y"})
            if name == "message":
                lines.extend({**changed, name: {**line[name], key: f"{secret}"}} for key in line[name])
                blocks = [block for block in line[name]["content"] if isinstance(block, dict)]
                lines.extend(
                    {
                        **changed,
                        "uuid": f"{changed['uuid']}-{key}",
                        name: {**line[name], "content": [{**block, key: value}]},
                    }
                    for block in blocks
                    for key in block
                    for value in (secret, {"a": [secret], secret: 1})
                )
    lines.append(f'{{"type": "user", "message": broken {secret}')
    report = landed(warehouse, write_transcript(tmp_path / "s1.jsonl", lines))
    tables = ("workflow_history", "tool_calls", "quarantined_records", "run_sources", "ingested_sources")
    stored = json.dumps(snapshot(warehouse, tables)) + json.dumps(report.to_dict())
    assert secret not in stored
    assert report.total.redactions
    with warehouse.transaction() as tx:
        wording = tx.connection.exec_driver_sql("SELECT string_agg(detail || excerpt, ' ') FROM quarantined_records")
        assert secret not in str(wording.scalar())
