"""Any sequence of edits and ingests ends in the tables that one ingest of the final files gives."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.history.batches import wipe
from pattern_pipeline_tests.history.files import landed, lines, record, write
from pattern_pipeline_tests.tables import snapshot

NAMES = ("a", "b", "c")

# Few ids, times and texts, so that files overlap, correct and contradict each other.
records = st.builds(
    lambda number, status, hour, minute, text, cost, steps: record(
        number,
        status=status,
        started_at=f"2026-03-01T{hour:02d}:00:00Z",
        ended_at=f"2026-03-01T{hour:02d}:{minute:02d}:00Z" if status != "running" else None,
        task_text=text,
        cost_usd=cost,
        steps=[{"tool": "bash", "command": f"make {step}", "tool_call_id": f"call-{step}"} for step in range(steps)],
    ),
    number=st.integers(0, 2),
    status=st.sampled_from(["running", "completed", "failed"]),
    hour=st.integers(1, 2),
    minute=st.sampled_from([10, 20]),
    text=st.sampled_from(["build", "test"]),
    cost=st.sampled_from(["0.1", "0.2"]),
    steps=st.integers(0, 2),
)
contents = st.builds(
    lambda first, others: [first, *others], records, st.lists(records | st.just("not JSON"), max_size=3)
)
writes = st.tuples(st.just("write"), st.sampled_from(NAMES), contents)
appends = st.tuples(st.just("append"), st.sampled_from(NAMES), contents)
ingests = st.tuples(st.just("ingest"), st.permutations(NAMES), st.integers(1, 3))


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A directory that each example may empty."""
    path = tmp_path / "sources"
    path.mkdir()
    yield path


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=st.lists(writes | appends | ingests, min_size=2, max_size=8), order=st.permutations(NAMES))
def test_the_order_of_edits_and_ingests_does_not_matter(
    module_warehouse: Warehouse, directory: Path, operations: list[tuple[str, Any, Any]], order: Sequence[str]
) -> None:
    shutil.rmtree(directory)
    directory.mkdir()
    wipe(module_warehouse)
    for operation, target, detail in operations:
        if operation == "ingest":
            ingest(module_warehouse, directory, target[:detail])
        else:
            edit(directory / f"{target}.jsonl", detail, append=operation == "append")
    ingest(module_warehouse, directory, order)
    found = snapshot(module_warehouse)

    wipe(module_warehouse)
    ingest(module_warehouse, directory, NAMES)
    assert found == snapshot(module_warehouse)


def ingest(warehouse: Warehouse, directory: Path, names: Sequence[str]) -> None:
    """Lands those of the files that exist, in this order."""
    if paths := [path for name in names if (path := directory / f"{name}.jsonl").exists()]:
        landed(warehouse, *paths)


def edit(path: Path, content: Sequence[Mapping[str, Any] | str], *, append: bool) -> None:
    """Replaces the file, or lets it grow."""
    if append and path.exists():
        path.write_text(path.read_text() + lines(content))
    else:
        write(path, content)
