"""The README's pictures of the review, from the sample: `python -m tools.screenshots [DIRECTORY]`.

Runs the chain over the sample history in a throw-away database, serves the review and photographs the queue and the
page of its best pattern, light and dark. The same sample gives the same pages. Needs a Chromium on the path.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

from playwright.sync_api import Browser, sync_playwright
from pydantic import SecretStr

from benchmarks.chain import chain, server, write_source
from pattern_pipeline.detection.policy import load_policy
from pattern_pipeline.review.listing import Wanted, page
from pattern_pipeline.sample import generate_runs
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.urls import with_database
from pattern_pipeline.web.app import create_app
from pattern_pipeline_tests.web.conftest import served
from pattern_pipeline_tests.web.test_browser import ARGUMENTS, CHROMIUM

RUNS: Final = 2_000
WIDTH, HEIGHT = 1280, 860
LARGEST: Final = 300_000
"""Bytes of a picture that a clone should still carry."""
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


@contextmanager
def review_of_the_sample() -> Iterator[tuple[str, str]]:
    """The review, served over the sample: its URL, and the signature of the first pattern in the queue."""
    with tempfile.TemporaryDirectory() as scratch, server(Path(scratch) / "state") as url:
        home = Path(scratch) / "home"
        settings = Settings(database_url=SecretStr(with_database(url, "screenshots")), home=home)
        with Warehouse.open(settings) as warehouse:
            chain(warehouse, settings, write_source(Path(scratch), generate_runs(RUNS), steps=True))
            best = page(warehouse, Wanted(limit=1)).items[0].pattern_signature
            with served(create_app(settings, warehouse, load_policy("default"))) as address:
                yield address, best


def photograph(browser: Browser, address: str, pages: Mapping[str, str], directory: Path) -> Iterator[Path]:
    """One picture of each page in each colour scheme."""
    for scheme in SCHEMES:
        with browser.new_context(
            base_url=address, viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme
        ) as context:
            shown = context.new_page()
            for name, path in pages.items():
                shown.goto(path)
                picture = directory / f"{name}-{scheme}.png"
                shown.screenshot(path=picture, animations="disabled")
                yield picture


def main() -> None:
    """Take the pictures and print what they weigh."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("directory", type=Path, nargs="?", default=Path("docs/images"))
    directory = arguments.parse_args().directory
    if CHROMIUM is None:
        raise SystemExit("No browser: install chromium, chromium-browser or google-chrome.")
    directory.mkdir(parents=True, exist_ok=True)
    with review_of_the_sample() as (address, best), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        pages = {"queue": "/", "pattern": f"/patterns/{quote(best)}"}
        sizes = {picture: picture.stat().st_size for picture in photograph(browser, address, pages, directory)}
        browser.close()
    for picture, size in sizes.items():
        print(f"{picture}: {size / 1000:.0f} kB")
    if max(sizes.values()) > LARGEST:
        raise SystemExit(f"A picture is larger than {LARGEST / 1000:.0f} kB: make it smaller before it is committed.")


if __name__ == "__main__":
    main()
