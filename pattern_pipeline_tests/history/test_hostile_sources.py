"""Bad input: a clear error or a quarantined record, never a crash, never a silent loss."""

import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.history.readers import jsonlines
from pattern_pipeline_tests.history.reading import START, a_run, read, write_lines


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("runs.jsonl", b"", "empty"),
        ("runs.csv", b" \n\n", "empty"),
        ("runs.bin", b"\x00\x01\x02" * 1000, "binary"),
        ("runs.jsonl", b"\x93\x00\xff" * 1000, "no JSON objects"),
        ("runs.parquet", b"PAR1 torn", "Parquet"),
        ("runs.csv", "id,started_at\n1,2026".encode("utf-16"), "UTF-16"),
        ("runs.csv", b"a,b\n1,2\n", "no column holds a time.*Found: a, b.*started_at.*--mapping"),
        ("runs.jsonl", b'{"a": 1}\n{"b": 2}\n', "no column holds a time.*Found: a, b"),
        ("runs.csv", b"id,id,started_at\n1,2,2026-01-01\n", "more than one column 'id'"),
    ],
)
def test_a_source_that_cannot_be_read_is_refused_by_name(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidInput, match=f"{name}.*{told}"):
        read(tmp_path / name)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("garbage", "invalid_json"),
        ("[1, 2]", "invalid_json"),
        (f'{{"id": 2, "started_at": "{START}", "x": {"[" * 400}{"]" * 400}}}', "invalid_json"),
        (f'{{"id": 2, "started_at": "{START}", "x": {"[" * 9000}{"]" * 9000}}}', "invalid_json"),
        ({"id": 2, "prompt": "never"}, "no_time"),
        ({"id": 2, "started_at": "yesterday"}, "no_time"),
        (a_run(id=2, cost_usd=float("nan")), "invalid_figure"),
        (a_run(id=2, cost_usd=float("inf")), "invalid_figure"),
        (a_run(id=2, cost_usd=-0.1), "invalid_figure"),
        (a_run(id=2, cost_usd="free"), "invalid_figure"),
        (a_run(id=2, cost_usd=True), "invalid_figure"),
        (a_run(id=2, input_tokens=-5), "invalid_figure"),
        (a_run(id=2, output_tokens=1.5), "invalid_figure"),
        (a_run(id=2, input_tokens=5, cached_input_tokens=7), "negative_tokens"),
    ],
)
def test_a_bad_record_is_quarantined_and_its_neighbours_land(
    tmp_path: Path, record: dict[str, object] | str, reason: str
) -> None:
    reading = read(write_lines(tmp_path / "runs.jsonl", a_run(), record, a_run(id=3)))
    assert reading.runs["workflow_id"].to_list() == ["generic:1", "generic:3"]
    assert reason in reading.reasons
    row = reading.quarantined.row(reading.reasons.index(reason), named=True)
    assert row["position"].startswith("byte ")
    assert row["detail"]
    assert 0 < len(row["excerpt"]) <= 500
    assert sum(batch.rows_read for batch in reading.batches) == 3


def test_a_field_that_cannot_be_used_is_left_out_and_told(tmp_path: Path) -> None:
    record = a_run(ended_at="soon", duration_s=-3, retry_count=-1, error_count="many", prompt="kept")
    reading = read(write_lines(tmp_path / "runs.jsonl", record))
    run = reading.run("generic:1")
    assert run["nl_input"] == "kept"
    assert (run["end_time"], run["duration_seconds"], run["retry_count"], run["error_count"]) == (None,) * 4
    assert reading.reasons == ["field_dropped"]
    assert "end_time, duration_seconds, error_count, retry_count" in reading.quarantined["detail"].item()
    assert "end_time=soon" in reading.quarantined["excerpt"].item()


def test_unreadable_steps_are_told_and_the_others_land(tmp_path: Path) -> None:
    reading = read(
        write_lines(
            tmp_path / "runs.jsonl",
            a_run(steps=[{"command": "ls", "cost_usd": -1}, "junk", {"command": "pwd"}]),
            a_run(id=2, steps="[broken"),
            a_run(id=3, steps=12),
        )
    )
    assert reading.runs.height == 3
    assert reading.steps["seq"].to_list() == [0, 1]
    assert reading.steps["cost_usd"].to_list() == [None, None]
    assert sorted(reading.reasons) == ["field_dropped", "invalid_steps", "invalid_steps"]
    assert reading.run("generic:3")["extra"] == '{"steps":12}'


def test_values_of_another_type_become_the_type_of_their_field(tmp_path: Path) -> None:
    record = a_run(id=7, prompt=12, error={"a": 1}, template=["x"], retry_count="3", input_tokens=5.0, cost_usd="1e-3")
    run = read(write_lines(tmp_path / "runs.jsonl", record, a_run(id="text"))).run("generic:7")
    assert (run["nl_input"], run["error_message"], run["workflow_template"]) == ("12", '{"a":1}', '["x"]')
    assert (run["retry_count"], run["input_tokens"], run["actual_cost_total"]) == (3, 5, Decimal("0.001"))


