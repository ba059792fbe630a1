"""Dagster's own storage on the server of the settings: what `dagster.yaml` names as its storage class.

It makes plain `dagster dev` work in a clone with nothing set: the server starts when the first process needs it. Tables
and queries stay dagster-postgres's.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Self

from dagster import DagsterEventType, EventLogEntry
from dagster._config.config_schema import UserConfigSchema
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._serdes import ConfigurableClassData
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.storage import DagsterPostgresStorage
from dagster_postgres.utils import create_pg_engine

from pattern_pipeline.settings import get_settings
from pattern_pipeline.warehouse.servers import dagster_url, embedded_server, revive
from pattern_pipeline.warehouse.urls import normalise

EVENT_BATCH_SIZE = "1000"
_BATCHED = {DagsterEventType.ASSET_MATERIALIZATION_PLANNED, DagsterEventType.ASSET_MATERIALIZATION}


class BatchingEventLog(PostgresEventLogStorage):
    """Writes the announcements of a range as few rows.

    dagster-postgres writes those of partitions one by one, and of each check a row for each partition, with the whole
    range in it. A check of a range has one result, which meets none of these.
    """

    def store_asset_check_event(self, event: EventLogEntry, event_id: int | None) -> None:
        """Store the announcement of a range's check as that of its one result."""
        announced = event.dagster_event.event_specific_data if event.dagster_event else None
        if (
            isinstance(announced, AssetCheckEvaluationPlanned)
            and announced.partitions_subset is not None
            and len(announced.partitions_subset) > 1
        ):
            whole = AssetCheckEvaluationPlanned(asset_key=announced.asset_key, check_name=announced.check_name)
            event = event._replace(dagster_event=event.get_dagster_event()._replace(event_specific_data=whole))
        super().store_asset_check_event(event, event_id)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store planned and done materialisations in batches, and other events as dagster-postgres does."""
        others: list[EventLogEntry] = []
        for kind, group in groupby(events, key=lambda each: each.dagster_event_type):
            if kind in _BATCHED:
                self._insert(list(group))
            else:
                others += group
        if others:
            super().store_event_batch(others)

    def _insert(self, events: Sequence[EventLogEntry]) -> None:
        """One prepared INSERT for many rows: compiling one statement with all values costs more than its execution."""
        table = SqlEventLogStorageTable
        with self._connect() as connection:
            insert = table.insert().returning(table.c.id, sort_by_parameter_order=True)
            ids = list(connection.execute(insert, [self._event_to_row(each) for each in events]).scalars())
        newest = {each.get_dagster_event().asset_key: (each, n) for each, n in zip(events, ids, strict=True)}
        with self.index_transaction() as connection:
            self._store_asset_event_tags(connection, events, ids)
            for event, number in newest.values():
                self._store_asset_event(connection, event, number)


class WarehouseStorage(DagsterPostgresStorage):
    """PostgreSQL storage that starts the embedded server, pools its connections and writes events in batches.

    dagster-postgres opens a connection for every call and writes one event at a time: over a thousand partitions that
    is ten times slower than a pool and batches.
    """

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", EVENT_BATCH_SIZE)
        settings = get_settings()
        server = embedded_server(settings)
        if server:
            server.keep()
        # Never a bare postgresql://, which SQLAlchemy 2.1 gives to psycopg 3: `NOTIFY` with a parameter fails there.
        url = normalise(dagster_url(settings), "psycopg2")
        super().__init__(url, inst_data=inst_data)
        self._event_log_storage = BatchingEventLog(url, self.should_autocreate_tables)
        engine = create_pg_engine(
            url, isolation_level="AUTOCOMMIT", pool_size=2, max_overflow=18, pool_recycle=3600, pool_pre_ping=True
        )
        if server:
            revive(engine, server)
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
