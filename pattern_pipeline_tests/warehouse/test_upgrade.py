"""Data of an older major version of PostgreSQL: refused, then taken over whole, and never lost on the way."""

import fcntl
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pattern_pipeline.cli.db import app
from pattern_pipeline.errors import Conflict, DatabaseDown, InvalidInput
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.accounts import account_for
from pattern_pipeline.warehouse.embedded import SUPERUSER, EmbeddedServer, binary_dir
from pattern_pipeline.warehouse.migrations import migrate, verify
from pattern_pipeline.warehouse.servers import connected, dagster_url, ensure_database, pipeline_url
from pattern_pipeline.warehouse.upgrade import OldServer, upgrade
from pattern_pipeline.warehouse.urls import with_database
from pattern_pipeline_tests.warehouse.test_review_history import write_reviews

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
needs_15 = pytest.mark.skipif(not DEBIAN_15.is_dir(), reason="PostgreSQL 15 is missing: apt-get install postgresql-15")


def made_by(programs: Path, version: int, state_dir: Path, sockets: Path) -> Settings:
    """An installation whose data another major version made, with reviews in one database and a run in the other."""
    home = state_dir / "postgres"
    home.mkdir(parents=True, mode=0o700)
    command = [str(programs / "initdb"), "-D", "data", "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C"]
    done = account_for(home).run([*command, "--no-sync"], cwd=home)
    assert done.returncode == 0, done.stderr
    with (home / "data" / "postgresql.auto.conf").open("a") as configuration:
        configuration.write("listen_addresses = ''\n")
    old = OldServer(state_dir, programs, version, sockets)
    try:
        ours, dagsters = (with_database(old.ensure_running(), name) for name in ("pattern_pipeline", "dagster"))
        ensure_database(ours)
        ensure_database(dagsters)
        with connected(ours) as connection:
            migrate(connection)
            write_reviews(connection, 3)
        with connected(dagsters) as connection:
            connection.execute("CREATE TABLE runs AS SELECT 1 AS n")
    finally:
        old.stop()
    return Settings(home=state_dir)


@pytest.fixture
def sockets(tmp_path: Path) -> Path:
    (tmp_path / "s").mkdir(mode=0o700)
    return tmp_path / "s"


@pytest.fixture
def settings(tmp_path: Path, sockets: Path) -> Iterator[Settings]:
    settings = made_by(binary_dir(16), 16, tmp_path / "my home", sockets)
    yield settings
    EmbeddedServer(settings.state_dir()).stop()


def assert_everything_is_there(settings: Settings, kept: int) -> None:
    with connected(pipeline_url(settings)) as connection:
        assert connection.info.server_version // 10_000 == 18
        assert connection.execute("SELECT count(*) FROM pattern_review_history").fetchone() == (3,)
        assert verify(connection) == []
    with connected(dagster_url(settings)) as connection:
        assert connection.execute("SELECT n FROM runs").fetchall() == [(1,)]
    former = settings.state_dir() / "postgres" / f"data.{kept}"
    assert (former / "PG_VERSION").read_text() == f"{kept}\n"
    assert not (settings.state_dir() / "upgrade").exists()


def test_data_of_an_older_version_is_refused_and_taken_over_by_upgrade(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATTERN_PIPELINE_HOME", str(settings.state_dir()))
    with pytest.raises(DatabaseDown, match="db upgrade"):
        pipeline_url(settings)
    assert "from PostgreSQL 16 to 18" in CliRunner().invoke(app, ["upgrade"]).stdout
    assert_everything_is_there(settings, kept=16)
    again = CliRunner().invoke(app, ["upgrade", "--json"])
    assert json.loads(again.stdout) == {"upgraded": None}


@needs_15
def test_programs_from_elsewhere_take_over_what_the_installation_has_none_for(
    tmp_path: Path, sockets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = made_by(DEBIAN_15, 15, tmp_path / "home", sockets)
    monkeypatch.setenv("PATTERN_PIPELINE_HOME", str(settings.state_dir()))
    with pytest.raises(InvalidInput, match="--from-binaries /usr/lib/postgresql/15/bin"):
        upgrade(settings)
    with pytest.raises(InvalidInput, match="the database was made by 15"):
        upgrade(settings, binary_dir(16))
    try:
        assert CliRunner().invoke(app, ["upgrade", "--from-binaries", str(DEBIAN_15)]).exit_code == 0
        assert_everything_is_there(settings, kept=15)
    finally:
        EmbeddedServer(settings.state_dir()).stop()


def test_an_upgrade_that_fails_leaves_the_old_data_as_it_was(settings: Settings) -> None:
    broken = settings.state_dir() / "broken"
    shutil.copytree(binary_dir(16).parent, broken)
    (broken / "bin" / "pg_ctl").write_text("#!/bin/sh\necho out of order >&2; exit 1\n")
    with pytest.raises(DatabaseDown, match="out of order"):
        upgrade(settings, broken / "bin")
    assert upgrade(settings) is not None
    assert_everything_is_there(settings, kept=16)


def test_an_upgrade_that_is_ended_between_its_last_steps_is_finished_by_the_next_start(settings: Settings) -> None:
    upgrade(settings)
    home = settings.state_dir() / "postgres"
    (home / "data").rename(home / "data.adopted")
    assert_everything_is_there(settings, kept=16)


def test_nothing_is_upgraded_while_somebody_uses_it_or_an_earlier_one_is_in_the_way(settings: Settings) -> None:
    server = EmbeddedServer(settings.state_dir())
    with server.locked("users.lock", fcntl.LOCK_SH), pytest.raises(Conflict, match="End them first"):
        upgrade(settings)
    (settings.state_dir() / "postgres" / "data.16").mkdir()
    with pytest.raises(Conflict, match="Move it away"):
        upgrade(settings)


def test_no_data_and_data_of_a_newer_version_are_named(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    with pytest.raises(InvalidInput, match="nothing to upgrade"):
        upgrade(settings)
    data = settings.state_dir() / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("19\n")
    with pytest.raises(InvalidInput, match="newer than the 18"):
        upgrade(settings)
