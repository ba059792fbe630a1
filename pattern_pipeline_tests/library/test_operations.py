"""Every operation of the library on a real database, as the specification says it must answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from pattern_pipeline.library.contracts import OPERATION, GetTop
from pattern_pipeline.library.service import Library
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.library.shelves import add, ask, execute, refusal, select, template
from pattern_pipeline_tests.review.rows import whole_database

NOBODY = UUID(int=0)
EVERYTHING = {
    "category": "git",
    "description": "What changed.",
    "example_usage": "git diff src",
    "source": "us",
    "confidence_score": 0.75,
    "complexity_score": 0,
    "maintainability_score": 0,
    "performance_score": 1,
    "discovered_at": "2026-01-02T03:04:05Z",
    "tags": ["a", "b"],
    "context": {"deep": {"er": [1, None]}},
}


def use(library: Library, pattern_id: Any, count: int = 1, **fields: Any) -> None:
    for _ in range(count):
        ask(library, "record_usage", pattern_id=pattern_id, **{"success": True, **fields})


def test_an_insert_tells_id_name_and_time_and_stores_what_was_given(library: Library) -> None:
    parent = add(library, "parent")
    stored = ask(library, "insert", template=template("child", **EVERYTHING, parent_pattern_id=parent))
    assert stored["pattern_name"] == "child"
    assert abs(stored["created_at"] - datetime.now(UTC)) < timedelta(minutes=5)
    found = ask(library, "get_by_id", pattern_id=stored["id"])
    assert {name: found[name] for name in EVERYTHING} == EVERYTHING | {"discovered_at": found["discovered_at"]}
    assert found["discovered_at"] == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (found["parent_pattern_id"], found["created_by"], found["version"]) == (parent, "ada", 1)
    assert (found["usage_count"], found["success_rate"], found["lifecycle"]) == (0, 0.5, "active")


def test_a_duplicate_and_an_unknown_parent_are_refused_by_kind(library: Library) -> None:
    add(library, "a")
    duplicate = refusal(library, "insert", template=template("a", template_code="secret-of-the-row"))
    assert duplicate.type == "unique_violation"
    assert "already exists" in duplicate.message
    assert "secret-of-the-row" not in duplicate.message
    unknown = refusal(library, "insert", template=template("b", parent_pattern_id=NOBODY))
    assert unknown.type == "foreign_key_violation"
    assert "invalid reference" in unknown.message
    add(library, "a", language="any")


def test_an_update_changes_and_reports_exactly_the_given_fields(library: Library) -> None:
    pattern = add(library, "a", category="git", description="d")
    before = ask(library, "get_by_id", pattern_id=pattern)
    given = {"description": None, "confidence_score": 0, "tags": ["x"]}
    done = ask(library, "update", pattern_id=pattern, fields=given, version=1)
    assert done["updated_fields"] == ["description", "confidence_score", "tags"]
    after = ask(library, "get_by_id", pattern_id=pattern)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {*given, "version", "updated_at"}
    assert {name: after[name] for name in given} == given
    stale = refusal(library, "update", pattern_id=pattern, fields=given, version=1)
    assert stale.type == "conflict"
    assert refusal(library, "update", pattern_id=NOBODY, fields=given).type == "not_found"
    add(library, "b")
    assert refusal(library, "update", pattern_id=pattern, fields={"pattern_name": "b"}).type == "unique_violation"


def test_a_used_template_is_never_deleted(library: Library) -> None:
    used, unused = add(library, "used"), add(library, "unused")
    use(library, used)
    assert refusal(library, "delete", pattern_id=used).type == "conflict"
    assert ask(library, "delete", pattern_id=unused) == {"id": unused}
    assert refusal(library, "delete", pattern_id=unused).type == "not_found"


def test_a_batch_is_stored_whole_or_not_at_all(library: Library, warehouse: Warehouse) -> None:
    names = [f"t{number}" for number in range(10)]
    stored = ask(library, "batch_insert", templates=[template(name) for name in names])
    assert [row["pattern_name"] for row in stored] == names
    before = whole_database(warehouse)["public.pattern_templates"]
    for index in (0, 4, 9):
        batch = [template(f"new{number}") for number in range(10)]
        batch[index] = template("t3")
        failed = refusal(library, "batch_insert", templates=batch)
        assert (failed.type, failed.failed_index) == ("unique_violation", index)
    batch = [template("x"), template("y"), template("x")]
    assert refusal(library, "batch_insert", templates=batch).failed_index == 2
    batch[2] = template("z", parent_pattern_id=str(NOBODY))
    orphan = refusal(library, "batch_insert", templates=batch)
    assert (orphan.type, orphan.failed_index) == ("foreign_key_violation", 2)
    assert whole_database(warehouse)["public.pattern_templates"] == before


def test_an_upsert_changes_what_is_known_and_keeps_its_uses(library: Library) -> None:
    known = add(library, "a", context={"kept": 1})
    use(library, known, 2)
    batch = [template("b"), template("a", description="new", context={"more": 2})]
    stored = ask(library, "batch_insert", templates=batch, upsert=True)
    assert [row["inserted"] for row in stored] == [True, False]
    found = ask(library, "get_by_id", pattern_id=known)
    assert (found["description"], found["usage_count"], found["version"]) == ("new", 2, 2)
    assert found["context"] == {"kept": 1, "more": 2}
    assert refusal(library, "batch_insert", templates=[*batch, *batch], upsert=True).type == "validation_error"


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({}, {"a_b", "axb", "100%", "old"}),
        ({"pattern_name": {"contains": "A_B"}}, {"a_b"}),
        ({"pattern_name": {"contains": "%"}}, {"100%"}),
        ({"pattern_name": {"contains": "\\"}}, set()),
        ({"pattern_name": {"any_of": ["axb", "nobody"]}}, {"axb"}),
        ({"language": {"eq": "python"}}, {"axb"}),
        ({"language": {"eq": "python", "any_of": ["shell"]}}, set()),
        ({"confidence_score": {"gt": 0.2, "le": 0.5}}, {"axb", "old"}),
        ({"confidence_score": {"ge": 0.2, "lt": 0.5}}, {"a_b"}),
        ({"confidence_score": {"eq": 0}}, {"100%"}),
        ({"confidence_score": {"gt": 0.5, "lt": 0.2}}, set()),
        ({"confidence_score": {"ge": 0.5, "gt": 0.5}}, set()),
        ({"confidence_score": {"eq": 0.2, "ge": 0.1}}, {"a_b"}),
        ({"usage_count": {"gt": -0.5, "lt": 0.5}}, {"a_b", "axb", "100%", "old"}),
        ({"usage_count": {"eq": 0, "le": 10**20}}, {"a_b", "axb", "100%", "old"}),
        ({"usage_count": {"eq": 0.5}}, set()),
        ({"usage_count": {"gt": 0}}, set()),
        ({"usage_count": {"ge": 10**20}}, set()),
        ({"usage_count": {"le": -(10**20)}}, set()),
        ({"complexity_score": {"le": 10}}, set()),
        ({"is_deprecated": True}, {"old"}),
        ({"tags": ["x", "y"]}, {"axb"}),
        ({"created_at": {"lt": "2026-01-01T00:00Z"}}, set()),
    ],
)
def test_a_query_honours_every_condition(module_library: Library, where: dict[str, Any], found: set[str]) -> None:
    assert {row["pattern_name"] for row in ask(module_library, "query", where=where, limit=1000)} == found


@pytest.fixture(scope="module")
def module_library(module_warehouse: Warehouse) -> Library:
    from pattern_pipeline_tests.patterns.histories import default_policy

    library = Library(module_warehouse, default_policy())
    add(library, "a_b", confidence_score=0.2, tags=["x"])
    add(library, "axb", language="python", tags=["y", "x", "z"])
    add(library, "100%", confidence_score=0)
    old = add(library, "old")
    ask(library, "update", pattern_id=old, fields={"is_deprecated": True})
    return library


def test_a_search_finds_words_ranks_by_likeness_and_honours_minimums(library: Library) -> None:
    add(library, "run-python-tests", description="pytest of the backend", confidence_score=0.9)
    exact = add(library, "pytest", confidence_score=0.6)
    add(library, "pytest-in-docker-with-coverage", confidence_score=0.3)
    add(library, "lint", template_code="ruff check <path>")
    gone = add(library, "pytest-old", confidence_score=1)
    ask(library, "update", pattern_id=gone, fields={"is_deprecated": True})
    found = ask(library, "search", query="pytest")
    assert found[0]["id"] == exact
    assert len(found) == 3
    assert {row["pattern_name"] for row in ask(library, "search", query="pytest", min_confidence_score=0.6)} == {
        "run-python-tests",
        "pytest",
    }
    assert ask(library, "search", query="pytest", min_confidence_score=0.95) == []
    assert [row["pattern_name"] for row in ask(library, "search", query="back PYTE")] == ["run-python-tests"]
    assert [row["pattern_name"] for row in ask(library, "search", query="ruff")] == ["lint"]
    assert ask(library, "search", query="pytest", limit=1, offset=1) == found[1:2]
    for text in ("%", "& | !", "' OR 1=1 --", ":*", "nothing like it"):
        assert ask(library, "search", query=text) == []


def test_what_is_called_like_the_query_is_found_among_any_number_that_only_mention_it(
    library: Library, warehouse: Warehouse
) -> None:
    execute(
        warehouse,
        "INSERT INTO pattern_templates (pattern_name, pattern_type, language, template_code, description)"
        " SELECT 'deploy:service:' || n, 'operation', 'shell', 'make rollout', 'deploys a canary'"
        " FROM generate_series(1, 400) n",
    )
    used = select(warehouse, "SELECT id FROM pattern_templates")
    execute(
        warehouse,
        "INSERT INTO pattern_usage_events (pattern_id, success) SELECT unnest(%s::uuid[]), true",
        [row["id"] for row in used],
    )
    exact, partly = add(library, "deploy"), add(library, "canary-release")
    assert ask(library, "search", query="deploy", limit=1)[0]["id"] == exact
    assert ask(library, "search", query="canary", limit=1)[0]["id"] == partly
    pages = [ask(library, "search", query="deploy", limit=150, offset=start) for start in (0, 150, 300)]
    assert [len(page) for page in pages] == [150, 150, 101]
    assert len({row["id"] for page in pages for row in page}) == 401


@pytest.mark.parametrize("part", ["ploy:Ser", "y:", "%", "é:X", "deploy:service:1"])
def test_a_part_of_a_name_is_found_wherever_it_stands(library: Library, part: str) -> None:
    names = {"deploy:service:1", "Deploy:Service:2", "100%", "caf\u00e9:x", "x"}
    for name in names:
        add(library, name)
    found = {row["pattern_name"] for row in ask(library, "query", where={"pattern_name": {"contains": part}})}
    assert found == {name for name in names if part.lower() in name.lower()}
    assert found


@pytest.mark.parametrize(
    ("first", "later", "kind"),
    [
        ({"pattern_name": "known"}, {"parent_pattern_id": str(NOBODY)}, "unique_violation"),
        ({"parent_pattern_id": str(NOBODY)}, {"pattern_name": "known"}, "foreign_key_violation"),
    ],
)
def test_a_batch_tells_the_first_that_is_refused_wherever_it_stands(
    library: Library, warehouse: Warehouse, first: dict[str, str], later: dict[str, str], kind: str
) -> None:
    add(library, "known")
    for size, refused in ((1, 0), (2, 0), (2, 1), (7, 3), (10, 0), (10, 4), (10, 8), (10, 9)):
        batch = [template(f"new-{number}") for number in range(size)]
        batch[refused] |= first
        if refused + 1 < size:
            batch[refused + 1] |= later
        failure = refusal(library, "batch_insert", templates=batch)
        assert (failure.failed_index, failure.type) == (refused, kind)
    assert select(warehouse, "SELECT count(*) AS n FROM pattern_templates") == [{"n": 1}]


def test_a_filter_wants_all_tags_and_every_minimum(library: Library) -> None:
    both = add(library, "both", tags=["a", "b"], category="git", source="us")
    add(library, "one", tags=["a"])
    use(library, both, 3)
    assert [row["id"] for row in ask(library, "filter", tags=["b", "a"])] == [both]
    assert [row["id"] for row in ask(library, "filter", min_usage_count=3, min_success_rate=1)] == [both]
    assert [row["id"] for row in ask(library, "filter", category="git", source="us", language="shell")] == [both]
    assert ask(library, "filter", min_usage_count=4) == []
    assert len(ask(library, "filter", min_success_rate=0)) == 2


def test_five_uses_with_four_successes_and_an_improvement_of_a_quarter(library: Library) -> None:
    pattern = add(library, "a")
    for number in range(5):
        event = ask(
            library,
            "record_usage",
            pattern_id=pattern,
            success=number != 1,
            quality_before=0.60,
            quality_after=0.85,
            execution_time_ms=10 * number,
            project_id="shop",
        )
        assert event["quality_improvement"] == 0.25
    found = ask(library, "get_by_id", pattern_id=pattern)
    assert (found["usage_count"], found["success_rate"]) == (5, 0.8)
    nothing = ask(library, "record_usage", pattern_id=pattern, success=True, quality_before=0, quality_after=0)
    assert nothing["quality_improvement"] == 0
    unknown = ask(library, "record_usage", pattern_id=pattern, success=True, quality_after=0.5)
    assert unknown["quality_improvement"] is None
    (row,) = ask(library, "effectiveness", pattern_id=pattern)
    assert (row["usage_count"], row["average_execution_time_ms"]) == (7, 20)
    assert row["average_quality_improvement"] == pytest.approx(1.25 / 6)


def test_a_use_with_an_id_counts_once_and_another_report_under_it_is_refused(library: Library) -> None:
    pattern, event = add(library, "a"), str(uuid4())
    report = {"pattern_id": pattern, "event_id": event, "success": True, "quality_before": 0.5, "context": {"n": 1}}
    assert ask(library, "record_usage", **report)["repeated"] is False
    assert ask(library, "record_usage", **report)["repeated"] is True
    assert refusal(library, "record_usage", **{**report, "success": False}).type == "conflict"
    assert refusal(library, "record_usage", **{**report, "quality_before": 0.4}).type == "conflict"
    assert refusal(library, "record_usage", pattern_id=NOBODY, success=True).type == "foreign_key_violation"
    assert ask(library, "get_by_id", pattern_id=pattern)["usage_count"] == 1


def test_statistics_are_corrected_from_the_events_and_left_alone_without_any(
    library: Library, warehouse: Warehouse
) -> None:
    used, unused = add(library, "used"), add(library, "unused")
    use(library, used, 2)
    assert ask(library, "update_stats") == {"corrected": 0}
    execute(warehouse, "UPDATE pattern_templates SET usage_count = 99, success_rate = 0.1")
    assert ask(library, "update_stats", pattern_id=used) == {"corrected": 1}
    assert ask(library, "get_by_id", pattern_id=used)["success_rate"] == 1
    assert ask(library, "update_stats", pattern_id=unused) == {"corrected": 0}
    assert ask(library, "get_by_id", pattern_id=unused)["usage_count"] == 99
    assert refusal(library, "update_stats", pattern_id=NOBODY).type == "not_found"


def test_a_deprecated_template_leaves_the_top_and_stays_countable(library: Library) -> None:
    best, other, third = add(library, "best"), add(library, "other"), add(library, "third", pattern_type="sequence")
    use(library, best, 5)
    use(library, other, 2)
    top = ask(library, "get_top")
    assert [row["id"] for row in top] == [best, other, third]
    assert (top[0]["recent_usage_count"], top[0]["success_rate"]) == (5, 1)
    ask(library, "update", pattern_id=best, fields={"is_deprecated": True, "deprecated_by_id": other})
    assert [row["id"] for row in ask(library, "get_top")] == [other, third]
    assert [row["id"] for row in ask(library, "get_by_type", pattern_type="sequence")] == [third]
    assert ask(library, "get_top", language="any") == []
    assert ask(library, "get_by_id", pattern_id=best)["lifecycle"] == "deprecated"
    use(library, best)
    statistics = ask(library, "global_stats")
    assert (statistics["total_usage_count"], statistics["deprecated_patterns"]) == (8, 1)
    assert ask(library, "compute_analytics")["total_usage_count"] == 8


def test_a_template_not_used_for_thirty_days_is_stale(library: Library, warehouse: Warehouse) -> None:
    pattern = add(library, "a")
    execute(warehouse, "UPDATE pattern_templates SET created_at = now() - interval '31 days'")
    assert ask(library, "get_by_id", pattern_id=pattern)["lifecycle"] == "stale"
    use(library, pattern)
    assert ask(library, "get_by_id", pattern_id=pattern)["lifecycle"] == "active"


def test_what_holds_both_ways_is_stored_once_and_read_from_both_ends(library: Library, warehouse: Warehouse) -> None:
    one, other = sorted((add(library, "a"), add(library, "b")))
    stated = {"relationship_type": "conflicts", "strength": 0.9}
    assert ask(library, "create_relationship", source_pattern_id=other, target_pattern_id=one, **stated)["created"]
    again = {**stated, "strength": 0.4, "description": "same port"}
    assert not ask(library, "create_relationship", source_pattern_id=one, target_pattern_id=other, **again)["created"]
    assert select(warehouse, "SELECT count(*) AS n FROM pattern_relationships") == [{"n": 1}]
    for here, there in ((one, other), (other, one)):
        (row,) = ask(library, "get_related", pattern_id=here)
        assert (row["related_id"], row["direction"], row["strength"]) == (there, "both", 0.4)
    changed = ask(
        library,
        "update_relationship",
        source_pattern_id=other,
        target_pattern_id=one,
        relationship_type="conflicts",
        fields={"strength": 0},
    )
    assert changed["updated_fields"] == ["strength"]
    assert (changed["relationship"]["strength"], changed["relationship"]["description"]) == (0, "same port")
    assert ask(library, "get_related", pattern_id=one, min_strength=0.1) == []
    assert refusal(library, "get_related", pattern_id=NOBODY).type == "not_found"


def test_relationships_that_cannot_be_are_refused(library: Library) -> None:
    a, b, c = (add(library, name) for name in "abc")

    def state(source: Any, target: Any, **more: Any) -> dict[str, Any]:
        return {"source_pattern_id": source, "target_pattern_id": target, "relationship_type": "extends", **more}

    for strength in (1.01, -0.01, "NaN"):
        assert refusal(library, "create_relationship", **state(a, b, strength=strength)).type == "validation_error"
    assert refusal(library, "create_relationship", **state(a, a)).type == "validation_error"
    assert refusal(library, "create_relationship", **state(a, NOBODY)).type == "foreign_key_violation"
    ask(library, "create_relationship", **state(a, b))
    ask(library, "create_relationship", **state(b, c))
    circle = refusal(library, "create_relationship", **state(c, a))
    assert circle.type == "check_violation"
    assert "would extend itself" in circle.message
    assert refusal(library, "update_relationship", **state(c, a, fields={"strength": 1})).type == "not_found"
    directions = [row["direction"] for row in ask(library, "get_related", pattern_id=b)]
    assert sorted(directions) == ["incoming", "outgoing"]


def test_global_averages_count_a_template_once(library: Library) -> None:
    often, once = add(library, "often", confidence_score=1), add(library, "once", confidence_score=0)
    use(library, often, 9, quality_before=0.5, quality_after=0.6)
    use(library, once, quality_before=0.1, quality_after=0.6, success=False)
    statistics = ask(library, "global_stats")
    assert statistics["average_confidence_score"] == 0.5
    assert statistics["average_success_rate"] == 0.5
    assert statistics["average_quality_improvement"] == pytest.approx(0.3)
    assert (statistics["total_usage_count"], statistics["total_success_count"]) == (10, 9)
    computed = ask(library, "compute_analytics")
    assert computed["average_quality_improvement"] == pytest.approx(0.3)
    assert [row["usage_count"] for row in computed["top_patterns"]] == [9, 1]


def test_analytics_computed_twice_are_one_row_and_a_period_ends_before_its_end(
    library: Library, warehouse: Warehouse
) -> None:
    pattern = add(library, "a")
    start = datetime(2026, 3, 1, tzinfo=UTC)
    for at in (start - timedelta(microseconds=1), start, start + timedelta(days=1)):
        use(library, pattern, used_at=at.isoformat())
    period = {"period_start": start, "period_end": start + timedelta(days=1), "pattern_id": pattern}
    first, second = (ask(library, "compute_analytics", **period) for _ in range(2))
    assert first["id"] == second["id"]
    assert (first["total_usage_count"], first["adoption"], first["missed_uses"]) == (1, 1, 0)
    assert ask(library, "compute_analytics")["total_usage_count"] == 0
    assert ask(library, "compute_analytics")["adoption"] is None
    assert select(warehouse, "SELECT count(*) AS n FROM pattern_analytics") == [{"n": 2}]
    assert refusal(library, "compute_analytics", pattern_id=NOBODY).type == "foreign_key_violation"


def test_trends_have_a_row_for_each_bucket_also_without_uses(library: Library) -> None:
    pattern = add(library, "a")
    start = datetime(2026, 3, 1, tzinfo=UTC)
    for days in (0, 0, 2):
        use(library, pattern, used_at=start + timedelta(days=days), quality_before=0.5, quality_after=0.75)
    period = {"period_start": start, "period_end": start + timedelta(days=3)}
    rows = ask(library, "usage_trends", pattern_id=pattern, **period)
    assert [(row["usage_count"], row["success_rate"]) for row in rows] == [(2, 1), (0, None), (1, 1)]
    assert [row["usage_count"] for row in ask(library, "usage_trends", bucket="month", **period)] == [3]
    weeks = ask(library, "usage_trends", bucket="week", **period)
    assert [row["bucket_start"].isoweekday() for row in weeks] == [1, 1]
    quality = ask(library, "quality_trends", pattern_id=pattern, **period)
    assert [(row["usage_count"], row["avg_quality_improvement"]) for row in quality] == [(2, 0.25), (1, 0.25)]


@pytest.mark.parametrize(
    "request_",
    [
        {"operation": "explode"},
        {},
        {"operation": "insert", "template": {**template("a"), "pattern_name": " \n"}},
        {"operation": "insert", "template": {**template("a"), "template_code": ""}},
        {"operation": "insert", "template": {**template("a"), "confidence_score": 1.1}},
        {"operation": "insert", "template": {**template("a"), "description": "\x00"}},
        {"operation": "insert", "template": {**template("a"), "context": {"a": "\x00"}}},
        {"operation": "insert", "template": {**template("a"), "usage_count": 5}},
        {"operation": "insert", "template": {**template("a"), "source": "mined"}},
        {"operation": "update", "pattern_id": NOBODY, "fields": {}},
        {"operation": "update", "pattern_id": NOBODY, "fields": {"pattern_name": None}},
        {"operation": "get_top", "limit": 0},
        {"operation": "get_top", "limit": 1001},
        {"operation": "get_top", "offset": -1},
        {"operation": "search", "query": " "},
        {"operation": "usage_trends", "bucket": "hour"},
        {"operation": "usage_trends", "period_start": "2026-01-02T00:00Z", "period_end": "2026-01-01T00:00Z"},
        {"operation": "usage_trends", "period_start": "2026-01-02T00:00"},
        {"operation": "record_usage", "pattern_id": NOBODY, "success": True, "quality_after": -0.1},
    ],
)
def test_a_request_that_is_wrong_in_itself_is_refused_when_it_is_made(
    module_library: Library, request_: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError):
        OPERATION.validate_python(request_)
    result = module_library.perform(request_)
    assert result.error is not None
    assert result.error.type == "validation_error"


def test_defaults_are_those_of_the_specification() -> None:
    assert (GetTop().limit, GetTop().offset, GetTop().operation) == (10, 0, "get_top")
    with pytest.raises(ValidationError):
        GetTop().limit = 5  # type: ignore[misc]


INJECTIONS = ("id; DROP TABLE pattern_templates", "pattern_name = 'x' --", "usage_count", "id", "version", "words")


@pytest.mark.parametrize("name", INJECTIONS)
def test_names_of_columns_never_come_from_a_caller(module_library: Library, name: str) -> None:
    assert refusal(module_library, "update", pattern_id=NOBODY, fields={name: 1}).type == "validation_error"
    assert refusal(module_library, "insert", template=template("a", **{name: 1})).type == "validation_error"
    assert refusal(module_library, "filter", **{name: 1}).type == "validation_error"
    if name != "usage_count":
        assert refusal(module_library, "query", where={name: {"eq": 1}}).type == "validation_error"
    assert refusal(module_library, "query", where={"usage_count": {name: 1}}).type == "validation_error"


def test_values_are_values_whatever_is_in_them(library: Library, warehouse: Warehouse) -> None:
    hostile = "x'}); DROP TABLE pattern_templates; -- %(a)s %s :b {c} \\"
    add(library, hostile, tags=[hostile], category=hostile[:90], context={hostile: hostile})
    assert [row["tags"] for row in ask(library, "filter", tags=[hostile])] == [[hostile]]
    assert len(ask(library, "query", where={"pattern_name": {"contains": hostile}, "tags": [hostile]})) == 1
    assert ask(library, "search", query=hostile)[0]["context"] == {hostile: hostile}
    assert select(warehouse, "SELECT count(*) AS n FROM pattern_templates") == [{"n": 1}]


def test_secrets_are_not_stored(library: Library, warehouse: Warehouse) -> None:
    secret = "ghp_" + "a1B2" * 9
    pattern = add(library, "push", template_code=f"git push https://{secret}@host/x", context={"password": "hunter22"})
    ask(library, "record_usage", pattern_id=pattern, success=False, error_message=f"denied: {secret}")
    ask(library, "update", pattern_id=pattern, fields={"description": secret})
    stored = str(whole_database(warehouse))
    assert secret not in stored
    assert "hunter22" not in stored
