"""Every endpoint of the API on a real PostgreSQL: what it answers, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.review.rows import (
    add_estimate,
    add_occurrence,
    add_pattern,
    add_step,
    automation_status,
    change_pattern,
    connect,
    queue_row,
    whole_database,
)

API = "/api/v1/patterns"
SIGNATURE = "test:pytest:backend"
IN_A_YEAR = (datetime.now(UTC) + timedelta(days=365)).isoformat()


@pytest.fixture
def queued(warehouse: Warehouse, client: TestClient) -> int:
    """One pattern that waits for a decision; its number."""
    pattern = add_pattern(warehouse, SIGNATURE)
    assert client.post(f"{API}/sync/run").json()["synced_count"] == 1
    return pattern


def test_statistics_count_rows_by_status(client: TestClient, queued: int) -> None:
    client.post(f"{API}/{SIGNATURE}/approve", json={"version": 1})
    assert client.get(f"{API}/statistics").json() == {
        "pending": 0,
        "approved": 1,
        "rejected": 0,
        "auto_approved": 0,
        "auto_rejected": 0,
        "deferred": 0,
        "revoked": 0,
        "reopened": 0,
        "total": 1,
    }


def test_pending_lists_the_surest_value_first_and_money_as_numbers(client: TestClient, warehouse: Warehouse) -> None:
    for name, value in (("low", 10), ("high", 900), ("unknown", None)):
        add_pattern(warehouse, f"test:pytest:{name}", npv_p10=value)
    client.post(f"{API}/sync/run")
    rows = client.get(f"{API}/pending", params={"limit": 2}).json()
    assert [row["pattern_signature"] for row in rows] == ["test:pytest:high", "test:pytest:low"]
    assert rows[0]["npv_p10"] == 900.0
    assert len(client.get(f"{API}/pending").json()) == 3


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "pyt"}, ["test:pytest:backend", "test:pytest:frontend"]),
        ({"q": "pytest FRONT"}, ["test:pytest:frontend"]),
        ({"q": "nothing"}, []),
        ({"q": "!?"}, []),
        ({"type": "git"}, ["git:push:origin"]),
        ({"type": "unknown"}, []),
        ({"status": "approved"}, ["git:push:origin"]),
        ({"status": "deferred"}, []),
        ({"needs_review": True}, []),
        ({"sort": "occurrences"}, ["git:push:origin", "test:pytest:frontend", "test:pytest:backend"]),
        ({"sort": "confidence"}, ["test:pytest:backend", "git:push:origin", "test:pytest:frontend"]),
        ({"sort": "savings"}, ["test:pytest:frontend", "test:pytest:backend", "git:push:origin"]),
        ({"sort": "impact"}, ["git:push:origin", "test:pytest:backend", "test:pytest:frontend"]),
        ({"sort": "impact_score"}, ["git:push:origin", "test:pytest:backend", "test:pytest:frontend"]),
        ({"sort": "occurrence_count"}, ["git:push:origin", "test:pytest:frontend", "test:pytest:backend"]),
    ],
)
def test_the_list_filters_searches_and_sorts(
    client: TestClient, warehouse: Warehouse, query: dict[str, Any], expected: list[str]
) -> None:
    backend = add_pattern(warehouse, "test:pytest:backend", npv_p10=30, occurrences=5, confidence=95, savings=20)
    add_pattern(warehouse, "test:pytest:frontend", npv_p10=20, occurrences=6, confidence=70, savings=30)
    push = add_pattern(warehouse, "git:push:origin", npv_p10=10, occurrences=7, confidence=80, savings=10)
    change_pattern(warehouse, backend, impact_score=1)
    change_pattern(warehouse, push, impact_score=2)
    client.post(f"{API}/sync/run")
    client.post(f"{API}/git:push:origin/approve", json={"version": 1})
    found = client.get(API, params=query).json()
    assert [row["pattern_signature"] for row in found["items"]] == expected
    assert found["next_cursor"] is None


@pytest.mark.parametrize("sort", ["value", "savings", "impact", "confidence", "occurrences", "newest"])
def test_pages_continue_without_gap_or_repetition_also_over_equal_and_unknown_values(
    client: TestClient, warehouse: Warehouse, sort: str
) -> None:
    for number in range(7):
        known = number < 4
        add_pattern(
            warehouse,
            f"test:pytest:n{number}",
            npv_p10=number // 2 if known else None,
            savings=number // 2 if known else None,
            confidence=70 + number // 2,
            occurrences=5 + number // 3,
        )
    client.post(f"{API}/sync/run")
    whole = [r["pattern_signature"] for r in client.get(API, params={"sort": sort}).json()["items"]]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = client.get(API, params={"sort": sort, "limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [row["pattern_signature"] for row in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == whole
    assert len(seen) == 7


@pytest.mark.parametrize(
    "cursor",
    ["!", "YQ==", "dmFsdWV8MWU5OTk5fDE=", "dmFsdWV8TmFOfDE=", "c2F2aW5nc3wxfDE=", "dmFsdWV8MXw5OTk5OTk5OTk5OTk5", "ü"],
)
def test_a_cursor_that_was_not_given_out_is_a_wrong_field(client: TestClient, cursor: str) -> None:
    answer = client.get(API, params={"cursor": cursor})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "cursor")


def test_the_detail_has_the_evidence_the_estimate_the_queue_and_the_history(
    client: TestClient, warehouse: Warehouse, queued: int
) -> None:
    add_occurrence(warehouse, queued, "run-1", "2026-09-01")
    client.post(f"{API}/{SIGNATURE}/comment", json={"comment": "Looks right"})
    found = client.get(f"{API}/{SIGNATURE}").json()
    assert found["pattern"]["pattern_signature"] == SIGNATURE
    assert (found["queue"]["status"], found["queue"]["version"]) == ("pending", 1)
    assert (found["estimate"]["net_p10"], found["estimate"]["net_p90"]) == (50.0, 150.0)
    assert found["in_words"]["verdict"].startswith("Worth automating")
    assert [row["workflow_id"] for row in found["examples"]] == ["run-1"]
    assert [row["action"] for row in found["history"]] == ["commented"]
    assert client.get(f"{API}/{queued}").json()["pattern"] == found["pattern"]


def test_destructive_commands_are_warned_of_in_the_detail_and_on_the_page(
    client: TestClient, warehouse: Warehouse, queued: int
) -> None:
    add_occurrence(warehouse, queued, "run-1", "2026-09-01")
    add_step(warehouse, queued, "run-1", "pytest -k 'git push --force'")
    assert client.get(f"{API}/{SIGNATURE}").json()["destructive"] == []
    assert "Destructive commands" not in client.get(f"/patterns/{SIGNATURE}").text
    add_occurrence(warehouse, queued, "run-2", "2026-09-02")
    add_step(warehouse, queued, "run-2", "pytest && sudo rm -rf '<b>out</b>'")
    assert client.get(f"{API}/{SIGNATURE}").json()["destructive"] == ["sudo rm -rf '<b>out</b>'"]
    page = client.get(f"/patterns/{SIGNATURE}").text
    assert "Destructive commands" in page
    assert "sudo rm -rf &#39;&lt;b&gt;out&lt;/b&gt;&#39;" in page


def test_a_sequence_shows_its_steps_and_is_warned_of_for_what_they_run(
    client: TestClient, warehouse: Warehouse, queued: int
) -> None:
    sequence = add_pattern(warehouse, "seq:pull-reset:1")
    change_pattern(warehouse, sequence, kind="sequence", readable="git:pull > git:reset")
    templates = ["git pull", "git reset --hard <str>"]
    with connect(warehouse) as connection:
        connection.execute(
            "INSERT INTO sequence_catalog (signature, kind, elements, readable, workflows, days, automatable)"
            " VALUES ('seq:pull-reset:1', 'sequence', %s, 'git:pull > git:reset', 1, 1, true)",
            (templates,),
        )
        for template in templates:
            connection.execute("INSERT INTO command_templates (template) VALUES (%s)", (template,))
    add_occurrence(warehouse, sequence, "run-1", "2026-09-01")
    add_step(warehouse, queued, "run-1", "git pull", template=templates[0])
    add_step(warehouse, queued, "run-1", "git reset --hard 4f2a", template=templates[1])
    add_step(warehouse, queued, "run-1", "rm -rf elsewhere")
    found = client.get(f"{API}/seq:pull-reset:1").json()
    assert found["elements"] == templates
    assert [example["evidence"] for example in found["examples"]] == ["git pull\ngit reset --hard 4f2a"]
    assert found["destructive"] == ["git reset --hard 4f2a"]
    page = client.get("/patterns/seq:pull-reset:1").text
    assert "<h1>Git pull → git reset</h1>" in page
    assert "<code>git reset --hard &lt;str&gt;</code>" in page


def test_a_fix_is_warned_of_for_what_its_check_runs(client: TestClient, warehouse: Warehouse, queued: int) -> None:
    fix = add_pattern(warehouse, "fix:pytest:backend")
    with connect(warehouse) as connection:
        connection.execute(
            "INSERT INTO sequence_catalog (signature, kind, elements, readable, workflows, days, automatable)"
            " VALUES ('fix:pytest:backend', 'error_fix', %s, 'fails > change > passes', 1, 1, true)",
            ([SIGNATURE],),
        )
    add_occurrence(warehouse, fix, "run-1", "2026-09-01")
    add_step(warehouse, queued, "run-1", "pytest; git reset --hard")
    assert client.get(f"{API}/fix:pytest:backend").json()["destructive"] == ["git reset --hard"]


def test_a_detected_pattern_has_a_detail_before_it_is_queued(client: TestClient, warehouse: Warehouse) -> None:
    add_pattern(warehouse, SIGNATURE, verdict=None)
    found = client.get(f"{API}/{SIGNATURE}").json()
    assert (found["queue"], found["estimate"], found["history"]) == (None, None, [])
    assert client.get(f"{API}/{SIGNATURE}/history").json() == []


def test_no_route_shadows_a_pattern_whose_signature_is_made_of_route_names(
    client: TestClient, warehouse: Warehouse
) -> None:
    for signature in ("statistics:pending:sync", "sync:run:all", "a+b:c.d:..", f"x:{'long-' * 300}:y"):
        add_pattern(warehouse, signature)
        client.post(f"{API}/sync/run")
        assert client.get(f"{API}/{signature}").json()["pattern"]["pattern_signature"] == signature
        assert client.get(f"{API}/{signature}/history").json() == []
        done = client.post(f"{API}/{signature}/approve", json={"version": 1})
        assert (done.status_code, done.json()["pattern_id"]) == (200, signature)


@pytest.mark.parametrize(
    "reference", ["no:such:pattern", "999999", "99999999999999999999", "a%00b", "%2e%2e", "'; --", "🙂"]
)
def test_an_unknown_pattern_is_404_everywhere(client: TestClient, reference: str) -> None:
    for answer in (
        client.get(f"{API}/{reference}"),
        client.get(f"{API}/{reference}/history"),
        client.post(f"{API}/{reference}/approve", json={"version": 1}),
        client.post(f"{API}/{reference}/comment", json={"comment": "x"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_decision_goes_through_its_whole_life(client: TestClient, warehouse: Warehouse, queued: int) -> None:
    steps = [
        ("defer", {"reason": "After the release", "until": IN_A_YEAR}, "deferred", "in_review"),
        ("approve", {"notes": "Do it"}, "approved", "approved"),
        ("revoke", {"reason": "It broke"}, "revoked", "deprecated"),
        ("reopen", {"reason": "It is fixed"}, "pending", "in_review"),
        ("reject", {"reason": "Not worth it"}, "rejected", "rejected"),
    ]
    for version, (action, body, status, automation) in enumerate(steps, start=1):
        done = client.post(f"{API}/{SIGNATURE}/{action}", json={"version": version, **body})
        assert done.status_code == 200, done.text
        assert (done.json()["status"], done.json()["version"]) == (status, version + 1)
        assert automation_status(warehouse, queued) == automation
    rows = client.get(f"{API}/{SIGNATURE}/history").json()
    assert [row["action"] for row in rows] == ["deferred", "approved", "revoked", "reopened", "rejected"]
    assert [row["notes"] for row in rows] == ["After the release", "Do it", "It broke", "It is fixed", "Not worth it"]


@pytest.mark.parametrize("action", ["reject", "defer", "revoke", "reopen"])
@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " \n"}, {"reason": "a\x00b"}, {"reason": 7}])
def test_a_reason_is_needed_and_the_field_is_named(
    client: TestClient, queued: int, action: str, body: dict[str, Any]
) -> None:
    answer = client.post(f"{API}/{SIGNATURE}/{action}", json={"version": 1, **body})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "reason"


@pytest.mark.parametrize("action", ["approve", "reject", "defer", "revoke", "reopen"])
def test_a_decision_without_its_version_is_428(client: TestClient, queued: int, action: str) -> None:
    body = {} if action == "approve" else {"reason": "why"}
    answer = client.post(f"{API}/{SIGNATURE}/{action}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (428, "version_required")


def test_an_approval_without_any_body_misses_its_version(client: TestClient, queued: int) -> None:
    answer = client.post(f"{API}/{SIGNATURE}/approve")
    assert (answer.status_code, answer.json()["code"]) == (428, "version_required")


def test_the_description_is_also_where_tools_look_for_it(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    assert described == client.get("/api/v1/openapi.json").json()
    assert "/api/v1/patterns/{pattern}/approve" in described["paths"]


@pytest.mark.parametrize(("action", "body"), [("revoke", {"reason": "x"}), ("reopen", {"reason": "x"})])
def test_what_the_status_does_not_allow_is_a_conflict(
    client: TestClient, warehouse: Warehouse, queued: int, action: str, body: dict[str, Any]
) -> None:
    before = whole_database(warehouse)
    answer = client.post(f"{API}/{SIGNATURE}/{action}", json={"version": 1, **body})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert whole_database(warehouse) == before


def test_a_decision_upon_drifted_evidence_is_a_conflict(client: TestClient, warehouse: Warehouse, queued: int) -> None:
    add_estimate(warehouse, queued, "second", net=(500, 600, 700))
    answer = client.post(f"{API}/{SIGNATURE}/approve", json={"version": 1, "evidence_hash": "first"})
    assert answer.status_code == 409
    assert queue_row(warehouse, queued)["status"] == "pending"


@pytest.mark.parametrize(
    "until",
    ["2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "2030-01-01T00:00:00", "soon"],
)
def test_a_deferral_ends_in_a_future_that_can_be_stored(client: TestClient, queued: int, until: str) -> None:
    answer = client.post(f"{API}/{SIGNATURE}/defer", json={"version": 1, "reason": "x", "until": until})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "until")


def test_limits_are_checked(client: TestClient) -> None:
    for path in (f"{API}/pending", API):
        for limit in ("0", "201", "-1", "many"):
            answer = client.get(path, params={"limit": limit})
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "limit")


def test_a_body_that_is_no_json_or_too_large_is_refused(client: TestClient, queued: int) -> None:
    url, kind = f"{API}/{SIGNATURE}/approve", {"content-type": "application/json"}
    assert client.post(url, content=b"{", headers=kind).status_code == 422
    assert client.post(url, content=b" " * 300_000, headers=kind).status_code == 413
    assert client.post(url, content=iter([b"{}"]), headers=kind).status_code == 411


def test_a_sync_takes_a_filter_or_a_preset(client: TestClient, warehouse: Warehouse) -> None:
    add_pattern(warehouse, "test:pytest:small", savings=10)
    add_pattern(warehouse, "test:pytest:large", savings=5000)
    add_pattern(warehouse, "git:push:doubtful", verdict="insufficient_evidence", npv_p10=None, net=None)
    assert client.get(f"{API}/sync/statistics").json()["pending_sync"] == 2
    only_git = client.post(f"{API}/sync/run", json={"only_types": ["git"]}).json()
    assert only_git["synced_count"] == 0
    assert client.post(f"{API}/sync/high-priority").json()["synced_pattern_ids"] == ["test:pytest:large"]
    assert client.post(f"{API}/sync/run").json()["synced_pattern_ids"] == ["test:pytest:small"]
    assert client.post(f"{API}/sync/all").json()["synced_pattern_ids"] == ["git:push:doubtful"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"max_patterns": 201}, "max_patterns"),
        ({"min_confidence": 101}, "min_confidence"),
        ({"min_occurrences": 10**30}, "min_occurrences"),
        ({"only_types": ["test'; DROP TABLE x; --"]}, "only_types"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_filter_out_of_range_names_its_field(client: TestClient, body: dict[str, Any], field: str) -> None:
    answer = client.post(f"{API}/sync/run", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


@pytest.mark.parametrize("endpoint", ["run", "high-priority", "all"])
def test_a_dry_run_changes_not_a_byte_of_the_database(client: TestClient, warehouse: Warehouse, endpoint: str) -> None:
    decided = add_pattern(warehouse, "test:pytest:decided", savings=5000)
    client.post(f"{API}/sync/run")
    client.post(f"{API}/test:pytest:decided/approve", json={"version": 1})
    add_estimate(warehouse, decided, "second", net=(500, 600, 700))
    change_pattern(warehouse, decided, occurrence_count=99)
    add_pattern(warehouse, "test:pytest:new", savings=5000)
    before = whole_database(warehouse)
    told = client.post(f"{API}/sync/{endpoint}", params={"dry_run": True}).json()
    assert (told["dry_run"], told["synced_pattern_ids"]) == (True, ["test:pytest:new"])
    assert told["flagged_pattern_ids"] == ["test:pytest:decided"]
    assert whole_database(warehouse) == before
    done = client.post(f"{API}/sync/{endpoint}").json()
    assert (done["synced_pattern_ids"], done["flagged_pattern_ids"]) == (
        told["synced_pattern_ids"],
        told["flagged_pattern_ids"],
    )


def test_health_and_metrics_tell_how_the_installation_is(client: TestClient, queued: int) -> None:
    health = client.get("/api/v1/system/health").json()
    assert (health["status"], health["schema_version"]) == ("ok", health["expected_schema_version"])
    assert health["queue_age_seconds"] >= 0
    for path in ("/metrics", "/api/v1/metrics"):
        text = client.get(path).text
        assert 'pattern_pipeline_queue_patterns{status="pending"} 1.0' in text
        assert 'endpoint="sync.run",status="200"' in text


def test_every_problem_is_of_the_standard_and_unknown_paths_too(client: TestClient) -> None:
    for answer in (client.get("/api/v1/nothing"), client.delete(f"{API}/statistics")):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json().keys() == {"type", "title", "status", "detail", "code", "errors"}
        assert answer.json()["status"] == answer.status_code
