"""A disk that is full: a clear error, and after space was freed the same command ends in the same tables."""

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from pattern_pipeline.errors import DatabaseDown
from pattern_pipeline.sample import write_sample
from pattern_pipeline.settings import PROJECT_ROOT, Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.e2e import full_disk
from pattern_pipeline_tests.orchestration.chains import run_everything, runner_on, tables
from pattern_pipeline_tests.tables import differences

OWN_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")


def namespaces_work() -> bool:
    try:
        return subprocess.run([*OWN_NAMESPACE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_a_full_disk_is_a_clear_error_and_nothing_is_lost(
    settings: Settings, dagster_instance: dg.DagsterInstance, warehouse: Warehouse, tmp_path: Path
) -> None:
    if not namespaces_work():
        pytest.skip("user and mount namespaces are refused here: no size-limited disk can be made")
    sources = [str(path) for path in write_sample(tmp_path / "sample", workflows=300)]
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        [*OWN_NAMESPACE, sys.executable, "-m", full_disk.__name__, str(disk), *sources],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    if done.returncode == full_disk.NO_MOUNT:
        pytest.skip(f"mounting a tmpfs is refused here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    code, told = found["full"]
    assert code == DatabaseDown.exit_code, told
    assert "disk is full" in told
    assert "Traceback" not in told
    assert found["again"][0] == 0, found["again"][1]
    with runner_on(settings, dagster_instance) as runner:
        run_everything(runner, *sources)
    assert differences(found["tables"], tables(warehouse)) == {}
