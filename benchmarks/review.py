"""The review's server time over a large queue: `python -m benchmarks.review [--patterns N] [--repeats N]`.

Full size: `--patterns 100000`. The rows are those of the web tests' seed; the first pattern was seen in a twentieth of
all occurrences, and its detail is the one asked for: its estimate is a real one, so that what would flip the verdict is
worked out for each request. A request's time is that spent inside the application (ASGI), in
this process, after a few that do not count. The reference is a bare SELECT by index of the rows that the request shows,
over one prepared psycopg connection to the same server. Prints the median and 95th percentile of each, their ratio, how
PostgreSQL reaches the rows, and the time of a sync that refreshes 10,000 queued rows and of one with 10,000 candidates.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from fastapi.testclient import TestClient
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from benchmarks.chain import server
from benchmarks.results import report
from pattern_pipeline.detection.policy import Policy, load_policy
from pattern_pipeline.patterns.estimates import estimate_patterns
from pattern_pipeline.patterns.versions import activate
from pattern_pipeline.review.sync import sync
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Transaction, Warehouse, only_statement
from pattern_pipeline.warehouse.urls import with_database
from pattern_pipeline.web.app import create_app
from pattern_pipeline_tests.web.seed import seed

CANDIDATES = 10_000
OCCURRENCES = 10
"""Of each pattern."""
COMMON, RARE = "test", "pytest worker"
PAGE = {"status": None, "pattern_type": None, "needs_review": False, "after_key": None, "after_id": None, "limit": 21}
ROWS = "SELECT * FROM pattern_approvals ORDER BY coalesce(npv_p10, '-Infinity') DESC, pattern_id DESC LIMIT 21"
WAITING = ROWS.replace("ORDER", "WHERE status = 'pending' ORDER")
DETAILED = "test:pytest:backend"
ONE = (
    "SELECT * FROM operation_patterns p JOIN pattern_approvals a USING (pattern_id)"
    " JOIN roi_estimates e ON e.pattern_id = p.pattern_id AND e.input_hash = p.current_estimate"
    f" WHERE p.pattern_signature = '{DETAILED}'"
)
RARE_STATUS = WAITING.replace("pending", "revoked").replace("npv_p10", "potential_monthly_savings")
COUNTS = "SELECT status, needs_review, count(*) FROM pattern_approvals GROUP BY status, needs_review"
WORDS = (
    "SELECT * FROM operation_patterns WHERE pattern_words(pattern_signature, readable)"
    " @@ 'pytest:* & worker:*'::tsquery LIMIT 21"
)
HOURS = """
    INSERT INTO history_hours (hour, generation, workflow_count, step_count, spend_usd, priced_count, content_hash,
        detection_version, catalogue_version)
    SELECT date_trunc('hour', event_time, 'UTC'), 1, count(*), sum(step_count), sum(actual_cost_total), count(*), '-',
        %(detection)s, %(catalogue)s
    FROM workflow_history GROUP BY 1
"""
REQUESTS = (
    ("list page", "/?status=pending", WAITING),
    ("list page, any status", "/?status=all", ROWS),
    ("list page, rare status", "/?status=revoked&sort=savings", RARE_STATUS),
    ("API list", "/api/v1/patterns", ROWS),
    ("API statistics", "/api/v1/patterns/statistics", COUNTS),
    ("API search, common word", f"/api/v1/patterns?q={COMMON}", ROWS),
    ("API search, rare words", f"/api/v1/patterns?q={RARE}", WORDS),
    ("detail page", f"/patterns/{DETAILED}", ONE),
    ("API detail", f"/api/v1/patterns/{DETAILED}", ONE),
)
"""What is asked for, and the reference: the same rows, bare."""


class Spread(NamedTuple):
    """Milliseconds."""

    p50: float
    p95: float

    def __str__(self) -> str:
        return f"{self.p50:7.2f} {self.p95:7.2f}"


class Timed:
    """An application, and the seconds that its last request took."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.seconds = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        start = time.perf_counter()
        await self.app(scope, receive, send)
        self.seconds = time.perf_counter() - start


def spread(seconds: list[float]) -> Spread:
    """The median and the 95th percentile."""
    return Spread(statistics.median(seconds) * 1e3, statistics.quantiles(seconds, n=20)[-1] * 1e3)


def requests(app: Timed, client: TestClient, address: str, repeats: int) -> Spread:
    """Server time of a request."""

    def once() -> float:
        answer = client.get(address)
        if answer.status_code != 200:
            raise SystemExit(f"{address}: status {answer.status_code}")
        return app.seconds

    return measured(once, repeats)


def bare(connection: psycopg.Connection[Any], query: str, repeats: int) -> Spread:
    """Time of a prepared SELECT with its rows."""

    def once() -> float:
        start = time.perf_counter()
        connection.execute(query.encode(), prepare=True).fetchall()
        return time.perf_counter() - start

    return measured(once, repeats)


def measured(once: Callable[[], float], repeats: int) -> Spread:
    """Spread of what `once` returns, after five calls that do not count."""
    for _ in range(5):
        once()
    return spread([once() for _ in range(repeats)])


