"""`pattern-pipeline review` as a process: it serves, it makes tokens, and it refuses to be open to everybody."""

from __future__ import annotations

import json
import signal
import tomllib
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from pattern_pipeline.web.reviewers import load_reviewers, whose
from pattern_pipeline_tests.e2e.processes import Installation, free_port, until

pytestmark = pytest.mark.e2e


@pytest.fixture
def installation(tmp_path: Path, database_url: str) -> Installation:
    return Installation(tmp_path / "home", PATTERN_PIPELINE_DATABASE_URL=database_url)


def test_it_serves_until_it_is_told_to_end(installation: Installation, tmp_path: Path) -> None:
    port = free_port()
    log = tmp_path / "review.log"
    process = installation.start("review", "--port", str(port), log=log)

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            with urlopen(f"http://127.0.0.1:{port}/api/v1/system/health", timeout=5) as answer:
                return bool(json.load(answer)["status"] == "ok")
        except URLError:
            return False

    until(answers, 60, lambda: "no answer")
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)
    assert "Traceback" not in log.read_text()


def test_it_refuses_to_be_open_to_everybody(installation: Installation) -> None:
    done = installation.run("review", "--host", "0.0.0.0")
    assert done.returncode == 2
    assert "PATTERN_PIPELINE_REVIEWERS" in done.stderr


def test_a_token_fits_the_entry_that_is_printed_with_it(installation: Installation, tmp_path: Path) -> None:
    made = installation.json("review", "token", 'Ada "the" Countess', "--role", "viewer")
    assert made["token"] not in json.dumps(made["entry"])
    shown = installation.run("review", "token", 'Ada "the" Countess').stdout
    file = tmp_path / "reviewers.toml"
    file.write_text(shown[shown.index("[[reviewers]]") :])
    assert tomllib.loads(file.read_text())["reviewers"][0]["role"] == "reviewer"
    token = shown.splitlines()[1]
    found = whose(token, load_reviewers(file))
    assert found is not None
    assert found.name == 'Ada "the" Countess'
    assert whose(token + "x", load_reviewers(file)) is None
    assert installation.run("review", "token", "Ada", "--role", "king").returncode == 2
