"""What surrounds an operation: its result, its transaction, its row of the log, and a database that fails."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError

from pattern_pipeline.library import service
from pattern_pipeline.library.contracts import GetTop, Insert, RecordUsage
from pattern_pipeline.library.fields import NewTemplate
from pattern_pipeline.library.results import failure_of
from pattern_pipeline.library.service import Library
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.library.shelves import add, ask, execute, refusal, select, template
from pattern_pipeline_tests.patterns.histories import default_policy

NOBODY = UUID(int=0)
VIOLATIONS = {
    "unique_violation": "INSERT INTO pattern_templates (id, pattern_name, pattern_type, language, template_code)"
    " SELECT gen_random_uuid(), 'a', 'b', 'c', 'd' FROM generate_series(1, 2)",
    "foreign_key_violation": "INSERT INTO pattern_quality_metrics VALUES (gen_random_uuid(), 0, 0, now(), '1', '{}')",
    "check_violation": "INSERT INTO pattern_templates (pattern_name, pattern_type, language, template_code)"
    " VALUES (' ', 'b', 'c', 'secret value')",
    "not_null_violation": "INSERT INTO pattern_templates (pattern_name) VALUES ('secret value')",
    "timeout": "SELECT set_config('statement_timeout', '20', true), pg_sleep(5) FROM generate_series(1, 2)",
    "validation_error": "SELECT 'secret value'::uuid",
    "database_error": "SELECT nothing FROM nowhere",
    "connection_error": "SELECT pg_terminate_backend(pg_backend_pid())",
}


@pytest.mark.parametrize("kind", VIOLATIONS)
def test_every_failure_of_the_database_has_its_kind_and_echoes_no_row(module_warehouse: Warehouse, kind: str) -> None:
    with pytest.raises(SQLAlchemyError) as caught, module_warehouse.transaction() as tx:
        if kind == "timeout":
            tx.connection.exec_driver_sql("SET LOCAL statement_timeout = 20")
        tx.connection.exec_driver_sql(VIOLATIONS[kind])
    failure = failure_of(caught.value)
    assert failure.type == kind
    assert "secret value" not in failure.message
    assert "SELECT" not in failure.message


def test_a_correlation_id_comes_back_unchanged_in_result_log_and_event(library: Library, warehouse: Warehouse) -> None:
    given = uuid4()
    pattern = ask(library, "insert", template=template("a"), correlation_id=str(given))["id"]
    result = library.perform(RecordUsage(pattern_id=pattern, success=True, correlation_id=given))
    assert result.metadata.correlation_id == given
    assert select(warehouse, "SELECT correlation_id FROM pattern_usage_events") == [{"correlation_id": given}]
    rows = select(
        warehouse,
        "SELECT operation, success FROM pattern_operation_log WHERE correlation_id = %s ORDER BY log_id",
        given,
    )
    assert rows == [{"operation": name, "success": True} for name in ("insert", "record_usage")]
    wrong = library.perform({"operation": "explode", "correlation_id": str(given)})
    assert wrong.metadata.correlation_id == given
    new = {library.perform(GetTop()).metadata.correlation_id for _ in range(2)}
    assert len(new) == 2


@pytest.mark.parametrize("request_", [None, [], "get_top", 7, {}, {"operation": ["get_top"]}, {"operation": None}])
def test_whatever_is_asked_the_answer_is_a_result(module_warehouse: Warehouse, request_: Any) -> None:
    result = Library(module_warehouse, default_policy()).perform(request_)
    assert result.error is not None
    assert (result.error.type, result.metadata.operation) == ("validation_error", "unknown")


def test_a_rollback_leaves_its_row_in_the_log_and_nothing_else(library: Library, warehouse: Warehouse) -> None:
    add(library, "a")
    batch = [template("b"), template("a")]
    failed = refusal(library, "batch_insert", templates=batch)
    assert failed.failed_index == 1
    assert select(warehouse, "SELECT pattern_name FROM pattern_templates") == [{"pattern_name": "a"}]
    rows = select(warehouse, "SELECT * FROM pattern_operation_log ORDER BY log_id")
    assert [(row["operation"], row["success"], row["error_type"], row["actor"]) for row in rows] == [
        ("insert", True, None, "ada"),
        ("batch_insert", False, "unique_violation", "ada"),
    ]
    assert rows[1]["context"]["failed_index"] == 1
    (latency,) = select(warehouse, "SELECT * FROM v_operation_latency WHERE operation = 'batch_insert'")
    assert (latency["calls"], latency["failures"]) == (1, 1)
    assert latency["p95_ms"] > 0


def test_the_log_has_a_change_as_it_was_and_as_it_is(library: Library, warehouse: Warehouse) -> None:
    pattern = add(library, "a", category="git")
    ask(library, "update", pattern_id=pattern, fields={"category": "vcs", "confidence_score": 0.25})
    ask(library, "delete", pattern_id=pattern)
    update, delete = select(warehouse, "SELECT * FROM pattern_operation_log WHERE pattern_id = %s OFFSET 1", pattern)
    assert update["before"] == {"category": "git", "confidence_score": "0.5"}
    assert update["after"] == {"category": "vcs", "confidence_score": "0.25"}
    assert (delete["before"]["category"], delete["after"]) == ("vcs", None)


def test_a_log_that_cannot_be_written_fails_nobody(library: Library, warehouse: Warehouse) -> None:
    execute(warehouse, "DROP TABLE pattern_operation_log CASCADE")
    pattern = add(library, "a")
    assert ask(library, "get_by_id", pattern_id=pattern)["pattern_name"] == "a"


def test_an_error_inside_a_transaction_is_never_reported_as_success(library: Library, warehouse: Warehouse) -> None:
    execute(
        warehouse,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;"
        "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON pattern_templates DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    # It fails at COMMIT, when everything seems to be done.
    assert refusal(library, "insert", template=template("a")).type == "database_error"
    assert select(warehouse, "SELECT count(*) AS n FROM pattern_templates") == [{"n": 0}]


def test_a_statement_that_takes_too_long_is_a_timeout_and_the_next_one_works(warehouse: Warehouse) -> None:
    library = Library(warehouse, default_policy(), statement_timeout_ms=50)
    add(library, "a")
    with warehouse.engine.connect() as other:
        other.exec_driver_sql("LOCK TABLE pattern_templates IN ACCESS EXCLUSIVE MODE")
        assert refusal(library, "get_top").type == "timeout"
        assert refusal(library, "insert", template=template("b")).type == "timeout"
    assert len(ask(library, "get_top")) == 1


@pytest.fixture
def impatient(warehouse: Warehouse) -> Iterator[Library]:
    with Warehouse(warehouse.libpq_url, pool_timeout=0.05) as other:
        yield Library(other, default_policy())


def test_an_exhausted_pool_is_a_connection_error_and_recovers_without_a_restart(impatient: Library) -> None:
    pool = impatient.pool_statistics()
    assert (pool.size, pool.most) == (5, 20)
    with ExitStack() as held:
        for _ in range(pool.most):
            held.enter_context(impatient._warehouse.engine.connect())
        assert refusal(impatient, "get_top").type == "connection_error"
        health = impatient.health_check()
        assert (health.healthy, health.pool.in_use) == (False, 20)
    assert ask(impatient, "get_top") == []
    assert impatient.health_check().healthy
    assert impatient.pool_statistics().in_use == 0


def test_a_lost_connection_is_tried_again(
    library: Library, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "RETRY_SECONDS", (0.01, 0.01, 0.01))
    lost = []

    @sqlalchemy.event.listens_for(warehouse.engine, "before_cursor_execute")
    def cut(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if "INSERT INTO pattern_templates" in statement and len(lost) < 3:
            lost.append(cursor.connection.info.backend_pid)
            execute(warehouse, "SELECT pg_terminate_backend(%s, 5000)", lost[-1])

    add(library, "a")
    assert len(set(lost)) == 3
    assert select(warehouse, "SELECT count(*) AS n FROM pattern_templates") == [{"n": 1}]


def test_a_server_that_stays_away_is_a_connection_error_and_is_found_again(
    library: Library, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "RETRY_SECONDS", (0.01, 0.01, 0.01))
    attempts = []

    @sqlalchemy.event.listens_for(warehouse.engine, "do_connect")
    def refuse(dialect: Any, record: Any, arguments: Any, parameters: dict[str, Any]) -> None:
        attempts.append(1)
        parameters["host"] = "/nowhere"

    warehouse.engine.dispose()
    assert refusal(library, "insert", template=template("a")).type == "connection_error"
    assert not library.health_check().healthy
    # Once and three times again; the row of the log and the sign of life were tried once each.
    assert len(attempts) == 6
    sqlalchemy.event.remove(warehouse.engine, "do_connect", refuse)
    assert library.health_check().healthy
    add(library, "a")


def test_a_connection_lost_at_the_commit_is_not_tried_again(
    library: Library, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What became of it nobody knows, so that trying again might do it twice."""
    monkeypatch.setattr(service, "RETRY_SECONDS", (0.01, 0.01, 0.01))
    pattern, commits = add(library, "a"), []

    @sqlalchemy.event.listens_for(warehouse.engine, "commit")
    def cut(connection: Any) -> None:
        commits.append(connection.connection.dbapi_connection.info.backend_pid)
        execute(warehouse, "SELECT pg_terminate_backend(%s, 5000)", commits[-1])

    result = library.perform(RecordUsage(pattern_id=pattern, success=True))
    sqlalchemy.event.remove(warehouse.engine, "commit", cut)
    assert result.error is not None
    assert (result.error.type, len(commits)) == ("connection_error", 1)


