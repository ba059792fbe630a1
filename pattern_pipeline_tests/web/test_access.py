"""Who gets in and who may do what: tokens, sessions, form tokens, hosts, origins, and what the pages may run."""

from __future__ import annotations

import getpass
import re
import stat
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.web.app import create_app
from pattern_pipeline.web.reviewers import FailedLogins, load_reviewers
from pattern_pipeline.web.server import refuse_open_address
from pattern_pipeline.web.sessions import COOKIE, session_secret
from pattern_pipeline_tests.review.rows import add_pattern, queue_row
from pattern_pipeline_tests.web.conftest import TOKENS, local_client

API = "/api/v1/patterns"
SIGNATURE = "test:pytest:backend"


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def form_token(client: TestClient, path: str = "/") -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', client.get(path).text)
    assert found is not None
    return found[1]


def sign_in(client: TestClient, name: str) -> None:
    answer = client.post("/login", data={"token": TOKENS[name], "form_token": form_token(client, "/login")})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_without_reviewers_the_computers_user_decides_and_the_page_says_so(
    client: TestClient, warehouse: Warehouse
) -> None:
    add_pattern(warehouse, SIGNATURE)
    client.post(f"{API}/sync/run")
    page = client.get("/").text
    assert f"You decide as <b>{getpass.getuser()}</b>" in page
    assert "no login is configured" in page
    assert client.post(f"{API}/{SIGNATURE}/approve", json={"version": 1}).json()["reviewer"] == getpass.getuser()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "192.168.1.5", "[::1"])
def test_without_reviewers_a_foreign_host_name_is_refused(app: FastAPI, host: str) -> None:
    client = local_client(app)
    for path in ("/", f"{API}/statistics", "/metrics"):
        answer = client.get(path, headers={"host": host})
        assert (answer.status_code, answer.json()["code"]) == (403, "host_not_allowed")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:3001", "[::1]:3001"])
def test_without_reviewers_this_computer_is_served_under_all_its_names(app: FastAPI, host: str) -> None:
    assert local_client(app).get("/", headers={"host": host}).status_code == 200


