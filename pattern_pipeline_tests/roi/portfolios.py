"""Estimated and approved patterns, made by the services themselves from small histories."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pattern_pipeline.patterns.estimates import estimate_patterns
from pattern_pipeline.patterns.occurrences import replace_occurrences
from pattern_pipeline.patterns.statistics import publish_statistics, replace_statistics
from pattern_pipeline.review.filters import EVERYTHING
from pattern_pipeline.review.queue import entry
from pattern_pipeline.review.sync import sync
from pattern_pipeline.review.transitions import Action, decide
from pattern_pipeline.roi.executions import Execution, ExecutionReport, record_execution
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.patterns.histories import WINDOW, Run, Step, default_policy, insert

PYTEST, DIFF = "test:pytest:all", "git:diff:summary"
POLICY = default_policy()


def runs(days: int = 10, each: int = 4, cost: str = "2", signature: str = PYTEST) -> list[Run]:
    """So many runs a day, in which an operation cost so much."""
    return [
        Run("9", [Step(cost, (signature,), tokens=1000)], hours=24 * day + hour)
        for day in range(days)
        for hour in range(each)
    ]


def publish(warehouse: Warehouse) -> None:
    """Statistics and estimates from the hours as they are."""
    publish_statistics(warehouse, POLICY)
    estimate_patterns(warehouse, POLICY)


def estimated(warehouse: Warehouse, history: list[Run] | None = None) -> None:
    """A history with its occurrences, statistics and estimates."""
    insert(warehouse, runs() if history is None else history, POLICY)
    replace_occurrences(warehouse, POLICY, WINDOW)
    replace_statistics(warehouse, WINDOW)
    publish(warehouse)


def queued(warehouse: Warehouse) -> None:
    sync(warehouse, EVERYTHING, policy=POLICY)


def approve(warehouse: Warehouse, signature: str = PYTEST) -> None:
    """Put everything into the queue and approve one pattern."""
    queued(warehouse)
    decide(warehouse, signature, Action.APPROVE, reviewer="ada", version=entry(warehouse, signature).version)


def execute(
    warehouse: Warehouse, key: str, *, success: bool = True, cost: str | None = "0.1", **more: Any
) -> Execution:
    """Record one execution, of pytest unless told otherwise."""
    report = ExecutionReport(
        idempotency_key=key,
        success=success,
        actual_cost=None if cost is None else Decimal(cost),
        **{"pattern": PYTEST, **more},
    )
    return record_execution(warehouse, report, policy=POLICY, reported_by="robot")
