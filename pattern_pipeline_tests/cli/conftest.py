"""Fixtures of the command line's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pattern_pipeline.warehouse.database import Warehouse


@pytest.fixture
def installation(database_url: str, tmp_path: Path) -> Iterator[Path]:
    """The environment of a fresh installation; a directory for its files."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PATTERN_PIPELINE_DATABASE_URL", database_url)
        environment.setenv("PATTERN_PIPELINE_HOME", str(tmp_path / "a home"))
        yield tmp_path


@pytest.fixture
def database(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """A warehouse that commands find by the environment, on a terminal that is wide enough for every column."""
    monkeypatch.setenv("PATTERN_PIPELINE_DATABASE_URL", warehouse.libpq_url)
    monkeypatch.setenv("COLUMNS", "160")
    return warehouse
