"""The application on a real database: in this process for the API, on a port for browsers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr

from pattern_pipeline.detection.policy import Policy, load_policy
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.web.app import create_app
from pattern_pipeline.web.reviewers import token_hash

TOKENS = {"ada": "ada's token of many random bits", "vic": "vic's token of many random bits"}


@pytest.fixture(scope="session")
def policy() -> Policy:
    return load_policy("default")


@pytest.fixture
def app(settings: Settings, warehouse: Warehouse, policy: Policy) -> FastAPI:
    return create_app(settings, warehouse, policy)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """A program or browser of this computer; no reviewers are configured."""
    with local_client(app) as client:
        yield client


@pytest.fixture
def with_tokens(settings: Settings, warehouse: Warehouse, policy: Policy, tmp_path: Path) -> FastAPI:
    """The application for others: ada may decide, vic may look."""
    file = tmp_path / "reviewers.toml"
    file.write_text(
        "".join(
            f'[[reviewers]]\nname = "{name}"\nrole = "{role}"\ntoken_sha256 = "{token_hash(TOKENS[name])}"\n'
            for name, role in (("ada", "reviewer"), ("vic", "viewer"))
        )
    )
    return create_app(settings.model_copy(update={"reviewers": file}), warehouse, policy)


def local_client(app: FastAPI, address: str = "127.0.0.1", host: str = "127.0.0.1") -> TestClient:
    return TestClient(
        app, base_url=f"http://{host}", client=(address, 50_000), raise_server_exceptions=False, follow_redirects=False
    )


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The application on a free port of this computer; its URL."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            threading.Event().wait(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def module_settings(module_warehouse: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(database_url=SecretStr(module_warehouse.libpq_url), home=tmp_path_factory.mktemp("home"))