def test_what_a_database_cannot_hold_is_replaced_and_told(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    lines = [
        b'{"id": 1, "started_at": "2026-01-01", "prompt": "lone \\ud800 surrogate", "\\udfff": 1}',
        b'{"id": 2, "started_at": "2026-01-01", "prompt": "bad \xff byte"}',
        b'{"id": 3, "started_at": "2026-01-01", "prompt": "nul \\u0000", "other": {"k\\u0000": "v\\u0000"}}',
        b'{"id": 4, "started_at": "2026-01-01", "prompt": "backslash \\\\u0000"}',
    ]
    path.write_bytes(b"\n".join(lines))
    reading = read(path)
    assert reading.runs["nl_input"].to_list() == ["lone � surrogate", "bad � byte", "nul �", "backslash \\u0000"]
    assert orjson.loads(reading.run("generic:3")["extra"]) == {"other": {"k�": "v�"}}
    assert reading.reasons == ["repaired", "repaired"]
    assert reading.batches[0].redactions == {"nul_character": 3}


def test_numbers_beyond_any_column_never_crash(tmp_path: Path) -> None:
    big = "9" * 400
    path = write_lines(
        tmp_path / "runs.jsonl",
        f'{{"id": {big}, "started_at": "{START}", "note": {big}, "tiny": 1e-400}}',
        f'{{"id": 2, "started_at": {big}, "ended_at": "{START}"}}',
        f'{{"id": 3, "started_at": "{START}", "cost_usd": {big}}}',
    )
    reading = read(path)
    assert reading.runs.height == 2
    assert "invalid_figure" in reading.reasons
    assert reading.runs["start_time"].to_list() == [datetime(2026, 1, 1, tzinfo=UTC), None]


def test_a_line_beyond_all_bounds_is_skipped_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    with path.open("wb") as stream:
        stream.write(orjson.dumps(a_run()) + b'\n{"prompt": "')
        for _ in range(40):
            stream.write(b"x" * (1 << 20))
        stream.write(b'"}\n' + orjson.dumps(a_run(id=2)) + b"\n")
    reading = read(path)
    assert reading.runs["workflow_id"].to_list() == ["generic:1", "generic:2"]
    assert reading.reasons == ["record_too_large"]
    assert reading.batches[-1].byte_offset == path.stat().st_size
    assert path.stat().st_size > jsonlines.MAX_LINE_BYTES


def test_keys_that_no_index_can_hold_are_shortened_and_stay_distinct(tmp_path: Path) -> None:
    long = "k" * 5_000
    steps = [{"id": long + "1"}, {"id": long + "2"}]
    path = write_lines(
        tmp_path / "runs.jsonl", a_run(id=long + "1", session_id=long, steps=steps), a_run(id=long + "2")
    )
    reading = read(path)
    keys = [*reading.runs["workflow_id"], *reading.steps["tool_call_id"], reading.runs["session_id"][0]]
    assert max(len(key) for key in keys) < 1_000
    assert len(set(keys)) == 5


def test_rows_of_a_csv_with_wrong_columns_are_quarantined_by_number(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text('id,prompt,started_at\n1,"two\nlines",2026-01-01\n2,short\n3,x,2026-01-01\n4,a,b,2026-01-01\n5,,\n')
    reading = read(path)
    assert reading.runs["position"].to_list() == ["row 2", "row 4"]
    assert dict(reading.quarantined.select("position", "reason").rows()) == {
        "row 3": "wrong_columns",
        "row 5": "wrong_columns",
        "row 6": "no_time",
    }
    assert reading.batches[0].rows_read == 5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["prompt", "started_at", "ended_at", "cost_usd", "input_tokens", "steps", "status", "retries", "other", "\x00"]
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(NAMES, JSON, max_size=6), max_size=5))
def test_any_json_is_landed_or_quarantined(tmp_path: Path, records: list[dict[str, object]]) -> None:
    numbered = [{**record, "id": index} for index, record in enumerate(records)]
    reading = read(write_lines(tmp_path / "runs.jsonl", a_run(id="anchor"), *numbered))
    positions = {*reading.runs["position"], *(each.partition(",")[0] for each in reading.quarantined["position"])}
    assert len(positions) == len(records) + 1
    for column in reading.runs.iter_columns():
        assert "\x00" not in "".join(map(str, column))
    for extra in reading.runs["extra"].drop_nulls():
        assert "\\u0000" not in orjson.dumps(orjson.loads(extra)).decode()


def test_a_file_that_may_not_be_opened_is_refused_by_name(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "runs.jsonl", a_run())
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(InvalidInput, match=r"runs\.jsonl"):
        read(path)
