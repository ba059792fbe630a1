"""The page in a real browser, as a reviewer uses it; and measured against WCAG by axe-core, light and dark."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect, sync_playwright

from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.review.rows import connect
from pattern_pipeline_tests.web.conftest import served
from pattern_pipeline_tests.web.seed import seed

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = Path(__file__).parent / "vendor" / "axe-4.14.1.min.js"
SIGNATURE = "test:pytest:backend"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no browser: install chromium, chromium-browser or google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def site(app: FastAPI, warehouse: Warehouse) -> Iterator[str]:
    seed(warehouse, patterns=30, occurrences=200, runs=60)
    with served(app) as url:
        yield url


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    """A page that fails the test when the browser complains: a script error, a refused resource, a broken policy."""
    with browser.new_context(base_url=site, viewport={"width": 1440, "height": 900}) as context:
        page, complaints = context.new_page(), list[str]()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.set_default_timeout(10_000)
        yield page
        assert [text for text in complaints if "409" not in text] == []


def status_of(warehouse: Warehouse, signature: str) -> tuple[Any, ...]:
    with connect(warehouse) as connection:
        row = connection.execute(
            "SELECT a.status, a.approval_notes FROM pattern_approvals a JOIN operation_patterns p USING (pattern_id)"
            " WHERE p.pattern_signature = %s",
            (signature,),
        ).fetchone()
    assert row is not None
    return row


def test_a_reviewer_finds_a_pattern_reads_its_evidence_approves_it_and_takes_it_back(
    page: Page, warehouse: Warehouse
) -> None:
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Waiting for a decision")
    page.get_by_label("Search").fill("test pytest")
    expect(page.locator(".row")).to_have_count(1)
    page.get_by_role("link", name="Test: pytest (backend)").click()
    expect(page.get_by_text("cd {path} && uv run pytest -x {path}")).to_be_visible()
    expect(page.get_by_text("The naive claim credits the pattern with whole runs")).to_be_visible()
    expect(page.get_by_role("img", name="Net a month: probably")).to_be_visible()
    page.get_by_label("Notes, if any").fill("Saves us an hour")
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Test: pytest (backend) was approved")
    assert status_of(warehouse, SIGNATURE) == ("approved", "Saves us an hour")
    page.get_by_role("link", name="See it or revoke the approval").click()
    page.get_by_label("Reason").fill("It broke the build")
    page.get_by_role("button", name="Revoke the approval").click()
    assert status_of(warehouse, SIGNATURE) == ("revoked", "It broke the build")
    page.goto(f"/patterns/{SIGNATURE}")
    expect(page.locator(".history")).to_contain_text("Saves us an hour")


def test_rejecting_and_deferring_ask_for_a_reason_and_return_to_the_same_list(page: Page, warehouse: Warehouse) -> None:
    page.goto("/?type=git&sort=confidence")
    name = page.locator(".row h2 a").first.inner_text()
    page.locator(".row h2 a").first.click()
    page.locator("#reject summary").click()
    page.get_by_role("button", name="Reject").click()
    assert "/patterns/" in page.url, "an empty reason is not sent"
    page.locator("#reject").get_by_label("Reason").fill("Too rare")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_role("status")).to_contain_text(f"{name} was rejected")
    assert "type=git&sort=confidence" in page.url
    page.locator(".row h2 a").first.click()
    page.locator("#defer summary").click()
    page.locator("#defer").get_by_label("Reason").fill("Next quarter")
    page.get_by_label("Ask again on").fill("2030-01-01")
    page.get_by_role("button", name="Defer").click()
    expect(page.get_by_role("status")).to_contain_text("was deferred")


def test_a_comment_stays_readable(page: Page) -> None:
    page.goto(f"/patterns/{SIGNATURE}")
    page.get_by_role("textbox", name="Comment").fill("<b>What</b> about Windows?")
    page.get_by_role("button", name="Add the comment").click()
    expect(page.locator(".history blockquote")).to_have_text("<b>What</b> about Windows?")


def test_many_are_decided_together_after_a_preview_and_a_conflict_stops_only_its_own(
    page: Page, warehouse: Warehouse
) -> None:
    page.goto("/")
    for tick in page.locator(".tick input").all()[:3]:
        tick.check()
    page.get_by_label("The ticked ones:").select_option("Reject")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Reject 3 patterns?")
    chosen = page.locator(".chosen h2 a").all_inner_texts()
    with connect(warehouse) as connection:
        connection.execute(
            "UPDATE pattern_approvals SET status = 'approved', version = 2 WHERE tool_sequence = %s", (chosen[1],)
        )
    page.get_by_label("Reason, the same for all").fill("Cleaning up")
    page.get_by_role("button", name="Reject 3 patterns").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 of 3 decided")
    expect(page.get_by_role("alert")).to_contain_text("has changed since version 1")


def test_the_keyboard_alone_is_enough(page: Page, warehouse: Warehouse) -> None:
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("pytest back")
    expect(page.locator(".row")).to_have_count(8)
    page.locator("#q").blur()
    for key in ("j", "j", "k", "x"):
        page.keyboard.press(key)
    first = page.locator(".row h2 a").first
    expect(page.locator(".tick input").first).to_be_checked()
    expect(first).to_be_focused()
    signature = page.locator(".row .signature").first.inner_text()
    page.keyboard.press("r")
    expect(page.locator("#reject textarea")).to_be_focused()
    page.keyboard.type("a reason with j and k")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("was rejected")
    assert status_of(warehouse, signature) == ("rejected", "a reason with j and k")
    page.keyboard.press("?")
    expect(page.get_by_text("next, previous pattern of the list")).to_be_visible()


def test_everything_works_without_javascript(browser: Browser, site: str, warehouse: Warehouse) -> None:
    with browser.new_context(base_url=site, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/")
        page.get_by_label("Search").fill("test pytest")
        page.get_by_role("button", name="Show").click()
        page.get_by_role("link", name="Test: pytest (backend)").click()
        page.locator("#defer summary").click()
        page.locator("#defer").get_by_label("Reason").fill("Later")
        page.get_by_role("button", name="Defer").click()
        expect(page.get_by_role("status")).to_contain_text("was deferred")
        page.get_by_text("Look for new candidates").click()
        page.get_by_role("button", name="Only tell").click()
        expect(page.get_by_role("status")).to_contain_text("would enter the queue")
    assert status_of(warehouse, SIGNATURE) == ("deferred", "Later")


def test_of_two_reviewers_the_second_is_told_and_loses_no_word(page: Page, browser: Browser, site: str) -> None:
    page.goto(f"/patterns/{SIGNATURE}")
    with browser.new_context(base_url=site) as context:
        other = context.new_page()
        other.goto(f"/patterns/{SIGNATURE}")
        other.get_by_role("button", name="Approve", exact=True).click()
        expect(other.get_by_role("status")).to_contain_text("was approved")
    page.get_by_label("Notes, if any").fill("My own view")
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Somebody was faster")
    expect(page.get_by_role("alert")).to_contain_text("it is approved")
    expect(page.get_by_role("alert")).to_contain_text("My own view")


def test_a_narrow_screen_needs_no_sideways_scrolling(browser: Browser, site: str) -> None:
    with browser.new_context(base_url=site, viewport={"width": 380, "height": 800}, has_touch=True) as context:
        page = context.new_page()
        for path in ("/", f"/patterns/{SIGNATURE}", "/?q=nothing", "/?status=all"):
            page.goto(path)
            for details in page.locator("details").all():
                details.evaluate("each => each.open = true")
            assert page.evaluate("document.documentElement.scrollWidth") <= 380, path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_on_any_page(browser: Browser, site: str, scheme: Any) -> None:
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    with browser.new_context(base_url=site, color_scheme=scheme, bypass_csp=True) as context:
        page = context.new_page()

        def violations(name: str) -> list[str]:
            for details in page.locator("details").all():
                details.evaluate("each => each.open = true")
            page.add_script_tag(path=AXE)
            found = page.evaluate("tags => axe.run({runOnly: tags})", tags)["violations"]
            return [f"{name}: {each['id']}: {each['nodes'][0]['html']}" for each in found]

        broken = []
        for path in ("/", "/?status=all", "/?q=nothing", f"/patterns/{SIGNATURE}", "/nothing"):
            page.goto(path)
            broken += violations(path)
        page.goto("/")
        page.locator(".tick input").first.check()
        page.get_by_role("button", name="Preview").click()
        broken += violations("preview")
        page.get_by_role("button", name="Approve 1 pattern").click()
        broken += violations("done")
    assert broken == []
