"""Executions, realised ROI and confidence over HTTP; what they compute is proven where it is computed."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.review.rows import add_pattern, change_pattern, whole_database

API = "/api/v1"
SIGNATURE = "test:pytest:backend"


@pytest.fixture
def approved(warehouse: Warehouse, client: TestClient) -> str:
    """A pattern whose automation may be used."""
    pattern = add_pattern(warehouse, SIGNATURE)
    change_pattern(warehouse, pattern, detection_confidence=80)
    client.post(f"{API}/patterns/sync/run")
    assert client.post(f"{API}/patterns/{SIGNATURE}/approve", json={"version": 1}).status_code == 200
    return SIGNATURE


def execute(client: TestClient, number: int, *, success: bool = True) -> None:
    report = {"idempotency_key": f"run-{number}", "pattern": SIGNATURE, "success": success, "actual_cost": 0.01}
    assert client.post(f"{API}/roi/executions", json=report).status_code == 201


def test_an_execution_is_recorded_once_and_another_under_its_key_is_a_conflict(
    client: TestClient, warehouse: Warehouse, approved: str
) -> None:
    report = {"idempotency_key": "k", "pattern": approved, "success": True, "actual_cost": "0.25"}
    first = client.post(f"{API}/roi/executions", json=report)
    assert (first.status_code, first.json()["repeated"], first.json()["actual_cost"]) == (201, False, 0.25)
    before = whole_database(warehouse)["public.pattern_executions"]
    assert client.post(f"{API}/roi/executions", json=report).json()["repeated"] is True
    assert client.post(f"{API}/roi/executions", json={**report, "success": False}).status_code == 409
    assert whole_database(warehouse)["public.pattern_executions"] == before
    unknown = client.post(f"{API}/roi/executions", json={**report, "pattern": "no:such:pattern"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    wrong = client.post(f"{API}/roi/executions", json={**report, "actual_cost": -1})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "actual_cost")


def test_realised_roi_is_readable_by_pattern_and_together(client: TestClient, approved: str) -> None:
    for number in range(4):
        execute(client, number, success=number > 0)
    roi = client.get(f"{API}/roi/patterns/{approved}").json()
    assert (roi["total_executions"], roi["successful_executions"], roi["success_rate"]) == (4, 3, 0.75)
    assert client.get(f"{API}/roi/summary").json()["total_executions"] == 4
    report = client.get(f"{API}/roi/report/{approved}").json()
    assert report["summary"] == roi
    assert len(report["executions"]) == 4
    assert client.get(f"{API}/roi/effectiveness/{approved}").json()["effectiveness"] == roi["effectiveness"]
    for path in ("patterns", "report", "effectiveness"):
        assert client.get(f"{API}/roi/{path}/no:such:pattern").status_code == 404
    for path in ("top-performers", "underperformers"):
        assert client.get(f"{API}/roi/{path}", params={"limit": 5}).status_code == 200
        assert client.get(f"{API}/roi/{path}", params={"limit": 201}).status_code == 422


def test_confidence_follows_executions_and_a_dry_run_only_tells(
    client: TestClient, warehouse: Warehouse, approved: str
) -> None:
    for number in range(5):
        execute(client, number, success=False)
    change_pattern(warehouse, 1, confidence_score=80)
    before = whole_database(warehouse)
    for path in (f"update/{approved}", "update-all"):
        told = client.post(f"{API}/confidence/{path}", params={"dry_run": True}).json()
        assert [(row["old_confidence"], row["changed"]) for row in told] == [(80, True)]
    assert whole_database(warehouse) == before
    done = client.post(f"{API}/confidence/update/{approved}").json()
    assert done[0]["new_confidence"] < 80
    assert client.get(f"{API}/confidence/history/{approved}").json()[-1]["new_confidence"] == done[0]["new_confidence"]
    assert client.post(f"{API}/confidence/update-all").json()[0]["changed"] is False
    assert [row["action"] for row in client.get(f"{API}/confidence/recommendations").json()] == ["revoke"]
    for answer in (
        client.get(f"{API}/confidence/history/no:such:pattern"),
        client.post(f"{API}/confidence/update/no:such:pattern"),
    ):
        assert answer.status_code == 404
