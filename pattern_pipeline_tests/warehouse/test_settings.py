"""Settings: where things are, with nothing set and with everything set."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pattern_pipeline.settings import PROJECT_ROOT, get_settings


def test_nothing_set_means_the_clone_and_its_embedded_server() -> None:
    settings = get_settings()
    assert settings.database_url is None
    assert settings.state_dir() == PROJECT_ROOT / ".pattern_pipeline"
    assert settings.start_date == date(2025, 1, 1)


def test_the_environment_is_read_anew_and_empty_values_count_as_unset(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATTERN_PIPELINE_HOME", str(tmp_path / "a" / ".." / "b"))
    monkeypatch.setenv("PATTERN_PIPELINE_DATABASE_URL", "")
    monkeypatch.setenv("PATTERN_PIPELINE_START_DATE", "2024-06-01")
    settings = get_settings()
    assert settings.state_dir() == tmp_path / "b"
    assert settings.database_url is None
    assert settings.start_date == date(2024, 6, 1)


def test_a_password_is_not_shown_with_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATTERN_PIPELINE_DATABASE_URL", "postgresql://me:geheim@h/work")
    assert "geheim" not in repr(get_settings())
