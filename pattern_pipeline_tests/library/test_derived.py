"""What the library derives from decisions and executions: templates, uses, relationships, days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from pattern_pipeline.library.days import DAY, compute_days, measure_quality
from pattern_pipeline.library.mining import publish_templates
from pattern_pipeline.library.relationships import Candidate, Edge, derive_relationships, extensions, similar_pairs
from pattern_pipeline.library.usage import derive_window
from pattern_pipeline.patterns.windows import HOUR, Window, floor_hour
from pattern_pipeline.review.transitions import Action
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.library.shelves import (
    COMMAND,
    TEMPLATE,
    approved_pattern,
    execute,
    mined,
    published,
    select,
    turn,
)
from pattern_pipeline_tests.review.rows import add_occurrence, whole_database
from pattern_pipeline_tests.roi.portfolios import PYTEST
from pattern_pipeline_tests.roi.portfolios import execute as report

NOW = floor_hour(datetime.now(UTC))
TODAY = NOW.replace(hour=0)
YESTERDAY = Window(TODAY - DAY, TODAY)


def test_an_approved_pattern_becomes_a_template_with_its_slots_and_evidence(warehouse: Warehouse) -> None:
    found = published(warehouse)
    assert (found["pattern_type"], found["language"], found["category"]) == ("operation", "shell", "test")
    assert (found["template_code"], found["example_usage"], found["created_by"]) == (TEMPLATE, COMMAND, "ada")
    assert found["context"]["slots"] == ["path"]
    assert found["context"]["source_signature"] == PYTEST
    assert (found["context"]["support"], found["context"]["coverage"]) == (40, 1)
    assert (found["usage_count"], found["is_deprecated"]) == (0, False)


def test_other_forms_of_a_pattern_are_told_beside_its_commonest(warehouse: Warehouse) -> None:
    approved_pattern(warehouse)
    execute(warehouse, "INSERT INTO command_templates (template) VALUES ('python -m pytest -x')")
    execute(
        warehouse,
        "UPDATE detected_signatures SET template_id = (SELECT max(template_id) FROM command_templates)"
        " WHERE workflow_id IN (SELECT workflow_id FROM detected_signatures ORDER BY workflow_id LIMIT 10)",
    )
    publish_templates(warehouse)
    found = mined(warehouse)
    assert (found["template_code"], found["context"]["coverage"]) == (TEMPLATE, 0.75)
    assert found["context"]["variants"] == [{"code": "python -m pytest -x", "support": 10}]


def test_publishing_again_changes_nothing(warehouse: Warehouse) -> None:
    published(warehouse)
    before = whole_database(warehouse)
    again = publish_templates(warehouse)
    assert (again.added, again.refreshed, again.deprecated, again.seeded, again.past_uses) == (0, 0, 0, 0, 0)
    assert whole_database(warehouse) == before


def test_a_library_begins_with_five_templates_and_gets_each_once(warehouse: Warehouse) -> None:
    assert publish_templates(warehouse).seeded == 5
    execute(warehouse, "DELETE FROM pattern_templates WHERE pattern_name = 'wait-for-url'")
    execute(warehouse, "UPDATE pattern_templates SET description = 'ours' WHERE pattern_name = 'update-branch'")
    assert publish_templates(warehouse).seeded == 1
    assert select(warehouse, "SELECT description FROM pattern_templates WHERE pattern_name = 'update-branch'") == [
        {"description": "ours"}
    ]


def test_a_revoked_approval_deprecates_the_template_and_a_new_one_brings_it_back(warehouse: Warehouse) -> None:
    template = published(warehouse)
    turn(warehouse, Action.REVOKE)
    assert publish_templates(warehouse).deprecated == 1
    assert mined(warehouse)["is_deprecated"]
    turn(warehouse, Action.REOPEN)
    assert publish_templates(warehouse).deprecated == 0
    turn(warehouse, Action.APPROVE)
    assert publish_templates(warehouse).refreshed == 1
    assert (mined(warehouse)["id"], mined(warehouse)["is_deprecated"]) == (template["id"], False)


def test_what_people_edited_or_deprecated_stays_while_evidence_is_refreshed(warehouse: Warehouse) -> None:
    published(warehouse)
    execute(
        warehouse,
        "UPDATE pattern_templates SET template_code = 'make test', is_deprecated = true, version = 2,"
        " context = context || '{\"owner\": \"us\"}' WHERE source = 'mined'",
    )
    execute(warehouse, "UPDATE operation_patterns SET confidence_score = 42")
    assert publish_templates(warehouse).refreshed == 1
    found = mined(warehouse)
    assert (found["template_code"], found["is_deprecated"]) == ("make test", True)
    assert (found["confidence_score"], found["context"]["owner"]) == (Decimal("0.42"), "us")


def test_a_template_that_people_had_made_under_the_name_becomes_that_of_the_pattern(warehouse: Warehouse) -> None:
    approved_pattern(warehouse)
    execute(
        warehouse,
        "INSERT INTO pattern_templates (pattern_name, pattern_type, language, template_code)"
        " VALUES (%s, 'operation', 'shell', 'make test')",
        PYTEST,
    )
    publish_templates(warehouse)
    assert (mined(warehouse)["template_code"], mined(warehouse)["version"]) == ("make test", 2)
    assert publish_templates(warehouse).refreshed == 0


def test_executions_become_uses_whenever_they_are_derived_and_however_often(warehouse: Warehouse) -> None:
    approved_pattern(warehouse)
    for number in range(5):
        report(
            warehouse,
            f"k{number}",
            success=number != 2,
            executed_at=TODAY - DAY + number * 3 * HOUR,
            execution_time_seconds=Decimal(2),
        )
    # Reported before the pattern had a template.
    assert publish_templates(warehouse).past_uses == 5
    found = mined(warehouse)
    assert (found["usage_count"], found["success_rate"]) == (5, Decimal("0.8"))
    assert found["last_used_at"] == TODAY - DAY + 12 * HOUR
    before = whole_database(warehouse)
    for _ in range(2):
        for hour in reversed(list(YESTERDAY.hours())):
            assert derive_window(warehouse, Window(hour, hour + HOUR)).written == 0
    assert whole_database(warehouse) == before
    events = select(warehouse, "SELECT execution_time_ms, quality_improvement FROM pattern_usage_events")
    assert {(row["execution_time_ms"], row["quality_improvement"]) for row in events} == {(2000, None)}


def test_the_order_in_which_hours_are_derived_does_not_matter(warehouse: Warehouse) -> None:
    published(warehouse)
    for number in range(4):
        report(warehouse, f"k{number}", success=number > 0, executed_at=TODAY - DAY + number * HOUR)
    hours = list(YESTERDAY.hours())
    tables = []
    for order in (hours, hours[::-1]):
        execute(warehouse, "DELETE FROM pattern_usage_events")
        assert (mined(warehouse)["usage_count"], mined(warehouse)["last_used_at"]) == (0, None)
        for hour in order:
            derive_window(warehouse, Window(hour, hour + HOUR))
        events = select(warehouse, "SELECT * FROM pattern_usage_events ORDER BY id")
        tables.append((events, {name: mined(warehouse)[name] for name in ("usage_count", "success_rate")}))
    assert tables[0] == tables[1]
    assert tables[0][1] == {"usage_count": 4, "success_rate": Decimal("0.75")}


def test_a_late_report_is_a_use_by_the_hour_in_which_it_was_recorded(warehouse: Warehouse) -> None:
    published(warehouse)
    report(warehouse, "late", executed_at=TODAY - 9 * DAY)
    recorded = floor_hour(select(warehouse, "SELECT recorded_at FROM pattern_executions")[0]["recorded_at"])
    assert derive_window(warehouse, Window(recorded, recorded + HOUR)).written == 1


def test_occurrences_never_count_as_uses_and_are_missed_ones_after_the_approval(warehouse: Warehouse) -> None:
    template = published(warehouse)
    pattern = select(warehouse, "SELECT pattern_id FROM operation_patterns")[0]["pattern_id"]
    tomorrow = TODAY + DAY
    for number in range(3):
        add_occurrence(warehouse, pattern, f"test:by-hand-{number}", (tomorrow + HOUR).isoformat())
    report(warehouse, "k1", workflow_id="test:by-hand-2")  # there the agent ran the automation
    execute(warehouse, "UPDATE pattern_executions SET executed_at = %s", tomorrow + HOUR)
    derive_window(warehouse, Window(tomorrow, tomorrow + DAY))
    (day,) = compute_days(warehouse, Window(tomorrow, tomorrow + DAY))
    assert (day.uses, day.missed_uses) == (1, 2)
    assert mined(warehouse)["usage_count"] == 1
    (row,) = select(warehouse, "SELECT * FROM pattern_analytics WHERE pattern_id = %s", template["id"])
    assert (row["total_usage_count"], row["missed_uses"], round(row["adoption"], 6)) == (1, 2, Decimal("0.333333"))
    # Those of before the approval are what the approval was made upon.
    assert select(warehouse, "SELECT count(*) AS n FROM v_missed_uses") == [{"n": 2}]
    turn(warehouse, Action.REVOKE)
    execute(warehouse, "UPDATE pattern_occurrences SET occurred_at = now() + interval '1 day'")
    assert select(warehouse, "SELECT count(*) AS n FROM v_missed_uses") == [{"n": 0}]


def test_days_are_computed_once_however_often_and_what_is_gone_leaves_them(warehouse: Warehouse) -> None:
    published(warehouse)
    report(warehouse, "k1", executed_at=TODAY - DAY)
    derive_window(warehouse, YESTERDAY)
    ignored = "to_jsonb(a) - 'computed_at'"
    assert [day.uses for day in compute_days(warehouse, YESTERDAY)] == [1]
    before = select(warehouse, f"SELECT {ignored} AS row FROM pattern_analytics a ORDER BY id")
    assert len(before) == 2
    compute_days(warehouse, YESTERDAY)
    assert select(warehouse, f"SELECT {ignored} AS row FROM pattern_analytics a ORDER BY id") == before
    execute(warehouse, "DELETE FROM pattern_usage_events")
    assert [(day.templates, day.uses) for day in compute_days(warehouse, YESTERDAY)] == [(0, 0)]
    assert select(warehouse, "SELECT count(*) AS n FROM pattern_analytics") == [{"n": 1}]


def test_quality_is_the_weighted_mean_of_its_parts_and_a_row_for_each_change(warehouse: Warehouse) -> None:
    execute(
        warehouse,
        "INSERT INTO pattern_templates (pattern_name, pattern_type, language, template_code, description,"
        " complexity_score, maintainability_score, performance_score, created_at)"
        " VALUES ('best', 'operation', 'shell', repeat('x', 101), 'd', 0, 0, 1, %s),"
        " ('unknown', 'operation', 'shell', 'x', ' ', NULL, NULL, NULL, %s)",
        *[TODAY - 5 * DAY] * 2,
    )
    week = Window(TODAY - 4 * DAY, TODAY)
    assert measure_quality(warehouse, week) == 2
    assert measure_quality(warehouse, week) == 0
    rows = select(warehouse, "SELECT * FROM pattern_quality_metrics q JOIN pattern_templates t ON t.id = pattern_id")
    best, unknown = sorted(rows, key=lambda row: row["pattern_name"])
    # 0 is a value: of complexity the best, of maintainability the worst. 0.15 + 0 + 0.15 + 0.15 * 0.7 + 0 + 0.20 * 0.5
    assert (best["quality_score"], best["confidence"]) == (Decimal("0.5050"), Decimal("0.80"))
    assert (unknown["quality_score"], unknown["confidence"]) == (Decimal("0.3500"), Decimal("0.30"))
    execute(warehouse, "UPDATE pattern_templates SET maintainability_score = 1 WHERE pattern_name = 'best'")
    assert measure_quality(warehouse, Window(TODAY, TODAY + DAY)) == 1
    assert select(warehouse, "SELECT count(*) AS n FROM pattern_quality_metrics") == [{"n": 3}]


def test_similar_templates_and_contained_sequences_are_found() -> None:
    one, other, third = (str(UUID(int=number)) for number in (1, 2, 3))
    tests = Candidate(other, "operation", "python -m pytest -q <path>", ())
    same = Candidate(one, "operation", "pytest -q python -m <path>", ())
    build = Candidate(third, "operation", "docker build --tag <str>", ())
    assert set(similar_pairs([tests, same, build])) == {Edge(one, other, "similar", 1.0)}
    long = Candidate(one, "sequence", "", ("a", "b", "c"))
    short = Candidate(other, "sequence", "", ("b", "c"))
    gapped = Candidate(third, "sequence", "", ("a", "c"))
    assert set(extensions([long, short, gapped])) == {Edge(one, other, "extends", 0.67)}


def test_what_people_state_survives_what_is_found(warehouse: Warehouse) -> None:
    for name in ("a", "b", "c"):
        execute(
            warehouse,
            "INSERT INTO pattern_templates (id, pattern_name, pattern_type, language, template_code)"
            " VALUES (%s, %s, 'operation', 'shell', 'git diff <path>')",
            UUID(int=ord(name)),
            name,
        )
    execute(
        warehouse,
        "INSERT INTO pattern_relationships (source_pattern_id, target_pattern_id, relationship_type, strength)"
        " SELECT a.id, b.id, kind, 0.3 FROM pattern_templates a, pattern_templates b,"
        " unnest('{similar,conflicts}'::text[]) AS kind WHERE a.pattern_name = 'a' AND b.pattern_name = 'b'",
    )
    assert derive_relationships(warehouse).written == 2
    before = whole_database(warehouse)["public.pattern_relationships"]
    again = derive_relationships(warehouse)
    assert (again.similar, again.written, again.dropped) == (3, 0, 0)
    assert whole_database(warehouse)["public.pattern_relationships"] == before
    execute(warehouse, "UPDATE pattern_templates SET is_deprecated = true WHERE pattern_name <> 'c'")
    assert derive_relationships(warehouse).dropped == 2
    kept = select(warehouse, "SELECT relationship_type, strength FROM pattern_relationships ORDER BY 1")
    assert kept == [
        {"relationship_type": "conflicts", "strength": Decimal("0.30")},
        {"relationship_type": "similar", "strength": Decimal("0.30")},
    ]


def test_what_is_found_gives_way_where_it_would_close_a_circle_with_what_people_state(warehouse: Warehouse) -> None:
    steps = {"long": ["a", "b", "c"], "mid": ["b", "c"], "short": ["c"]}
    for name, codes in steps.items():
        execute(
            warehouse,
            "INSERT INTO pattern_templates (id, pattern_name, pattern_type, language, template_code, context)"
            " VALUES (%s, %s, 'sequence', 'shell', %s, %s)",
            UUID(int=len(codes)),
            name,
            "\n".join(codes),
            Jsonb({"steps": [{"code": code, "shell": True} for code in codes]}),
        )
    assert derive_relationships(warehouse).extends == 3
    execute(warehouse, "DELETE FROM pattern_relationships")
    execute(
        warehouse,
        "INSERT INTO pattern_relationships (source_pattern_id, target_pattern_id, relationship_type)"
        " VALUES (%s, %s, 'extends')",
        UUID(int=1),
        UUID(int=3),
    )
    assert derive_relationships(warehouse).extends == 1
    kept = select(
        warehouse,
        "SELECT source_pattern_id AS s, target_pattern_id AS t FROM pattern_relationships"
        " WHERE relationship_type = 'extends' ORDER BY 1",
    )
    # The short one extends the long one, they say: of long > mid and mid > short only one can be.
    assert [(row["s"].int, row["t"].int) for row in kept] == [(1, 3), (2, 1)]


@pytest.mark.parametrize(
    ("earlier", "later", "direction", "strength"),
    [(1, 3, "increasing", 0.5), (3, 1, "decreasing", 0.5), (2, 2, "stable", 0), (0, 0, "stable", 0)],
)
def test_a_trend_compares_the_halves_of_its_period(
    module_warehouse: Warehouse, earlier: int, later: int, direction: str, strength: float
) -> None:
    execute(module_warehouse, "TRUNCATE pattern_templates CASCADE")
    execute(
        module_warehouse,
        "INSERT INTO pattern_templates (id, pattern_name, pattern_type, language, template_code)"
        " VALUES (%s, 'a', 'operation', 'shell', 'x')",
        UUID(int=1),
    )
    start = TODAY - 2 * DAY
    for count, at in ((earlier, start), (later, start + timedelta(hours=36))):
        execute(
            module_warehouse,
            "INSERT INTO pattern_usage_events (id, pattern_id, success, used_at)"
            " SELECT gen_random_uuid(), %s, true, %s FROM generate_series(1, %s)",
            UUID(int=1),
            at,
            count,
        )
    execute(module_warehouse, "SELECT compute_pattern_analytics(%s, %s, %s)", start, TODAY, UUID(int=1))
    (row,) = select(module_warehouse, "SELECT * FROM pattern_analytics WHERE pattern_id IS NOT NULL")
    assert (row["trend_direction"], row["trend_strength"]) == (direction, strength)
