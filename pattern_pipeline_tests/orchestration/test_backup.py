"""A backup of both databases while runs wait: restored elsewhere, everything is as it was and goes on from there."""

from pathlib import Path

import dagster as dg
from pydantic import SecretStr

from pattern_pipeline.definitions import build_defs
from pattern_pipeline.partitions import SPINE, hour_key
from pattern_pipeline.patterns.windows import HOUR, Window
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.dump import dump, restore
from pattern_pipeline_tests.orchestration.chains import run_everything, runner_on, stored_instance, tables
from pattern_pipeline_tests.orchestration.test_chain import DAY, run_record, write


def known(instance: dg.DagsterInstance) -> dict[str, object]:
    """What the UI shows: every run with its state, and which hours of which asset are there."""
    hours = {asset: instance.get_materialized_partitions(dg.AssetKey(asset)) for asset in SPINE}
    return {"runs": {run.run_id: run.status for run in instance.get_runs()}, **hours}


def test_both_databases_come_back_and_the_next_run_goes_on_from_there(
    settings: Settings, empty_database_url: str, tmp_path: Path
) -> None:
    source = write(tmp_path / "runs.jsonl", *(run_record(n, n) for n in range(6)))
    elsewhere = Settings(database_url=SecretStr(empty_database_url), home=tmp_path / "elsewhere")
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    with stored_instance(settings, tmp_path / "here") as (instance, _), runner_on(settings, instance) as runner:
        run_everything(runner, source)
        waiting = instance.create_run_for_job(
            build_defs().resolve_job_def("publish"), status=dg.DagsterRunStatus.NOT_STARTED
        ).run_id
        before, seen = tables(runner.pipeline.warehouse), known(instance)
        dump(settings, tmp_path / "backup")
        runner.recompute(Window(DAY + 6 * HOUR, DAY + 9 * HOUR))

    restore(elsewhere, tmp_path / "backup")
    with stored_instance(elsewhere, tmp_path / "there") as (instance, _), runner_on(elsewhere, instance) as runner:
        assert known(instance) == seen
        assert seen["runs"][waiting] == dg.DagsterRunStatus.NOT_STARTED  # type: ignore[index]
        with Warehouse.open(elsewhere) as warehouse:
            assert tables(warehouse) == before
        runner.recompute(Window(DAY + 6 * HOUR, DAY + 9 * HOUR))
        done = instance.get_materialized_partitions(dg.AssetKey(SPINE[-1]))
        assert done == seen[SPINE[-1]] | {hour_key(DAY + n * HOUR) for n in (6, 7, 8)}  # type: ignore[operator]
