"""Under which operating-system account the embedded server runs; PostgreSQL refuses to run as root.

Nothing here creates accounts, or opens the permissions of directories that are not the server's own.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pattern_pipeline.errors import DatabaseDown

_NOBODY = 65534
_UNSHARE = ("unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}")
_SERVICE_ACCOUNTS = ("postgres", "nobody")


@dataclass(frozen=True)
class ServerAccount:
    """How to run PostgreSQL's programs: as the present user, behind a prefix command, or as another user."""

    prefix: tuple[str, ...] = ()
    user_id: int | None = None
    group_id: int | None = None

    def run(self, command: Sequence[str], *, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Runs a program in `cwd` to its end, out of reach of the terminal's signals.

        Raises:
            DatabaseDown: the account may not enter `cwd` or may not execute the program.
        """
        try:
            return subprocess.run(
                [*self.prefix, *command],
                cwd=cwd,
                user=self.user_id,
                group=self.group_id,
                extra_groups=None if self.user_id is None else [],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                start_new_session=True,
            )
        except PermissionError as error:
            raise DatabaseDown(
                f"User {self.user_id} may not use {cwd} or run {command[0]}. Start as an ordinary user, or set "
                "PATTERN_PIPELINE_DATABASE_URL to a PostgreSQL server."
            ) from error


def account_for(home: Path) -> ServerAccount:
    """The account for a server whose files are below `home` (which need not exist yet).

    An ordinary user runs it himself. Root runs it as the files' owner when that is somebody else; else as root seen as
    `nobody` through a user namespace, so that the files stay root's and nobody gains access; else, where namespaces are
    blocked, as a service account.

    Raises:
        DatabaseDown: the files belong to another user, or root finds no way to step down.
    """
    owner = home.stat() if home.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner.st_uid != os.geteuid():
            raise DatabaseDown(
                f"{home} belongs to user {owner.st_uid}. Run as that user, or choose another state directory with "
                "PATTERN_PIPELINE_HOME."
            )
        return ServerAccount()
    if owner is not None and owner.st_uid != 0:
        return ServerAccount(user_id=owner.st_uid, group_id=owner.st_gid)
    if _user_namespaces_work():
        return ServerAccount(prefix=_UNSHARE)
    if not (home / "data").exists():
        for name in _SERVICE_ACCOUNTS:
            try:
                account = pwd.getpwnam(name)
            except KeyError:
                continue
            return ServerAccount(user_id=account.pw_uid, group_id=account.pw_gid)
    raise DatabaseDown(
        "PostgreSQL refuses to run as root, and user namespaces are blocked here. Run as an ordinary user, or set "
        "PATTERN_PIPELINE_DATABASE_URL to a PostgreSQL server."
    )


def _user_namespaces_work() -> bool:
    if shutil.which(_UNSHARE[0]) is None:
        return False
    return subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False).returncode == 0
