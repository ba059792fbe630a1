"""The embedded server's life on a real machine: crashes, odd paths, other users, several processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import psycopg
import pytest
from pydantic import SecretStr

from pattern_pipeline.errors import DatabaseDown
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.embedded import EmbeddedServer, binary_dir
from pattern_pipeline.warehouse.servers import held_server

NOBODY = 65534
UNSYNCED = ["--no-sync"]  # of initdb alone; the server itself runs as it does for users
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can step down to another user")


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A directory that every user can reach and whose path is short, unlike tmp_path; it has a space."""
    directory = Path(tempfile.mkdtemp(prefix="pp test "))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """State directory of a stopped server that tests copy, since initdb is the slow part."""
    state_dir = tmp_path_factory.mktemp("initialised") / "state"
    server = EmbeddedServer(state_dir, initdb_options=UNSYNCED)
    server.ensure_running()
    server.stop()
    return state_dir


@pytest.fixture
def server(initialised: Path, open_dir: Path) -> Iterator[EmbeddedServer]:
    """A stopped server with the settings that users get."""
    server = EmbeddedServer(shutil.copytree(initialised, open_dir / "state"))
    yield server
    server.stop()


def value(server: EmbeddedServer, query: str) -> object:
    with psycopg.connect(server.url, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def pid_of(server: EmbeddedServer) -> int:
    pid = server.status().pid
    assert pid is not None
    return pid


def in_python(code: str, *args: str) -> subprocess.Popen[str]:
    script = (
        f"import sys\nfrom pathlib import Path\nfrom pattern_pipeline.warehouse.embedded import EmbeddedServer\n{code}"
    )
    return subprocess.Popen(
        [sys.executable, "-c", script, *args], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )


def test_it_starts_keeps_durability_on_listens_to_no_network_and_stops(server: EmbeddedServer) -> None:
    assert not server.status().running
    server.ensure_running()
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        assert value(server, f"SHOW {setting}") == "on"
    assert value(server, "SHOW listen_addresses") == ""
    assert server.socket_dir == server.state_dir / "postgres" / "run"
    assert server.socket_dir.stat().st_mode & 0o777 == 0o700
    status = server.status()
    assert (status.running, status.version) == (True, "18")
    assert server.stop()
    assert not server.stop()
    assert not server.status().running


def test_status_and_stop_create_nothing(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "absent")
    assert not server.status().running
    assert not server.stop()
    assert not (tmp_path / "absent").exists()


def test_what_a_user_changes_with_alter_system_survives_a_restart(server: EmbeddedServer) -> None:
    server.ensure_running()
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET work_mem = '7MB'")
    server.stop()
    server.ensure_running()
    assert value(server, "SHOW work_mem") == "7MB"


def test_a_moved_state_directory_starts_at_its_new_place(server: EmbeddedServer) -> None:
    server.ensure_running()
    server.stop()
    elsewhere = server.state_dir.with_name("elsewhere")
    moved = EmbeddedServer(server.state_dir.rename(elsewhere))
    moved.ensure_running()
    assert value(moved, "SHOW data_directory") == str(elsewhere / "postgres" / "data")
    moved.stop()


def test_a_path_too_long_for_a_socket_gets_a_short_private_one(initialised: Path, tmp_path: Path) -> None:
    server = EmbeddedServer(shutil.copytree(initialised, tmp_path / ("d" * 70) / ("e f" * 20)))
    server.ensure_running()
    try:
        assert value(server, "SELECT 1") == 1
        assert server.socket_dir.parent == Path("/tmp")
        assert server.socket_dir.stat().st_mode & 0o777 == 0o700
    finally:
        server.stop()
    assert not server.socket_dir.exists()


def test_a_socket_directory_that_others_may_enter_is_refused(initialised: Path, tmp_path: Path) -> None:
    server = EmbeddedServer(shutil.copytree(initialised, tmp_path / ("d" * 70) / ("e" * 60)))
    server.socket_dir.mkdir()
    server.socket_dir.chmod(0o777)
    try:
        with pytest.raises(DatabaseDown, match="not a private directory"):
            server.ensure_running()
    finally:
        server.socket_dir.rmdir()


def test_several_processes_that_need_a_new_database_at_once_share_one(tmp_path: Path) -> None:
    code = (
        "from pattern_pipeline.settings import Settings\nfrom pattern_pipeline.warehouse.migrations import migrate\n"
        "from pattern_pipeline.warehouse.servers import connected, pipeline_url\n"
        "with connected(pipeline_url(Settings(home=Path(sys.argv[1])))) as connection: migrate(connection)\n"
        "print(EmbeddedServer(Path(sys.argv[1])).status().pid)"
    )
    state_dir = tmp_path / "new state"
    server = EmbeddedServer(state_dir)
    starters = [in_python(code, str(state_dir)) for _ in range(3)]
    try:
        pids = {starter.communicate(timeout=120)[0].strip() for starter in starters}
        assert [starter.returncode for starter in starters] == [0, 0, 0]
        assert pids == {str(pid_of(server))}
    finally:
        server.stop()


def test_an_interrupted_initdb_does_not_count(tmp_path: Path) -> None:
    unfinished = tmp_path / "postgres" / "data.new"
    unfinished.mkdir(parents=True, mode=0o700)
    (unfinished / "PG_VERSION").write_text("18\n")
    server = EmbeddedServer(tmp_path, initdb_options=UNSYNCED)
    server.ensure_running()
    assert value(server, "SELECT 1") == 1
    server.stop()


def test_committed_rows_survive_kill_9_and_an_immediate_restart(server: EmbeddedServer) -> None:
    server.ensure_running()
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        os.kill(pid_of(server), signal.SIGKILL)
        server.ensure_running()
    assert value(server, "SELECT count(*) FROM kept") == 1000


def test_what_stays_connected_starts_a_server_that_was_killed(server: EmbeddedServer) -> None:
    with Warehouse.open(Settings(home=server.state_dir)) as warehouse:
        for _ in range(2):
            postmaster = psutil.Process(pid_of(server))
            backends = postmaster.children()
            postmaster.kill()
            psutil.wait_procs(backends)  # they answer until they notice
            with warehouse.transaction() as tx:
                assert tx.scalar("warehouse/ping") == 1
            with warehouse.bulk() as bulk:
                assert bulk.scalar("warehouse/ping") == 1


@pytest.mark.parametrize("crashed", [False, True])
def test_a_stale_pid_file_harms_no_other_process_and_stops_no_start(server: EmbeddedServer, crashed: bool) -> None:
    server.ensure_running()
    pid_file = server.state_dir / "postgres" / "data" / "postmaster.pid"
    before = pid_file.read_text().splitlines()
    if crashed:
        os.kill(int(before[0]), signal.SIGKILL)
    else:
        server.stop()
    with subprocess.Popen(["sleep", "30"], cwd=pid_file.parent) as innocent:
        stale = "\n".join([str(innocent.pid), *before[1:]]) + "\n"
        pid_file.write_text(stale)
        (server.socket_dir / ".s.PGSQL.5432.lock").write_text(stale)
        assert not server.stop()
        server.ensure_running()
        assert value(server, "SELECT 1") == 1
        server.stop()
        assert innocent.poll() is None
        innocent.kill()


def test_data_of_another_major_version_is_refused_with_the_way_out(server: EmbeddedServer) -> None:
    (server.state_dir / "postgres" / "data" / "PG_VERSION").write_text("17\n")
    with pytest.raises(DatabaseDown, match=r"made by PostgreSQL 17.*brings 18.*db upgrade"):
        server.ensure_running()
    (server.state_dir / "postgres" / "data" / "PG_VERSION").write_text("19\n")
    with pytest.raises(DatabaseDown, match=r"made by PostgreSQL 19.*brings 18 only.*PATTERN_PIPELINE_HOME"):
        server.ensure_running()


def test_a_server_that_cannot_start_says_why(server: EmbeddedServer) -> None:
    with (server.state_dir / "postgres" / "data" / "postgresql.auto.conf").open("a") as configuration:
        configuration.write("shared_buffers = 'plenty'\n")
    with pytest.raises(DatabaseDown, match="shared_buffers"):
        server.ensure_running()


def test_a_state_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatabaseDown, match="PATTERN_PIPELINE_HOME"):
        EmbeddedServer(tmp_path / "file" / "state").ensure_running()


