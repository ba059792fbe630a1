"""Real processes for end-to-end tests: the command line, and `dagster dev` with its daemon, on a state directory."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psutil

from pattern_pipeline.settings import PROJECT_ROOT


class Installation:
    """An installation in a directory of its own, with the embedded server."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home = home
        ours = ("PATTERN_PIPELINE_", "DAGSTER_", "PYTHONDONTWRITEBYTECODE")
        clean = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        self.environment = {
            **clean,
            "PATTERN_PIPELINE_HOME": str(home),
            "PYTHONPYCACHEPREFIX": _bytecode().name,
            **environment,
        }

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "pattern_pipeline", *arguments]

    def run(self, *arguments: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def start(self, *arguments: str, log: Path) -> subprocess.Popen[str]:
        """A process that goes on by itself; what it says is appended to `log`."""
        with log.open("a") as output:
            return subprocess.Popen(
                self.command(*arguments),
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                text=True,
            )

    def processes(self, *words: str) -> list[psutil.Process]:
        """Live processes of this installation with all words in their command line.

        Those of PostgreSQL are not among them, which have no environment of ours.
        """
        return [each for each in psutil.process_iter() if self._is_ours(each, words)]

    def _is_ours(self, process: psutil.Process, words: Sequence[str]) -> bool:
        try:
            return (
                process.status() != psutil.STATUS_ZOMBIE
                and process.name() != "postgres"
                and process.environ().get("PATTERN_PIPELINE_HOME") == str(self.home)
                and all(word in " ".join(process.cmdline()) for word in words)
            )
        except psutil.Error:
            return False


@cache
def _bytecode() -> "tempfile.TemporaryDirectory[str]":
    """Where the processes of a session keep compiled modules: without it each would compile Dagster anew."""
    return tempfile.TemporaryDirectory(prefix="pattern-pipeline-tests-bytecode-")


@contextmanager
def dagster_dev(installation: Installation, log: Path, *arguments: str) -> Iterator["DagsterUi"]:
    """Plain `dagster dev` in the clone's directory, as the README has it; `arguments` say what else it is to load."""
    port = free_port()
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster", "dev", "-h", "127.0.0.1", "-p", str(port), *arguments],
            cwd=PROJECT_ROOT,
            env={**installation.environment, "DAGSTER_HOME": str(installation.home / "dagster_home")},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        ui = DagsterUi(port)
        until(ui.is_ready, 180, lambda: log.read_text()[-3000:])
        yield ui
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


class Unanswered(Exception):
    """The API answered with errors, e.g. because its database is away."""


class DagsterUi:
    """The GraphQL API that the UI itself uses."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/graphql"

    def query(self, text: str, **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": text, "variables": variables}).encode()
        request = Request(self.url, body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=30) as response:
            answer: dict[str, Any] = json.load(response)
        if "errors" in answer:
            raise Unanswered(answer["errors"])
        data: dict[str, Any] = answer["data"]
        return data

    def is_ready(self) -> bool:
        try:
            found = self.query("{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }")
        except (OSError, Unanswered):
            return False
        return bool(found["repositoriesOrError"].get("nodes"))

    def reload(self, location: str) -> None:
        """Load a code location anew, as the UI's button does it."""
        self.query(
            "mutation($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) { __typename } }",
            name=location,
        )

    def backfill(self, assets: list[str], partitions: list[str]) -> Mapping[str, Any]:
        """Launch a backfill of partitions over assets and wait until it has ended."""
        backfill = self.start_backfill(assets, partitions)

        def state() -> dict[str, Any]:
            found: dict[str, Any] = self.query(
                """query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill {
                    status runs(limit: 50) { id status } error { message } } } }""",
                id=backfill,
            )["partitionBackfillOrError"]
            return found

        until(lambda: state()["status"] not in {"REQUESTED", "COMPLETING", "CANCELING", "FAILING"}, 300, state)
        return state()

    def start_backfill(self, assets: list[str], partitions: list[str]) -> str:
        """Launch a backfill of partitions over assets; its id."""
        launched = self.query(
            """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
                __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }""",
            params={"assetSelection": [{"path": [a]} for a in assets], "partitionNames": partitions, "title": "test"},
        )["launchPartitionBackfill"]
        assert launched["__typename"] == "LaunchBackfillSuccess", launched
        return str(launched["backfillId"])

    def start_run(
        self, location: str, job: str, tags: Mapping[str, str] | None = None, config: Mapping[str, Any] | None = None
    ) -> None:
        """Launch a job of a code location, as the UI's launchpad does it."""
        launched = self.query(
            """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
                __typename ... on PythonError { message } } }""",
            params={
                "selector": {
                    "repositoryLocationName": location,
                    "repositoryName": "__repository__",
                    "jobName": job,
                },
                "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in (tags or {}).items()]},
                "runConfigData": config or {},
            },
        )["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched

    def runs(self) -> list[dict[str, Any]]:
        """Every run, the newest first."""
        found: list[dict[str, Any]] = self.query(
            "{ runsOrError { ... on Runs { results { runId parentRunId jobName status } } } }"
        )["runsOrError"]["results"]
        return found

    def stop_schedule(self, location: str, name: str) -> None:
        """Switch a schedule off, as the UI does it."""
        schedule = self.query(
            """query($selector: ScheduleSelector!) { scheduleOrError(scheduleSelector: $selector) {
                ... on Schedule { scheduleState { id } } } }""",
            selector={
                "repositoryLocationName": location,
                "repositoryName": "__repository__",
                "scheduleName": name,
            },
        )["scheduleOrError"]
        stopped = self.query(
            """mutation($id: String!) { stopRunningSchedule(id: $id) { __typename ... on PythonError { message } } }""",
            id=schedule["scheduleState"]["id"],
        )["stopRunningSchedule"]
        assert stopped["__typename"] == "ScheduleStateResult", stopped

    def backfills(self) -> dict[str, str]:
        """The state of each backfill."""
        found = self.query("{ partitionBackfillsOrError { ... on PartitionBackfills { results { id status } } } }")
        return {each["id"]: each["status"] for each in found["partitionBackfillsOrError"]["results"]}


def until(holds: Callable[[], bool], seconds: float, explain: Callable[[], object]) -> None:
    """Wait for a condition, and say what was there instead when it does not come."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {explain()}"
        time.sleep(0.5)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
