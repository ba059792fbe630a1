"""What the page of each asset shows after a run: the columns of its table, and numbers that Dagster draws."""

from pathlib import Path

import dagster as dg

from pattern_pipeline.assets.versions import BASES
from pattern_pipeline.definitions import build_defs
from pattern_pipeline.partitions import day_key
from pattern_pipeline.runs import QUIET
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.orchestration.chains import run_everything, runner_on
from pattern_pipeline_tests.orchestration.test_chain import DAY, run_record, write


def test_every_asset_shows_its_columns_and_something_to_plot(
    settings: Settings, dagster_instance: dg.DagsterInstance, warehouse: Warehouse, tmp_path: Path
) -> None:
    with runner_on(settings, dagster_instance) as runner:
        run_everything(runner, write(tmp_path / "runs.jsonl", *(run_record(n, n) for n in range(3))))
        days = build_defs(pipeline=runner.pipeline).resolve_job_def("library_days")
        assert days.execute_in_process(run_config=QUIET, instance=dagster_instance, partition_key=day_key(DAY)).success
    for asset, basis in BASES.items():
        record = dagster_instance.get_latest_materialization_event(dg.AssetKey(asset))
        assert record is not None, asset
        assert record.asset_materialization is not None
        metadata = record.asset_materialization.metadata
        schema = metadata["dagster/column_schema"]
        assert isinstance(schema, dg.TableSchemaMetadataValue)
        with warehouse.transaction() as tx:
            expected = [(row["column_name"], row["data_type"]) for row in tx.rows("catalog/columns", table=basis.table)]
        assert [(column.name, column.type) for column in schema.schema.columns] == expected, asset
        assert expected, asset
        plotted = [k for k, v in metadata.items() if isinstance(v, dg.IntMetadataValue | dg.FloatMetadataValue)]
        assert plotted, asset
