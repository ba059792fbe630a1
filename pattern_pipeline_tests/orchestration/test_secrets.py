"""No secret of any source reaches the databases, Dagster's event log, a log file or a line of output."""

from __future__ import annotations

import logging
import re
import subprocess
import zlib
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner

from pattern_pipeline.cli.main import app
from pattern_pipeline.settings import get_settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.dump import dump
from pattern_pipeline.warehouse.embedded import binary_dir
from pattern_pipeline_tests.orchestration.secret_sources import KINDS, SOURCES, core

# Dagster compresses the snapshots of its jobs.
COMPRESSED = re.compile(rb"\\\\x(78(?:01|5e|9c|da)(?:[0-9a-f]{2})+)")


@pytest.fixture(scope="module")
def traces(module_warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """All that is left after every source went through the whole chain: by the place where it lies."""
    home, files = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("sources")
    logged = StringIO()
    handler = logging.StreamHandler(logged)
    loggers = [logging.getLogger(name) for name in (None, "dagster", "pattern_pipeline", "sqlalchemy")]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PATTERN_PIPELINE_DATABASE_URL", module_warehouse.url)
        environment.setenv("PATTERN_PIPELINE_HOME", str(home))
        for logger in loggers:
            logger.addHandler(handler)
        specs = []
        for source in SOURCES:
            (files / source.__name__).mkdir()
            specs += source(files / source.__name__)
        specs.append(table_behind_a_password(module_warehouse))
        outputs = []
        for command in (
            ["run", *specs],
            ["ingest", "--json"],
            ["status"],
            ["patterns", "list", "--excluded", "--json"],
        ):
            result = CliRunner().invoke(app, command, catch_exceptions=False)
            assert result.exit_code == 0, result.output
            outputs.append(result.output.encode())
        for logger in loggers:
            logger.removeHandler(handler)
        archives = dump(get_settings(), home / "dump")
    left = {f"database {path.name}": plain(path) for path in archives}
    left |= {f"file {path}": path.read_bytes() for path in home.rglob("*") if path.is_file() and path not in archives}
    return {**left, "output": b"\n".join(outputs), "log": logged.getvalue().encode()}


def table_behind_a_password(warehouse: Warehouse) -> str:
    """The URL of a table of runs, with a password that the server does not ask for."""
    with warehouse.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE builds AS SELECT 1 AS run_id, now() - interval '2 hours' AS ended_at")
    url = make_url(warehouse.url).set(drivername="postgresql+psycopg", password=core("password", "url"))
    return f"{url.render_as_string(hide_password=False)}#builds"


def plain(archive: Path) -> bytes:
    """A dump as text, with what is compressed in it opened."""
    restore = [str(binary_dir() / "pg_restore"), "--file=-", str(archive)]
    text = subprocess.run(restore, capture_output=True, check=True).stdout
    opened = [zlib.decompress(bytes.fromhex(found.decode())) for found in COMPRESSED.findall(text)]
    return b"\n".join([text, *opened])


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
def test_no_secret_of_a_source_leaves_a_trace(source: Callable[[Path], list[str]], traces: dict[str, bytes]) -> None:
    cores = {kind: core(source.__name__, kind).encode() for kind in KINDS}
    found = [(kind, place) for kind, secret in cores.items() for place, text in traces.items() if secret in text]
    assert found == []


def test_the_password_of_a_source_leaves_no_trace(traces: dict[str, bytes]) -> None:
    secret = core("password", "url").encode()
    assert [place for place, text in traces.items() if secret in text] == []
    (text,) = (text for place, text in traces.items() if place.startswith("database pattern"))
    assert b"#builds" in text


def test_what_was_planted_has_landed(traces: dict[str, bytes]) -> None:
    (text,) = (text for place, text in traces.items() if place.startswith("database pattern"))
    assert len(re.findall(rb"<secret:[a-z_]+>", text)) > 100 * len(KINDS)
    for reader in ("generic", "claude", "hooks", "swe-agent", "claude-otel"):
        assert f"\t{reader}\t".encode() in text
