"""What the pages do besides the decisions: as forms, without a browser."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.review.rows import add_occurrence, add_pattern, add_step, queued, whole_database
from pattern_pipeline_tests.web.test_access import form_token


def sync(client: TestClient, **fields: str) -> str:
    answer = client.post("/sync", data={"form_token": form_token(client), **fields})
    assert answer.status_code == 200
    return answer.text


def test_the_preset_that_lets_everything_in_tells_what_would_happen_before_it_is_confirmed(
    client: TestClient, warehouse: Warehouse
) -> None:
    doubtful = add_pattern(warehouse, "test:pytest:all", verdict="not_worth_automating")
    before = whole_database(warehouse)
    told = sync(client, preset="all")
    assert "1 pattern would enter the queue by the preset all" in told
    assert "also adds what is not worth automating" in told
    assert whole_database(warehouse) == before
    assert "1 pattern entered the queue" in sync(client, preset="all", confirmed="true")
    assert queued(warehouse) == [doubtful]


@pytest.mark.parametrize("preset", ["smart", "high-priority"])
def test_what_a_dry_run_told_can_be_done_from_where_it_was_told(
    client: TestClient, warehouse: Warehouse, preset: str
) -> None:
    pattern = add_pattern(warehouse, "test:pytest:all")
    assert "Add 1 pattern to the queue" in sync(client, preset=preset, dry_run="true")
    assert queued(warehouse) == []
    assert "Add 1 pattern" not in sync(client, preset=preset)
    assert queued(warehouse) == [pattern]


def test_an_unknown_preset_is_refused_with_the_known_ones(client: TestClient) -> None:
    answer = client.post("/sync", data={"form_token": form_token(client), "preset": "wild"})
    assert answer.status_code == 422
    assert "high-priority" in answer.text


def test_a_row_of_the_list_shows_what_the_pattern_looks_like_when_it_is_run(
    client: TestClient, warehouse: Warehouse
) -> None:
    pattern = add_pattern(warehouse, "test:pytest:all")
    add_occurrence(warehouse, pattern, "run-1", "2026-09-01")
    add_step(warehouse, pattern, "run-1", "uv run pytest -x <tests>")
    client.post("/api/v1/patterns/sync/run")
    assert "<code>uv run pytest -x &lt;tests&gt;</code>" in client.get("/").text
