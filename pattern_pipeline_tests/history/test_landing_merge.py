"""Merging: which version of a run is stored, whatever the order of reading."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest

from pattern_pipeline.history.content import Prepared
from pattern_pipeline.history.merge import MergeCounts, merge
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.history.batches import (
    NOON,
    bad,
    batch,
    begin,
    run,
    step,
    stored,
    supply,
    touched,
    wanted,
    wipe,
)
from pattern_pipeline_tests.tables import snapshot


def test_the_same_content_again_changes_nothing(warehouse: Warehouse) -> None:
    content = batch([run(1), run(2)], [step(1, 0), step(1, 1)], [bad("line 3")])
    assert supply(warehouse, "a", content).inserted == 2
    before, hours = snapshot(warehouse), touched(warehouse)
    for location in ("a", "a", "b"):
        assert supply(warehouse, location, content) == MergeCounts(unchanged=2)
    after = snapshot(warehouse)
    assert (after["workflow_history"], after["tool_calls"]) == (before["workflow_history"], before["tool_calls"])
    assert len(after["quarantined_records"]) == 2, "one bad record in each of two sources"
    assert touched(warehouse) == hours


def test_a_correction_in_one_source_wins_even_when_it_ranks_lower(warehouse: Warehouse) -> None:
    supply(warehouse, "a", batch([run(1)], [step(1, 0)]))
    assert supply(warehouse, "a", batch([run(1, status="running", end_time=None)])).updated == 1
    assert stored(warehouse, "generic:1")["status"] == "running"
    assert snapshot(warehouse)["tool_calls"] == []


def test_steps_are_replaced_as_a_whole_when_the_content_changes(warehouse: Warehouse) -> None:
    supply(warehouse, "a", batch([run(1)], [step(1, 0), step(1, 1)]))
    supply(warehouse, "a", batch([run(1)], [step(1, 1, exit_code=2), step(1, 2)]))
    calls = snapshot(warehouse)["tool_calls"]
    assert len(calls) == 2
    assert sum('"exit_code": 2' in call for call in calls) == 1
    assert stored(warehouse, "generic:1")["step_count"] == 2


VERSIONS: dict[str, tuple[dict[str, Any], int]] = {
    "pending": (run(1, status="pending", end_time=None), 3),
    "short": (run(1, end_time=run(1)["start_time"] + timedelta(minutes=5)), 3),
    "few steps": (run(1), 1),
    "many steps": (run(1), 2),
}


@pytest.mark.parametrize("order", list(itertools.permutations(VERSIONS)), ids="-".join)
def test_between_sources_the_best_version_wins_in_any_order(
    module_warehouse: Warehouse, order: tuple[str, ...]
) -> None:
    wipe(module_warehouse)
    for name in order:
        row, steps = VERSIONS[name]
        supply(module_warehouse, name, batch([row], [step(1, seq) for seq in range(steps)]))
    assert stored(module_warehouse, "generic:1")["step_count"] == 2
    assert stored(module_warehouse, "generic:1")["end_time"] == run(1)["end_time"]
    assert wanted(module_warehouse) == []


def test_the_runner_up_is_wanted_again_when_the_winner_is_corrected_downwards(warehouse: Warehouse) -> None:
    second = batch([run(1, end_time=NOON + timedelta(hours=1, minutes=5))])
    supply(warehouse, "best", batch([run(1)]))
    supply(warehouse, "second", second)
    supply(warehouse, "best", batch([run(1, status="running", end_time=None)]))
    assert wanted(warehouse) == ["second"]
    supply(warehouse, "second", second)
    assert wanted(warehouse) == []
    assert stored(warehouse, "generic:1")["end_time"] == NOON + timedelta(hours=1, minutes=5)


def test_a_run_goes_only_when_no_source_has_it_any_more(warehouse: Warehouse) -> None:
    supply(warehouse, "a", batch([run(1), run(2)]))
    supply(warehouse, "b", batch([run(1), run(2)]))
    assert supply(warehouse, "a", batch([run(2)])).deleted == 0
    assert supply(warehouse, "b", batch([run(2)])).deleted == 1
    assert len(snapshot(warehouse)["workflow_history"]) == 1


def test_a_read_that_did_not_come_to_its_end_deletes_nothing(warehouse: Warehouse) -> None:
    supply(warehouse, "a", batch([run(1), run(2)]))
    source = begin(warehouse, "a")
    with warehouse.bulk() as bulk:
        merge(bulk, source, Prepared.of(batch([run(1)])), pass_is_complete=False)
    assert len(snapshot(warehouse)["workflow_history"]) == 2
    assert supply(warehouse, "a", batch([run(1)])).deleted == 1


@pytest.mark.parametrize("order", [("early", "late"), ("late", "early")], ids="-".join)
def test_another_run_under_the_same_id_is_quarantined_in_any_order(
    module_warehouse: Warehouse, order: tuple[str, str]
) -> None:
    wipe(module_warehouse)
    runs = {"early": run(1), "late": run(1, start_time=NOON + timedelta(days=1), nl_input="something else")}
    for name in order:
        supply(module_warehouse, name, batch([runs[name]]))
    assert stored(module_warehouse, "generic:1")["nl_input"] == "task 1"
    [record] = snapshot(module_warehouse)["quarantined_records"]
    assert '"location": "late"' in record
    with module_warehouse.transaction() as tx:
        assert "--namespace" in str(tx.connection.exec_driver_sql("SELECT detail FROM quarantined_records").scalar())
    assert wanted(module_warehouse) == []


def test_a_conflict_is_over_when_its_cause_is(warehouse: Warehouse) -> None:
    other = batch([run(1, start_time=NOON + timedelta(days=1), nl_input="something else")])
    supply(warehouse, "early", batch([run(1)]))
    supply(warehouse, "late", other)
    supply(warehouse, "early", batch([run(2)]))
    assert wanted(warehouse) == ["late"]
    supply(warehouse, "late", other)
    assert stored(warehouse, "generic:1")["nl_input"] == "something else"
    assert snapshot(warehouse)["quarantined_records"] == []


def test_two_runs_under_one_id_in_one_source_are_a_conflict(warehouse: Warehouse) -> None:
    other = run(1, start_time=NOON + timedelta(days=-1), nl_input="something else", position="line 9")
    supply(warehouse, "a", batch([run(1)]), batch([other]))
    assert stored(warehouse, "generic:1")["nl_input"] == "task 1"
    [record] = snapshot(warehouse)["quarantined_records"]
    assert '"position": "line 9"' in record


def test_a_later_record_of_a_log_corrects_an_earlier_one(warehouse: Warehouse) -> None:
    records = [run(1, actual_cost_total=cost, position=cost) for cost in ("0.3", "0.1", "0.2")]
    supply(warehouse, "log", *(batch([record]) for record in records))
    assert f"{stored(warehouse, 'generic:1')['actual_cost_total']:f}" == "0.200000000000"


def test_the_old_and_the_new_hour_of_a_moved_run_are_touched(warehouse: Warehouse) -> None:
    supply(warehouse, "a", batch([run(1), run(5)]))
    before = touched(warehouse)
    counts = supply(warehouse, "a", batch([run(1, end_time=NOON + timedelta(hours=3)), run(5)]))
    assert counts == MergeCounts(updated=1, unchanged=1, moved=1)
    changed = {hour for hour, generation in touched(warehouse).items() if before.get(hour) != generation}
    assert changed == {NOON + timedelta(hours=1), NOON + timedelta(hours=3)}


def test_the_hour_of_a_deleted_run_is_touched(warehouse: Warehouse) -> None:
    supply(warehouse, "a", batch([run(1), run(5)]))
    supply(warehouse, "a", batch([run(5)]))
    assert touched(warehouse) == {NOON + timedelta(hours=1): 2, NOON + timedelta(hours=5): 1}


def test_what_refers_to_a_run_survives_its_correction(warehouse: Warehouse) -> None:
    supply(warehouse, "a", batch([run(1)]))
    with warehouse.transaction() as tx:
        tx.connection.exec_driver_sql(
            "INSERT INTO workflow_characteristics (workflow_id, matched_characteristics) "
            "SELECT workflow_id, '{}' FROM workflow_history"
        )
    supply(warehouse, "a", batch([run(1, actual_cost_total="0.7")]))
    assert len(snapshot(warehouse, ["workflow_characteristics"])["workflow_characteristics"]) == 1


def test_bad_records_are_those_of_the_last_complete_read(warehouse: Warehouse) -> None:
    for _ in range(3):
        supply(warehouse, "a", batch([run(1)], quarantined=[bad("line 2"), bad("line 3")]))
    assert len(snapshot(warehouse)["quarantined_records"]) == 2
    supply(warehouse, "a", batch([run(1)], quarantined=[bad("line 3")]))
    assert len(snapshot(warehouse)["quarantined_records"]) == 1
