"""Exported telemetry: a trace is a run, each request and tool call once, however its spans are spread over files."""

from __future__ import annotations

import copy
import json
import random
from base64 import b64encode
from collections.abc import Iterator
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any

import orjson
import pytest

from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.history.mapping import Mapping
from pattern_pipeline.history.readers import ReadOptions, discover, otlp, reader_for
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.history.batches import wipe
from pattern_pipeline_tests.history.files import landed
from pattern_pipeline_tests.history.reading import Reading, read
from pattern_pipeline_tests.history.telemetry import (
    TRACE,
    Record,
    a_claude_prompt,
    a_trace,
    claude,
    event,
    gen_ai,
    logs,
    span,
    spans,
    tool,
    usage,
    write_export,
)
from pattern_pipeline_tests.history.transcripts import Session, write_transcript
from pattern_pipeline_tests.tables import snapshot

BUCKETS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
OTHER = "0af7651916cd43dd8448eb211c80319c"


def read_requests(directory: Path, *requests: Record | str, **options: Any) -> Reading:
    return read(write_export(directory / "export.jsonl", requests), ReadOptions(**options))


def test_a_trace_is_a_run_and_a_tool_call_a_step(tmp_path: Path) -> None:
    reading = read_requests(tmp_path, spans(*a_trace()))
    run = reading.runs.row(0, named=True)
    assert (run["workflow_id"], run["session_id"], run["project"]) == (f"otel:{TRACE}", "conv-1", "shop")
    assert (run["nl_input"], run["model_used"], run["status"]) == (
        "check the order",
        "claude-opus-4-5-20251101",
        "completed",
    )
    assert (run["duration_seconds"], run["error_count"]) == (Decimal("7.5"), 1)
    columns = ("tool_call_id", "tool_name", "command", "success", "error_message", "request_id", "duration_seconds")
    assert reading.steps.select(columns).rows() == [
        ("call_1", "Bash", "pytest -q", True, None, "msg_1", Decimal(1)),
        ("call_2", "find", None, False, "timeout", "msg_1", Decimal("0.5")),
    ]
    assert reading.steps["tool_params"].to_list() == ['{"command":"pytest -q"}', '{"id":7}']


def test_usage_that_an_agent_repeats_counts_once(tmp_path: Path) -> None:
    run = read_requests(tmp_path, spans(*a_trace())).runs.row(0, named=True)
    assert tuple(run[bucket] for bucket in BUCKETS) == (2_000, 30, 1_500, 500)
    # $5, $25, $0.50 and $6.25 a million.
    assert (run["estimated_cost_total"], run["cost_basis"]) == (Decimal("0.014625"), "priced")
    alone = [each for each in a_trace() if each["name"] != "chat x"]
    run = read_requests(tmp_path, spans(*alone)).runs.row(0, named=True)
    assert tuple(run[bucket] for bucket in BUCKETS) == (2_000, 30, 1_500, 500)


def test_the_cost_of_a_request_is_shared_by_the_tools_it_asked_for(tmp_path: Path) -> None:
    reading = read_requests(tmp_path, spans(*a_trace()))
    first = (Decimal(500) * 5 + 20 * 25 + Decimal(500) / 2 + 500 * Decimal("6.25")) / 1_000_000
    assert reading.steps["cost_usd"].sum() == first
    assert reading.steps["output_tokens"].to_list() == [10, 10]


@pytest.mark.parametrize("told_by", ["spans", "events", "both"])
def test_a_prompt_of_claude_code_is_a_run_whoever_tells_of_it(tmp_path: Path, told_by: str) -> None:
    its_spans, its_events = a_claude_prompt()
    requests = {"spans": [spans(*its_spans, service="claude-code")], "events": [logs(*its_events)]}
    given = requests.get(told_by) or [*requests["spans"], *requests["events"]]
    reading = read_requests(tmp_path, *given)
    run = reading.runs.row(0, named=True)
    assert (run["workflow_id"], run["session_id"], run["nl_input"]) == (
        f"claude-otel:s1:{TRACE}",
        "s1",
        "run the tests",
    )
    assert tuple(run[bucket] for bucket in BUCKETS) == (6, 80, 2_000, 200)
    assert run["status"] == (None if told_by == "events" else "completed")
    costs = (run["estimated_cost_total"], run["actual_cost_total"], run["cost_basis"])
    assert costs == (
        (Decimal("0.00428"), None, "priced") if told_by == "spans" else (None, Decimal("0.0323"), "billed")
    )
    steps = {step["tool_call_id"]: step for step in reading.steps.to_dicts()}
    assert sorted(steps) == ["toolu_1", "toolu_2"]
    failed = steps["toolu_1"]
    assert (failed["command"], failed["success"], failed["error_message"], failed["request_id"]) == (
        "pytest -q",
        False,
        "Exit code 1",
        "req_1",
    )
    assert steps["toolu_2"]["success"] is (None if told_by == "spans" else True)
    assert reading.quarantined.is_empty()
    assert reading.batches[0].skipped == {}