def test_the_last_holder_stops_what_a_holder_started(server: EmbeddedServer) -> None:
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(server.hold())
        second.enter_context(EmbeddedServer(server.state_dir).hold())
        first.close()
        assert server.status().running
        assert server.in_use()
        second.close()
        assert not server.status().running


def test_the_server_of_the_settings_is_held_and_a_users_own_left_alone(server: EmbeddedServer) -> None:
    with held_server(Settings(home=server.state_dir)):
        assert server.in_use()
    assert not server.status().running
    with held_server(Settings(home=server.state_dir, database_url=SecretStr("postgresql://u@127.0.0.1:1/work"))):
        assert not server.in_use()


def test_a_holder_leaves_a_server_that_was_started_to_stay(server: EmbeddedServer) -> None:
    server.ensure_running()
    with server.hold():
        pass
    assert server.status().running
    assert not server.in_use()


def test_a_holder_leaves_a_server_that_another_process_keeps(server: EmbeddedServer) -> None:
    with server.hold():
        keeper = in_python(
            "EmbeddedServer(Path(sys.argv[1])).keep(); print('kept', flush=True); input()", str(server.state_dir)
        )
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == "kept\n"
    assert server.status().running
    keeper.communicate("\n", timeout=30)
    with server.hold():
        pass
    assert not server.status().running


