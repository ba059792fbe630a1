"""Bad files on the command line: a sentence that names the file, its exit code, and nothing half written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from pattern_pipeline.cli.main import app
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.histories import run_record, write
from pattern_pipeline_tests.tables import snapshot

HUGE_TEXT = "x" * (50 << 20)
EMPTY_HISTORY: dict[str, list[str]] = {"workflow_history": [], "tool_calls": [], "quarantined_records": []}


@pytest.fixture
def files(database_url: str, tmp_path: Path) -> Iterator[Path]:
    """A directory for the files of a fresh installation."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PATTERN_PIPELINE_DATABASE_URL", database_url)
        environment.setenv("PATTERN_PIPELINE_HOME", str(tmp_path / "home"))
        directory = tmp_path / "files"
        directory.mkdir()
        yield directory


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def ingested(*arguments: str) -> Any:
    result = call("ingest", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def bad_files(directory: Path) -> dict[str, str]:
    """Path of each bad file, and what must be said of it."""
    line = json.dumps(run_record(1, 1))
    content: dict[str, tuple[bytes, str]] = {
        "empty.jsonl": (b"", "is empty"),
        "blank.csv": (b"\n \n", "is empty"),
        "junk.jsonl": (bytes(range(128, 256)) * 200, "no JSON objects"),
        "junk.bin": (b"\x00\x07\x1b" * 5000, "binary"),
        "wrong.csv": (b"a,b\n1,2\n", "no column holds a time"),
        "half.jsonl": (line[: len(line) // 2].encode(), "no JSON objects"),
        "huge.jsonl": (json.dumps(run_record(2, 2, task_text=HUGE_TEXT)).encode() + b"\n", "no JSON objects"),
        "torn.parquet": (b"PAR1" + b"\x00" * 50, "Parquet"),
    }
    for name, (data, _) in content.items():
        (directory / name).write_bytes(data)
    return {str(directory / name): told for name, (_, told) in content.items()}


def test_a_file_that_cannot_be_read_is_named_and_leaves_nothing(files: Path, warehouse: Warehouse) -> None:
    for path, told in bad_files(files).items():
        result = call("ingest", path)
        assert (result.exit_code, result.stdout) == (2, ""), (path, result.output)
        sentence = " ".join(result.stderr.split())
        assert Path(path).name in sentence
        assert told in sentence
    assert snapshot(warehouse) == EMPTY_HISTORY


def test_a_directory_without_readable_files_is_not_found(files: Path) -> None:
    (files / "notes.md").write_text("no history")
    result = call("ingest", str(files))
    assert result.exit_code == 3
    assert "holds no file with one of the endings" in result.stderr


def test_a_whole_run_over_a_bad_file_fails_alike(files: Path, warehouse: Warehouse) -> None:
    (files / "junk.bin").write_bytes(b"\x00\x07\x1b" * 5000)
    result = call("run", str(files / "junk.bin"), "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "junk.bin is a binary file" in json.loads(result.stderr)["error"]
    assert snapshot(warehouse) == EMPTY_HISTORY


def test_the_good_files_among_bad_ones_land_and_the_bad_ones_are_named(files: Path) -> None:
    bad = bad_files(files)
    write(files / "good.jsonl", *(run_record(n, n) for n in range(5)))
    report = ingested(str(files))
    assert (report["total"]["inserted"], len(report["notes"])) == (5, len(bad) - 1)  # no reader asks for a .bin
    assert {source["outcome"] for source in report["sources"]} == {"read", "unreadable"}
    text = call("ingest", str(files)).stdout
    assert f"0 sources read, 1 had nothing new, {len(bad) - 1} could not be read" in text
    assert "wrong.csv: no column holds a time" in text


def test_bad_lines_among_good_ones_are_quarantined(files: Path) -> None:
    path = files / "mixed.jsonl"
    good = [json.dumps(run_record(n, n)).encode() for n in range(4)]
    huge = json.dumps(run_record(9, 9, task_text=HUGE_TEXT)).encode()
    not_utf8 = json.dumps(run_record(8, 8)).encode().replace(b"backend", b"back\xff\xfeend")
    path.write_bytes(b"\n".join([good[0], huge, good[1], not_utf8, b"\x00\x01\x02", good[2], good[3][:30]]))
    report = ingested(str(path))
    assert report["total"]["inserted"] == 4
    assert report["total"]["quarantined"] == {"invalid_json": 1, "record_too_large": 1, "repaired": 1}
    with path.open("ab") as stream:
        stream.write(good[3][30:] + b"\n")
    assert ingested(str(path))["total"]["inserted"] == 1, "half a line is read once it is whole"


def test_a_csv_that_is_not_utf8_lands_with_a_remark(files: Path) -> None:
    path = files / "latin.csv"
    path.write_bytes(b"run_id,task_text,started_at,cost_usd\nr1,run \xe4 tests,2026-03-02T00:00:00Z,0.5\n")
    total = ingested(str(path))["total"]
    assert (total["inserted"], total["quarantined"]) == (1, {"repaired": 1})
