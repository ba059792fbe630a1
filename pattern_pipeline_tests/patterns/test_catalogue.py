"""The stored catalogue: an equal one is a no-op, a changed one touches only the hours that it must."""

from decimal import Decimal
from typing import Any

import pytest

from pattern_pipeline.detection.policy import Policy, load_policy
from pattern_pipeline.patterns.catalogue import mine_catalogue
from pattern_pipeline.patterns.occurrences import replace_occurrences
from pattern_pipeline.patterns.versions import progress
from pattern_pipeline.patterns.windows import HOUR, Window
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.patterns.histories import START, WINDOW, Run, Step, insert, occurrences

PYTEST, COMMIT, PUSH, BUILD = "test:pytest:all", "git:commit:repo", "git:push:repo", "build:npm:all"


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy("default")


def steps(*signatures: str, cost: str = "0.1") -> list[Step]:
    return [Step(cost, (signature,)) for signature in signatures]


def history(times: int, *signatures: str, first_hour: int = 0) -> list[Run]:
    return [Run("1", steps(*signatures), hours=first_hour + 10 * number) for number in range(times)]


def with_templates(warehouse: Warehouse) -> None:
    """Steps of these histories have no command; their signature stands for their template."""
    with warehouse.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO command_templates (template) SELECT signature FROM signatures ON CONFLICT DO NOTHING"
        )
        connection.exec_driver_sql(
            "UPDATE detected_signatures d SET template_id = t.template_id FROM signatures s"
            " JOIN command_templates t ON t.template = s.signature"
            " WHERE s.signature_id = d.signature_id AND d.part = 0 AND d.step_seq >= 0"
        )


def catalogue(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    with warehouse.engine.begin() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM sequence_catalog").mappings()
        return {row["readable"]: dict(row) for row in rows}


def test_a_sequence_is_counted_once_per_run_and_owns_its_calls(warehouse: Warehouse, policy: Policy) -> None:
    insert(warehouse, history(6, PYTEST, COMMIT, PUSH, PYTEST, COMMIT, PUSH), policy)
    with_templates(warehouse)
    mined = mine_catalogue(warehouse, policy)
    assert mined.automatable >= 1
    replace_occurrences(warehouse, policy, WINDOW)
    found = occurrences(warehouse)
    sequences = {key: row for key, row in found.items() if key[0].startswith("seq:")}
    first = [row for (_, run), row in sequences.items() if run == "test:0000"]
    assert sum(row["portfolio_cost_usd"] for row in first) == Decimal("0.6")
    operation = found[PYTEST, "test:0000"]
    assert operation["attributed_cost_usd"] > 0
    assert operation["portfolio_cost_usd"] == 0
    with warehouse.transaction() as tx:
        assert not tx.rows("checks/overspent_runs", **WINDOW.params)


def test_an_equal_catalogue_is_a_no_op(warehouse: Warehouse, policy: Policy) -> None:
    insert(warehouse, history(6, PYTEST, COMMIT, PUSH), policy)
    with_templates(warehouse)
    first = mine_catalogue(warehouse, policy)
    replace_occurrences(warehouse, policy, WINDOW)
    assert not progress(warehouse).recomputing
    again = mine_catalogue(warehouse, policy)
    assert (again.version, again.touched_hours) == (first.version, 0)
    assert not progress(warehouse).recomputing


def test_a_changed_catalogue_touches_only_hours_in_which_it_finds_something_else(
    warehouse: Warehouse, policy: Policy
) -> None:
    rare = history(4, BUILD, PUSH, first_hour=3)
    insert(warehouse, history(6, PYTEST, COMMIT) + rare, policy)
    with_templates(warehouse)
    mine_catalogue(warehouse, policy)
    replace_occurrences(warehouse, policy, WINDOW)
    before = set(catalogue(warehouse))
    with warehouse.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE detected_signatures d SET signature_id = b.signature_id, template_id = t.template_id"
            " FROM signatures a, signatures b JOIN command_templates t ON t.template = b.signature"
            " WHERE a.signature_id = d.signature_id AND d.workflow_id IN ('test:0004', 'test:0005')"
            " AND (a.signature, b.signature) IN (('test:pytest:all', 'build:npm:all'),"
            " ('git:commit:repo', 'git:push:repo'))"
        )
    mined = mine_catalogue(warehouse, policy)
    assert set(catalogue(warehouse)) != before
    state = progress(warehouse)
    # Six runs contain the new sequence, and four the one that has become too rare.
    assert (mined.touched_hours, state.waiting, state.hours) == (10, 10, 10)


def test_hours_in_any_order_give_the_same_rows_for_one_catalogue(warehouse: Warehouse, policy: Policy) -> None:
    insert(warehouse, history(6, PYTEST, COMMIT, PUSH), policy)
    with_templates(warehouse)
    mine_catalogue(warehouse, policy)
    replace_occurrences(warehouse, policy, WINDOW)

    def rows() -> list[dict[str, Any]]:
        ignored = {"detected_at"}
        return [{k: v for k, v in r.items() if k not in ignored} for _, r in sorted(occurrences(warehouse).items())]

    at_once = rows()
    for number in (50, 0, 30, 10, 40, 20):
        replace_occurrences(warehouse, policy, Window(START + number * HOUR, START + (number + 1) * HOUR))
    assert rows() == at_once
