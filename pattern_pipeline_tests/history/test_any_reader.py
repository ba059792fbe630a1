"""What every reader of lines survives: whatever stands between two good records, these land and the rest is told."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from pattern_pipeline.history.readers import discover, jsonlines, reader_for
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.history.files import landed
from pattern_pipeline_tests.history.reading import a_run, read
from pattern_pipeline_tests.history.telemetry import claude, gen_ai, spans, tool
from pattern_pipeline_tests.history.transcripts import Session

Record = dict[str, Any]


def transcript() -> list[Record]:
    session = Session("s1")
    session.prompt("run the tests")
    session.bash("t1", "pytest -q")
    return session.lines


def hook_events() -> list[Record]:
    given = {"tool_name": "Bash", "tool_use_id": "t1", "tool_input": {"command": "pytest -q"}}
    told = {"event_type": "PreToolUse", "session_id": "s1", "timestamp": "2026-03-01T09:00:00Z", "payload": given}
    return [told, {**told, "event_type": "PostToolUse", "timestamp": "2026-03-01T09:00:01Z"}]


def own_telemetry() -> list[Record]:
    prompt = claude(1, "interaction", 0, 9, user_prompt="run the tests")
    call = claude(2, "tool", 2, 4, 1, tool_name="Bash", tool_use_id="t1", full_command="pytest -q")
    return [spans(prompt, service="claude-code"), spans(call, service="claude-code")]


def other_telemetry() -> list[Record]:
    agent = gen_ai(1, "invoke_agent", 0, 9, of={"conversation__id": "s1"})
    return [spans(agent), spans(gen_ai(2, "execute_tool", 2, 3, 1, of=tool("Bash", "t1", {"command": "pytest -q"})))]


def generic_runs() -> list[Record]:
    step = {"tool": "Bash", "tool_use_id": "t1", "command": "pytest -q"}
    return [a_run(), a_run(id=2, steps=[step])]


SOURCES = {
    "claude": transcript(),
    "hooks": hook_events(),
    "claude-otel": own_telemetry(),
    "otel": other_telemetry(),
    "generic": generic_runs(),
}
every_reader = pytest.mark.parametrize("kind", SOURCES)


def write(path: Path, kind: str, between: Iterable[bytes]) -> Path:
    """The good records of a kind, with these lines behind the first of them."""
    first, *others = (json.dumps(record).encode() for record in SOURCES[kind])
    with path.open("wb") as stream:
        for line in (first, *between, *others):
            stream.write(line + b"\n")
    return path


def wrong_types(record: Any) -> Iterable[Any]:
    """The record with each value, at any depth, replaced by one of another type."""
    if not isinstance(record, dict | list):
        return
    for key, value in record.items() if isinstance(record, dict) else enumerate(record):
        replaced = [12, ["x"], {"a": None}, None, True] if isinstance(value, str) else ["x", None, 1e300, {"a": []}]
        for other in (*replaced, *wrong_types(value)):
            if isinstance(record, dict):
                yield {**record, key: other}
            else:
                yield [*record[:key], other, *record[key + 1 :]]


@every_reader
def test_the_reader_is_found_and_reads_the_call(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / "source.jsonl", kind, [])
    assert reader_for(discover(str(path))[0]).kind == kind
    reading = read(path)
    assert reading.steps["command"].to_list() == ["pytest -q"]
    assert reading.reasons == []


@every_reader
@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "invalid_json"),
        (b"[1, 2]", "invalid_json"),
        (b"\x00" * 1000, "invalid_json"),
        (b"\xff\xfe\x00x", "invalid_json"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "invalid_json"),
        (b'{"a":' * 400 + b"1" + b"}" * 400, "invalid_json"),
        (b'{"type": "\xff\xfe", "session_id": "s9"}', "repaired"),
        (b'{"type": "x", "session_id": "a raw \x00 in it"}', "repaired"),
    ],
    ids=["torn", "a list", "NULs", "UTF-16", "far too deep", "too deep to be written", "no UTF-8", "a raw NUL"],
)
def test_a_line_that_is_no_json_is_quarantined_and_the_others_land(
    tmp_path: Path, kind: str, line: bytes, reason: str
) -> None:
    reading = read(write(tmp_path / "source.jsonl", kind, [line]))
    assert reading.steps["command"].to_list() == ["pytest -q"]
    assert reason in reading.reasons
    row = reading.quarantined.row(reading.reasons.index(reason), named=True)
    assert row["position"] == f"byte {len(json.dumps(SOURCES[kind][0])) + 1}"
    assert "\x00" not in row["excerpt"]


@every_reader
def test_a_record_of_an_unknown_type_is_counted_or_quarantined(tmp_path: Path, kind: str) -> None:
    unknown = {"type": "novelty", "event_type": "Novelty", "session_id": "s1", "sessionId": "s1", "id": 9}
    reading = read(write(tmp_path / "source.jsonl", kind, [json.dumps(unknown).encode()]))
    assert reading.steps["command"].to_list() == ["pytest -q"]
    counted = sum(sum(batch.skipped.values()) for batch in reading.batches)
    assert counted + len(reading.reasons) == 1


@every_reader
def test_values_of_any_other_type_never_stop_the_reading(tmp_path: Path, kind: str, warehouse: Warehouse) -> None:
    broken = [json.dumps(each).encode() for record in SOURCES[kind] for each in wrong_types(record)]
    assert len(broken) > 30
    report = landed(warehouse, write(tmp_path / "source.jsonl", kind, broken))
    assert not report.unreadable
    assert report.total.rows_read == len(broken) + len(SOURCES[kind])
    with warehouse.transaction() as tx:
        found = tx.connection.exec_driver_sql("SELECT count(*) FROM tool_calls WHERE command = 'pytest -q'").scalar()
    assert found


@every_reader
def test_a_line_of_a_hundred_megabytes_is_passed_over(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / "source.jsonl", kind, [b'{"type": "user", "x": "' + bytes(100 << 20) + b'"}'])
    reading = read(path)
    assert path.stat().st_size > 3 * jsonlines.MAX_LINE_BYTES
    assert reading.steps["command"].to_list() == ["pytest -q"]
    assert reading.reasons == ["record_too_large"]


def test_links_in_circles_and_files_that_cannot_be_read_leave_the_others(tmp_path: Path, warehouse: Warehouse) -> None:
    # The memory of this process: a file that anybody can open, and whose first page nobody can read.
    memory = Path("/proc/self/mem")
    if not memory.exists():
        pytest.skip("this system has no /proc")
    folder = tmp_path / "sources"
    (folder / "inner").mkdir(parents=True)
    write(folder / "inner" / "good.jsonl", "generic", [])
    (folder / "itself.jsonl").symlink_to(folder / "itself.jsonl")
    (folder / "inner" / "around").symlink_to(folder)
    (folder / "dangling.jsonl").symlink_to(tmp_path / "nowhere")
    (folder / "broken.jsonl").symlink_to(memory)
    report = landed(warehouse, folder)
    assert [Path(each.location).name for each in report.sources if each.outcome == "read"] == ["good.jsonl"]
    unreadable = [each.message for each in report.unreadable]
    assert len(unreadable) == 1
    assert "mem cannot be" in str(unreadable[0])
    assert report.total.runs.inserted == 2