def test_events_without_traces_are_runs_by_their_prompts(tmp_path: Path) -> None:
    tokens = {"model": "claude-opus-4-5", "input_tokens": 1, "output_tokens": 2, "cost_usd": 0.5}
    told = logs(
        event("user_prompt", 0, prompt="first"),
        event("api_request", 1, request_id="r1", **tokens),
        event("user_prompt", 5, prompt="<REDACTED>", prompt_id="p2"),
        event("api_request", 6, request_id="r2", prompt_id="p2", **tokens),
        event("api_error", 7, prompt_id="p2", error="Overloaded", status_code="529"),
        event("user_prompt", 0, session="s2", prompt_id="", prompt="old client"),
        event("api_request", 1, session="s2", prompt_id="", request_id="r3", **tokens),
        event("user_prompt", 2, session="s2", prompt_id="", prompt="again"),
        event("api_request", 3, session="s2", prompt_id="", request_id="r4", **tokens),
    )
    runs = read_requests(tmp_path, told).runs.sort("session_id", "start_time")
    assert runs.select("nl_input", "status", "error_message", "actual_cost_total").rows() == [
        ("first", "completed", None, Decimal("0.5")),
        (None, "failed", "Overloaded", Decimal("0.5")),
        ("old client", "completed", None, Decimal("0.5")),
        ("again", None, None, Decimal("0.5")),
    ]
    assert runs["workflow_id"].to_list()[:2] == ["claude-otel:s1:p1", "claude-otel:s1:p2"]


def test_an_agent_inside_another_has_steps_of_its_own(tmp_path: Path) -> None:
    given = [
        gen_ai(1, "invoke_workflow", 0, 9),
        gen_ai(2, "invoke_agent", 1, 4, 1, of={"agent__name": "writer"}),
        gen_ai(3, "chat", 1, 2, 2, of={"response__id": "w", **usage(10, 1)}),
        gen_ai(4, "invoke_agent", 1, 4, 1, of={"agent__name": "critic"}),
        gen_ai(5, "chat", 1.5, 2, 4, of={"response__id": "c", **usage(10, 1)}),
        gen_ai(6, "execute_tool", 3, 4, 2, of=tool("save", "t1", {})),
        gen_ai(7, "execute_tool", 3, 4, 6, of={"tool__name": "save"}),
        gen_ai(8, "execute_tool", 3, 4, 4, of=tool("read", "t2", {})),
    ]
    steps = read_requests(tmp_path, spans(*given)).steps
    assert steps.select("tool_call_id", "agent_id", "request_id").rows() == [
        ("t1", "writer", "w"),
        ("t2", "critic", "c"),
    ]


def test_a_failed_agent_is_a_failed_run(tmp_path: Path) -> None:
    failed = gen_ai(1, "invoke_agent", 0, 2, status={"code": 2, "message": "no credit"})
    open_end = gen_ai(1, "chat", 0, 1, 9, trace=OTHER, of=usage(5, 5))
    runs = read_requests(tmp_path, spans(failed, open_end)).runs.sort("status")
    assert runs.select("status", "error_message").rows() == [(None, None), ("failed", "no credit")]


