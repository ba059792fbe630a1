"""The run launcher of `deploy/celery`: whole runs as Celery tasks, and a look at the workers that hold them.

The only module that needs the extra `celery`. Brokers, queues and workers are configured in `deploy/celery`.
"""

from dagster import DagsterRun
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

ANSWER_WITHIN_SECONDS = 5.0


class WatchfulCeleryRunLauncher(CeleryRunLauncher):
    """dagster-celery's launcher, which also notices that a worker was killed.

    The result backend goes on saying STARTED when the worker is gone, so that the run would wait for its maximal run
    time. Run monitoring asks here, and with `run_retries` a run that nobody holds any more starts again. A broker that
    cannot be reached raises, which run monitoring logs; it then asks again at its next turn.
    """

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the worker that took this run still holds it, else what the result backend says of its task."""
        task_id = run.tags[DAGSTER_CELERY_TASK_ID_TAG]
        task = self.celery.backend.get_task_meta(task_id)
        if task["status"] == "STARTED" and not self._holds(worker := task["result"]["hostname"], task_id):
            return CheckRunHealthResult(WorkerStatus.FAILED, f"Celery worker {worker} no longer holds the run.")
        return super().check_run_worker_health(run)

    def _holds(self, worker: str, task_id: str) -> bool:
        """A busy worker answers too, in any pool but `solo`; one started anew under a dead one's name knows no task."""
        asked = self.celery.control.inspect(destination=[worker], timeout=ANSWER_WITHIN_SECONDS, limit=1)
        return task_id in (asked.query_task(task_id) or {}).get(worker, {})
