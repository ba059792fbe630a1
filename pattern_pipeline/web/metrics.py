"""Figures for Prometheus: what waits in the queue, how old the work is, and how the requests went."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pattern_pipeline.review.queue import statistics
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.web.health import health

REQUESTS: Final = CollectorRegistry()
_SECONDS: Final = Histogram(
    "pattern_pipeline_review_request_seconds",
    "Time that requests took, by what answered them.",
    ("endpoint", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
    registry=REQUESTS,
)


class Metrics:
    """ASGI middleware that measures requests, by the function that answers them, so that ids make no series."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and note how long it took and how it ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started = 500, time.perf_counter()

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            _SECONDS.labels(_endpoint_of(scope), str(status)).observe(time.perf_counter() - started)


def _endpoint_of(scope: Scope) -> str:
    """Module and name of the function that answered, like `sync.run`; `none` for what nothing answers to."""
    endpoint = scope.get("endpoint")
    name = getattr(endpoint, "__name__", None)
    return f"{endpoint.__module__.rpartition('.')[2]}.{name}" if name else "none"


class QueueFigures(Collector):
    """Read from the database whenever they are asked for."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One gauge a figure; a figure that does not exist yet is left out."""
        by_status = GaugeMetricFamily(
            "pattern_pipeline_queue_patterns", "Queued patterns by status.", labels=["status"]
        )
        counts = statistics(self._warehouse).model_dump()
        for status in counts.keys() - {"reopened", "total"}:
            by_status.add_metric([status], counts[status])
        yield by_status
        yield GaugeMetricFamily("pattern_pipeline_queue_needs_review", "Ask for another look.", counts["reopened"])
        found = health(self._warehouse)
        if found.queue_age_seconds is not None:
            yield GaugeMetricFamily(
                "pattern_pipeline_queue_age_seconds", "Longest wait for a decision.", found.queue_age_seconds
            )
        if found.last_hour_closed_at is not None:
            yield GaugeMetricFamily(
                "pattern_pipeline_last_hour_closed_timestamp_seconds",
                "When the last hour of history was closed.",
                found.last_hour_closed_at.timestamp(),
            )


def figures_of(warehouse: Warehouse) -> CollectorRegistry:
    """A registry with the figures of a warehouse."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(QueueFigures(warehouse))
    return registry
