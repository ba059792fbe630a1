"""The event log: every run once, every step once, in a form that other tools read."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest
from lxml import etree

from pattern_pipeline.errors import Conflict, InvalidInput
from pattern_pipeline.history.export import EVENTS, Exported, Format, export
from pattern_pipeline.history.xes import XesWriter
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.history.batches import wipe
from pattern_pipeline_tests.history.files import landed, record, write

NASTY = "<b a=\"1\">&amp; 'x' ]]>\t\r\nü \u2028 \U0001f600 \x1b[0m \ufffe end"
SHOWN = NASTY.replace("\x1b", "\ufffd").replace("\ufffe", "\ufffd")


def a_step(number: int, **values: Any) -> dict[str, Any]:
    return {
        "tool_call_id": f"c{number}",
        "tool": "Bash",
        "command": f"make {number}",
        "timestamp": f"2026-03-01T02:0{number}:00Z",
        "cost_usd": "0.125",
        "exit_code": number,
        **values,
    }


@pytest.fixture(scope="module")
def history(module_warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Three runs: one with two steps, one without any, one with a step of hostile text."""
    wipe(module_warehouse)
    records = [
        record(1),
        record(2, steps=[a_step(0), a_step(1)], model="m-1", session_id="s1"),
        record(3, task_text=NASTY, steps=[a_step(2, command=NASTY, tool=None)]),
    ]
    landed(module_warehouse, write(tmp_path_factory.mktemp("sources") / "runs.jsonl", records))
    return module_warehouse


def written(history: Warehouse, path: Path, file_format: Format, **options: Any) -> Exported:
    return export(history, path, file_format, **options)


def traces(path: Path) -> Iterator[tuple[dict[str, str], list[dict[str, str]]]]:
    """The attributes of each trace and of its events, read by another parser than the one that validates."""
    name = "{http://www.xes-standard.org/}"
    for trace in ElementTree.parse(path).getroot().iter(f"{name}trace"):
        yield _attributes(trace), [_attributes(event) for event in trace.iter(f"{name}event")]


def _attributes(element: ElementTree.Element) -> dict[str, str]:
    return {each.attrib["key"]: each.attrib["value"] for each in element if "key" in each.attrib}


def check_structure(path: Path) -> None:
    """Refuses what does not have the structure of the standard."""
    schema = etree.XMLSchema(etree.parse(Path(__file__).with_name("xes.xsd")))
    schema.assertValid(etree.parse(path))


def test_a_log_in_xes_is_valid_and_says_what_history_says(history: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "history.xes"
    exported = written(history, path, "xes")
    assert (exported.runs, exported.events) == (3, 3)
    check_structure(path)
    (first, none), (second, two), (third, one) = traces(path)
    assert (first["concept:name"], none) == ("generic:run-1", [])
    assert (second["session"], second["model"], second["cost:total"]) == ("s1", "m-1", "0.500000000000")
    assert [event["concept:name"] for event in two] == ["Bash", "Bash"]
    assert two[1] == {
        "concept:name": "Bash",
        "concept:instance": "c1",
        "time:timestamp": "2026-03-01T02:01:00.000000+00:00",
        "start_timestamp": "2026-03-01T02:01:00.000000+00:00",
        "tool": "Bash",
        "command": "make 1",
        "success": "false",
        "exit_code": "1",
        "cost:total": "0.125000000000",
        "cost:currency": "USD",
        "lifecycle:transition": "complete",
    }
    assert (third["task"], one[0]["command"], one[0]["concept:name"]) == (SHOWN, SHOWN, "unknown")


def test_tables_hold_a_row_for_each_step_and_equal_each_other(history: Warehouse, tmp_path: Path) -> None:
    assert written(history, tmp_path / "a.csv", "csv").events == 3
    assert written(history, tmp_path / "a.parquet", "parquet").runs == 3
    table = pl.read_parquet(tmp_path / "a.parquet")
    assert table.schema == EVENTS
    assert table["event_id"].to_list() == ["c0", "c1", "c2"]
    assert table["cost_usd"].to_list() == [Decimal("0.125")] * 3
    assert table["completed_at"][0] == datetime(2026, 3, 1, 2, tzinfo=UTC)
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == list(EVENTS)
    assert [(row["case_id"], row["command"]) for row in rows] == table.select("case_id", "command").rows()


def test_only_the_runs_of_a_time_are_written(history: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "history.xes"
    since, until = datetime(2026, 3, 1, 2, tzinfo=UTC), datetime(2026, 3, 1, 3, tzinfo=UTC)
    assert written(history, path, "xes", since=since, until=until).runs == 1
    assert [trace["concept:name"] for trace, _ in traces(path)] == ["generic:run-2"]
    later = datetime(2027, 1, 1, tzinfo=UTC)
    for file_format in ("xes", "csv", "parquet"):
        assert written(history, path, file_format, since=later, replace=True).runs == 0
    assert pl.read_parquet(path).schema == EVENTS
    with pytest.raises(InvalidInput, match="no time between"):
        written(history, path, "xes", since=until, until=since, replace=True)


def test_a_detected_step_is_called_by_its_signature(history: Warehouse, tmp_path: Path) -> None:
    with history.transaction() as tx:
        for statement in (
            "INSERT INTO signatures (signature) VALUES ('build:make:all') ON CONFLICT DO NOTHING",
            "INSERT INTO detected_signatures SELECT 'generic:run-2', now(), 1, 0, signature_id, 1 FROM signatures",
        ):
            tx.connection.exec_driver_sql(statement)
    try:
        written(history, tmp_path / "a.csv", "csv")
    finally:
        with history.transaction() as tx:
            tx.connection.exec_driver_sql("DELETE FROM detected_signatures; DELETE FROM signatures")
    assert pl.read_csv(tmp_path / "a.csv")["activity"].to_list() == ["Bash", "build:make:all", "unknown"]


def test_a_file_that_is_there_is_kept_unless_told_otherwise(history: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("mine")
    with pytest.raises(Conflict, match=r"a\.csv is there already.*--force"):
        written(history, path, "csv")
    assert path.read_text() == "mine"
    written(history, path, "csv", replace=True)
    assert path.read_text().startswith("case_id,")


@pytest.mark.parametrize("name", ["", "missing/a.csv"])
def test_a_place_that_cannot_be_written_is_refused(history: Warehouse, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be written"):
        written(history, tmp_path / name, "csv")


def test_an_export_that_fails_leaves_the_old_file_and_nothing_else(
    history: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.xes"
    path.write_text("old")

    def full(writer: XesWriter, rows: pl.DataFrame) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(XesWriter, "write", full)
    with pytest.raises(InvalidInput, match="No space left"):
        written(history, path, "xes", replace=True)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("a.xes", "old")]


def test_runs_that_lie_across_batches_are_one_trace(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        [
            {**dict.fromkeys(EVENTS), "case_id": case, "event_id": f"{case}{number}", "activity": "x"}
            for case in "abc"
            for number in range(3)
        ],
        schema=EVENTS,
    )
    path = tmp_path / "a.xes"
    with path.open("wb") as stream:
        writer = XesWriter(stream)
        for first in range(0, 9, 2):
            writer.write(rows[first : first + 2])
        writer.write(rows[:0])
        writer.close()
    check_structure(path)
    found = [(trace["concept:name"], [event["concept:instance"] for event in events]) for trace, events in traces(path)]
    assert found == [(case, [f"{case}{number}" for number in range(3)]) for case in "abc"]