def test_without_reviewers_another_computer_is_refused_whatever_it_calls_us(app: FastAPI) -> None:
    assert local_client(app, address="192.168.1.77").get("/").status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_page_of_another_site_cannot_make_the_browser_decide(
    client: TestClient, warehouse: Warehouse, headers: dict[str, str]
) -> None:
    pattern = add_pattern(warehouse, SIGNATURE)
    client.post(f"{API}/sync/run")
    answer = client.post(f"{API}/{SIGNATURE}/approve", json={"version": 1}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_origin")
    assert queue_row(warehouse, pattern)["status"] == "pending"


def test_a_form_without_the_token_of_its_session_decides_nothing(client: TestClient, warehouse: Warehouse) -> None:
    pattern = add_pattern(warehouse, SIGNATURE)
    client.post(f"{API}/sync/run")
    other = form_token(local_client(client.app))  # type: ignore[arg-type]
    client.get("/")
    for token in ("", "0" * 64, other, "ü"):
        for path in (f"/patterns/{SIGNATURE}/decision", "/bulk", "/bulk/preview", "/sync", "/logout"):
            data = {"form_token": token, "action": "approve", "version": "1", "preset": "all"}
            assert client.post(path, data=data).status_code == 403
    assert queue_row(warehouse, pattern)["status"] == "pending"


def test_with_reviewers_nothing_is_shown_without_a_token(with_tokens: FastAPI) -> None:
    client = local_client(with_tokens, "192.168.1.77", "review.example")
    for path in (f"{API}/statistics", f"{API}/{SIGNATURE}", "/metrics", "/api/v1/metrics"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_required")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    for path in ("/", f"/patterns/{SIGNATURE}?back=x"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/login")
    assert client.get("/api/v1/system/health").status_code == 200


def test_a_viewer_may_look_and_a_reviewer_decide(with_tokens: FastAPI, warehouse: Warehouse) -> None:
    add_pattern(warehouse, SIGNATURE)
    client = local_client(with_tokens, "192.168.1.77", "review.example")
    assert client.post(f"{API}/sync/run", headers=bearer(TOKENS["vic"])).status_code == 403
    assert client.post(f"{API}/sync/run", headers=bearer(TOKENS["ada"])).json()["synced_count"] == 1
    assert client.get(f"{API}/{SIGNATURE}", headers=bearer(TOKENS["vic"])).status_code == 200
    decision = {"version": 1}
    refused = client.post(f"{API}/{SIGNATURE}/approve", json=decision, headers=bearer(TOKENS["vic"]))
    assert (refused.status_code, refused.json()["code"]) == (403, "reviewers_only")
    done = client.post(f"{API}/{SIGNATURE}/approve", json=decision, headers=bearer(TOKENS["ada"]))
    assert done.json()["reviewer"] == "ada"


def test_a_browser_signs_in_decides_under_its_name_and_signs_out(with_tokens: FastAPI, warehouse: Warehouse) -> None:
    add_pattern(warehouse, SIGNATURE)
    client = local_client(with_tokens, "192.168.1.77", "review.example")
    client.post(f"{API}/sync/run", headers=bearer(TOKENS["ada"]))
    sign_in(client, "ada")
    token = form_token(client)
    answer = client.post(
        f"/patterns/{SIGNATURE}/decision",
        data={"form_token": token, "action": "reject", "version": "1", "reason": "No"},
        headers={"origin": "http://review.example"},
    )
    assert answer.status_code == 303
    history = client.get(f"{API}/{SIGNATURE}/history", headers=bearer(TOKENS["ada"])).json()
    assert [(row["reviewer"], row["action"]) for row in history] == [("ada", "rejected")]
    client.post("/logout", data={"form_token": token})
    assert client.get("/").status_code == 303


def test_a_viewer_sees_no_form_and_is_refused_when_sending_one(with_tokens: FastAPI, warehouse: Warehouse) -> None:
    add_pattern(warehouse, SIGNATURE)
    client = local_client(with_tokens, "192.168.1.77", "review.example")
    client.post(f"{API}/sync/run", headers=bearer(TOKENS["ada"]))
    sign_in(client, "vic")
    page = client.get(f"/patterns/{SIGNATURE}").text
    assert "you may look, but not decide" in page
    assert "/decision" not in page
    data = {"form_token": form_token(client), "action": "approve", "version": "1"}
    assert client.post(f"/patterns/{SIGNATURE}/decision", data=data).status_code == 403


def test_the_session_cookie_is_signed_closed_to_scripts_and_ends_with_its_token(
    with_tokens: FastAPI, settings: Settings, warehouse: Warehouse, tmp_path: Path
) -> None:
    client = local_client(with_tokens, "192.168.1.77", "review.example")
    answer = client.post("/login", data={"token": TOKENS["ada"], "form_token": form_token(client, "/login")})
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Max-Age=43200"} <= set(cookie.split("; "))
    value = client.cookies[COOKIE]
    client.cookies.clear()
    client.cookies.set(COOKIE, value[:-3] + ("aaa" if value[-3:] != "aaa" else "bbb"))
    assert client.get("/").status_code == 303
    file = tmp_path / "reviewers.toml"
    file.write_text(re.sub(r'(token_sha256 = ")[0-9a-f]+', r"\g<1>" + "0" * 64, file.read_text()))
    renewed = local_client(
        create_app(settings.model_copy(update={"reviewers": file}), warehouse), "192.168.1.77", "review.example"
    )
    renewed.cookies.set(COOKIE, value)
    assert renewed.get("/").status_code == 303


def test_over_https_the_cookie_is_for_https_only(with_tokens: FastAPI) -> None:
    client = TestClient(with_tokens, base_url="https://review.example")
    assert "Secure" in client.get("/login").headers["set-cookie"]


def test_login_leads_back_to_where_one_wanted_to_go_but_never_to_another_site(with_tokens: FastAPI) -> None:
    client = local_client(with_tokens, "192.168.1.77", "review.example")
    for wanted, reached in (
        ("/patterns/a:b:c?back=q%3Dx", "/patterns/a:b:c?back=q%3Dx"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
    ):
        data = {"token": TOKENS["ada"], "form_token": form_token(client, "/login"), "next": wanted}
        assert client.post("/login", data=data).headers["location"] == reached


def test_guessing_tokens_is_slowed_down_for_forms_and_programs_alike(with_tokens: FastAPI) -> None:
    client = local_client(with_tokens, "192.168.1.77", "review.example")
    token = form_token(client, "/login")
    assert [client.post("/login", data={"token": "wrong", "form_token": token}).status_code for _ in range(3)] == [
        401
    ] * 3
    assert [client.get(f"{API}/statistics", headers=bearer("wrong")).status_code for _ in range(3)] == [401, 401, 429]
    refused = client.get(f"{API}/statistics", headers=bearer(TOKENS["ada"]))
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
    assert 1 <= int(refused.headers["retry-after"]) <= 61
    elsewhere = local_client(with_tokens, "192.168.1.78", "review.example")
    assert elsewhere.get(f"{API}/statistics", headers=bearer(TOKENS["ada"])).status_code == 200


def test_failures_are_forgiven_after_a_minute() -> None:
    now = 0.0
    failures = FailedLogins(clock=lambda: now)
    for _ in range(5):
        failures.note("address")
    assert failures.seconds_to_wait("address") == 60
    now = 61.0
    assert failures.seconds_to_wait("address") == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "review.example"])
