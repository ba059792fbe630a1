"""The review history: nobody changes it unnoticed, not even a superuser with triggers switched off."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from pattern_pipeline.warehouse.migrations import verify
from pattern_pipeline.warehouse.servers import connected

Connection = psycopg.Connection[tuple[object, ...]]


def write_reviews(connection: Connection, count: int) -> None:
    connection.execute(
        """
        WITH named AS (INSERT INTO signatures (signature) VALUES ('test:pytest:all') RETURNING signature_id),
        pattern AS (
            INSERT INTO operation_patterns
                (pattern_id, pattern_signature, pattern_type, kind, readable, automatable, detection_version)
            SELECT signature_id, 'test:pytest:all', 'test', 'operation', 'run the tests', true, 'v' FROM named
            RETURNING pattern_id
        )
        INSERT INTO pattern_approvals (pattern_id, occurrence_count, tool_sequence)
        SELECT pattern_id, 1, 'x' FROM pattern
        """
    )
    connection.execute(
        """
        INSERT INTO pattern_review_history (pattern_id, action, reviewer, notes)
        SELECT pattern_id, 'commented', 'Ada', 'note ' || n FROM pattern_approvals, generate_series(1, %s) AS n
        """,
        [count],
    )


@pytest.fixture
def reviewed(database_url: str) -> Iterator[Connection]:
    with connected(database_url) as connection:
        write_reviews(connection, 5)
        yield connection


def test_an_untouched_chain_verifies(reviewed: Connection) -> None:
    assert verify(reviewed) == []


@pytest.mark.parametrize("role", ["origin", "replica"])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE pattern_review_history SET notes = 'never said' WHERE history_id = 3",
        "DELETE FROM pattern_review_history WHERE history_id = 3",
        "TRUNCATE pattern_review_history",
    ],
)
def test_changes_are_refused_in_every_replication_role(reviewed: Connection, role: str, change: str) -> None:
    reviewed.execute("SELECT set_config('session_replication_role', %s, false)", [role])
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
        reviewed.execute(change.encode())


@pytest.mark.parametrize(
    ("change", "broken_at"),
    [
        ("UPDATE pattern_review_history SET notes = 'never said' WHERE history_id = 3", "3"),
        ("DELETE FROM pattern_review_history WHERE history_id = 3", "4"),
        ("DELETE FROM pattern_review_history WHERE history_id = 1", "2"),
        (
            """UPDATE pattern_review_history h SET notes = 'never said', row_hash = pattern_review_history_row_hash(
               jsonb_populate_record(h, '{"notes": "never said"}')) WHERE history_id = 3""",
            "4",
        ),
    ],
)
def test_a_change_behind_the_triggers_breaks_the_chain_where_it_happened(
    reviewed: Connection, change: str, broken_at: str
) -> None:
    reviewed.execute("ALTER TABLE pattern_review_history DISABLE TRIGGER pattern_review_history_no_change")
    reviewed.execute(change.encode())
    reviewed.execute("ALTER TABLE pattern_review_history ENABLE ALWAYS TRIGGER pattern_review_history_no_change")
    assert verify(reviewed) == [f"The chain of pattern_review_history is broken at history_id {broken_at}."]


def test_a_trigger_that_is_not_always_on_is_reported(reviewed: Connection) -> None:
    reviewed.execute("ALTER TABLE pattern_review_history ENABLE TRIGGER pattern_review_history_no_change")
    reviewed.execute("DROP TRIGGER pattern_review_history_chain ON pattern_review_history")
    assert verify(reviewed) == [
        "Trigger pattern_review_history_chain of pattern_review_history is missing or not enabled always.",
        "Trigger pattern_review_history_no_change of pattern_review_history is missing or not enabled always.",
    ]


def test_a_function_that_no_longer_refuses_is_reported(reviewed: Connection) -> None:
    reviewed.execute(
        "CREATE OR REPLACE FUNCTION pattern_review_history_is_append_only() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NULL; END'"
    )
    assert verify(reviewed) == [
        "Function pattern_review_history_is_append_only of pattern_review_history is not that of the migrations."
    ]


def test_decisions_that_were_cut_off_the_end_of_the_chain_are_missed(reviewed: Connection) -> None:
    reviewed.execute("UPDATE pattern_approvals SET status = 'approved', version = version + 1")
    reviewed.execute(
        "INSERT INTO pattern_review_history (pattern_id, action, reviewer) SELECT pattern_id, 'approved', 'Ada'"
        " FROM pattern_approvals"
    )
    assert verify(reviewed) == []
    reviewed.execute("ALTER TABLE pattern_review_history DISABLE TRIGGER pattern_review_history_no_change")
    reviewed.execute("DELETE FROM pattern_review_history WHERE action = 'approved'")
    reviewed.execute("ALTER TABLE pattern_review_history ENABLE ALWAYS TRIGGER pattern_review_history_no_change")
    assert verify(reviewed) == ["Decisions are missing at the end of pattern_review_history: test:pytest:all."]


def test_counts_of_the_queue_that_lie_are_reported(reviewed: Connection) -> None:
    reviewed.execute("UPDATE pattern_approval_counts SET patterns = 7")
    assert verify(reviewed) == ["The counts of the queue are not those of its rows."]
