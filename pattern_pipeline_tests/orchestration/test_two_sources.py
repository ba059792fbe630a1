"""A run that two kinds of source tell of counts once in everything that is derived, and blocking checks agree."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pattern_pipeline.history.forgetting import forget
from pattern_pipeline.patterns.report import overview
from pattern_pipeline.runs import ChainRunner
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.history.files import write
from pattern_pipeline_tests.history.transcripts import BEGIN, Session, write_transcript
from pattern_pipeline_tests.orchestration.chains import run_everything, runner_on, tables
from pattern_pipeline_tests.tables import Rows

# A pattern that was seen once stays, with nothing counted, and so does an hour.
KEPT = ("operation_patterns", "roi_estimates", "pattern_approvals")
DERIVED = ("detected_signatures", "workflow_characteristics", "pattern_occurrences")


@pytest.fixture
def runner(settings: Settings, dagster_instance: dg.DagsterInstance) -> Iterator[ChainRunner]:
    with runner_on(settings, dagster_instance) as runner:
        yield runner


@pytest.fixture
def transcript(tmp_path: Path) -> str:
    session = Session("s1")
    for number in range(4):
        session.prompt("run the tests")
        session.bash(f"t{number}", "pytest -q")
    return str(write_transcript(tmp_path / "transcript.jsonl", session.lines))


@pytest.fixture
def spans(tmp_path: Path) -> str:
    """The same calls and one more, an hour later as a whole, with a cost of their own."""
    steps = [{"tool": "Bash", "tool_use_id": f"t{number}", "command": "pytest -q"} for number in range(5)]
    start = BEGIN.isoformat()
    record: dict[str, Any] = {"run_id": "r", "session_id": "s1", "started_at": start, "steps": steps}
    ended = BEGIN.replace(hour=BEGIN.hour + 1).isoformat()
    return str(write(tmp_path / "spans.jsonl", [{**record, "ended_at": ended, "total_cost": 5}]))


def counted(warehouse: Warehouse) -> Rows:
    found = {name: rows for name, rows in tables(warehouse).items() if name not in KEPT}
    return {**found, "history_hours": [row for row in found["history_hours"] if '"workflow_count": 0' not in row]}


def test_a_run_seen_twice_counts_once_in_every_figure(
    runner: ChainRunner, warehouse: Warehouse, transcript: str, spans: str
) -> None:
    run_everything(runner, spans)
    spans_alone = counted(warehouse)
    assert overview(warehouse)["spend_usd"] == 5

    run_everything(runner, transcript)
    both, found = counted(warehouse), overview(warehouse)
    assert (found["workflows"], found["steps"]) == (4, 5)
    assert 0 < found["spend_usd"] < 5
    assert sum(each["execution_count"] for each in found["patterns"]) == 5
    for table in DERIVED:
        assert both[table], table
        assert not [row for row in both[table] if '"generic:r"' in row], table

    forget(warehouse, transcript)
    run_everything(runner, spans)
    assert counted(warehouse) == spans_alone

    forget(warehouse, spans)
    run_everything(runner, transcript)
    run_everything(runner, spans)
    assert counted(warehouse) == both
