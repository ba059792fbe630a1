"""What an asset stands on: a changed rule or statement makes its rows stale, and those of nothing else."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleCauseCategory, StaleStatus
from dagster._core.loader import LoadingContextForTest

from pattern_pipeline.assets.versions import BASES
from pattern_pipeline.definitions import build_defs
from pattern_pipeline.partitions import day_key, hour_key, range_tags
from pattern_pipeline.patterns.windows import HOUR
from pattern_pipeline.resources import Pipeline
from pattern_pipeline.runs import QUIET
from pattern_pipeline.settings import PROJECT_ROOT, Settings
from pattern_pipeline.warehouse import database
from pattern_pipeline.warehouse.sqlfiles import Statement, statements
from pattern_pipeline_tests.orchestration.chains import run_everything, runner_on
from pattern_pipeline_tests.orchestration.test_chain import DAY, run_record, write

COMMAND_RULE = """
[[detection.steps.rules]]
id = "step.deploy.acme"
programs = ["acme"]
subcommands = ["ship"]
signature = "deploy:acme:{side}"
"""
POLICIES = {
    COMMAND_RULE: {"detected_signatures", "sequence_catalog", "pattern_occurrences"},
    "[roi]\nbuild_cost_otherwise = 401\n": {"roi_estimates", "roi_validation"},
    "[queue]\ndrift_confidence_points = 16\n": {"approval_queue"},
}
SHARED = {"warehouse", "catalog", "checks"}
DECIDE_NOTHING = {
    # which rules and catalogue are active, and which hours stand on them
    "patterns/activate",
    "patterns/active_version",
    "patterns/record_policy",
    "patterns/catalogue",
    "patterns/clear_catalogue",
    "patterns/record_catalogue",
    "patterns/progress",
    "patterns/mark_detected",
    "patterns/mark_counted",
    # how the work is cut, and locked
    "patterns/hour_weights",
    "patterns/event_hours",
    "history/lock_hours",
    # dictionaries and batches on their way into them
    "patterns/add_signatures",
    "patterns/signatures_ids",
    "patterns/stage_signatures",
    "patterns/add_evidence",
    "patterns/evidence_ids",
    "patterns/stage_evidence",
    "patterns/add_templates",
    "patterns/templates_ids",
    "patterns/stage_templates",
    "patterns/stage_patterns",
    "patterns/stage_confidence",
    "patterns/stage_hours",
    "patterns/stage_workflows",
    "patterns/analyze_detected",
    "patterns/add_estimates",
    "patterns/drop_staged_estimates",
    # old estimates that nothing refers to
    "patterns/prune_estimates",
    # figures of the metadata
    "patterns/count_estimates",
    "patterns/count_occurrences",
    "patterns/detected_rows_by_hour",
    "patterns/occurrence_rows_by_hour",
    "patterns/statistics_rows_by_hour",
    "review/fold_counts",
    "review/queued_patterns",
    "review/signatures_of",
    "roi/current_estimates",
    "roi/execution_counts",
    "roi/realised_totals",
    "roi/savings_by_type",
    "roi/validations",
}
PRINTED = """
import json
from pattern_pipeline.definitions import defs
print(json.dumps({spec.key.to_user_string(): spec.code_version for spec in defs.resolve_all_asset_specs()}))
"""


def policy(directory: Path, text: str) -> str:
    path = directory / "ours.toml"
    path.write_text(f'extends = "default"\n{text}')
    return str(path)


def code_versions(policy_name: str = "") -> dict[str, str | None]:
    defs = build_defs(pipeline=Pipeline(policy_name=policy_name))
    return {spec.key.to_user_string(): spec.code_version for spec in defs.resolve_all_asset_specs()}


def changed(before: dict[str, str | None], after: dict[str, str | None]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize("text", POLICIES)
def test_a_changed_section_moves_the_assets_that_stand_on_it(tmp_path: Path, text: str) -> None:
    assert changed(code_versions(), code_versions(policy(tmp_path, text))) == POLICIES[text]


def test_hours_on_another_rule_are_stale_because_of_their_code(
    settings: Settings, dagster_instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    with runner_on(settings, dagster_instance) as runner:
        run_everything(runner, write(tmp_path / "runs.jsonl", *(run_record(n, n) for n in range(3))))
    graph = build_defs(pipeline=Pipeline(policy_name=policy(tmp_path, COMMAND_RULE))).resolve_asset_graph()
    resolver = CachingStaleStatusResolver(dagster_instance, graph, LoadingContextForTest(dagster_instance))
    hour = hour_key(DAY + 2 * HOUR)
    signatures, history = dg.AssetKey("detected_signatures"), dg.AssetKey("raw_workflow_history")
    assert resolver.get_status(history, hour) == StaleStatus.FRESH
    assert resolver.get_status(signatures, hour) == StaleStatus.STALE
    assert [cause.category for cause in resolver.get_stale_causes(signatures, hour)] == [StaleCauseCategory.CODE]


def test_a_changed_statement_moves_the_asset_that_runs_it(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    for name in ("pattern_pipeline", "sql"):
        shutil.copytree(PROJECT_ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    name = "patterns/insert_hourly_statistics"
    with (clone / "sql" / "statements" / f"{name}.sql").open("a") as statement:
        statement.write("-- a change\n")
    told = subprocess.run(
        [sys.executable, "-c", PRINTED],
        cwd=clone,
        env={**os.environ, "PYTHONPATH": str(clone)},
        capture_output=True,
        text=True,
        check=True,
    )
    moved = {asset for asset, basis in BASES.items() if name in basis.statements}
    assert changed(code_versions(), json.loads(told.stdout)) == moved
    assert moved


HOURS_JOB, TAIL_JOB, DAYS_JOB = "recompute_hours", "publish", "library_days"
JOBS = {
    HOURS_JOB: ["raw_workflow_history", "detected_signatures", "pattern_occurrences", "pattern_hourly_statistics"],
    "mine_sequences": ["sequence_catalog"],
    TAIL_JOB: [
        "pattern_statistics",
        "roi_estimates",
        "roi_validation",
        "approval_queue",
        "pattern_templates",
        "pattern_relationships",
    ],
    DAYS_JOB: ["pattern_quality", "pattern_analytics"],
}


def test_what_decides_about_a_table_is_in_its_basis(
    settings: Settings, dagster_instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every statement of an asset's run belongs to its basis, or to the few that decide nothing."""
    executed: set[str] = set()

    def noting(name: str) -> tuple[Statement, ...]:
        executed.add(name)
        return statements(name)

    monkeypatch.setattr(database, "statements", noting)
    forgotten = {}
    with runner_on(settings, dagster_instance) as runner:
        runner.ingest([write(tmp_path / "runs.jsonl", *(run_record(n, n) for n in range(3)))])
        defs = build_defs(pipeline=runner.pipeline)
        tags = {
            HOURS_JOB: range_tags(DAY, DAY + 3 * HOUR),
            DAYS_JOB: {"dagster/partition": day_key(DAY)},
        }
        for job, asset in [(job, asset) for job, assets in JOBS.items() for asset in assets]:
            executed.clear()
            done = defs.resolve_job_def(job).execute_in_process(
                run_config=QUIET,
                instance=dagster_instance,
                tags=tags.get(job),
                asset_selection=[dg.AssetKey(asset)],
            )
            assert done.success
            content = {name for name in executed if name not in DECIDE_NOTHING and name.split("/")[0] not in SHARED}
            if missing := content - set(BASES[asset].statements):
                forgotten[asset] = missing
    assert forgotten == {}
