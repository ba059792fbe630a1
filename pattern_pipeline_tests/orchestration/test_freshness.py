"""What Dagster itself thinks of old hours after a second ingest: nothing has happened to them."""

import json
from pathlib import Path

import dagster as dg
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from pattern_pipeline.definitions import build_defs
from pattern_pipeline.partitions import hour_key
from pattern_pipeline.patterns.windows import HOUR
from pattern_pipeline.settings import Settings
from pattern_pipeline_tests.orchestration.chains import run_everything, runner_on
from pattern_pipeline_tests.orchestration.test_chain import DAY, run_record

SPINE = ("raw_workflow_history", "detected_signatures", "pattern_occurrences", "pattern_hourly_statistics")


def test_a_second_ingest_leaves_old_hours_fresh(
    settings: Settings, dagster_instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    source = tmp_path / "runs.jsonl"
    source.write_text("".join(json.dumps(run_record(number, number)) + "\n" for number in range(3)))
    with runner_on(settings, dagster_instance) as runner:
        run_everything(runner, str(source))
        with source.open("a") as growing:
            growing.write(json.dumps(run_record(9, 30)) + "\n")
        runner.ingest([str(source)])
        graph = build_defs(pipeline=runner.pipeline).resolve_asset_graph()
        resolver = CachingStaleStatusResolver(dagster_instance, graph, LoadingContextForTest(dagster_instance))
        found = {
            (asset, hour): resolver.get_status(dg.AssetKey(asset), hour_key(DAY + hour * HOUR))
            for asset in SPINE
            for hour in range(3)
        }
        assert set(found.values()) == {StaleStatus.FRESH}, found
        assert (
            resolver.get_status(dg.AssetKey("raw_workflow_history"), hour_key(DAY + 30 * HOUR)) == StaleStatus.MISSING
        )
