"""Fixtures of all tests: a real PostgreSQL server per session and a fresh, migrated database per test."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import psycopg
import pytest
from dagster import DagsterInstance
from psycopg import sql
from pydantic import SecretStr

from pattern_pipeline.settings import PROJECT_ROOT, Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.embedded import EmbeddedServer
from pattern_pipeline.warehouse.servers import ensure_database
from pattern_pipeline.warehouse.urls import with_database

# How quickly a loaded machine makes examples says nothing about the code.
hypothesis.settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], print_blob=True
)
hypothesis.settings.load_profile("any-machine")

TEST_SERVER = "PATTERN_PIPELINE_TEST_DATABASE_URL"


@pytest.fixture(scope="session", autouse=True)
def no_inherited_settings() -> Iterator[None]:
    """The tests must not touch the databases that the developer's own environment names."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PATTERN_PIPELINE_") and name != TEST_SERVER]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """libpq URL of the session's server: the one the environment names, else a throw-away embedded one.

    The throw-away cluster alone runs with fsync off, for speed: it need not survive a crash of the machine.
    """
    if given := os.environ.get(TEST_SERVER):
        yield given
        return
    state_dir = Path(tempfile.mkdtemp(prefix="pattern-pipeline-tests-"))
    server = EmbeddedServer(state_dir, initdb_options=["--no-sync", "-c", "fsync=off"])
    try:
        yield server.ensure_running()
    finally:
        server.stop()
        shutil.rmtree(state_dir)


@pytest.fixture(scope="session")
def template_database(server_url: str) -> Iterator[str]:
    """Name of a migrated database that fresh ones are copied from."""
    name = f"test_template_{uuid.uuid4().hex[:12]}"
    url = with_database(server_url, name)
    ensure_database(url)
    Warehouse.open(Settings(database_url=SecretStr(url))).close()
    yield name
    _drop(server_url, name)


@pytest.fixture
def database_url(server_url: str, template_database: str) -> Iterator[str]:
    """libpq URL of a fresh, migrated database."""
    with _fresh_database(server_url, template_database) as url:
        yield url


@pytest.fixture
def empty_database_url(server_url: str) -> Iterator[str]:
    """libpq URL of a fresh database with nothing in it."""
    with _fresh_database(server_url, "template0") as url:
        yield url


@pytest.fixture
def warehouse(database_url: str) -> Iterator[Warehouse]:
    """A warehouse on a fresh, migrated database for one test."""
    with Warehouse(database_url) as warehouse:
        yield warehouse


@pytest.fixture(scope="module")
def module_warehouse(server_url: str, template_database: str) -> Iterator[Warehouse]:
    """A warehouse on a fresh, migrated database for the tests of one module."""
    with _fresh_database(server_url, template_database) as url, Warehouse(url) as warehouse:
        yield warehouse


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings that point at the fresh database of the test and a state directory of its own."""
    return Settings(database_url=SecretStr(database_url), home=tmp_path / "home")


@pytest.fixture
def dagster_instance() -> Iterator[DagsterInstance]:
    """An instance in memory; the storage class has its own test on PostgreSQL."""
    with DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The directory of conformance and sample data beside the repository."""
    shared = PROJECT_ROOT.parent / "shared"
    if not shared.is_dir():
        pytest.skip(f"{shared} is absent: conformance data is not part of the repository")
    return shared


@contextmanager
def _fresh_database(server_url: str, template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:16]}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY wal_log")
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield with_database(server_url, name)
    finally:
        _drop(server_url, name)


def _drop(server_url: str, name: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