def plan(tx: Transaction, name: str, **parameters: Any) -> str:
    """How a statement's rows are reached: its time, and each scan of a table."""
    explained = "EXPLAIN (ANALYZE, FORMAT JSON) " + only_statement(name).named
    found = tx.connection.exec_driver_sql(explained, parameters).scalar_one()[0]
    return f"{name}: {found['Execution Time']:.2f} ms; " + ", ".join(scans(found["Plan"]))


def scans(node: Mapping[str, Any]) -> Iterator[str]:
    """Every scan of a plan, with its index and how many rows it gave in all."""
    if "Relation Name" in node or "Index Name" in node:
        where = node.get("Index Name") or node["Relation Name"]
        yield f"{node['Node Type']} {where} ({node['Actual Rows'] * node['Actual Loops']:g} rows)"
    for child in node.get("Plans", ()):
        yield from scans(child)


@contextmanager
def filled(url: str, name: str, home: Path, patterns: int) -> Iterator[tuple[Settings, Warehouse]]:
    """A database of its own with a queue of that many patterns."""
    settings = Settings(database_url=SecretStr(with_database(url, name)), home=home)
    with Warehouse.open(settings) as warehouse:
        seed(warehouse, patterns=patterns, occurrences=patterns * OCCURRENCES, runs=max(patterns // 5, 1))
        yield settings, warehouse


def estimate_detailed(warehouse: Warehouse, policy: Policy) -> None:
    """Give the pattern whose detail is asked for an estimate of its own, and a few patterns a rare status."""
    catalogue = activate(warehouse, policy)
    with psycopg.connect(warehouse.libpq_url) as connection:
        connection.execute(HOURS, {"detection": policy.detection_version, "catalogue": catalogue})
        connection.execute("UPDATE pattern_approvals SET status = 'revoked' WHERE pattern_id % 5000 = 1")
        row = connection.execute(
            "SELECT pattern_id FROM operation_patterns WHERE pattern_signature = %s", [DETAILED]
        ).fetchone()
    if row is None:
        raise SystemExit(f"{DETAILED}: the seed has no such pattern")
    estimate_patterns(warehouse, policy, row[0], row[0])


def report_requests(settings: Settings, warehouse: Warehouse, policy: Policy, repeats: int) -> None:
    """One line for each request."""
    app = Timed(create_app(settings, warehouse, policy))
    print(f"{'':26} {'p50':>7} {'p95':>7}   {'bare p50':>8} {'p95':>7}   ratio  (ms)")
    with psycopg.connect(warehouse.libpq_url, autocommit=True) as connection:
        client = TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50_000))
        for name, address, reference in REQUESTS:
            asked, selected = requests(app, client, address, repeats), bare(connection, reference, repeats)
            print(f"{name:26} {asked}    {selected}   {asked.p50 / selected.p50:5.1f}", flush=True)
            report(f"review, {name}: p95", asked.p95, unit="ms", goal=100 if "detail" in name else 50)
            report(f"review, {name}: p50", asked.p50 / selected.p50, reference="bare SELECT by index of the same rows")


def report_plans(warehouse: Warehouse) -> None:
    """How the statements behind the list and the search reach their rows."""
    with warehouse.transaction() as tx:
        print(plan(tx, "review/page_by_value", **PAGE, words=None, pattern_ids=None))
        print(plan(tx, "review/page_by_savings", **PAGE | {"status": "revoked"}, words=None, pattern_ids=None))
        print(plan(tx, "review/queue_statistics"))
        print(plan(tx, "review/page_by_value", **PAGE, words=f"{COMMON}:*", pattern_ids=None))
        print(plan(tx, "review/patterns_with_words", words="pytest:* & worker:*", limit=2001))


def report_sync(warehouse: Warehouse, policy: Policy) -> None:
    """Time of a sync that refreshes every queued row, and of one for which every pattern is a candidate."""
    refreshed = sync(warehouse, "all", policy=policy)
    with warehouse.transaction() as tx:
        tx.connection.exec_driver_sql("DELETE FROM pattern_approvals")
    chosen = sync(warehouse, "all", policy=policy)
    for name, result in (("that refreshes", refreshed), ("of new candidates among", chosen)):
        report(f"sync {name} {CANDIDATES:,} patterns", result.sync_duration_ms, unit="ms", goal=2000)
    print(
        f"sync, {refreshed.total_candidates:,} queued: {refreshed.sync_duration_ms:.0f} ms; "
        f"{chosen.total_candidates:,} candidates, {chosen.synced_count} may enter: {chosen.sync_duration_ms:.0f} ms"
    )


def main() -> None:
    """Run the benchmark and print its table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--patterns", type=int, default=5_000)
    arguments.add_argument("--repeats", type=int, default=50)
    given = arguments.parse_args()
    policy = load_policy("default")
    with tempfile.TemporaryDirectory() as scratch, server(Path(scratch) / "state") as url:
        home = Path(scratch) / "home"
        with filled(url, "requests", home, given.patterns) as (settings, warehouse):
            estimate_detailed(warehouse, policy)
            print(f"{given.patterns:,} queued patterns, {given.patterns * OCCURRENCES:,} occurrences")
            report_requests(settings, warehouse, policy, given.repeats)
            report_plans(warehouse)
        with filled(url, "syncs", home, CANDIDATES) as (_, warehouse):
            report_sync(warehouse, policy)


if __name__ == "__main__":
    main()