def test_binding_elsewhere_without_tokens_is_refused_with_the_way_out(settings: Settings, host: str) -> None:
    with pytest.raises(InvalidInput, match=r"review token NAME.*PATTERN_PIPELINE_REVIEWERS"):
        refuse_open_address(settings, host)


def test_this_computer_and_configured_reviewers_may_be_bound_to(settings: Settings, tmp_path: Path) -> None:
    for host in ("127.0.0.1", "localhost", "::1"):
        refuse_open_address(settings, host)
    refuse_open_address(settings.model_copy(update={"reviewers": tmp_path / "file"}), "0.0.0.0")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "reviewers"),
        ("reviewers = [", "cannot be read"),
        ('[[reviewers]]\nname = "a"\nrole = "king"\ntoken_sha256 = "' + "0" * 64 + '"', "role"),
        ('[[reviewers]]\nname = " "\ntoken_sha256 = "' + "0" * 64 + '"', "name"),
        ('[[reviewers]]\nname = "a"\ntoken_sha256 = "secret itself"', "token_sha256"),
        (('[[reviewers]]\nname = "a"\ntoken_sha256 = "' + "0" * 64 + '"\n') * 2, "twice"),
    ],
)
def test_a_file_of_reviewers_that_cannot_be_used_is_named_with_its_fault(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "reviewers.toml"
    file.write_text(text)
    with pytest.raises(InvalidInput, match=said) as caught:
        load_reviewers(file)
    assert str(file) in str(caught.value)
    assert "secret itself" not in str(caught.value)


def test_the_session_secret_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    first = session_secret(tmp_path / "home")
    assert len(first) >= 32
    assert session_secret(tmp_path / "home") == first
    file = tmp_path / "home" / "review_session_secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_pages_may_run_and_load_only_what_is_served_here(client: TestClient) -> None:
    for path in ("/", "/api/v1/system/health", "/static/review.js", "/nothing"):
        policy = client.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    page = client.get("/").text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", page)
    assert client.get("/").headers["cache-control"] == "no-store"