def test_uses_of_one_template_at_the_same_time_are_all_counted(library: Library) -> None:
    one, other = add(library, "a"), add(library, "b")

    def use(number: int) -> bool:
        return library.perform(RecordUsage(pattern_id=(one, other)[number % 2], success=number % 4 < 2)).success

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(use, range(80)))
    for pattern in (one, other):
        found = ask(library, "get_by_id", pattern_id=pattern)
        assert (found["usage_count"], found["success_rate"]) == (40, 0.5)


def test_a_template_is_added_once_by_many_at_the_same_time(library: Library) -> None:
    request = Insert(template=NewTemplate.model_validate(template("a")))
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _: library.perform(request), range(16)))
    assert sum(result.success for result in results) == 1
    assert {result.error.type for result in results if result.error} == {"unique_violation"}


def test_a_batch_of_events_updates_each_template_once(library: Library, warehouse: Warehouse) -> None:
    """A row for each event would make a replay quadratic."""
    patterns = [add(library, name) for name in "abc"]
    execute(warehouse, "CREATE TABLE updates (at timestamptz DEFAULT clock_timestamp())")
    execute(
        warehouse,
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO updates DEFAULT VALUES; RETURN NULL; END $$;"
        "CREATE TRIGGER note AFTER UPDATE ON pattern_templates FOR EACH ROW EXECUTE FUNCTION note()",
    )
    execute(
        warehouse,
        "INSERT INTO pattern_usage_events (id, pattern_id, success) SELECT gen_random_uuid(), p, n %% 4 > 0"
        " FROM unnest(%s::uuid[]) p, generate_series(0, 99) n",
        patterns,
    )
    assert select(warehouse, "SELECT count(*) AS n FROM updates") == [{"n": 3}]
    execute(warehouse, "UPDATE pattern_usage_events SET pattern_id = %s WHERE pattern_id = %s", *patterns[:2])
    execute(warehouse, "DELETE FROM pattern_usage_events WHERE pattern_id = %s AND NOT success", patterns[2])
    counts = {row["id"]: (row["usage_count"], row["success_rate"]) for row in ask(library, "query")}
    assert counts == {patterns[0]: (200, 0.75), patterns[1]: (0, 0.5), patterns[2]: (75, 1)}
