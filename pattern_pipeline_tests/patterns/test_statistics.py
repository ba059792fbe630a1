"""Statistics are derived: replaying changes nothing, and every published figure is a sum over rows."""

from decimal import Decimal
from typing import Any

import pytest

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.patterns.estimates import estimate_patterns
from pattern_pipeline.patterns.occurrences import replace_occurrences
from pattern_pipeline.patterns.statistics import publish_statistics, replace_statistics
from pattern_pipeline.patterns.versions import activate
from pattern_pipeline.patterns.windows import HOUR, Window
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.patterns.histories import (
    START,
    WINDOW,
    Run,
    Step,
    default_policy,
    insert,
)

PYTEST, DIFF = "test:pytest:all", "git:diff:summary"
POLICY = default_policy()


def compute(warehouse: Warehouse, window: Window = WINDOW) -> None:
    replace_occurrences(warehouse, POLICY, window)
    replace_statistics(warehouse, window)
    publish_statistics(warehouse, POLICY)


def published(warehouse: Warehouse, signature: str = PYTEST) -> dict[str, Any]:
    with warehouse.engine.begin() as connection:
        found = connection.exec_driver_sql(
            "SELECT * FROM operation_patterns WHERE pattern_signature = %s", (signature,)
        ).mappings()
        return {key: value for key, value in dict(found.one()).items() if key not in {"created_at", "updated_at"}}


def stored(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    with warehouse.engine.begin() as connection:
        return [
            tuple(row)
            for table in ("pattern_hourly_statistics", "pattern_daily_statistics")
            for row in connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1, 2")
        ]


def test_counting_again_changes_no_figure(warehouse: Warehouse) -> None:
    insert(warehouse, [Run("1", [Step("0.5", (PYTEST,)), Step("0.1", (DIFF,))], hours=h) for h in (0, 0, 30)], POLICY)
    compute(warehouse)
    first = (published(warehouse), stored(warehouse))
    for window in (WINDOW, Window(START, START + HOUR), WINDOW):
        compute(warehouse, window)
    assert (published(warehouse), stored(warehouse)) == first
    assert first[0]["occurrence_count"] == 3
    assert first[0]["attributed_cost_usd"] == Decimal("1.5")
    assert first[0]["naive_cost_usd"] == 3
    assert first[0]["distinct_days"] == 2


def test_hours_computed_one_by_one_in_any_order_give_the_same_rows(warehouse: Warehouse) -> None:
    runs = [Run("0.123456789", [Step("0.1", (PYTEST,))], hours=h) for h in (0, 5, 5.5, 29, 30)]
    insert(warehouse, runs, POLICY)
    compute(warehouse)
    at_once = (published(warehouse), stored(warehouse))
    for number in (30, 5, 29, 0):
        compute(warehouse, Window(START + number * HOUR, START + (number + 1) * HOUR))
    assert (published(warehouse), stored(warehouse)) == at_once


def test_means_use_the_best_cost_basis_and_never_a_mixture(warehouse: Warehouse) -> None:
    insert(warehouse, [Run("9", texts={"task": (PYTEST,)}), Run("9", [Step("0.5", (PYTEST,))])], POLICY)
    compute(warehouse)
    row = published(warehouse)
    assert (row["cost_basis"], row["avg_cost_with_llm"], row["priced_count"]) == ("step", Decimal("0.5"), 1)
    assert row["occurrence_count"] == 2


def test_what_was_only_asked_for_is_counted_apart(warehouse: Warehouse) -> None:
    insert(warehouse, [Run("9", [Step("0.5", (DIFF,))], {"task": (PYTEST,)}), Run("9", [Step("1", (PYTEST,))])], POLICY)
    compute(warehouse)
    row = published(warehouse)
    assert (row["occurrence_count"], row["intent_count"], row["avg_cost_with_llm"]) == (1, 1, 1)


def test_a_pattern_that_no_longer_occurs_shows_zero_and_stays(warehouse: Warehouse) -> None:
    insert(warehouse, [Run("1", [Step("0.5", (PYTEST,))])], POLICY)
    compute(warehouse)
    insert(warehouse, [Run("1", [Step("0.5", (DIFF,))])], POLICY)
    compute(warehouse)
    row = published(warehouse)
    assert (row["occurrence_count"], row["avg_cost_with_llm"], row["confidence_score"]) == (0, None, 0)


def test_figures_stay_while_hours_wait_for_the_new_rules(warehouse: Warehouse) -> None:
    insert(warehouse, [Run("1", [Step("0.5", (PYTEST,))], hours=h) for h in (0, 3)], POLICY)
    compute(warehouse)
    before = published(warehouse)
    sections = {name: getattr(POLICY, name) for name in Policy.model_fields}
    changed = Policy(**{**sections, "sequences": POLICY.sequences.model_copy(update={"min_workflows": 99})})
    assert changed.detection_version != POLICY.detection_version
    activate(warehouse, changed)
    state = publish_statistics(warehouse, changed)
    assert state.state == "recomputing 2 of 2 hours"
    assert published(warehouse) == before
    assert estimate_patterns(warehouse, changed).state == state.state


@pytest.mark.parametrize("days", [1, 4])
def test_an_equal_estimate_is_not_stored_twice(warehouse: Warehouse, days: int) -> None:
    insert(warehouse, [Run("1", [Step("0.5", (PYTEST,))], hours=24 * d) for d in range(days)], POLICY)
    compute(warehouse)
    first, second = estimate_patterns(warehouse, POLICY), estimate_patterns(warehouse, POLICY)
    assert (first.new, second.new) == (1, 0)
    assert published(warehouse)["current_estimate"] is not None
