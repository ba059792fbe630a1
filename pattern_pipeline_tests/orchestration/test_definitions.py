"""What Dagster loads: graph, partitions, jobs and schedules, from any directory and with nothing set."""

import json
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg

from pattern_pipeline.assets.lineage import column_lineage
from pattern_pipeline.assets.versions import BASES
from pattern_pipeline.definitions import defs
from pattern_pipeline.partitions import DAILY, HOURLY, hour_key, range_tags
from pattern_pipeline.patterns.windows import HOUR
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.sqlfiles import shipped
from pattern_pipeline_tests.orchestration.snapshot import STORED, snapshot

GRAPH = {
    # asset: (group, hourly, upstream)
    "landed_history": ("history", False, set()),
    "raw_workflow_history": ("history", True, {"landed_history"}),
    "detected_signatures": ("detection", True, {"raw_workflow_history"}),
    "sequence_catalog": ("detection", False, {"detected_signatures"}),
    "pattern_occurrences": ("patterns", True, {"detected_signatures", "sequence_catalog"}),
    "pattern_hourly_statistics": ("statistics", True, {"pattern_occurrences"}),
    "pattern_statistics": ("statistics", False, {"pattern_hourly_statistics"}),
    "roi_estimates": ("roi", False, {"pattern_statistics"}),
    "roi_validation": ("roi", False, {"roi_estimates"}),
    "approval_queue": ("review", False, {"roi_estimates"}),
    "pattern_templates": ("library", False, {"approval_queue"}),
    "pattern_usage_events": ("library", True, {"raw_workflow_history", "pattern_templates"}),
    "pattern_relationships": ("library", False, {"pattern_templates"}),
    "pattern_quality": ("library", False, {"pattern_usage_events"}),
    "pattern_analytics": ("library", False, {"pattern_usage_events", "pattern_occurrences"}),
}

DAILY_ASSETS = {"pattern_quality", "pattern_analytics"}


def test_the_graph_is_the_chain() -> None:
    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
    found = {
        name: (spec.group_name, spec.partitions_def == HOURLY, {d.asset_key.to_user_string() for d in spec.deps})
        for name, spec in specs.items()
    }
    assert found == GRAPH


def test_nothing_of_the_definitions_changes_unnoticed() -> None:
    assert snapshot() == json.loads(STORED.read_text()), f"if it is wanted: python -m {snapshot.__module__}"


def test_everything_that_starts_runs_is_on_and_says_what_it_does() -> None:
    repository = defs.get_repository_def()
    for each in (*repository.sensor_defs, *repository.schedule_defs):
        assert each.default_status.value == "RUNNING", each.name
        assert each.description, each.name


def test_lineage_names_columns_that_exist_in_tables_upstream(module_warehouse: Warehouse) -> None:
    graph = defs.resolve_asset_graph()
    with module_warehouse.transaction() as tx:
        columns = {
            name: {row["column_name"] for row in tx.rows("catalog/columns", table=basis.table)}
            for name, basis in BASES.items()
        }
    for name in set(GRAPH) - {"landed_history"}:
        lineage = column_lineage(name)
        assert lineage is not None, name
        assert lineage.deps_by_column.keys() <= columns[name], name
        ancestors = graph.get_ancestor_asset_keys(dg.AssetKey(name))
        for dep in (dep for deps in lineage.deps_by_column.values() for dep in deps):
            assert dep.asset_key in ancestors, (name, dep)
            assert dep.column_name in columns[dep.asset_key.to_user_string()], (name, dep)


def test_every_asset_says_what_it_is_and_who_owns_it() -> None:
    for spec in defs.resolve_all_asset_specs():
        assert spec.description, spec.key
        assert spec.owners == ["team:automation"], spec.key
        assert {"python", "postgres"} <= spec.kinds, spec.key
        assert spec.metadata["dagster/table_name"], spec.key
        assert spec.code_version, spec.key


def test_a_range_of_hours_is_one_run() -> None:
    graph = defs.resolve_asset_graph()
    hourly = [key for key in graph.materializable_asset_keys if graph.get(key).is_partitioned]
    assert {graph.get(key).backfill_policy for key in hourly} == {dg.BackfillPolicy.single_run()}
    assert {spec.key.to_user_string() for spec in defs.resolve_all_asset_specs() if spec.partitions_def == DAILY} == (
        DAILY_ASSETS
    )
    start = HOURLY.get_first_partition_window()
    assert start is not None
    tags = range_tags(start.start, start.start + 3 * HOUR)
    assert list(tags.values()) == [hour_key(start.start), hour_key(start.start + 2 * HOUR)]


def test_spine_and_tail_run_in_one_job_on_the_hour() -> None:
    chain = defs.resolve_job_def("pattern_chain")
    assert {key.to_user_string() for key in chain.asset_layer.executable_asset_keys} >= set(GRAPH) - {
        "sequence_catalog",
        *DAILY_ASSETS,
    }
    schedule = defs.resolve_schedule_def("hourly_chain")
    assert (schedule.cron_schedule, schedule.job_name) == ("5 * * * *", "pattern_chain")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING


def test_definitions_load_from_a_foreign_directory_with_nothing_set(tmp_path: Path) -> None:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PATTERN_PIPELINE_", "DAGSTER_"))}
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-w", str(shipped("workspace.yaml"))],
        cwd=tmp_path,
        env={**clean, "PATTERN_PIPELINE_HOME": str(tmp_path / "home"), "DAGSTER_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert not (tmp_path / "home").exists(), "loading the definitions must not open the warehouse"