def test_a_request_without_tokens_leaves_the_cost_unknown(tmp_path: Path) -> None:
    given = [
        gen_ai(1, "chat", 0, 1, of={"response__model": "claude-opus-4-5", **usage(10, 5)}),
        gen_ai(2, "chat", 1, 2, of={"response__model": "claude-opus-4-5"}),
    ]
    run = read_requests(tmp_path, spans(*given)).runs.row(0, named=True)
    assert (run["estimated_cost_total"], run["cost_basis"], run["total_tokens"]) == (None, "unpriced", 15)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"of": usage(10, 5, read=11)}, "negative_tokens"),
        ({"of": usage(-1, 5)}, "invalid_figure"),
        ({"of": {"usage__input_tokens": "many"}}, "invalid_figure"),
        ({"of": {"usage__output_tokens": 1.5}}, "invalid_figure"),
        ({"of": usage(1, 5), "startTimeUnixNano": "0"}, "no_time"),
        ({"of": usage(1, 5), "startTimeUnixNano": None}, "no_time"),
        ({"of": usage(1, 5), "traceId": ""}, "no_trace"),
    ],
)
def test_a_span_that_cannot_be_counted_is_quarantined_and_its_neighbours_land(
    tmp_path: Path, fields: dict[str, Any], reason: str
) -> None:
    good = gen_ai(1, "chat", 0, 1, trace=OTHER, of=usage(10, 5))
    reading = read_requests(tmp_path, spans(good, gen_ai(2, "chat", 0, 1, **fields)))
    assert reading.runs.select("workflow_id", "total_tokens").rows() == [(f"otel:{OTHER}", 15)]
    assert reading.quarantined.select("position", "reason").rows() == [("byte 0, span 2", reason)]


def test_a_cost_that_is_none_is_quarantined(tmp_path: Path) -> None:
    given = [event("api_request", second, cost_usd=cost) for second, cost in enumerate(("free", -1.0, True, "NaN"))]
    reading = read_requests(tmp_path, logs(*given))
    assert (reading.runs.height, reading.reasons) == (0, ["invalid_figure"] * 4)


def test_the_mapping_says_whether_input_counts_the_cached(tmp_path: Path) -> None:
    given = spans(gen_ai(1, "chat", 0, 1, of=usage(10, 5, read=11)))
    reading = read_requests(tmp_path, given, mapping=Mapping(input_includes_cache=False))
    assert reading.runs.select(BUCKETS).rows() == [(10, 5, 11, 0)]


def test_what_is_not_read_is_counted(tmp_path: Path) -> None:
    reading = read_requests(
        tmp_path,
        spans(*a_trace(), gen_ai(9, "levitate", 0, 1), claude(10, "dream", 0, 1)),
        {"resourceMetrics": [{}, {}]},
        {"other": 1},
        logs(event("novelty", 0), event("plugin_loaded", 1)),
        {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "started"}}, 7]}]}]},
    )
    assert reading.batches[0].skipped == {
        "span without gen_ai.operation.name": 1,
        "span levitate": 1,
        "span dream": 1,
        "resourceMetrics": 2,
        "line without resourceSpans or resourceLogs": 1,
        "event novelty": 1,
        "log started": 1,
        "logRecords (int)": 1,
    }


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (spans(*a_trace()), "otel"),
        (spans(*a_claude_prompt()[0], service="claude-code"), "claude-otel"),
        (logs(*a_claude_prompt()[1]), "claude-otel"),
        ({"resourceMetrics": []}, "otel"),
        ({"resource": [], "started_at": "2026-03-01"}, "generic"),
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_telemetry_is_recognised_by_its_content(
    tmp_path: Path, request_: Record, kind: str, indent: int | None
) -> None:
    (tmp_path / "export.json").write_text(json.dumps(request_, indent=indent))
    (location,) = discover(str(tmp_path))
    assert reader_for(location).kind == kind
    assert reader_for(location, "otel").kind == "otel"


def test_a_file_without_requests_is_refused(tmp_path: Path) -> None:
    path = write_export(tmp_path / "export.jsonl", [{"x": 1}, "garbage"])
    with pytest.raises(InvalidInput, match=r"export\.jsonl holds no OTLP requests"):
        list(reader_for(discover(str(path))[0], "otel").read(discover(str(path))[0], ReadOptions()))


