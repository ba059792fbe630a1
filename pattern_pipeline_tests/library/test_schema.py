"""What the database itself promises of the library: columns, views and functions that people query by hand."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from psycopg.errors import CheckViolation, GeneratedAlways, IntegrityError, InvalidParameterValue

from pattern_pipeline.library.contracts import RecordUsage
from pattern_pipeline.library.service import Library
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.library.shelves import add, ask, execute, select

COLUMNS = {
    "pattern_templates": "id pattern_name pattern_type language template_code category description example_usage source"
    " confidence_score usage_count success_rate complexity_score maintainability_score performance_score"
    " parent_pattern_id is_deprecated deprecated_by_id discovered_at last_used_at updated_at created_at created_by tags"
    " context",
    "pattern_usage_events": "id pattern_id correlation_id file_path project_id success execution_time_ms error_message"
    " quality_before quality_after quality_improvement used_at context tags",
    "pattern_relationships": "source_pattern_id target_pattern_id relationship_type strength description context"
    " discovered_at updated_at",
    "pattern_analytics": "id period_start period_end pattern_id total_usage_count success_count failure_count"
    " average_execution_time_ms average_quality_improvement top_patterns trend_direction trend_strength computed_at",
    "pattern_quality_metrics": "pattern_id quality_score confidence measured_at version metadata",
    "pattern_operation_log": "actor logged_at operation pattern_id correlation_id success error_type duration_ms before"
    " after context",
    "v_top_patterns": "id pattern_name pattern_type language usage_count success_rate confidence_score"
    " avg_quality_improvement recent_usage_count last_used_at",
    "v_pattern_quality_trends": "pattern_id day usage_count avg_quality_improvement success_rate",
}
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.mark.parametrize("relation", COLUMNS)
def test_tables_and_views_have_the_columns_that_they_are_known_by(module_warehouse: Warehouse, relation: str) -> None:
    rows = select(
        module_warehouse, "SELECT column_name FROM information_schema.columns WHERE table_name = %s", relation
    )
    assert set(COLUMNS[relation].split()) <= {row["column_name"] for row in rows}


def test_a_use_needs_no_more_than_its_template_and_whether_it_succeeded(library: Library, warehouse: Warehouse) -> None:
    pattern = add(library, "a")
    execute(
        warehouse,
        "INSERT INTO pattern_usage_events (pattern_id, success, quality_before, quality_after)"
        " VALUES (%s, true, 0.60, 0.85), (%s, true, 0, 0), (%s, false, NULL, 0.5)",
        *[pattern] * 3,
    )
    found = select(warehouse, "SELECT quality_improvement FROM pattern_usage_events ORDER BY quality_before DESC")
    # Of one whose quality before is unknown, the improvement is unknown; one of nothing is 0.
    assert [row["quality_improvement"] for row in found] == [None, Decimal("0.25"), 0]
    (top,) = select(warehouse, "SELECT * FROM v_top_patterns")
    assert (top["usage_count"], top["avg_quality_improvement"], top["recent_usage_count"]) == (3, Decimal("0.125"), 3)
    with pytest.raises(GeneratedAlways):
        execute(warehouse, "UPDATE pattern_usage_events SET quality_improvement = 1")
    with pytest.raises(IntegrityError, match="pattern_usage_events_pattern_id_fkey"):
        execute(warehouse, "DELETE FROM pattern_templates")


def test_the_functions_can_be_called_with_literals(library: Library, warehouse: Warehouse) -> None:
    pattern = add(library, "a")
    ask(library, "record_usage", pattern_id=pattern, success=True, used_at=(NOW - timedelta(hours=1)).isoformat())
    execute(warehouse, "UPDATE pattern_templates SET usage_count = 9, timed_uses = 5")
    assert select(warehouse, f"SELECT update_pattern_stats('{pattern}') AS changed") == [{"changed": 1}]
    assert select(warehouse, "SELECT usage_count, timed_uses FROM pattern_templates") == [
        {"usage_count": 1, "timed_uses": 0}
    ]
    period = f"'{NOW - timedelta(days=30)}', '{NOW}'"
    computed = f"SELECT compute_pattern_analytics({period}, '{pattern}') AS id"
    assert select(warehouse, computed) == select(warehouse, computed)
    assert len(select(warehouse, f"SELECT compute_pattern_analytics({period}, NULL) AS id")) == 1
    assert len(select(warehouse, "SELECT id FROM pattern_analytics")) == 2
    for bucket, least in (("day", 30), ("week", 4), ("month", 1)):
        rows = select(warehouse, f"SELECT * FROM pattern_usage_trends('{pattern}', {period}, '{bucket}')")
        assert len(rows) >= least
        assert sum(row["usage_count"] for row in rows) == 1
    with pytest.raises(InvalidParameterValue):
        select(warehouse, f"SELECT * FROM pattern_usage_trends(NULL, {period}, 'hour')")


@pytest.mark.parametrize(("kind", "strength"), [("similar", "1.01"), ("extends", "-0.01"), ("inspires", "0.5")])
def test_a_relationship_out_of_range_is_refused_not_clamped(
    library: Library, warehouse: Warehouse, kind: str, strength: str
) -> None:
    one, other = sorted((add(library, "a"), add(library, "b")))
    with pytest.raises(CheckViolation):
        execute(
            warehouse,
            "INSERT INTO pattern_relationships (source_pattern_id, target_pattern_id, relationship_type, strength)"
            " VALUES (%s, %s, %s, %s)",
            one,
            other,
            kind,
            strength,
        )


def test_the_averages_kept_beside_the_counts_are_those_of_the_events(library: Library, warehouse: Warehouse) -> None:
    patterns = [add(library, name) for name in "abc"]
    execute(
        warehouse,
        "INSERT INTO pattern_usage_events (pattern_id, success, execution_time_ms, quality_before, quality_after)"
        " SELECT p, n %% 3 > 0, CASE WHEN n %% 2 = 0 THEN n END, 0.5, CASE WHEN n %% 5 > 0 THEN n / 100.0 END"
        " FROM unnest(%s::uuid[]) p, generate_series(1, 40) n",
        patterns,
    )
    execute(
        warehouse, "UPDATE pattern_usage_events SET execution_time_ms = 7, pattern_id = %s WHERE success", patterns[0]
    )
    execute(
        warehouse, "DELETE FROM pattern_usage_events WHERE quality_improvement < 0 AND pattern_id = %s", patterns[1]
    )
    kept = select(
        warehouse,
        "SELECT id, average_execution_time_ms, average_quality_improvement FROM v_pattern_effectiveness ORDER BY id",
    )
    counted = select(
        warehouse,
        "SELECT t.id, avg(execution_time_ms) AS average_execution_time_ms,"
        " avg(quality_improvement) AS average_quality_improvement"
        " FROM pattern_templates t LEFT JOIN pattern_usage_events e ON e.pattern_id = t.id GROUP BY 1 ORDER BY 1",
    )
    assert kept == counted
    assert select(warehouse, "SELECT update_all_pattern_stats(ARRAY(SELECT id FROM pattern_templates)) AS n") == [
        {"n": 0}
    ]


def test_a_day_of_uses_replayed_in_any_order_twice_changes_nothing(library: Library, warehouse: Warehouse) -> None:
    patterns = [add(library, name) for name in "ab"]
    day = [
        RecordUsage(
            pattern_id=patterns[number % 2],
            event_id=uuid4(),
            success=number % 5 > 0,
            quality_before=Decimal("0.6"),
            quality_after=Decimal("0.85"),
            execution_time_ms=Decimal(number),
            used_at=NOW - timedelta(hours=number),
        )
        for number in range(24)
    ]

    def state() -> list[dict[str, object]]:
        events = select(warehouse, "SELECT * FROM pattern_usage_events ORDER BY id")
        for event in events:
            event.pop("correlation_id")
        return [*events, *select(warehouse, "SELECT * FROM pattern_templates ORDER BY id")]

    for event in day:
        assert library.perform(event).data["repeated"] is False
    before = state()
    for seed in (1, 2):
        for event in random.Random(seed).sample(day, len(day)):
            assert library.perform(event).data["repeated"] is True
    assert state() == before
    counts = select(warehouse, "SELECT usage_count FROM pattern_templates")
    assert counts == [{"usage_count": 12}, {"usage_count": 12}]
