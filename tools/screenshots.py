"""The README's pictures, taken of the running product: `python -m tools.screenshots [DIRECTORY]`.

An installation in a directory of its own runs the sample and is started with `up`; the queue and the page of its best
pattern are photographed light and dark, the lineage in the Dagster UI once. Needs a Chromium on the path.
"""

from __future__ import annotations

import argparse
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

import httpx
from playwright.sync_api import Browser, sync_playwright

from pattern_pipeline_tests.e2e.processes import Installation, free_port, until
from pattern_pipeline_tests.web.test_browser import ARGUMENTS, CHROMIUM

WIDTH, HEIGHT = 1280, 860
LINEAGE: Final = (1900, 560)
LARGEST: Final = 300_000
"""Bytes of a picture that a clone should still carry."""
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")
PATIENCE: Final = 120.0
"""Seconds until both servers answer."""


@contextmanager
def product(scratch: Path) -> Iterator[tuple[str, str, str]]:
    """The sample, served: the URL of the Dagster UI, that of the review, and the signature of the best pattern."""
    installation = Installation(scratch / "home", LOGNAME="ada")
    best = installation.json("run", "--sample")["queue"][0]["signature"]
    ports = free_port(), free_port()
    dagster, review = (f"http://127.0.0.1:{port}" for port in ports)
    log = scratch / "log"
    up = installation.start("up", "--port", str(ports[0]), "--review-port", str(ports[1]), log=log)
    try:
        until(lambda: _answers(dagster) and _answers(review), PATIENCE, log.read_text)
        yield dagster, review, best
    finally:
        up.send_signal(signal.SIGINT)
        up.wait(PATIENCE)


def photograph_review(browser: Browser, address: str, best: str, directory: Path) -> Iterator[Path]:
    """The queue and the page of a pattern, in each colour scheme."""
    for scheme in SCHEMES:
        viewport = {"width": WIDTH, "height": HEIGHT}
        with browser.new_context(base_url=address, viewport=viewport, color_scheme=scheme) as context:  # type: ignore[arg-type]
            page = context.new_page()
            for name, path in (("queue", "/"), ("pattern", f"/patterns/{quote(best)}")):
                page.goto(path)
                picture = directory / f"{name}-{scheme}.png"
                page.screenshot(path=picture, animations="disabled")
                yield picture


def photograph_lineage(browser: Browser, address: str, directory: Path) -> Path:
    """The graph of all assets in the Dagster UI."""
    page = browser.new_page(viewport={"width": LINEAGE[0], "height": LINEAGE[1]})
    page.goto(f"{address}/asset-groups/")
    page.get_by_role("button", name="Skip").click(timeout=PATIENCE * 1000)
    page.get_by_role("button", name="Hide navigation").click()
    page.get_by_placeholder("Jump to").locator("xpath=following::button[1]").click()  # the list beside the graph
    page.keyboard.press("Alt+e")  # all groups, which it shows closed at first
    page.get_by_text("approval_queue").first.wait_for(timeout=PATIENCE * 1000)
    page.wait_for_timeout(5_000)  # the layout is drawn after the names are there
    picture = directory / "lineage.png"
    page.screenshot(path=picture, animations="disabled")
    return picture


def _answers(address: str) -> bool:
    try:
        return httpx.get(address).is_success
    except httpx.HTTPError:
        return False


def main() -> None:
    """Take the pictures and print what they weigh."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("directory", type=Path, nargs="?", default=Path("docs/pictures"))
    directory = arguments.parse_args().directory
    if CHROMIUM is None:
        raise SystemExit("No browser: install chromium, chromium-browser or google-chrome.")
    directory.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as scratch,
        product(Path(scratch)) as (dagster, review, best),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        pictures = [
            *photograph_review(browser, review, best, directory),
            photograph_lineage(browser, dagster, directory),
        ]
        browser.close()
    sizes = {picture: picture.stat().st_size for picture in pictures}
    for picture, size in sizes.items():
        print(f"{picture}: {size / 1000:.0f} kB")
    if max(sizes.values()) > LARGEST:
        raise SystemExit(f"A picture is larger than {LARGEST / 1000:.0f} kB: make it smaller before it is committed.")


if __name__ == "__main__":
    main()
