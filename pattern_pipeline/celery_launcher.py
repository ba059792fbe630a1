"""The run launcher of `deploy/celery`: whole runs as Celery tasks.

The only module that needs the extra `celery`. Brokers, queues and workers are configured in `deploy/celery`.
"""

from dagster_celery.launcher import CeleryRunLauncher

from pattern_pipeline.launchers import Watchful


class WatchfulCeleryRunLauncher(Watchful, CeleryRunLauncher):
    """Runs as tasks of Celery workers; the result backend alone would go on saying STARTED after a worker is gone."""
