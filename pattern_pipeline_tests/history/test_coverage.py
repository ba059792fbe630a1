"""Days that sources cover: a quiet day counts in a rate, a day that nobody could have seen does not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pattern_pipeline.history.forgetting import forget
from pattern_pipeline.history.hours import close_hours
from pattern_pipeline.history.retention import retention_notes
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.history.files import landed, record, write
from pattern_pipeline_tests.history.transcripts import BEGIN, Session, text, write_transcript

MARCH = datetime(2026, 3, 1, tzinfo=UTC)


def session_of(directory: Path, day: int) -> Path:
    """A transcript of one short session on a day of March."""
    session = Session(f"s{day}")
    session.prompt("look")
    session.call(text())
    for line in session.lines:
        moment = datetime.fromisoformat(line["timestamp"]) - BEGIN + MARCH + timedelta(days=day - 1)
        line["timestamp"] = moment.isoformat()
    return write_transcript(directory / f"s{day}.jsonl", session.lines)


def uncovered(warehouse: Warehouse) -> list[int]:
    """Days of March between the first and the last with history that no source covers."""
    with warehouse.transaction() as tx:
        close_hours(tx, MARCH, MARCH + timedelta(days=40))
        return [row["day"].day for row in tx.rows("patterns/history_days", window_days=90) if not row["covered"]]


def test_days_between_the_sessions_of_a_directory_are_quiet(warehouse: Warehouse, tmp_path: Path) -> None:
    session_of(tmp_path, 2)
    session_of(tmp_path, 6)
    landed(warehouse, tmp_path)
    session_of(tmp_path, 9)
    landed(warehouse)
    assert uncovered(warehouse) == []


def test_days_whose_sessions_were_deleted_before_anybody_read_them_are_a_gap(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    first = session_of(tmp_path, 2)
    session_of(tmp_path, 4)
    landed(warehouse, tmp_path)
    for path in tmp_path.iterdir():
        path.unlink()
    session_of(tmp_path, 8)
    landed(warehouse)
    session_of(tmp_path, 10)
    landed(warehouse)
    assert uncovered(warehouse) == [5, 6, 7]
    assert landed(warehouse).total.runs.deleted == 0
    forget(warehouse, str(first))
    assert uncovered(warehouse) == [5, 6, 7]


def test_a_missing_export_is_a_gap(warehouse: Warehouse, tmp_path: Path) -> None:
    for day in (2, 5):
        moment = (MARCH + timedelta(days=day - 1)).isoformat()
        write(tmp_path / f"{day}.jsonl", [record(day, started_at=moment, ended_at=moment)])
    landed(warehouse, tmp_path)
    assert uncovered(warehouse) == [3, 4]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (None, "after 30 days"),
        ("not JSON", "after 30 days"),
        (json.dumps({"cleanupPeriodDays": 7}), "after 7 days"),
        (json.dumps({"cleanupPeriodDays": 365}), None),
    ],
)
def test_a_client_that_deletes_sooner_than_the_window_is_named(
    tmp_path: Path, settings: str | None, told: str | None
) -> None:
    home = tmp_path / ".claude"
    transcript = session_of(home / "projects" / "app", 2)
    if settings is not None:
        (home / "settings.json").write_text(settings)
    elsewhere = (str(tmp_path / "projects" / "runs.jsonl"), "postgresql://host/projects#runs")
    notes = retention_notes([str(transcript), str(transcript), *elsewhere], 90)
    assert len(notes) == (told is not None)
    assert all(told in note and str(home) in note for note in notes if told)


def test_a_landing_tells_of_it(warehouse: Warehouse, tmp_path: Path) -> None:
    session_of(tmp_path / ".claude" / "projects" / "app", 2)
    assert "cleanupPeriodDays" in landed(warehouse, tmp_path / ".claude" / "projects").notes[-1]
