"""Operations of a large library: `python -m benchmarks.library [--templates N] [--calls N] [--rounds N]`.

Full size: `--templates 100000`, with ten uses for each template in the last year. Each operation is performed as the
command line and the API do (`Library.perform`: contract, one transaction, commit, and the row of the log), on another
template every time. The reference of one that reads is a bare SELECT of ten templates by their keys, of one that writes
a bare INSERT of one event and its commit, each over one psycopg connection to the same server.

Prints the median and the 95th percentile in milliseconds (of the rounds: their median, and from the least to the
greatest 95th percentile), the goal, the ratio of the medians, and every large table that the operation read from end to
end, also inside of functions; then how each of its statements reaches its rows. Tracing is what a call
takes beside its operation: the row of the log.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

import psycopg
import sqlalchemy
from pydantic import SecretStr

from benchmarks.chain import server
from benchmarks.results import report
from benchmarks.review import Spread, scans, spread
from pattern_pipeline.detection.policy import load_policy
from pattern_pipeline.library.mining import publish_templates
from pattern_pipeline.library.service import Library
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.sqlfiles import sql_root, statements
from pattern_pipeline.warehouse.urls import with_database
from pattern_pipeline_tests.web.seed import seed

SEED: Final = Path(__file__).with_name("library_seed.sql")
READ_MS, INSERT_MS, UPDATE_MS, BATCH_MS, ANALYTICS_MS, TRACING_MS = 20, 50, 30, 100, 100, 5
"""95th percentiles to keep to."""
USES: Final = 10
"""Of each template, on average."""
LARGE: Final = 1_000
"""Rows from which on a table is not read from end to end by an operation that is asked for often."""
SCANNED: Final = f"""
    SELECT s.relname FROM pg_stat_xact_user_tables s JOIN pg_class c ON c.oid = s.relid
    WHERE seq_scan > 0 AND reltuples > {LARGE} ORDER BY 1"""
TEN_TEMPLATES: Final = b"SELECT * FROM v_templates WHERE id = ANY (%s)"
ONE_EVENT: Final = b"INSERT INTO pattern_usage_events (pattern_id, success) VALUES (%s, true)"
NAMES: Final = {
    statements(f"library/{file.stem}")[0].named: file.stem
    for file in sql_root().glob("statements/library/*.sql")
    if file.stem not in ("limit_time", "log_operation")
}
"""Statements by their text; those that every operation has are told once, as tracing."""


class Case(NamedTuple):
    """An operation, asked for with another template each time; one that is to be refused stores nothing."""

    name: str
    goal: float
    writes: bool
    request: Callable[[UUID], dict[str, Any]]
    is_refused: bool = False


def template(name: str | None = None) -> dict[str, Any]:
    """A new template."""
    return {
        "pattern_name": name or f"bench:{uuid4()}",
        "pattern_type": "operation",
        "language": "shell",
        "template_code": "tool0 test --target service0 --config <path>",
        "description": "Runs test of service0 with tool0",
    }


def batch(*known: dict[str, Any]) -> dict[str, Any]:
    """Ten templates, those that are known last."""
    return {"operation": "batch_insert", "templates": [*(template() for _ in range(10 - len(known))), *known]}


def changed(one: UUID) -> dict[str, Any]:
    """A template described anew."""
    return {"operation": "update", "pattern_id": one, "fields": {"description": f"changed: {uuid4()}"}}


def reading(name: str, operation: str, *, goal: float = READ_MS, **fields: Any) -> Case:
    """A case that reads, the same each time."""
    return Case(name, goal, False, lambda _: {"operation": operation, **fields})


def of_one(name: str, operation: str, goal: float, *, writes: bool = False, **fields: Any) -> Case:
    """A case about one template."""
    return Case(name, goal, writes, lambda one: {"operation": operation, "pattern_id": one, **fields})


def searching(what: str, query: str, **fields: Any) -> Case:
    """A search."""
    return reading(f"search: {what}", "search", query=query, **fields)


def asking(what: str, **where: Any) -> Case:
    """A query by conditions on columns."""
    return reading(f"query: {what}", "query", where=where)


KNOWN: Final = "bench:known"
CASES: Final = (
    Case("insert", INSERT_MS, True, lambda _: {"operation": "insert", "template": template()}),
    Case("update", UPDATE_MS, True, changed),
    of_one("record_usage", "record_usage", UPDATE_MS, writes=True, success=True, quality_before=0.6),
    of_one("update_stats of one", "update_stats", UPDATE_MS, writes=True),
    Case("batch of 10", BATCH_MS, True, lambda _: batch()),
    Case("batch of 10, the last refused", BATCH_MS, True, lambda _: batch(template(KNOWN)), is_refused=True),
    of_one("get_by_id", "get_by_id", READ_MS),
    of_one("get_related", "get_related", READ_MS),
    reading("get_top", "get_top"),
    reading("get_top of a language", "get_top", language="python"),
    reading("get_by_type", "get_by_type", pattern_type="sequence"),
    searching("a word of a tenth", "test"),
    searching("a word of all", "runs"),
    searching("three words", "test tool7 service12"),
    searching("a word of fifty", "module777"),
    searching("a word of none", "nowhere"),
    searching("a word of a tenth, few confident", "test", language="python", min_confidence_score=0.99),
    reading("filter by a tag", "filter", tags=["team7"]),
    reading("filter by two tags", "filter", tags=["test", "tool7"]),
    reading("filter by minimums", "filter", min_confidence_score=0.99, min_success_rate=0.9),
    asking("the newest"),
    asking("a name", pattern_name={"eq": KNOWN}),
    asking("part of a name", pattern_name={"contains": "tool7:service12"}),
    asking("a category, used much", usage_count={"ge": 100}, category={"eq": "git"}),
    asking("a person without any", created_by={"eq": "nobody"}),
    Case("analytics of 30 days, all", ANALYTICS_MS, True, lambda _: {"operation": "compute_analytics"}),
    of_one("analytics of 30 days, one", "compute_analytics", ANALYTICS_MS, writes=True),
    reading("usage_trends of 30 days, all", "usage_trends", goal=ANALYTICS_MS),
    of_one("usage_trends of 30 days, one", "usage_trends", ANALYTICS_MS),
    of_one("quality_trends of 30 days", "quality_trends", ANALYTICS_MS),
    reading("effectiveness: the best", "effectiveness", goal=ANALYTICS_MS),
    of_one("effectiveness of one", "effectiveness", ANALYTICS_MS),
    reading("global_stats", "global_stats", goal=ANALYTICS_MS),
)


class Bench:
    """A filled library, and the templates that operations are about."""

    def __init__(self, warehouse: Warehouse, calls: int, rounds: int) -> None:
        self.warehouse, self.calls, self.rounds = warehouse, calls, rounds
        self.library = Library(warehouse, load_policy("default"))
        self.library.perform({"operation": "insert", "template": template(KNOWN)})
        with psycopg.connect(warehouse.libpq_url) as connection:
            found = connection.execute("SELECT id FROM pattern_templates ORDER BY random() LIMIT 1000").fetchall()
        self.templates: list[UUID] = [row[0] for row in found]

    def perform(self, case: Case) -> tuple[float, float]:
        """Seconds of a call, and of them those that are not the operation's.

        Raises:
            SystemExit: It did not end as it should.
        """
        request = case.request(random.choice(self.templates))
        start = time.perf_counter()
        result = self.library.perform(request, actor="bench")
        seconds = time.perf_counter() - start
        if result.success is case.is_refused:
            raise SystemExit(f"{case.name}: {result.error or 'was not refused'}")
        return seconds, seconds - result.metadata.duration_ms / 1e3

    def measure(self, once: Callable[[], float]) -> list[Spread]:
        """The rounds, after five calls that do not count."""
        for _ in range(5):
            once()
        return [spread([once() for _ in range(self.calls)]) for _ in range(self.rounds)]

    def looked_at(self, case: Case) -> tuple[list[str], list[str]]:
        """The large tables that a call reads from end to end, and how its statements reach their rows."""
        plans: list[str] = []
        scanned: list[str] = []

        def before(_connection: Any, cursor: psycopg.Cursor[Any], statement: str, parameters: Any, *_: Any) -> None:
            if statement in NAMES and not case.is_refused:
                plans.append(f"    {NAMES[statement]}: {plan(cursor.connection, statement, parameters)}")

        def commit(connection: sqlalchemy.Connection) -> None:
            scanned.extend(connection.exec_driver_sql(SCANNED).scalars())

        engine = self.warehouse.engine
        sqlalchemy.event.listen(engine, "commit", commit)
        sqlalchemy.event.listen(engine, "before_cursor_execute", before)
        try:
            self.perform(case)
        finally:
            sqlalchemy.event.remove(engine, "commit", commit)
            sqlalchemy.event.remove(engine, "before_cursor_execute", before)
        return scanned, plans

    def bare(self) -> dict[bool, float]:
        """Median milliseconds of the references: of those that write, and of those that read."""
        with psycopg.connect(self.warehouse.libpq_url, autocommit=True) as connection:

            def once(statement: bytes, count: int) -> float:
                wanted = random.sample(self.templates, count)
                start = time.perf_counter()
                cursor = connection.execute(statement, [wanted if count > 1 else wanted[0]], prepare=True)
                if count > 1:
                    cursor.fetchall()
                return time.perf_counter() - start

            return {
                True: statistics.median(each.p50 for each in self.measure(lambda: once(ONE_EVENT, 1))),
                False: statistics.median(each.p50 for each in self.measure(lambda: once(TEN_TEMPLATES, 10))),
            }

    def run(self) -> None:
        """Every case: its line, its results and its plans."""
        bare = self.bare()
        print(f"bare INSERT and commit {bare[True]:.2f} ms, bare SELECT of ten {bare[False]:.2f} ms (medians)")
        print(f"{'':42} {'p50':>7} {'p95':>7} {'of rounds':>17}  goal  ratio  read from end to end")
        tracing = []
        for case in CASES:
            calls: list[tuple[float, float]] = []

            def once(case: Case = case, calls: list[tuple[float, float]] = calls) -> float:
                calls.append(self.perform(case))
                return calls[-1][0]

            rounds = self.measure(once)
            tracing += [beside for _, beside in calls[5:]]
            scanned, plans = self.looked_at(case)
            told(case.name, rounds, case.goal, bare[case.writes], scanned)
            print("\n".join(plans), end="\n" if plans else "", flush=True)
        beside = [spread(tracing[start :: self.rounds]) for start in range(self.rounds)]
        told("tracing", beside, TRACING_MS, bare[True])


def plan(connection: psycopg.Connection[Any], statement: str, parameters: Any) -> str:
    """How a statement would reach its rows here and now, and how long the server takes for it."""
    with connection.transaction(force_rollback=True):
        (row,) = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}".encode(), parameters).fetchall()
    found = row[0][0]
    return f"{found['Execution Time']:.2f} ms; {', '.join(scans(found['Plan'])) or 'no table'}"


def told(name: str, rounds: list[Spread], goal: float, bare: float, scanned: Sequence[str] = ()) -> None:
    """Print a line and report its figures."""
    p50, p95s = statistics.median(each.p50 for each in rounds), [each.p95 for each in rounds]
    span = f"{min(p95s):.2f} to {max(p95s):.2f}"
    print(
        f"{name:42} {p50:7.2f} {statistics.median(p95s):7.2f} {span:>17} {goal:5.0f} {p50 / bare:6.1f}"
        f"  {', '.join(scanned) or 'nothing'}",
        flush=True,
    )
    report(f"library, {name}: p95", p95s, unit="ms", goal=goal)
    report(f"library, {name}: p50", p50 / bare, reference="bare SELECT of ten, or bare INSERT and commit")


@contextmanager
def filled(url: str, name: str, home: Path, templates: int) -> Iterator[Warehouse]:
    """A database of its own with a library of that size, a twentieth of it templates of approved patterns."""
    settings = Settings(database_url=SecretStr(with_database(url, name)), home=home)
    patterns = max(templates * 3 // 20, 30)
    with Warehouse.open(settings) as warehouse:
        seed(warehouse, patterns=patterns, occurrences=patterns * 10, runs=max(patterns // 5, 1), waiting=0)
        with psycopg.connect(warehouse.libpq_url) as connection, psycopg.ClientCursor(connection) as cursor:
            cursor.execute(SEED.read_bytes(), {"templates": templates - patterns // 3, "events": templates * USES})
        publish_templates(warehouse)
        with psycopg.connect(warehouse.libpq_url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
        yield warehouse


def main() -> None:
    """Run the benchmark and print its table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--templates", type=int, default=5_000)
    arguments.add_argument("--calls", type=int, default=100, help="of each operation in a round")
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    random.seed(1)
    with (
        tempfile.TemporaryDirectory() as scratch,
        server(Path(scratch) / "state") as url,
        filled(url, "library", Path(scratch) / "home", given.templates) as warehouse,
    ):
        print(
            f"{given.templates:,} templates, {given.templates * USES:,} uses; {given.rounds} x {given.calls} calls each"
        )
        Bench(warehouse, given.calls, given.rounds).run()


if __name__ == "__main__":
    main()
