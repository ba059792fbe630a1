"""Run by test_full_disk in a mount namespace of its own: a small disk that is full, and then no longer.

`python -m ... DIRECTORY SOURCE...` prints what the same command did on the full disk and after, as one JSON document.
"""

import json
import subprocess
import sys
from pathlib import Path
from shutil import disk_usage

from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.embedded import EmbeddedServer
from pattern_pipeline.warehouse.servers import PIPELINE_DATABASE
from pattern_pipeline.warehouse.urls import with_database
from pattern_pipeline_tests.e2e.processes import Installation
from pattern_pipeline_tests.orchestration.chains import tables

DISK = "300m"
LEFT_BYTES = 6 << 20
NO_MOUNT = 77


def main(directory: Path, sources: list[str]) -> int:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", directory], check=False)
    if mounted.returncode != 0:
        return NO_MOUNT
    installation = Installation(directory / "home")
    server = EmbeddedServer(installation.home)
    installation.json("db", "start")
    ballast = directory / "ballast"
    try:
        with ballast.open("wb") as stream:
            stream.write(bytes(disk_usage(directory).free - LEFT_BYTES))
        full = installation.run("run", *sources)
        ballast.unlink()
        again = installation.run("run", *sources)
        with Warehouse(with_database(server.ensure_running(), PIPELINE_DATABASE)) as warehouse:
            found = tables(warehouse)
    finally:
        server.stop()
    json.dump(
        {"full": [full.returncode, full.stderr], "again": [again.returncode, again.stderr], "tables": found}, sys.stdout
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
