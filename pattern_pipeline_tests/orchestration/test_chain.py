"""The chain on real input: the figures of its source, the same tables however often and in which order it runs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from pattern_pipeline.patterns.report import overview
from pattern_pipeline.patterns.windows import HOUR, Window, floor_hour
from pattern_pipeline.runs import ChainRunner
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.histories import DAY, run_record, write
from pattern_pipeline_tests.orchestration.chains import run_everything, runner_on, tables


@pytest.fixture
def runner(settings: Settings, dagster_instance: dg.DagsterInstance) -> Iterator[ChainRunner]:
    with runner_on(settings, dagster_instance) as runner:
        yield runner


def test_real_runs_give_the_figures_of_their_source(
    runner: ChainRunner, warehouse: Warehouse, shared_dir: Path
) -> None:
    run_everything(runner, str(shared_dir / "data/agent_runs.jsonl"))
    found = overview(warehouse)
    assert (found["workflows"], found["steps"], found["quarantined"]) == (60, 5013, 0)
    assert found["spend_usd"] == 3.956330112
    assert found["priced_share"] == 1
    assert 0 < found["attributed_usd"] <= found["spend_usd"]
    by_signature = {p["signature"]: p for p in found["patterns"]}
    pytest_runs = [p for s, p in by_signature.items() if s.startswith("test:pytest:")]
    assert sum(p["execution_count"] for p in pytest_runs) == 169
    assert sum(p["attributed_cost_usd"] for p in pytest_runs) == pytest.approx(0.14392907, abs=5e-9)
    django = [p for s, p in by_signature.items() if s.startswith("test:django:")]
    assert sum(p["execution_count"] for p in django) == 23
    assert sum(p["attributed_cost_usd"] for p in django) == pytest.approx(0.02077496, abs=5e-9)


def test_three_runs_over_overlapping_files_in_any_order_leave_identical_tables(
    runner: ChainRunner, warehouse: Warehouse, shared_dir: Path, tmp_path: Path
) -> None:
    whole = shared_dir / "data/agent_runs.jsonl"
    lines = whole.read_text().splitlines(keepends=True)
    (tmp_path / "late.jsonl").write_text("".join(lines[20:]))
    (tmp_path / "early.jsonl").write_text("".join(reversed(lines[:40])))
    run_everything(runner, str(tmp_path / "late.jsonl"))
    run_everything(runner, str(tmp_path / "early.jsonl"))
    in_parts = tables(warehouse)
    assert run_everything(runner, str(whole)) == 0
    assert run_everything(runner, str(whole)) == 0
    assert tables(warehouse) == in_parts
    assert len(in_parts["workflow_history"]) == 60


def test_nothing_new_recomputes_nothing(runner: ChainRunner, tmp_path: Path) -> None:
    source = write(tmp_path / "runs.jsonl", *(run_record(n, n) for n in range(3)))
    assert run_everything(runner, source) == 1
    assert runner.ingest([source])["total"]["unchanged"] in {0, 3}
    assert runner.stale_windows(None, None) == []


def test_a_run_that_moves_recomputes_exactly_its_old_and_new_hour(
    runner: ChainRunner, warehouse: Warehouse, tmp_path: Path
) -> None:
    path = tmp_path / "runs.jsonl"
    run_everything(runner, write(path, *(run_record(n, n) for n in range(6))))
    moved = run_record(2, 40)
    write(path, *(run_record(n, n) if n != 2 else moved for n in range(6)))
    runner.ingest([str(path)])
    assert runner.stale_windows(None, None) == [
        Window(DAY + 2 * HOUR, DAY + 3 * HOUR),
        Window(DAY + 40 * HOUR, DAY + 41 * HOUR),
    ]
    runner.recompute(*reversed(runner.stale_windows(None, None)))
    runner.publish("smart")
    after_moving = tables(warehouse)
    runner.recompute(Window(DAY, DAY + 41 * HOUR))
    runner.publish("smart")
    assert tables(warehouse) == after_moving


def test_two_runs_over_one_window_at_once_leave_identical_tables(
    settings: Settings, dagster_instance: dg.DagsterInstance, warehouse: Warehouse, tmp_path: Path
) -> None:
    source = write(tmp_path / "runs.jsonl", *(run_record(n, n % 7) for n in range(40)))
    with runner_on(settings, dagster_instance) as one, runner_on(settings, dagster_instance) as other:
        run_everything(one, source)
        alone = tables(warehouse)
        window = Window(DAY, DAY + 8 * HOUR)
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(each.recompute, window) for each in (one, other)]:
                done.result()
        one.publish("smart")
    assert tables(warehouse) == alone


def test_an_unknown_source_is_a_plain_error_and_nothing_is_recorded(runner: ChainRunner, warehouse: Warehouse) -> None:
    from pattern_pipeline.errors import PipelineError

    with pytest.raises(PipelineError, match="no such file"):
        runner.ingest(["/nowhere/at/all.jsonl"])
    assert tables(warehouse)["workflow_history"] == []


def test_the_running_hour_is_landed_and_not_yet_counted(runner: ChainRunner, tmp_path: Path) -> None:
    now = floor_hour(datetime.now(UTC))
    source = write(tmp_path / "now.jsonl", run_record(1, 0, started_at=now.isoformat(), ended_at=now.isoformat()))
    report = runner.ingest([source])
    assert report["running_hour"] == 1
    assert runner.stale_windows(None, None) == []
