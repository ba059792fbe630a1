"""Run launchers of `dagster.yaml`: Dagster's own, which also notice that the process of a run is gone.

How a process shows that it works belongs to `liveness`.
"""

from functools import cached_property

from dagster import DagsterRun
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, RunLauncher, WorkerStatus

from pattern_pipeline.liveness import WATCHED, is_held
from pattern_pipeline.settings import get_settings
from pattern_pipeline.warehouse.servers import pipeline_url


class Watchful(RunLauncher):
    """Tells run monitoring which runs have lost their process.

    Dagster's launcher on one machine, and dagster-celery's, go on believing that a run works after a power failure or a
    `kill -9`, up to its maximal run time of hours. Run monitoring asks here at each of its turns, and with
    `run_retries` a run that nobody works on any more starts again. A server that does not answer raises, which run
    monitoring logs.
    """

    @cached_property
    def _missed(self) -> set[str]:
        """Runs that had no process at the last turn: at their very end and after a cut there is none for a moment."""
        return set()

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Run monitoring asks a launcher only if it says so."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether somebody works on a run; no process at two turns in a row is a failure."""
        if WATCHED not in run.tags or is_held(pipeline_url(get_settings()), run.run_id):
            self._missed.discard(run.run_id)
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        if run.run_id not in self._missed:
            self._missed.add(run.run_id)
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        self._missed.discard(run.run_id)
        return CheckRunHealthResult(WorkerStatus.FAILED, "No process works on the run any more.")


class WatchfulRunLauncher(Watchful, DefaultRunLauncher):
    """Runs in processes of their own on the machine of the code location."""
