"""Sources on the command line: how they are to be read is remembered, and what they supplied can be taken back."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from pattern_pipeline.history.landing import configured
from pattern_pipeline.history.readers.tables import shown_url
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.cli.commands import call, document, refusal
from pattern_pipeline_tests.histories import run_record, write

OWN_WORDS = {"build": 1, "question": "Run the tests", "begun": "2026-07-01 12:00", "paid": 0.5}
MAPPING = """
[columns]
workflow_id = "build"
nl_input = "question"
start_time = "begun"
actual_cost_total = "paid"
"""


def stored(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    """Id and event time of every run."""
    with warehouse.engine.begin() as connection:
        query = "SELECT workflow_id, to_char(event_time, 'MM-DD HH24:MI') FROM workflow_history ORDER BY 1"
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def test_how_a_source_is_read_is_remembered_with_it(installation: Path, warehouse: Warehouse) -> None:
    mapping = installation / "mapping.toml"
    mapping.write_text(MAPPING)
    source = write(installation / "builds.jsonl", OWN_WORDS)
    told = ("--mapping", str(mapping), "--timezone", "Europe/Berlin", "--namespace", "ci", "--source-type", "generic")
    assert document("ingest", source, *told)["total"]["inserted"] == 1
    assert stored(warehouse) == [("ci:1", "07-01 10:00")]

    mapping.unlink()
    write(installation / "builds.jsonl", OWN_WORDS, {**OWN_WORDS, "build": 2})
    assert document("ingest")["total"]["inserted"] == 1, "without arguments, as the schedule does"
    write(installation / "builds.jsonl", *({**OWN_WORDS, "build": n} for n in (1, 2, 3)))
    assert document("run", source)["workflows"] == 3, "what is not said again stays as it was said"
    assert document("ingest", source, "--namespace", "nightly")["total"]["inserted"] == 3
    assert stored(warehouse) == [(f"nightly:{n}", "07-01 10:00") for n in (1, 2, 3)]


def test_two_unrelated_sources_are_kept_apart_by_a_namespace(installation: Path, warehouse: Warehouse) -> None:
    first = write(installation / "a.jsonl", run_record(1, 1))
    second = write(installation / "b.jsonl", run_record(1, 9, task_text="Something else"))
    assert document("run", first, second)["quarantined"] == 1
    assert document("run", second, "--namespace", "b")["quarantined"] == 0
    assert [name for name, _ in stored(warehouse)] == ["b:r1", "generic:r1"]


def test_options_that_cannot_be_meant_are_refused_before_any_work(installation: Path) -> None:
    source = write(installation / "runs.jsonl", run_record(1, 1))
    broken = installation / "broken.toml"
    broken.write_text("[columns]\nnl_inptu = 'question'\n")
    for command in ("run", "ingest"):
        assert "'Mars/Phobos' is no time zone" in refusal(2, command, source, "--timezone", "Mars/Phobos")
        assert "--namespace 'a b': use" in refusal(2, command, source, "--namespace", "a b")
        assert "there are: auto, claude" in refusal(2, command, source, "--source-type", "parchment")
        assert "nl_inptu: no such field" in refusal(2, command, source, "--mapping", str(broken))
        assert "absent.toml cannot be read" in refusal(2, command, source, "--mapping", "absent.toml")
        assert "--timezone: name the sources" in refusal(2, command, "--timezone", "UTC")
    assert "without --sample" in refusal(2, "run", source, "--sample", "--namespace", "x")
    assert document("status")["sources"] == []


def test_a_forgotten_source_leaves_with_its_runs_and_the_next_run_counts_without_them(installation: Path) -> None:
    kept = write(installation / "kept.jsonl", run_record(1, 1))
    gone = write(installation / "gone.jsonl", run_record(1, 1), run_record(2, 2))
    document("run", kept, gone)
    assert document("ingest", "forget", gone) == {"locations": [gone], "runs_deleted": 1, "still_configured": []}
    assert document("status")["hours"]["stale"] == 1
    assert document("run")["workflows"] == 1
    assert [source["location"] for source in document("status")["sources"]] == [kept]
    assert f"No source {gone} was ever ingested" in refusal(3, "ingest", "forget", gone)


def test_forgetting_part_of_a_directory_says_that_it_comes_back(installation: Path) -> None:
    directory = installation / "runs"
    directory.mkdir()
    part = write(directory / "a.jsonl", run_record(1, 1))
    document("ingest", str(directory))
    told = call("ingest", "forget", part).stdout
    assert f"It is part of {directory}, which brings it back unless it is moved away." in told
    assert document("ingest")["total"]["inserted"] == 1
    assert document("ingest", "forget", str(directory))["runs_deleted"] == 1


def test_a_file_called_forget_is_read_by_its_path(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(installation)
    write(installation / "forget", run_record(1, 1))
    assert document("ingest", "./forget")["total"]["inserted"] == 1
    assert document("ingest", "forget", "./forget")["runs_deleted"] == 1


def test_a_source_of_which_nothing_could_be_read_is_not_remembered(installation: Path, warehouse: Warehouse) -> None:
    junk = installation / "junk.jsonl"
    junk.write_bytes(bytes(range(128, 256)) * 200)
    refusal(2, "ingest", str(junk))
    assert configured(warehouse) == []
    assert document("ingest")["notes"] == []
    assert document("status")["sources"] == []

    good = write(installation / "good.jsonl", run_record(1, 1))
    document("ingest", good, "--namespace", "good")
    assert "no column holds a time" in refusal(2, "ingest", good, "--mapping", str(misleading(installation)))
    assert document("ingest")["total"]["unchanged"] == 1, "as it was remembered before"
    assert stored(warehouse) == [("good:r1", "03-02 01:00")]


def misleading(directory: Path) -> Path:
    """A mapping that gives away every column with a time."""
    path = directory / "misleading.toml"
    path.write_text("[columns]\nproject = ['started_at', 'ended_at']\n")
    return path


def test_a_source_that_went_bad_is_told_with_the_way_out(installation: Path) -> None:
    source = Path(write(installation / "runs.jsonl", run_record(1, 1)))
    document("run", str(source))
    source.write_bytes(b"\x00\x07\x1b" * 5000)
    for _ in range(2):
        (note,) = document("ingest")["notes"]
        assert "holds no JSON objects" in note
        assert f"`pattern-pipeline ingest forget {source}` removes it" in note
    assert document("status")["history"]["workflows"] == 1
    document("ingest", "forget", str(source))
    assert document("ingest")["notes"] == []


def test_files_of_a_directory_that_never_could_be_read_are_one_note(installation: Path) -> None:
    directory = installation / "runs"
    directory.mkdir()
    write(directory / "good.jsonl", run_record(1, 1))
    for number in range(3):
        (directory / f"bad{number}.csv").write_text("a,b\n1,2\n")
    assert len(document("ingest", str(directory))["notes"]) == 3
    (note,) = document("ingest")["notes"]
    assert note.startswith("3 files of the configured sources hold nothing that can be read")
    assert "bad0.csv" in note


def test_a_password_of_a_database_source_is_used_and_kept_nowhere(
    installation: Path, warehouse: Warehouse, database_url: str
) -> None:
    with warehouse.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE builds AS SELECT 1 AS run_id, now() - interval '2 hours' AS ended_at")
    url = make_url(database_url).set(drivername="postgresql+psycopg", password="hunter2").render_as_string(False)
    assert document("run", f"{url}#builds")["workflows"] == 1
    shown = document("status")["sources"][0]["location"]
    assert "***" in shown
    assert document("ingest")["total"]["unchanged"] == 1, "the server asks for no password"
    with warehouse.engine.begin() as connection:
        (spec,) = connection.exec_driver_sql("SELECT spec FROM configured_sources").one()
    assert "hunter2" not in spec
    assert document("ingest", "forget", f"{url}#builds")["runs_deleted"] == 1


def test_a_database_source_that_does_not_answer_keeps_no_other_out(installation: Path) -> None:
    database = installation / "builds.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE builds AS SELECT 1 AS run_id, '2026-03-02T00:00:00Z' AS ended_at")
    document("ingest", f"sqlite:///{database}#builds")
    source = write(installation / "runs.jsonl", run_record(1, 1))
    document("ingest", source)
    database.write_bytes(b"no database any more" * 100)
    write(installation / "runs.jsonl", run_record(1, 1), run_record(2, 2))
    report = document("ingest")
    assert report["total"]["inserted"] == 1
    assert "ingest forget sqlite:///" in report["notes"][0]


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("postgres://ann:pw@host:1/db", "postgresql+psycopg://ann:***@host:1/db"),
        ("postgresql:///db?host=/run/pg&password=pw", "postgresql:///db?host=%2Frun%2Fpg"),
        ("mysql+pymysql://ann:pw@host/db?ssl_key=pw&charset=utf8", "mysql+pymysql://ann:***@host/db?charset=utf8"),
        ("://pw", "://..."),
    ],
)
def test_a_database_url_is_kept_without_secrets(address: str, kept: str) -> None:
    assert shown_url(address) == kept


def test_a_database_file_means_the_same_from_everywhere(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sqlite3.connect(installation / "builds.db") as connection:
        connection.execute("CREATE TABLE builds AS SELECT 1 AS run_id, '2026-03-02T00:00:00Z' AS ended_at")
    monkeypatch.chdir(installation)
    document("ingest", "sqlite:///builds.db#builds")
    monkeypatch.chdir("/")
    assert document("ingest")["total"]["unchanged"] == 1


def test_what_no_hour_counts_yet_is_told_everywhere(installation: Path) -> None:
    now = datetime.now(UTC)
    ahead, running = now + timedelta(days=3), now.replace(minute=0, second=0, microsecond=0)
    records = (
        run_record(1, 1),
        run_record(2, 2, started_at=None, ended_at="2024-01-01T00:00:00Z"),
        run_record(3, 3, started_at=None, ended_at=ahead.isoformat()),
        run_record(4, 4, started_at=None, ended_at=running.isoformat()),
    )
    told = call("run", write(installation / "runs.jsonl", *records)).stdout
    status, doctor = call("status").stdout, call("doctor")
    hour = f"counted after {running + timedelta(hours=1):%H:%M} UTC"
    for text in (told, status, doctor.stdout):
        for words in ("PATTERN_PIPELINE_START_DATE", "--timezone", hour):
            assert words in " ".join(text.split())
    assert doctor.exit_code == 1
    found = document("status")
    assert (found["outside_partitions"]["runs"], found["running_hour"]) == (2, 1)
    assert found["coverage"]["uncovered_days"] == []
