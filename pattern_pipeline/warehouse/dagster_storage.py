"""Dagster's own storage on the server of the settings: what `dagster.yaml` names as its storage class.

It makes plain `dagster dev` work in a clone with nothing set: the server starts when the first process needs it. Tables
and queries stay dagster-postgres's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Self

from dagster._config.config_schema import UserConfigSchema
from dagster._serdes import ConfigurableClassData
from dagster_postgres.storage import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine

from pattern_pipeline.settings import get_settings
from pattern_pipeline.warehouse.servers import dagster_url, embedded_server
from pattern_pipeline.warehouse.urls import normalise

EVENT_BATCH_SIZE = "1000"


class WarehouseStorage(DagsterPostgresStorage):
    """PostgreSQL storage that starts the embedded server, pools its connections and writes events in batches.

    dagster-postgres opens a connection for every call and writes one event at a time: over a thousand partitions that
    is ten times slower than a pool and batches.
    """

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", EVENT_BATCH_SIZE)
        settings = get_settings()
        if server := embedded_server(settings):
            server.keep()
        # Never a bare postgresql://, which SQLAlchemy 2.1 gives to psycopg 3: `NOTIFY` with a parameter fails there.
        url = normalise(dagster_url(settings), "psycopg2")
        super().__init__(url, inst_data=inst_data)
        engine = create_pg_engine(
            url, isolation_level="AUTOCOMMIT", pool_size=2, max_overflow=18, pool_recycle=3600, pool_pre_ping=True
        )
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = engine

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """No options: the environment says which server, as for everything else."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """How Dagster builds it from dagster.yaml."""
        return cls(inst_data=inst_data)
