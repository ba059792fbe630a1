"""Deciding from the Dagster UI: the job is the page's decision, guards included."""

from typing import Any

import dagster as dg
import pytest

from pattern_pipeline.definitions import build_defs
from pattern_pipeline.detection.policy import load_policy
from pattern_pipeline.errors import Conflict
from pattern_pipeline.review.queue import entry, history
from pattern_pipeline.review.sync import sync
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.orchestration.chains import runner_on
from pattern_pipeline_tests.review.rows import add_pattern

PATTERN = "test:pytest:backend"


def run(settings: Settings, instance: dg.DagsterInstance, **decision: Any) -> dg.ExecuteInProcessResult:
    with runner_on(settings, instance) as runner:
        job = build_defs(pipeline=runner.pipeline).resolve_job_def("record_decision")
        config = {"pattern": PATTERN, "reviewer": "ada", **decision}
        return job.execute_in_process(instance=instance, run_config={"ops": {"record": {"config": config}}})


def test_a_decision_of_the_ui_is_recorded_and_a_stale_one_conflicts(
    settings: Settings, dagster_instance: dg.DagsterInstance, warehouse: Warehouse
) -> None:
    add_pattern(warehouse, PATTERN)
    sync(warehouse, policy=load_policy("default"))
    seen = entry(warehouse, PATTERN).version
    assert run(settings, dagster_instance, action="REJECT", version=seen, reason="too rare").success
    assert entry(warehouse, PATTERN).status == "rejected"
    assert [(row.action, row.reviewer, row.notes) for row in history(warehouse, PATTERN)] == [
        ("rejected", "ada", "too rare")
    ]
    with pytest.raises(Conflict):
        run(settings, dagster_instance, action="APPROVE", version=seen)


def test_an_action_that_does_not_exist_is_refused_before_anything_runs(
    settings: Settings, dagster_instance: dg.DagsterInstance
) -> None:
    with pytest.raises(dg.DagsterInvalidConfigError):
        run(settings, dagster_instance, action="DELETE", version=1)
