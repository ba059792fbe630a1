"""A range that fails in the middle: what was committed shows as done, and only the rest is done again."""

from datetime import timedelta
from pathlib import Path

import dagster as dg
import psycopg

from pattern_pipeline.definitions import build_defs
from pattern_pipeline.history.hours import close_hours
from pattern_pipeline.partitions import SPINE, hour_key, range_tags
from pattern_pipeline.patterns.occurrences import replace_occurrences
from pattern_pipeline.patterns.statistics import replace_statistics
from pattern_pipeline.patterns.versions import activate
from pattern_pipeline.patterns.windows import HOUR, Window, by_day
from pattern_pipeline.resources import Pipeline
from pattern_pipeline.runs import QUIET, ChainRunner
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.orchestration.chains import runner_on, tables
from pattern_pipeline_tests.orchestration.test_chain import DAY, run_record, write

RANGE = Window(DAY, DAY + timedelta(days=8))
FIRST, LAST = by_day(RANGE)
LAST_OF_SPINE = dg.AssetKey(SPINE[-1])

REFUSE = f"""
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'disk on fire'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON pattern_hourly_statistics FOR EACH ROW
    WHEN (NEW.hour >= '{LAST.start.isoformat()}') EXECUTE FUNCTION refuse();
"""

CUT_ONCE = """
CREATE SEQUENCE attempts;
CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('attempts') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER cut AFTER INSERT ON pattern_hourly_statistics FOR EACH STATEMENT EXECUTE FUNCTION cut();
"""


def backfill(runner: ChainRunner, window: Window, *assets: str) -> dg.ExecuteInProcessResult:
    """Run the hours of a window, all of the spine unless assets are named."""
    return (
        build_defs(pipeline=runner.pipeline)
        .resolve_job_def("due_hours")
        .execute_in_process(
            run_config=QUIET,
            instance=runner.instance,
            tags=range_tags(window.start, window.end),
            asset_selection=[dg.AssetKey(asset) for asset in assets or SPINE],
            raise_on_error=False,
        )
    )


def up_to_occurrences(pipeline: Pipeline) -> None:
    """Everything that the hourly statistics stand on, without Dagster's events."""
    activate(pipeline.warehouse, pipeline.policy)
    with pipeline.warehouse.transaction() as tx:
        close_hours(tx, RANGE.start, RANGE.end)
    pipeline.detector.replace(pipeline.warehouse, RANGE)
    replace_occurrences(pipeline.warehouse, pipeline.policy, RANGE)


def test_committed_chunks_show_as_materialised_and_only_the_rest_is_redone(
    settings: Settings, dagster_instance: dg.DagsterInstance, warehouse: Warehouse, tmp_path: Path
) -> None:
    with runner_on(settings, dagster_instance) as runner:
        runner.ingest([write(tmp_path / "runs.jsonl", *(run_record(n, 6 * n) for n in range(30)))])
        up_to_occurrences(runner.pipeline)
        with psycopg.connect(warehouse.libpq_url) as connection:
            connection.execute(REFUSE)
        assert not backfill(runner, RANGE, SPINE[-1]).success
        done = dagster_instance.get_materialized_partitions(LAST_OF_SPINE)
        assert done == {hour_key(hour) for hour in FIRST.hours()}
        with psycopg.connect(warehouse.libpq_url) as connection:
            connection.execute("DROP TRIGGER refuse ON pattern_hourly_statistics")
        assert backfill(runner, LAST, SPINE[-1]).success
        assert len(dagster_instance.get_materialized_partitions(LAST_OF_SPINE)) == 8 * 24
        made_up_for = tables(warehouse)
        replace_statistics(warehouse, RANGE)
        assert tables(warehouse) == made_up_for


def test_a_step_that_lost_its_connection_is_tried_again_in_the_same_run(
    settings: Settings, dagster_instance: dg.DagsterInstance, warehouse: Warehouse, tmp_path: Path
) -> None:
    with runner_on(settings, dagster_instance) as runner:
        runner.ingest([write(tmp_path / "runs.jsonl", *(run_record(n, 6 * n) for n in range(30)))])
        up_to_occurrences(runner.pipeline)
        with psycopg.connect(warehouse.libpq_url) as connection:
            connection.execute(CUT_ONCE)
        done = backfill(runner, RANGE, SPINE[-1])
        assert done.success
        kinds = [event.event_type for event in done.all_events if event.step_key == SPINE[-1]]
        assert kinds.count(dg.DagsterEventType.STEP_UP_FOR_RETRY) == 1
        found = tables(warehouse)
        replace_statistics(warehouse, RANGE)
        assert tables(warehouse) == found


def test_every_hour_says_how_many_rows_it_has(
    settings: Settings, dagster_instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    with runner_on(settings, dagster_instance) as runner:
        runner.ingest([write(tmp_path / "runs.jsonl", *(run_record(n, n % 3) for n in range(9)))])
        assert backfill(runner, Window(DAY, DAY + 3 * HOUR)).success
        for asset in SPINE:
            records = dagster_instance.fetch_materializations(
                dg.AssetRecordsFilter(dg.AssetKey(asset), asset_partitions=[hour_key(DAY + HOUR)]), limit=1
            ).records
            (materialization,) = (record.asset_materialization for record in records)
            assert materialization is not None
            expected = 1 if asset == SPINE[-1] else 3
            assert materialization.metadata["dagster/partition_row_count"].value == expected, asset
