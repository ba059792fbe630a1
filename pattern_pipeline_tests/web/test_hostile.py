"""What must hold when things go wrong at once: races, a database that goes away, texts that are attacks."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from psycopg import sql

from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.migrations import verify
from pattern_pipeline.warehouse.urls import parse, with_database
from pattern_pipeline.web.pages.wording import title
from pattern_pipeline_tests.review.rows import add_estimate, add_occurrence, add_pattern, add_step, connect, queue_row
from pattern_pipeline_tests.web.conftest import local_client
from pattern_pipeline_tests.web.test_access import form_token

API = "/api/v1/patterns"
SIGNATURE = "test:pytest:backend"
ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE pattern_approvals; --",
    "1' OR '1'='1",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "%(pattern_id)s :name $1 \\",
    "javascript:alert(1)",
    "</textarea><svg onload=alert(1)>",
    "\u202egnp.exe",
    "ﷺ" * 500 + "🏳️‍🌈 e\u0301",
)


@pytest.fixture
def queued(warehouse: Warehouse, client: TestClient) -> int:
    pattern = add_pattern(warehouse, SIGNATURE)
    client.post(f"{API}/sync/run")
    return pattern


def test_of_many_reviewers_at_once_one_decides_and_the_others_are_told(
    app: FastAPI, warehouse: Warehouse, queued: int
) -> None:
    start = threading.Barrier(6)

    def decide(number: int) -> int:
        action = ("approve", "reject", "defer")[number % 3]
        start.wait()
        return (
            local_client(app)
            .post(
                f"{API}/{SIGNATURE}/{action}",
                json={"version": 1} | ({} if action == "approve" else {"reason": f"number {number}"}),
            )
            .status_code
        )

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(decide, range(6)))
    assert answers == [200, 409, 409, 409, 409, 409]
    assert queue_row(warehouse, queued)["version"] == 2
    with connect(warehouse) as connection:
        assert connection.execute("SELECT count(*) FROM pattern_review_history").fetchone() == (1,)
        assert verify(connection) == []


def test_a_decision_upon_a_stale_page_shows_what_happened_and_keeps_what_was_typed(
    client: TestClient, warehouse: Warehouse, queued: int
) -> None:
    token = form_token(client)
    client.post(f"{API}/{SIGNATURE}/approve", json={"version": 1})
    answer = client.post(
        f"/patterns/{SIGNATURE}/decision",
        data={"form_token": token, "action": "reject", "version": "1", "reason": "My long thought"},
    )
    assert answer.status_code == 409
    assert "has changed since version 1: it is approved" in html.unescape(answer.text)
    assert queue_row(warehouse, queued)["status"] == "approved"


def test_syncs_while_people_decide_lose_nothing_and_double_nothing(app: FastAPI, warehouse: Warehouse) -> None:
    signatures = [f"test:pytest:n{number}" for number in range(12)]
    for signature in signatures:
        add_pattern(warehouse, signature)
    local_client(app).post(f"{API}/sync/run")
    for signature in signatures:
        add_pattern(warehouse, f"{signature}-new")

    def sync(_: int) -> int:
        return local_client(app).post(f"{API}/sync/all").status_code

    def decide(signature: str) -> int:
        return local_client(app).post(f"{API}/{signature}/approve", json={"version": 1}).status_code

    with ThreadPoolExecutor(6) as pool:
        syncs, decisions = pool.map(sync, range(4)), pool.map(decide, signatures)
        assert [*syncs, *decisions] == [200] * 16
    counts = local_client(app).get(f"{API}/statistics").json()
    assert (counts["approved"], counts["pending"], counts["total"]) == (12, 12, 24)
    with connect(warehouse) as connection:
        assert connection.execute("SELECT count(*) FROM pattern_review_history").fetchone() == (12,)
        assert verify(connection) == []


@contextmanager
def gone(warehouse: Warehouse) -> Iterator[None]:
    """The database ends all connections and takes no new ones."""
    name = sql.Identifier(parse(warehouse.libpq_url).database or "")
    with psycopg.connect(with_database(warehouse.libpq_url, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [parse(warehouse.libpq_url).database],
        )
        try:
            yield
        finally:
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))


def test_a_database_that_goes_away_is_503_and_the_service_recovers(
    client: TestClient, warehouse: Warehouse, queued: int
) -> None:
    token = form_token(client)
    with gone(warehouse):
        for answer in (
            client.get(f"{API}/statistics"),
            client.get(f"{API}/{SIGNATURE}"),
            client.post(f"{API}/{SIGNATURE}/approve", json={"version": 1}),
            client.post(f"{API}/sync/run"),
            client.get("/api/v1/system/health"),
            client.get("/metrics"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (503, "database_down")
            assert not re.search("SELECT|psycopg|connection", answer.text)
        page = client.get("/")
        assert page.status_code == 503
        assert "The database does not answer" in page.text
        decision = {"form_token": token, "action": "approve", "version": "1"}
        assert client.post(f"/patterns/{SIGNATURE}/decision", data=decision).status_code == 503
    assert client.get(f"{API}/{SIGNATURE}/history").json() == []
    assert client.post(f"{API}/{SIGNATURE}/approve", json={"version": 1}).status_code == 200


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_stored_as_text_and_shown_as_text(
    client: TestClient, warehouse: Warehouse, queued: int, attack: str
) -> None:
    decision = {"version": 1, "reason": attack, "evidence_hash": None}
    assert client.post(f"{API}/{SIGNATURE}/reject", json=decision).status_code == 200
    assert client.post(f"{API}/{SIGNATURE}/comment", json={"comment": attack}).status_code == 200
    assert [row["notes"] for row in client.get(f"{API}/{SIGNATURE}/history").json()] == [attack.strip()] * 2
    with connect(warehouse) as connection:
        connection.execute("UPDATE operation_patterns SET readable = %s", (attack,))
        connection.execute("UPDATE pattern_approvals SET tool_sequence = %s", (attack,))
    for path in (f"/patterns/{SIGNATURE}", "/?status=all"):
        text = client.get(path).text
        assert title(attack) in html.unescape(text)
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "<svg onload" not in text
    for path in ("/", API):
        for field in ("q", "type", "cursor", "status", "sort"):
            assert client.get(path, params={field: attack}).status_code in (200, 422)


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_the_history_of_agents_is_shown_as_text(
    client: TestClient, warehouse: Warehouse, queued: int, attack: str
) -> None:
    add_occurrence(warehouse, queued, attack, "2026-09-01")
    with connect(warehouse) as connection:
        connection.execute("INSERT INTO command_templates (template) VALUES (%s)", (attack,))
        connection.execute(
            "INSERT INTO detection_evidence (layer, rule_id, matched_text) VALUES ('step', %(x)s, %(x)s)", {"x": attack}
        )
        connection.execute(
            "UPDATE pattern_occurrences SET evidence_id = (SELECT max(evidence_id) FROM detection_evidence)"
        )
        connection.execute("UPDATE workflow_history SET project = %(x)s, nl_input = %(x)s", {"x": attack})
        connection.execute(
            "INSERT INTO sequence_catalog (signature, kind, elements, readable, workflows, days, automatable)"
            " VALUES (%s, 'sequence', %s, 'x', 1, 1, true)",
            (SIGNATURE, [attack]),
        )
    add_step(warehouse, queued, attack, f"{attack} first", template=attack)
    with connect(warehouse) as connection:
        connection.execute("UPDATE tool_calls SET success = false, error_message = %s", (f"{attack} second",))
        connection.execute("UPDATE pattern_approvals SET needs_review = true, review_reason = %s", (f"{attack} third",))
    detail, listed = (client.get(path).text for path in (f"/patterns/{SIGNATURE}", "/?status=all"))
    for shown, page in (
        (f"{attack} first", detail),
        (f"{attack} second", detail),
        (f"{attack} third", detail),
        (attack, listed),
    ):
        assert shown[:400] in html.unescape(page)
    for page in (detail, listed):
        assert not re.search(r"<script>alert|<img src=x|<svg onload", page)
    assert client.get(f"{API}/{SIGNATURE}").json()["examples"] == []
    assert client.get(f"{API}/{SIGNATURE}").json()["counter_examples"][0]["workflow_id"] == attack


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_in_any_field_of_a_request_is_refused_or_kept_as_text(
    client: TestClient, warehouse: Warehouse, queued: int, attack: str
) -> None:
    body: dict[str, Any]
    for path, body in (
        ("approve", {"version": attack}),
        ("defer", {"version": 1, "reason": "x", "until": attack}),
        ("sync/run", {"only_types": [attack]}),
        ("sync/run", {"exclude_types": [attack]}),
        ("sync/run", {"min_savings": attack}),
        ("sync/run", {attack: 1}),
    ):
        url = f"{API}/{path}" if "/" in path else f"{API}/{SIGNATURE}/{path}"
        assert client.post(url, json=body).status_code == 422
    for path in (f"/patterns/{SIGNATURE}", f"/api/v1/roi/patterns/{quote(attack, safe='')}", "/"):
        assert client.get(path, params={"back": attack, "decide": "approve", "done": attack}).status_code in (
            200,
            404,
            422,
        )
    assert queue_row(warehouse, queued)["status"] == "pending"
    with connect(warehouse) as connection:
        assert verify(connection) == []


def test_a_fault_that_nobody_expected_tells_nothing_and_keeps_the_headers(
    client: TestClient, warehouse: Warehouse, queued: int
) -> None:
    with connect(warehouse) as connection:
        connection.execute("ALTER TABLE roi_estimates RENAME TO elsewhere")
        connection.execute("DROP VIEW v_queue_entries")
    for path in (API, "/"):
        answer = client.get(path)
        assert answer.status_code == 500
        assert not re.search("v_queue_entries|SELECT|psycopg|Traceback|Undefined", answer.text)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert client.get(API).json()["code"] == "internal"


def test_a_database_that_goes_away_in_the_middle_of_a_decision_leaves_no_half_of_it(
    app: FastAPI, client: TestClient, warehouse: Warehouse, queued: int
) -> None:
    waiting = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(warehouse.libpq_url) as holding, ThreadPoolExecutor(1) as pool:
        # The decision has changed the queue and waits to write its history.
        holding.execute("LOCK TABLE pattern_review_history IN EXCLUSIVE MODE")
        answer = pool.submit(lambda: local_client(app).post(f"{API}/{SIGNATURE}/approve", json={"version": 1}))
        with connect(warehouse) as connection:
            while not (blocked := connection.execute(waiting).fetchall()):
                assert not answer.done(), answer.result().text
                connection.execute("SELECT pg_sleep(0.01)")
            connection.execute("SELECT pg_terminate_backend(%s)", blocked[0])
        assert (answer.result().status_code, answer.result().json()["code"]) == (503, "database_down")
    row = queue_row(warehouse, queued)
    assert (row["status"], row["version"]) == ("pending", 1)
    assert client.get(f"{API}/statistics").json()["approved"] == 0
    assert client.get(f"{API}/{SIGNATURE}/history").json() == []
    assert client.post(f"{API}/{SIGNATURE}/approve", json={"version": 1}).status_code == 200


def test_an_unknown_estimate_as_evidence_is_a_conflict_and_not_believed(client: TestClient, queued: int) -> None:
    for attack in ATTACKS[:4]:
        answer = client.post(f"{API}/{SIGNATURE}/approve", json={"version": 1, "evidence_hash": attack})
        assert answer.status_code == 409


def test_a_drifted_pattern_asks_for_another_look_and_keeps_its_decision(
    client: TestClient, warehouse: Warehouse, queued: int
) -> None:
    client.post(f"{API}/{SIGNATURE}/approve", json={"version": 1})
    add_estimate(warehouse, queued, "second", net=(500, 600, 700))
    client.post(f"{API}/sync/run")
    row = client.get(API, params={"needs_review": True}).json()["items"][0]
    assert (row["status"], row["needs_review"], row["version"]) == ("approved", True, 3)
    page = client.get("/?needs_review=true").text
    assert "Look again:" in page
    assert "outside of the" in page
    assert client.post(f"{API}/{SIGNATURE}/approve", json={"version": 2}).status_code == 409
    assert client.post(f"{API}/{SIGNATURE}/approve", json={"version": 3}).json()["status"] == "approved"
