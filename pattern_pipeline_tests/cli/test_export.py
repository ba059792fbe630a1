"""`export`: what it prints, and how it refuses."""

from pathlib import Path

import pytest

from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.cli.commands import call, document, refusal
from pattern_pipeline_tests.history.files import landed, record, write

pytestmark = pytest.mark.usefixtures("installation")


def test_history_is_written_and_counted(warehouse: Warehouse, tmp_path: Path) -> None:
    steps = [{"tool": "Bash", "command": "make", "timestamp": "2026-03-01T01:00:00Z"}]
    landed(warehouse, write(tmp_path / "runs.jsonl", [record(1, steps=steps), record(2)]))
    path = tmp_path / "history.xes"
    told = document("export", "--format", "xes", "-o", str(path))
    assert told == {"path": str(path), "format": "xes", "runs": 2, "events": 1}
    assert path.read_text().count("<trace>") == 2
    assert "is there already" in refusal(4, "export", "--format", "csv", "-o", str(path))
    said = call("export", "--format", "csv", "-o", str(path), "--force", "--since", "2026-03-01T02:00Z").stdout
    assert said == f"Wrote 1 runs with 0 steps to {path}.\n"
    assert "no time between" in refusal(
        2, "export", "--format", "csv", "-o", f"{path}2", "--since", "2026-03-02", "--until", "2026-03-01"
    )
    assert call("export", "--format", "xml", "-o", str(path)).exit_code == 2
