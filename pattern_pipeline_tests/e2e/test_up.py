"""`pattern-pipeline up` as a process: it answers, and however it ends nothing of it stays or is in the way."""

import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest

from pattern_pipeline_tests.e2e.processes import DagsterUi, Installation, free_port, until

STOPPED_WITHIN = 25


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path / "a home")
    yield installation
    for process in installation.processes():
        with suppress(psutil.NoSuchProcess):
            process.kill()
    installation.run("db", "stop", "--force")


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (URLError, OSError):
        return False


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_up_answers_and_leaves_nothing_however_it_ends(installation: Installation, tmp_path: Path) -> None:
    port, review_port = free_port(), free_port()
    log = tmp_path / "up.log"
    for ending in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM):
        process = installation.start("up", "--port", str(port), "--review-port", str(review_port), log=log)
        until(DagsterUi(port).is_ready, 150, lambda: log.read_text()[-3000:])
        until(
            lambda: answers(f"http://127.0.0.1:{review_port}/api/v1/system/health"), 60, lambda: log.read_text()[-3000:]
        )
        process.send_signal(ending)
        until(lambda: not installation.processes(), STOPPED_WITHIN, installation.processes)
        assert process.wait(1) == (0 if ending != signal.SIGKILL else -signal.SIGKILL)
        if ending != signal.SIGKILL:
            assert not installation.json("db", "status")["running"]
    assert "Traceback" not in log.read_text()
