"""Whether the installation is well: its database, its schema, and how old its work is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel

from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.migrations import shipped_migrations


class Health(BaseModel):
    """An answer at all means that the database answers.

    Attributes:
        schema_version: Number of the last migration applied; `expected_schema_version` is that of this code.
        last_hour: The latest hour of history that was closed, and when that happened.
        queue_age_seconds: How long the longest-waiting pattern has been pending; None when none is.
    """

    status: Literal["ok", "schema_differs"]
    database: Literal["ok"] = "ok"
    schema_version: int
    expected_schema_version: int
    last_hour: datetime | None
    last_hour_closed_at: datetime | None
    queue_age_seconds: float | None


def health(warehouse: Warehouse) -> Health:
    """Ask the database.

    Raises:
        sqlalchemy.exc.OperationalError: It does not answer.
    """
    with warehouse.transaction() as transaction:
        found = transaction.rows("review/health")[0]
    expected = shipped_migrations()[-1].version
    waiting_since = found["oldest_pending"]
    return Health(
        status="ok" if found["schema_version"] == expected else "schema_differs",
        schema_version=found["schema_version"],
        expected_schema_version=expected,
        last_hour=found["last_hour"],
        last_hour_closed_at=found["last_hour_closed_at"],
        queue_age_seconds=(datetime.now(UTC) - waiting_since).total_seconds() if waiting_since else None,
    )
