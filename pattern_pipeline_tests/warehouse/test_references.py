"""References of the big tables hold like foreign keys, although they are checked once a statement."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from pattern_pipeline.warehouse.servers import connected

Connection = psycopg.Connection[tuple[object, ...]]

_RUN = """
INSERT INTO workflow_history (workflow_id, source, cost_basis, content_hash, event_time)
VALUES (%s, 'test', 'unpriced', 'x', '2026-05-01')
"""
_OF_A_RUN = {
    "tool_calls": "INSERT INTO tool_calls (workflow_id, tool_call_id, seq) VALUES (%s, 'call', 0)",
    "workflow_characteristics": "INSERT INTO workflow_characteristics VALUES (%s, '{}')",
    "detected_signatures": "INSERT INTO detected_signatures VALUES (%s, '2026-05-01', -1, 0, 1, 1, NULL)",
    "pattern_occurrences": """
        INSERT INTO pattern_occurrences (pattern_id, workflow_id, occurred_at, layer, similarity_score, hit_count,
            secondary_hits, cost_basis, detection_version, catalogue_version)
        VALUES (1, %s, '2026-05-01', 'task', 100, 1, 0, 'unpriced', 'd', 'c')
    """,
}
_SUMS = """
INSERT INTO pattern_{0}_statistics VALUES ('2026-05-01', %s, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL,
    0, 0, 0, 0, 0, 0, 0, 0, '2026-05-01', '2026-05-01')
"""


@pytest.fixture
def history(database_url: str) -> Iterator[Connection]:
    """A pattern with the id 1, and a run with a row in every table of a run's own."""
    with connected(database_url) as connection:
        connection.execute(
            """
            WITH named AS (INSERT INTO signatures (signature) VALUES ('test:pytest:all') RETURNING signature_id)
            INSERT INTO operation_patterns
                (pattern_id, pattern_signature, pattern_type, kind, readable, automatable, detection_version)
            SELECT signature_id, 'test:pytest:all', 'test', 'operation', 'run the tests', true, 'v' FROM named
            """
        )
        connection.execute(_RUN, ["run"])
        for statement in _OF_A_RUN.values():
            connection.execute(statement.encode(), ["run"])
        yield connection


def counts(connection: Connection) -> dict[str, object]:
    """Rows of each table of a run's own."""
    return {name: connection.execute(f"SELECT count(*) FROM {name}".encode()).fetchone() for name in _OF_A_RUN}


@pytest.mark.parametrize("table", _OF_A_RUN)
def test_a_row_needs_its_run(history: Connection, table: str) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match=f"{table}: there is no run 'nowhere'"):
        history.execute(_OF_A_RUN[table].encode(), ["nowhere"])


@pytest.mark.parametrize("span", ["hourly", "daily"])
def test_sums_need_their_pattern(history: Connection, span: str) -> None:
    statement = _SUMS.format(span).encode()
    history.execute(statement, [1])
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match="there is no pattern 2"):
        history.execute(statement, [2])


@pytest.mark.parametrize("removal", ["DELETE FROM workflow_history", "TRUNCATE workflow_history CASCADE"])
def test_what_belongs_to_a_run_goes_with_it(history: Connection, removal: str) -> None:
    history.execute(removal.encode())
    assert counts(history) == dict.fromkeys(_OF_A_RUN, (0,))


def test_a_deletion_takes_nothing_of_other_runs(history: Connection) -> None:
    history.execute(_RUN, ["other"])
    history.execute("DELETE FROM workflow_history WHERE workflow_id = 'other'")
    assert counts(history) == dict.fromkeys(_OF_A_RUN, (1,))


def test_a_counted_pattern_stays(history: Connection) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match="pattern 1 cannot be deleted"):
        history.execute("DELETE FROM operation_patterns")


@pytest.mark.parametrize("table", ["workflow_history", *_OF_A_RUN])
def test_the_key_of_a_row_never_changes(history: Connection, table: str) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match="never changes"):
        history.execute(f"UPDATE {table} SET workflow_id = 'other'".encode())


def test_rows_added_while_their_run_is_deleted_go_with_it(history: Connection, database_url: str) -> None:
    history.execute("DELETE FROM detected_signatures")
    deletion = threading.Thread(target=lambda: history.execute("DELETE FROM workflow_history"))
    with connected(database_url) as detecting:
        with detecting.transaction():
            detecting.execute(_OF_A_RUN["detected_signatures"].encode(), ["run"])
            deletion.start()
            wait_until_blocked(detecting, history.info.backend_pid)
        deletion.join()
    assert counts(history)["detected_signatures"] == (0,)


def test_rows_added_behind_a_deletion_are_refused(history: Connection, database_url: str) -> None:
    refused: list[psycopg.Error] = []

    def detect() -> None:
        try:
            detecting.execute(_OF_A_RUN["tool_calls"].encode(), ["run"])
        except psycopg.Error as error:
            refused.append(error)

    detection = threading.Thread(target=detect)
    with connected(database_url) as detecting:
        with history.transaction():
            history.execute("DELETE FROM workflow_history")
            detection.start()
            wait_until_blocked(history, detecting.info.backend_pid)
        detection.join()
    assert [type(each) for each in refused] == [psycopg.errors.ForeignKeyViolation]


def wait_until_blocked(watching: Connection, pid: int) -> None:
    """Returns once that backend waits for a lock."""
    blocked = "SELECT 1 WHERE cardinality(pg_blocking_pids(%s)) > 0"
    while watching.execute(blocked, [pid]).fetchone() is None:
        watching.execute("SELECT pg_sleep(0.01)")
