"""The library's assets as Dagster runs them: a decision and an execution, followed to the day's analytics."""

from datetime import UTC, datetime

import dagster as dg

from pattern_pipeline.definitions import build_defs
from pattern_pipeline.library.days import DAY
from pattern_pipeline.partitions import START, day_key, range_tags
from pattern_pipeline.patterns.windows import floor_hour
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.library.shelves import approved_pattern, mined, select
from pattern_pipeline_tests.orchestration.chains import runner_on
from pattern_pipeline_tests.roi.portfolios import execute as report

YESTERDAY = floor_hour(datetime.now(UTC)).replace(hour=0) - DAY


def test_a_decision_and_an_execution_reach_the_analytics_of_the_day(
    settings: Settings, dagster_instance: dg.DagsterInstance, warehouse: Warehouse
) -> None:
    approved_pattern(warehouse)
    with runner_on(settings, dagster_instance) as runner:
        definitions = build_defs(pipeline=runner.pipeline)

        def run(assets: list[str], tags: dict[str, str]) -> dg.ExecuteInProcessResult:
            job = definitions.resolve_implicit_global_asset_job_def()
            return job.execute_in_process(
                instance=dagster_instance, asset_selection=[dg.AssetKey(asset) for asset in assets], tags=tags
            )

        run(["pattern_templates", "pattern_relationships"], {})
        report(warehouse, "k1", executed_at=YESTERDAY)
        run(["pattern_usage_events"], range_tags(YESTERDAY, YESTERDAY + DAY))
        days = {
            "dagster/asset_partition_range_start": day_key(START),
            "dagster/asset_partition_range_end": day_key(START + DAY),
        }
        assert run(["pattern_quality", "pattern_analytics"], days).success
        result = run(["pattern_quality", "pattern_analytics"], {"dagster/partition": day_key(YESTERDAY)})
        checks = {evaluation.check_name for evaluation in result.get_asset_check_evaluations() if evaluation.passed}
    assert checks == {"every_template_is_measured", "days_sum_their_templates"}
    assert mined(warehouse)["usage_count"] == 1
    rows = select(warehouse, "SELECT total_usage_count FROM pattern_analytics WHERE period_start = %s", YESTERDAY)
    assert rows == [{"total_usage_count": 1}] * 2
