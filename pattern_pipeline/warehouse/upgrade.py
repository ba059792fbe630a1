"""Taking over the data directory of an older major version of PostgreSQL.

Its own programs serve it once more, on a socket that nobody else knows; both databases are dumped, restored into a new
data directory, and the directories change places. The old one stays beside the new one until somebody removes it.
"""

from __future__ import annotations

import fcntl
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from pattern_pipeline.errors import Conflict, InvalidInput
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.dump import (
    DAGSTER_ARCHIVE,
    PIPELINE_ARCHIVE,
    Databases,
    dump_databases,
    restore_databases,
)
from pattern_pipeline.warehouse.embedded import MAJOR_VERSION, EmbeddedServer, binary_dir
from pattern_pipeline.warehouse.servers import DAGSTER_DATABASE, PIPELINE_DATABASE, ensure_database
from pattern_pipeline.warehouse.urls import with_database

_SHIPPED = (16, MAJOR_VERSION)  # what the wheel brings programs of


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade did."""

    old_version: int
    new_version: int
    kept: Path
    """The old data directory."""


class OldServer(EmbeddedServer):
    """The server of a state directory on other programs; others that want it are refused as without an upgrade."""

    def __init__(self, state_dir: Path, programs: Path, major_version: int, socket_dir: Path) -> None:
        super().__init__(state_dir)
        self._other_programs, self.major_version, self._other_socket_dir = programs, major_version, socket_dir

    @property
    def programs(self) -> Path:
        """Those of the old version."""
        return self._other_programs

    @property
    def socket_dir(self) -> Path:
        """A directory of this process."""
        return self._other_socket_dir


def upgrade(settings: Settings, programs: Path | None = None) -> Upgraded | None:
    """Takes over the embedded server's data of an older major version; None when it is of the present one.

    Ended at any point, the old data directory is as it was, or the new one is complete in its place.

    Args:
        settings: Which state directory; no server of the user's own.
        programs: Directory of the old version's `postgres` and `pg_ctl`. The wheel's own are found without.

    Raises:
        InvalidInput: there is no data, it is of a newer version, or the programs are not of its version.
        Conflict: the server is in use, or an earlier upgrade's directory is in the way.
        DatabaseDown: a server does not start, or refuses the dump.
    """
    server = EmbeddedServer(settings.state_dir())
    version = _version_of(server)
    if version == MAJOR_VERSION:
        return None
    programs = _programs_of(version, programs)
    scratch, kept = server.state_dir / "upgrade", server.state_dir / "postgres" / f"data.{version}"
    if kept.exists():
        raise Conflict(f"{kept} is there already, from an earlier upgrade. Move it away first.")
    if server.in_use() or server.status().pid is not None:
        raise Conflict("Other pattern-pipeline or Dagster processes use the server, or it runs. End them first.")
    with server.locked("upgrade.lock", fcntl.LOCK_EX):
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            _dump(server.state_dir, programs, version, scratch / "dump")
            return Upgraded(version, MAJOR_VERSION, server.adopt(_restored(scratch)))
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _dump(state_dir: Path, programs: Path, version: int, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="pattern-pipeline-") as sockets:
        old = OldServer(state_dir, programs, version, Path(sockets))
        try:
            dump_databases(_databases(old), target)
        finally:
            old.stop()


def _restored(scratch: Path) -> Path:
    """A new data directory with what was dumped; its server is stopped."""
    new = EmbeddedServer(scratch)
    try:
        restore_databases(_databases(new), scratch / "dump")
    finally:
        new.stop()
    return scratch / "postgres" / "data"


def _databases(server: EmbeddedServer) -> Databases:
    url = server.ensure_running()
    found = {
        PIPELINE_ARCHIVE: with_database(url, PIPELINE_DATABASE),
        DAGSTER_ARCHIVE: with_database(url, DAGSTER_DATABASE),
    }
    for each in found.values():
        ensure_database(each)
    return found


def _version_of(server: EmbeddedServer) -> int:
    status = server.status()
    if status.version is None:
        raise InvalidInput(f"There is no database in {server.state_dir} yet: nothing to upgrade.")
    if int(status.version) > MAJOR_VERSION:
        raise InvalidInput(
            f"The database in {server.state_dir} is of PostgreSQL {status.version}, newer than the {MAJOR_VERSION} "
            "that this installation brings. Use the version of pattern-pipeline that made it."
        )
    return int(status.version)


def _programs_of(version: int, given: Path | None) -> Path:
    if given is None:
        if version in _SHIPPED:
            return binary_dir(version)
        raise InvalidInput(
            f"The database was made by PostgreSQL {version}, whose programs are not part of this installation. Install "
            f"them, then name their directory: --from-binaries /usr/lib/postgresql/{version}/bin (Debian's package "
            f"postgresql-{version})."
        )
    for program in ("postgres", "pg_ctl"):
        if not (given / program).is_file():
            raise InvalidInput(f"{given} has no {program}: expected the programs of PostgreSQL {version}.")
    told = subprocess.run([given / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+)", told)
    if found is None or int(found[1]) != version:
        raise InvalidInput(f"{given} is of {told.strip() or 'no PostgreSQL'}; the database was made by {version}.")
    return given