def test_what_a_process_keeps_for_itself_does_not_outlive_its_hold(server: EmbeddedServer) -> None:
    with server.hold():
        server.keep()
        server.keep()
    assert not server.status().running


def test_after_kill_9_of_a_holder_the_next_one_stops_the_server(server: EmbeddedServer) -> None:
    code = "with EmbeddedServer(Path(sys.argv[1])).hold(): print('held', flush=True); input()"
    holder = in_python(code, str(server.state_dir))
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    holder.kill()
    holder.communicate()
    assert server.status().running
    with server.hold():
        assert value(server, "SELECT 1") == 1
    assert not server.status().running


def skip_unless_open_to_all() -> None:
    if subprocess.run(["test", "-x", binary_dir() / "postgres"], user=NOBODY, check=False).returncode != 0:
        pytest.skip("the server's programs lie where only root can go")


@as_root
def test_an_ordinary_user_runs_his_own_server(open_dir: Path) -> None:
    """The interpreter may lie where only root can go, so the process steps down after its imports."""
    os.chown(open_dir, NOBODY, NOBODY)
    code = (
        "import os, psycopg\nos.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "server = EmbeddedServer(Path(sys.argv[1])); url = server.ensure_running()\n"
        "print(psycopg.connect(url).execute('SELECT 40 + 2').fetchone()[0])\n"
        "print(Path(f'/proc/{server.status().pid}').stat().st_uid)\n"
        "assert server.stop()\n"
    )
    skip_unless_open_to_all()
    user = in_python(code, str(open_dir / "state"))
    output, _ = user.communicate(timeout=60)
    assert output.split() == ["42", str(NOBODY)]
    assert (open_dir / "state" / "postgres" / "data").stat().st_uid == NOBODY


@as_root
def test_another_users_server_is_refused(initialised: Path, open_dir: Path) -> None:
    state_dir = shutil.copytree(initialised, open_dir / "state")
    code = (
        "import os\nfrom pattern_pipeline.errors import DatabaseDown\nos.setgid(65534); os.setuid(65534)\n"
        "try: EmbeddedServer(Path(sys.argv[1])).ensure_running()\n"
        "except DatabaseDown as error: print(error)"
    )
    output, _ = in_python(code, str(state_dir)).communicate(timeout=60)
    assert "PATTERN_PIPELINE_HOME" in output


@as_root
def test_root_without_user_namespaces_runs_it_as_a_service_account(
    open_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_unless_open_to_all()
    server = EmbeddedServer(open_dir / "state", initdb_options=UNSYNCED)
    monkeypatch.setenv("PATH", str(open_dir))  # no unshare there
    server.ensure_running()
    owner = Path(f"/proc/{pid_of(server)}").stat().st_uid
    assert owner != 0
    server.stop()
    monkeypatch.undo()
    server.ensure_running()
    assert Path(f"/proc/{pid_of(server)}").stat().st_uid == owner
    server.stop()
