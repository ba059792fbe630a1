"""Which runs still have a process: each holds a lock in the database for as long as it works.

PostgreSQL frees the lock as soon as its holder is gone, however that ended and on whichever machine it was. What is
done about a run without a process belongs to `launchers`.
"""

from contextlib import suppress
from threading import Event, Thread
from typing import Any, Final

import psycopg

from pattern_pipeline.warehouse.servers import connected
from pattern_pipeline.warehouse.sqlfiles import statements

WATCHED: Final = "pattern_pipeline/watched"
"""Tag of a run whose process took its lock: only of these can be said that it is gone."""

LOOK_EVERY: Final = 5.0
"""Seconds after which a lock that was lost with its connection is noticed and taken again."""


class Lease:
    """The lock of one run, held by a thread until `end`, and taken again when the server was away meanwhile."""

    def __init__(self, url: str, run_id: str) -> None:
        """Takes the lock.

        Args:
            url: libpq URL of our database.
            run_id: Of the run whose process this is.
        """
        self._url, self._run_id = url, run_id
        self._is_taken, self._is_over = Event(), Event()
        self._thread = Thread(target=self._hold, name=f"lease of {run_id[:8]}", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Whether the lock was taken within so many seconds."""
        return self._is_taken.wait(seconds)

    def end(self) -> None:
        """Frees the lock."""
        self._is_over.set()
        self._thread.join()

    def _hold(self) -> None:
        while not self._is_over.is_set():
            with suppress(psycopg.Error), connected(self._url) as connection:
                _ask(connection, "warehouse/lock_session", self._run_id)
                self._is_taken.set()
                while not self._is_over.wait(LOOK_EVERY):
                    connection.execute("SELECT 1")
            self._is_over.wait(1)


def is_held(url: str, run_id: str) -> bool:
    """Whether some process works on a run that is `WATCHED`.

    Raises:
        psycopg.OperationalError: the server does not answer, so that nobody can know.
    """
    with connected(url) as connection:
        return bool(_ask(connection, "warehouse/is_locked", run_id))


def _ask(connection: psycopg.Connection[tuple[Any, ...]], statement: str, run_id: str) -> Any:
    (prepared,) = statements(statement)
    row = connection.execute(prepared.named.encode(), {"name": f"run {run_id}"}).fetchone()
    return None if row is None else row[0]
