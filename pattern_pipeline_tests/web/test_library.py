"""The library over HTTP: every operation has its endpoint; what they do is proven where it is done."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pattern_pipeline.library.service import _HANDLERS
from pattern_pipeline_tests.library.shelves import template
from pattern_pipeline_tests.web.conftest import TOKENS, local_client

API = "/api/v1/library"
NOBODY = str(UUID(int=0))


@pytest.fixture
def pattern(client: TestClient) -> str:
    answer = client.post(f"{API}/insert", json={"template": template("a", tags=["x"])})
    assert answer.status_code == 201
    return str(answer.json()["data"]["id"])


def test_every_operation_has_its_endpoint(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    assert {f"{API}/{name.replace('_', '-')}" for name in _HANDLERS} <= set(paths)


def test_a_success_is_the_result_of_the_operation_with_numbers_as_numbers(client: TestClient, pattern: str) -> None:
    given = str(uuid4())
    use = {"pattern_id": pattern, "success": True, "quality_before": 0.6, "quality_after": 0.85}
    answer = client.post(f"{API}/record-usage", json={**use, "correlation_id": given})
    assert answer.status_code == 201
    result = answer.json()
    assert (result["success"], result["error"], result["data"]["quality_improvement"]) == (True, None, 0.25)
    assert (result["metadata"]["operation"], result["metadata"]["correlation_id"]) == ("record_usage", given)
    found = client.get(f"{API}/get-by-id", params={"pattern_id": pattern}).json()["data"]
    assert (found["usage_count"], found["success_rate"]) == (1, 1)
    for path, parameters in (
        ("search", {"query": "a", "min_confidence_score": 0.5}),
        ("filter", {"tags": ["x"]}),
        ("get-top", {}),
        ("get-by-type", {"pattern_type": "operation"}),
        ("effectiveness", {"pattern_id": pattern}),
    ):
        data = client.get(f"{API}/{path}", params=parameters).json()["data"]
        assert [row["id"] for row in data] == [pattern], path
    queried = client.post(f"{API}/query", json={"where": {"usage_count": {"ge": 1}}})
    assert (queried.status_code, queried.json()["metadata"]["result_count"]) == (200, 1)
    assert client.get(f"{API}/latency").json()
    assert client.get(f"{API}/health").json()["healthy"] is True


def test_a_failure_is_a_problem_with_the_type_as_its_code(client: TestClient, pattern: str) -> None:
    given = str(uuid4())
    duplicate = client.post(f"{API}/insert", json={"template": template("a"), "correlation_id": given})
    assert duplicate.headers["content-type"] == "application/problem+json"
    assert (duplicate.status_code, duplicate.json()["code"]) == (409, "unique_violation")
    assert duplicate.headers["x-correlation-id"] == given
    batch = client.post(f"{API}/batch-insert", json={"templates": [template("b"), template("a")]})
    assert (batch.status_code, batch.json()["detail"].partition(":")[0]) == (409, "template 1 of the batch")
    assert [each["field"] for each in batch.json()["errors"]] == ["templates.1"]
    blank = client.post(f"{API}/insert", json={"template": template(" ")}).json()
    assert blank["detail"] == "template.pattern_name: must not be blank"
    orphan = client.post(f"{API}/insert", json={"template": template("c", parent_pattern_id=NOBODY)})
    assert (orphan.status_code, orphan.json()["code"]) == (422, "foreign_key_violation")
    unknown = client.get(f"{API}/get-by-id", params={"pattern_id": NOBODY})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    wrong = client.post(f"{API}/update", json={"pattern_id": pattern, "fields": {"usage_count; --": 1}})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid")
    assert client.get(f"{API}/get-top", params={"limit": 1001}).status_code == 422
    assert client.get(f"{API}/get-top", params={"order": "id; --"}).status_code == 422
    broken = client.post(
        f"{API}/insert",
        content=b'{"template": {"pattern_name": "a\\ud800", "context": {"\\ud800": 1}}}',
        headers={"Content-Type": "application/json"},
    )
    assert broken.status_code == 422


def test_a_draft_is_text_and_a_deprecated_template_has_none(client: TestClient, pattern: str) -> None:
    draft = client.get(f"{API}/export", params={"pattern_id": pattern, "format": "script"}).json()
    assert 'git diff "${path_1}"' in draft["text"]
    assert client.get(f"{API}/export", params={"pattern_id": pattern, "format": "exe"}).status_code == 422
    client.post(f"{API}/update", json={"pattern_id": pattern, "fields": {"is_deprecated": True}})
    assert client.get(f"{API}/export", params={"pattern_id": pattern, "format": "skill"}).status_code == 409
    assert client.get(f"{API}/export", params={"pattern_id": NOBODY, "format": "skill"}).status_code == 404


def test_a_viewer_reads_and_only_a_reviewer_changes(with_tokens: FastAPI) -> None:
    with local_client(with_tokens, address="10.0.0.9", host="review.example") as client:
        assert client.get(f"{API}/get-top").status_code == 401
        viewer = {"Authorization": f"Bearer {TOKENS['vic']}"}
        reviewer = {"Authorization": f"Bearer {TOKENS['ada']}"}
        assert client.get(f"{API}/get-top", headers=viewer).status_code == 200
        assert client.post(f"{API}/query", json={}, headers=viewer).status_code == 200
        body = {"template": template("a")}
        assert client.post(f"{API}/insert", json=body, headers=viewer).status_code == 403
        stored = client.post(f"{API}/insert", json=body, headers=reviewer).json()["data"]
        found = client.get(f"{API}/get-by-id", params={"pattern_id": stored["id"]}, headers=viewer).json()
        assert found["data"]["created_by"] == "ada"
        elsewhere = {**reviewer, "Origin": "https://elsewhere.example"}
        assert client.post(f"{API}/insert", json=body, headers=elsewhere).status_code == 403
