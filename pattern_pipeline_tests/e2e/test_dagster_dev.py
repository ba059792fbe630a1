"""The pipeline under a real `dagster dev`: a month of hours is one run, started the way the UI starts it."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from pattern_pipeline.partitions import hour_key
from pattern_pipeline.patterns.report import overview
from pattern_pipeline.patterns.windows import HOUR
from pattern_pipeline.sample import write_sample
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.e2e.processes import Installation, dagster_dev
from pattern_pipeline_tests.orchestration.chains import run_everything, runner_on

SPINE = ["raw_workflow_history", "detected_signatures", "pattern_occurrences", "pattern_hourly_statistics"]
FIRST = datetime(2026, 9, 1, tzinfo=UTC)
MONTH = [hour_key(FIRST + number * HOUR) for number in range(720)]


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_a_month_of_hours_is_backfilled_in_one_run(
    settings: Settings, dagster_instance: dg.DagsterInstance, warehouse: Warehouse, tmp_path: Path
) -> None:
    files = [str(path) for path in write_sample(tmp_path / "sample", workflows=120)]
    with runner_on(settings, dagster_instance) as runner:
        run_everything(runner, *files)
    expected = overview(warehouse)
    del expected["state"], expected["unpriced_models"]  # told as remarks
    installation = Installation(tmp_path / "a home")
    assert installation.run("db", "start").returncode == 0
    try:
        installation.json("ingest", *files)
        with dagster_dev(installation, tmp_path / "dagster.log") as ui:
            hours = ui.backfill(SPINE, MONTH)
            assert (hours["status"], len(hours["runs"])) == ("COMPLETED_SUCCESS", 1), hours
            materialized = ui.query(
                """{ assetNodeOrError(assetKey: {path: ["pattern_hourly_statistics"]}) { ... on AssetNode {
                    partitionStats { numMaterialized numFailed } } } }"""
            )
            # One more when the hourly schedule happens to tick meanwhile: it computes the hour before the present one.
            partitions = materialized["assetNodeOrError"]["partitionStats"]
            assert (partitions["numMaterialized"] in {720, 721}, partitions["numFailed"]) == (True, 0), partitions
        # With the catalogue mined and the tail published, it is the same as in one process without a daemon.
        assert installation.json("run") == expected
    finally:
        installation.run("db", "stop", "--force")
