"""Sources of every container into canonical runs and steps."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from pattern_pipeline.errors import InvalidInput, NotFound
from pattern_pipeline.history.coercion import amount, instant
from pattern_pipeline.history.mapping import Mapping
from pattern_pipeline.history.model import MONEY
from pattern_pipeline.history.readers import ReadOptions, discover, reader_for
from pattern_pipeline.warehouse.urls import normalise
from pattern_pipeline_tests.history.reading import START, a_run, read, write_lines


def test_the_real_agent_runs_give_their_published_figures(shared_dir: Path) -> None:
    reading = read(shared_dir / "data" / "agent_runs.jsonl")
    runs, steps = reading.runs, reading.steps
    assert (runs.height, steps.height, reading.reasons) == (60, 5013, [])
    assert runs["actual_cost_total"].sum() == Decimal("3.956330112")
    assert steps["cost_usd"].sum() == Decimal("3.956330112")
    assert runs["cache_read_tokens"].sum() == 109_841_664
    assert runs["input_tokens"].sum() == 111_382_566 - 109_841_664
    assert runs["output_tokens"].sum() == 1_069_788
    assert runs["status"].unique().to_list() == ["completed"]
    assert runs["cost_basis"].unique().to_list() == ["billed"]
    assert runs["event_time"].equals(runs["end_time"], check_names=False)
    assert all(orjson.loads(extra)["exit_status"] == "Submitted" for extra in runs["extra"])
    assert steps["success"].value_counts().sort("count")["count"].to_list() == [60, 495, 4458]
    assert steps.filter(pl.col("success").is_null())["exit_code"].null_count() == 60


def test_a_step_without_time_takes_the_time_of_its_predecessor(shared_dir: Path) -> None:
    steps = read(shared_dir / "data" / "agent_runs.jsonl").steps
    last = steps.filter(pl.col("called_at").is_null())
    before = steps.with_columns(seq=pl.col("seq") + 1).join(last, on=["workflow_id", "seq"], maintain_order="right")
    assert before["called_at"].equals(last["event_time"], check_names=False)


def test_the_names_of_the_origin_are_known(tmp_path: Path) -> None:
    record = {
        "adw_id": "adw-1",
        "nl_input": "fix it",
        "workflow_template": "fix",
        "model_used": "m",
        "start_time": "2025-12-01 10:00:00",
        "end_time": "2025-12-01 11:30:00",
        "duration_seconds": "12.5",
        "error_message": "boom",
        "retry_count": "2",
        "input_tokens": 10,
        "output_tokens": 5,
        "actual_cost_total": "0.000000000001",
        "cost_breakdown": {"phase": 1},
        "structured_input": '{"a": 1}',
    }
    run = read(write_lines(tmp_path / "history.jsonl", record)).runs.row(0, named=True)
    assert run["workflow_id"].startswith("generic:")
    assert (run["adw_id"], run["nl_input"], run["workflow_template"], run["model_used"]) == (
        "adw-1",
        "fix it",
        "fix",
        "m",
    )
    assert run["start_time"] == datetime(2025, 12, 1, 10, tzinfo=UTC)
    assert (run["duration_seconds"], run["retry_count"], run["total_tokens"]) == (Decimal("12.5"), 2, 15)
    assert run["actual_cost_total"] == Decimal("1E-12")
    assert orjson.loads(run["extra"]) == {"cost_breakdown": {"phase": 1}, "structured_input": '{"a": 1}'}


RECORDS: list[dict[str, Any]] = [
    {
        "run_id": "a",
        "prompt": "one",
        "started_at": "2026-01-01T10:00:00+02:00",
        "cost_usd": 0.1,
        "retries": 3,
        "tag": "x",
    },
    {"run_id": "b", "prompt": "two\nlines", "ended_at": "2026-01-02 09:00", "status": "failed", "tag": None},
    {
        "run_id": "c",
        "prompt": None,
        "started_at": "2026-01-03",
        "cost_usd": 0.0,
        "exit_status": "Submitted",
        "tag": "y",
    },
]


def _containers(directory: Path) -> dict[str, Path]:
    frame = pl.DataFrame(RECORDS, infer_schema_length=None)
    frame.write_csv(directory / "runs.csv")
    frame.write_csv(directory / "runs.tsv", separator="\t")
    frame.write_parquet(directory / "runs.parquet")
    write_lines(directory / "runs.jsonl", *RECORDS)
    (directory / "runs.json").write_bytes(orjson.dumps(RECORDS, option=orjson.OPT_INDENT_2))
    return {path.suffix: path for path in directory.iterdir()}


def test_every_container_of_the_same_records_gives_the_same_runs(tmp_path: Path) -> None:
    readings = {suffix: read(path).runs.drop("position") for suffix, path in _containers(tmp_path).items()}
    assert len(readings) == 5
    reference = readings[".jsonl"]
    assert reference["status"].to_list() == [None, "failed", "completed"]
    assert reference["cost_basis"].to_list() == ["billed", "unpriced", "billed"]
    for runs in readings.values():
        assert runs.equals(reference)


def test_a_directory_and_a_pattern_mean_all_their_files(tmp_path: Path) -> None:
    _containers(tmp_path)
    (tmp_path / "notes.md").write_text("no source")
    (tmp_path / ".hidden.csv").write_text("no source")
    assert len(discover(str(tmp_path))) == 5
    assert [location.path.name for location in discover(f"{tmp_path}/*.[ct]sv")] == ["runs.csv", "runs.tsv"]


@pytest.mark.parametrize("spec", ["absent.csv", "*.csv", "sqlite:///absent.db#runs"])
def test_a_source_that_is_not_there_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFound, match=r"absent|csv"):
        discover(spec)
    assert list(tmp_path.iterdir()) == []


def test_a_table_is_read_with_the_types_of_its_database(database_url: str) -> None:
    url = normalise(database_url, "psycopg")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "CREATE TABLE runs AS SELECT n AS id, 'task ' || n AS prompt,"
                " now() - n * interval '1 day' AS started_at,"
                " n * 0.000000000001::numeric AS cost_usd, jsonb_build_object('n', n) AS details,"
                " jsonb_build_array(jsonb_build_object('tool', 'bash', 'command', 'ls')) AS steps"
                " FROM generate_series(1, 12000) n"
            )
        )
        connection.execute(sa.text("ALTER TABLE runs ADD PRIMARY KEY (id)"))
    engine.dispose()
    reading = read(f"{url}#runs")
    assert reading.runs.height == reading.steps.height == 12_000
    assert len(reading.batches) > 1
    run = reading.run("generic:7")
    assert (run["actual_cost_total"], run["position"]) == (Decimal("0.000000000007"), "id=7")
    assert orjson.loads(run["extra"]) == {"details": {"n": 7}}
    since = datetime.now(UTC) - timedelta(days=3, hours=12)
    assert read(f"{url}#runs", ReadOptions(since=since)).runs.height == 3


def test_a_column_of_sqlite_may_hold_anything(tmp_path: Path) -> None:
    columns = "id INTEGER PRIMARY KEY, nl_input TEXT, start_time TIMESTAMP, actual_cost_total DECIMAL(10, 6)"
    rows = [
        (1, "a", "2025-12-08 20:33:52", 0.5),
        (2, "b", "2025-12-09T20:33:52Z", None),
        (3, "c", "yesterday", 1),
        (4, "d", 1765226032, 1.25),
        (5, "e", "2025-12-10", "a lot"),
    ]
    with sa.create_engine(f"sqlite:///{tmp_path / 'runs.db'}").begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE workflow_history ({columns})")
        connection.exec_driver_sql("INSERT INTO workflow_history VALUES (?, ?, ?, ?)", rows)
    spec = f"sqlite:///{tmp_path / 'runs.db'}#workflow_history"
    reading = read(spec)
    assert reading.runs["workflow_id"].to_list() == ["generic:1", "generic:2", "generic:4"]
    assert sorted(reading.reasons) == ["invalid_figure", "no_time"]
    window = ReadOptions(since=datetime(2025, 12, 9, 12, tzinfo=UTC), until=datetime(2025, 12, 9, 21, tzinfo=UTC))
    assert read(spec, window).runs["workflow_id"].to_list() == ["generic:2"]


def test_a_table_location_hides_the_password_and_names_the_tables(database_url: str, tmp_path: Path) -> None:
    url = sa.make_url(normalise(database_url, "psycopg")).set(password="hunter2")
    location = discover(f"{url.render_as_string(hide_password=False)}#workflow_history")[0]
    assert "hunter2" not in repr(location)
    with sa.create_engine(f"sqlite:///{tmp_path}/runs.db").begin() as connection:
        connection.execute(sa.text("CREATE TABLE history (id int)"))
    with pytest.raises(InvalidInput, match="history"):
        discover(f"sqlite:///{tmp_path}/runs.db")
    with pytest.raises(NotFound, match="history"):
        discover(f"sqlite:///{tmp_path}/runs.db#runs")


def test_reading_resumes_where_a_growing_file_was_left(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "runs.jsonl", a_run())
    half = orjson.dumps(a_run(id=2))
    with path.open("ab") as stream:
        stream.write(half[:20])
    first = read(path)
    assert first.runs["workflow_id"].to_list() == ["generic:1"]
    resume = first.batches[-1].byte_offset
    assert resume is not None
    with path.open("ab") as stream:
        stream.write(half[20:])
    second = read(path, offset=resume)
    assert second.runs["workflow_id"].to_list() == ["generic:2"]
    assert second.batches[-1].byte_offset == path.stat().st_size
    assert second.runs["position"].to_list() == [f"byte {resume}"]


def test_steps_come_from_lists_and_from_json_text(tmp_path: Path) -> None:
    steps = [
        {"name": "Bash", "tool_input": {"command": "ls"}, "is_error": False, "tool_use_id": "t"},
        {"tool": "sh", "args": "pwd", "returncode": 2, "color": "red"},
        {"tool": "edit", "arguments": {"path": "x"}, "tool_use_id": "t"},
    ]
    path = write_lines(tmp_path / "runs.jsonl", a_run(steps=steps), a_run(id=2, steps=orjson.dumps(steps).decode()))
    reading = read(path)
    listed, written = (
        part.drop("workflow_id") for part in reading.steps.partition_by("workflow_id", maintain_order=True)
    )
    assert listed.equals(written)
    assert listed["tool_call_id"].to_list() == ["t", "step-1", "t#2"]
    assert listed["tool_name"].to_list() == ["Bash", "sh", "edit"]
    assert listed["command"].to_list() == ["ls", "pwd", None]
    assert listed["tool_params"].to_list() == ['{"command":"ls"}', '"pwd"', '{"path":"x"}']
    assert listed["success"].to_list() == [True, False, None]
    assert listed["extra"].to_list() == [None, '{"color":"red"}', None]
    assert listed["event_time"].n_unique() == 1


def test_steps_of_one_request_share_its_cost_to_the_last_digit(tmp_path: Path) -> None:
    shared = [{"request_id": "r", "cost_usd": 0.1}, {"request_id": "r"}, {"request_id": "r", "cost_usd": 0.1}]
    own = [{"request_id": "q", "cost_usd": 0.1}, {"request_id": "q", "cost_usd": 0.2}, {"cost_usd": 0.1}]
    steps = read(write_lines(tmp_path / "runs.jsonl", a_run(steps=[*shared, *own]))).steps
    assert steps["cost_usd"].to_list() == [
        *(Decimal("0.033333333333"), Decimal("0.033333333333"), Decimal("0.033333333334")),
        *(Decimal("0.1"), Decimal("0.2"), Decimal("0.1")),
    ]


def test_the_cost_of_a_run_may_come_from_its_steps_when_all_are_known(tmp_path: Path) -> None:
    known = a_run(id="known", steps=[{"cost_usd": 0.1}, {"cost_usd": 0.2}])
    partly = a_run(id="partly", steps=[{"cost_usd": 0.1}, {}])
    reading = read(write_lines(tmp_path / "runs.jsonl", known, partly))
    assert reading.run("generic:known")["actual_cost_total"] == Decimal("0.3")
    assert reading.run("generic:known")["cost_basis"] == "billed"
    assert reading.run("generic:partly")["actual_cost_total"] is None
    assert reading.run("generic:partly")["cost_basis"] == "unpriced"


def test_the_same_record_without_id_is_the_same_run_in_any_file(tmp_path: Path) -> None:
    record = {"prompt": "fix", "session_id": "s", "started_at": START}
    one = read(write_lines(tmp_path / "one.jsonl", record, {**record, "prompt": "other"}))
    pl.DataFrame([record]).write_csv(tmp_path / "two.csv")
    two = read(tmp_path / "two.csv")
    assert one.runs["workflow_id"][0] == two.runs["workflow_id"][0] != one.runs["workflow_id"][1]


def test_times_without_zone_are_in_the_zone_that_was_named(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "runs.jsonl",
        a_run(started_at="2026-07-01T12:00:00"),
        a_run(id=2, started_at="2026-03-29T02:30:00"),
        a_run(id=3, started_at="2026-07-01T12:00:00Z"),
    )
    reading = read(path, ReadOptions(timezone="Europe/Berlin"))
    assert reading.run("generic:1")["start_time"] == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert reading.run("generic:3")["start_time"] == datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert reading.reasons == ["no_time"]
    named = ReadOptions(timezone="UTC", mapping=Mapping(timezone="Europe/Berlin"))
    assert read(path, named).run("generic:1")["start_time"] == datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_the_end_else_the_last_step_else_the_start_decides_the_hour(tmp_path: Path) -> None:
    step = {"timestamp": "2026-01-01T02:00:00Z"}
    path = write_lines(
        tmp_path / "runs.jsonl",
        a_run(id="end", ended_at="2026-01-01T01:00:00Z", steps=[step]),
        a_run(id="step", steps=[step, {}]),
        a_run(id="start"),
        a_run(id="late", started_at="2026-01-01T05:00:00Z", ended_at="2026-01-01T01:00:00Z"),
    )
    reading = read(path)
    assert reading.runs["event_time"].dt.hour().to_list() == [1, 2, 0, 1]
    assert reading.run("generic:late")["start_time"] is None
    assert reading.reasons == ["field_dropped"]
    assert reading.run("generic:end")["duration_seconds"] == 3600


@settings(deadline=None)
@given(st.floats(min_value=0, max_value=1e9, allow_nan=False) | st.integers(0, 10**11))
def test_money_is_rounded_half_to_even_from_its_shortest_form(value: float) -> None:
    expected = Decimal(repr(value)).quantize(Decimal("1e-12"), ROUND_HALF_EVEN)
    assert amount(pl.Series([value]), MONEY).item() == expected
    assert amount(pl.Series([repr(value)]), MONEY).item() == expected


@settings(deadline=None)
@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2999, 1, 1)),
    st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=3))]),
)
def test_every_way_to_write_an_instant_means_the_same(moment: datetime, zone: timezone) -> None:
    moment = moment.replace(tzinfo=zone)
    written = [moment.isoformat(), moment.isoformat(sep=" "), moment.astimezone(UTC).isoformat().replace("+00:00", "Z")]
    assert instant(pl.Series(written), "Asia/Tokyo").unique().to_list() == [moment]
    assert instant(pl.Series([moment.astimezone(UTC).isoformat()[:-6], "junk"]), "UTC").to_list() == [moment, None]
    seconds = instant(pl.Series([moment.timestamp()]), "UTC").item()
    assert abs(seconds - moment) < timedelta(milliseconds=1)


def test_columns_of_dates_and_times_are_instants() -> None:
    assert instant(pl.Series([date(2026, 1, 1)]), "UTC").item() == datetime(2026, 1, 1, tzinfo=UTC)
    naive = pl.Series([datetime(2026, 1, 1)], dtype=pl.Datetime("ns"))
    assert instant(naive, "America/New_York").item() == datetime(2026, 1, 1, 5, tzinfo=UTC)


def test_an_unknown_reader_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    location = discover(str(write_lines(tmp_path / "runs.jsonl", a_run())))[0]
    with pytest.raises(InvalidInput, match="generic"):
        reader_for(location, "nonsense")