def some_requests() -> list[Record]:
    """A request for each record: two traces, a prompt told of by spans and events, and a bad span."""
    its_spans, its_events = a_claude_prompt(OTHER)
    for each in its_spans:
        each["traceId"] = OTHER
    later = [gen_ai(20 + number, "chat", number, number + 1, trace="b" * 32, of=usage(9, 9)) for number in range(3)]
    bad = gen_ai(30, "chat", 0, 1, trace="c" * 32, of=usage(1, 1, read=5))
    return [
        *(spans(each) for each in (*a_trace(), *later, bad)),
        *(spans(each, service="claude-code") for each in its_spans),
        *(logs(each) for each in its_events),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_however_records_are_spread_over_files_the_tables_are_identical(
    module_warehouse: Warehouse, tmp_path: Path, seed: int
) -> None:
    requests = some_requests()
    wipe(module_warehouse)
    landed(module_warehouse, write_export(tmp_path / "whole" / "all.jsonl", requests), source_type="otel")
    expected = snapshot(module_warehouse, ("workflow_history", "tool_calls"))
    assert [len(rows) for rows in expected.values()] == [3, 4]

    wipe(module_warehouse)
    random.Random(seed).shuffle(requests)
    third = len(requests) // 3
    write_export(tmp_path / "p" / "a.jsonl", requests[:third], cut=30)
    landed(module_warehouse, tmp_path / "p", source_type="otel")
    write_export(tmp_path / "p" / "a.jsonl", requests[: 2 * third])
    write_export(tmp_path / "p" / "b.json", [*requests[third:], requests[0]], cut=25)
    for _ in range(3):
        landed(module_warehouse, tmp_path / "p", source_type="otel")
        assert snapshot(module_warehouse, tuple(expected)) == expected
    assert landed(module_warehouse).unchanged == 2


def with_ids_in_base64(value: Any) -> Any:
    """As JSON of Protocol Buffers has them."""
    match value:
        case list():
            return [with_ids_in_base64(each) for each in value]
        case dict():
            return {
                name: b64encode(bytes.fromhex(each)).decode() if name.endswith("Id") else with_ids_in_base64(each)
                for name, each in value.items()
            }
        case _:
            return value


def test_a_document_and_ids_in_base64_give_the_same(tmp_path: Path) -> None:
    requests = some_requests()
    expected = read(write_export(tmp_path / "a" / "spans.jsonl", requests))
    assert expected.steps.height == 4
    one = {
        signal: [*chain(*(each.get(signal, []) for each in requests))] for signal in ("resourceSpans", "resourceLogs")
    }
    for name, content in (
        ("list.json", json.dumps(requests)),
        ("indented.json", "\ufeff" + json.dumps(requests, indent=2)),
        ("one.json", json.dumps(one, indent=1)),
        ("base64.jsonl", "".join(json.dumps(with_ids_in_base64(each)) + "\n" for each in requests)),
    ):
        path = tmp_path / name.partition(".")[0] / name
        path.parent.mkdir()
        path.write_text(content)
        reading = read(path)
        assert reading.steps.sort("tool_call_id").equals(expected.steps.sort("tool_call_id")), name
        assert (
            reading.runs.drop("position").sort("workflow_id").equals(expected.runs.drop("position").sort("workflow_id"))
        ), name


def test_files_too_large_to_be_held_give_the_same_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = some_requests()
    path = write_export(tmp_path / "a.jsonl", requests)
    write_export(tmp_path / "b.jsonl", requests[3:])
    held = read(path)
    monkeypatch.setattr(otlp, "HELD_BYTES", path.stat().st_size // 4)
    again = read(path)
    order = ["workflow_id", "tool_call_id"]
    assert again.runs.sort("workflow_id").equals(held.runs.sort("workflow_id"))
    assert again.steps.sort(order).equals(held.steps.sort(order))
    assert again.quarantined.equals(held.quarantined)
    assert again.runs.height == 3
    assert sum(batch.rows_read for batch in again.batches) == len(requests)


def test_runs_of_other_files_are_left_to_them(tmp_path: Path) -> None:
    its_spans, its_events = a_claude_prompt()
    first = write_export(tmp_path / "a.jsonl", [spans(*its_spans, service="claude-code")])
    write_export(tmp_path / "b.jsonl", [logs(*its_events, event("user_prompt", 50, prompt="more", prompt_id="p2"))])
    assert read(first).runs.select("workflow_id", "actual_cost_total").rows() == [
        (f"claude-otel:s1:{TRACE}", Decimal("0.0323"))
    ]


ODD: list[Any] = [None, True, 7, -1.5, "", "x" * 3_000, [], [1, "a", {}], {"a": {"b": []}}, "NaN", "9" * 30, 1 << 63]


def places_in(document: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a document with each of its keys."""
    keys = document if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else ()
    for key in list(keys):
        yield document, key
        yield from places_in(document[key])


@pytest.mark.parametrize("number", range(len(ODD)), ids=lambda number: repr(ODD[number])[:12])
def test_a_value_of_any_shape_spoils_nothing_else(tmp_path: Path, number: int) -> None:
    good = spans(*(gen_ai(each, "chat", 0, 1, trace="d" * 32, of=usage(10, 5)) for each in (1, 2)))
    requests: list[Record] = [good]
    its_spans, its_events = a_claude_prompt(OTHER)
    for original in (spans(*a_trace()), spans(*its_spans, service="claude-code"), logs(*its_events)):
        for place in range(number % 5, sum(1 for _ in places_in(original)), 5):
            changed = copy.deepcopy(original)
            container, key = next(islice(places_in(changed), place, None))
            container[key] = ODD[number]
            requests.append(changed)
    reading = read_requests(tmp_path, *requests)
    assert reading.run(f"otel:{'d' * 32}")["total_tokens"] == 30
    assert sum(batch.rows_read for batch in reading.batches) == len(requests)


def test_unreadable_lines_are_told_and_the_rest_is_read(tmp_path: Path) -> None:
    lines = [json.dumps(spans(each)).encode() for each in a_trace()]
    deep = b'{"resourceSpans": ' + b"[" * 5_000 + b"]" * 5_000 + b"}"
    lines[3] = lines[3].replace(b"pytest -q", b"pytest \xff\\\\u0000")
    path = tmp_path / "export.jsonl"
    path.write_bytes(b"\n".join([*lines, b"garbage", deep, b"\xff\xfe\x00", b"[]", b"", lines[0][:40]]))
    reading = read(path)
    assert reading.steps["command"].to_list() == ["pytest \ufffd\ufffd", None]
    assert sorted(reading.reasons) == [*["invalid_json"] * 4, "repaired"]


def test_a_prompt_that_a_transcript_tells_of_as_well_counts_once(warehouse: Warehouse, tmp_path: Path) -> None:
    session = Session("s1")
    session.prompt("run the tests")
    session.bash("toolu_1", "pytest -q")
    session.bash("toolu_2", "cat a.py")
    landed(warehouse, write_transcript(tmp_path / "s1.jsonl", session.lines))
    its_spans, its_events = a_claude_prompt()
    export = write_export(tmp_path / "otel" / "a.jsonl", [spans(*its_spans, service="claude-code"), logs(*its_events)])
    report = landed(warehouse, export)
    assert (report.merged.runs, report.merged.same_calls) == (1, 2)
    with warehouse.transaction() as tx:
        counted = tx.connection.exec_driver_sql("SELECT source FROM workflow_history WHERE superseded_by IS NULL")
        assert counted.scalars().all() == ["claude"]


SECRET = "ghp_" + "Qw8" * 12


def test_a_secret_in_any_field_leaves_no_trace(warehouse: Warehouse, tmp_path: Path) -> None:
    its_spans, its_events = a_claude_prompt(OTHER)
    requests = []
    for original in (spans(*a_trace()), spans(*its_spans, service="claude-code"), logs(*its_events)):
        for place, (_, key) in enumerate(places_in(original)):
            changed = copy.deepcopy(original)
            container, key = next(islice(places_in(changed), place, None))
            if isinstance(container[key], str):
                container[key] = f"{container[key]} {SECRET}"
                requests.append(changed)
    report = landed(warehouse, write_export(tmp_path / "export.jsonl", [*requests, f'{{"broken {SECRET}']))
    tables = ("workflow_history", "tool_calls", "quarantined_records", "run_sources", "ingested_sources")
    stored = snapshot(warehouse, tables)
    assert len(stored["workflow_history"]) > 3
    assert SECRET not in json.dumps(stored) + orjson.dumps(report.to_dict(), default=str).decode()
    assert report.total.redactions
    with warehouse.transaction() as tx:
        wording = tx.connection.exec_driver_sql("SELECT string_agg(detail || excerpt, ' ') FROM quarantined_records")
        assert SECRET not in str(wording.scalar())


def test_a_span_without_parent_or_end_is_no_riddle(tmp_path: Path) -> None:
    loop = [gen_ai(1, "chat", 0, 1, 2, of=usage(5, 5)), gen_ai(2, "invoke_agent", 0, 2, 1)]
    endless = span(3, "x", 0, 0, endTimeUnixNano="0", attributes={"gen_ai.operation.name": "execute_tool"})
    reading = read_requests(tmp_path, spans(*loop, endless))
    assert reading.runs["total_tokens"].to_list() == [10]
    assert reading.steps.height == 1
