"""What partitions of the two big tables would gain: `python -m benchmarks.partitions [--runs N]`.

The tables as the migrations make them, against two other layouts of the same rows. 16 partitions by hash of the id keep
every key. Months of event_time are possible only when the time is part of every key: a run could then be there twice
under two times, and each step has to carry its run's time. Same server, same order of rows, foreign keys on; each
operation as a ratio to the tables as they are.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import psycopg
from pydantic import SecretStr

from benchmarks.chain import server
from benchmarks.results import report
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.urls import with_database

MONTHS: Final = 24
PARTS: Final = 16
REPEATS: Final = 3
STEPS: Final = 3
FIRST: Final = "timestamptz '2025-01-01 00:00+00'"

STAGE: Final = f"""
CREATE UNLOGGED TABLE staged_runs AS
SELECT number % {REPEATS} AS part, md5(number::text) AS workflow_id, 'generic' AS source,
       'Deploy service ' || number % 500 || ' to staging, run its smoke tests and tell the channel' AS nl_input,
       'completed' AS status, 'unpriced' AS cost_basis, md5(number::text || 'content') AS content_hash,
       {FIRST} + random() * ({FIRST} + interval '{MONTHS} months' - {FIRST}) AS event_time
FROM generate_series(1, :runs) AS number;
CREATE UNLOGGED TABLE staged_steps AS
SELECT part, workflow_id, seq::text AS tool_call_id, seq, 'Bash' AS tool_name, event_time,
       'kubectl rollout status deployment/service-' || seq || ' --namespace staging' AS command
FROM staged_runs CROSS JOIN generate_series(1, {STEPS}) AS seq;
ANALYZE staged_runs, staged_steps;
"""

MAKE: Final = {
    "as they are": """
        CREATE TABLE workflow_history (LIKE public.workflow_history INCLUDING ALL);
        CREATE TABLE tool_calls (LIKE public.tool_calls INCLUDING ALL,
            FOREIGN KEY (workflow_id) REFERENCES workflow_history ON DELETE CASCADE);
    """,
    "hash of the id": f"""
        CREATE TABLE workflow_history (LIKE public.workflow_history INCLUDING ALL) PARTITION BY HASH (workflow_id);
        CREATE TABLE tool_calls (LIKE public.tool_calls INCLUDING ALL,
            FOREIGN KEY (workflow_id) REFERENCES workflow_history ON DELETE CASCADE) PARTITION BY HASH (workflow_id);
        SELECT format('CREATE TABLE %1$s_%2$s PARTITION OF %1$s FOR VALUES WITH (MODULUS {PARTS}, REMAINDER %2$s)',
            name, n)
        FROM generate_series(0, {PARTS - 1}) AS n, unnest(ARRAY['workflow_history', 'tool_calls']) AS name
    """,
    "months": f"""
        CREATE TABLE workflow_history (LIKE public.workflow_history INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
            PRIMARY KEY (workflow_id, event_time)) PARTITION BY RANGE (event_time);
        CREATE INDEX ON workflow_history (event_time);
        CREATE TABLE tool_calls (LIKE public.tool_calls INCLUDING DEFAULTS INCLUDING CONSTRAINTS, run_time timestamptz,
            PRIMARY KEY (workflow_id, tool_call_id, run_time),
            FOREIGN KEY (workflow_id, run_time) REFERENCES workflow_history (workflow_id, event_time)
                ON DELETE CASCADE ON UPDATE CASCADE) PARTITION BY RANGE (run_time);
        SELECT format('CREATE TABLE %1$s_%2$s PARTITION OF %1$s FOR VALUES FROM (%3$L) TO (%4$L)', name, n,
            {FIRST} + n * interval '1 month', {FIRST} + (n + 1) * interval '1 month')
        FROM generate_series(0, {MONTHS - 1}) AS n, unnest(ARRAY['workflow_history', 'tool_calls']) AS name
    """,
}

LOAD_RUNS: Final = """
INSERT INTO workflow_history (workflow_id, source, nl_input, status, cost_basis, content_hash, event_time)
SELECT workflow_id, source, nl_input, status, cost_basis, content_hash, event_time
FROM public.staged_runs WHERE part = %s
"""
LOAD_STEPS: Final = """
INSERT INTO tool_calls (workflow_id, tool_call_id, seq, tool_name, command, event_time{column})
SELECT workflow_id, tool_call_id, seq, tool_name, command, event_time{value} FROM public.staged_steps WHERE part = %s
"""
FIND: Final = "SELECT workflow_id, content_hash FROM workflow_history WHERE workflow_id = ANY(%s)"
STEPS_OF: Final = "SELECT count(command) FROM tool_calls WHERE workflow_id = ANY(%s)"
HOUR: Final = f"""
SELECT count(*), sum(step_count), string_agg(content_hash, '') FROM workflow_history
WHERE event_time >= {FIRST} + %s * interval '1 hour' AND event_time < {FIRST} + (%s + 1) * interval '1 hour'
"""
CORRECT: Final = "UPDATE workflow_history SET status = 'failed', landed_at = now() WHERE workflow_id = ANY(%s)"
DELETE_MONTH: Final = f"DELETE FROM workflow_history WHERE event_time < {FIRST} + (%s + 1) * interval '1 month'"
DROP_MONTH: Final = "ALTER TABLE {0} DETACH PARTITION {0}_{1}; DROP TABLE {0}_{1}"


class Layout:
    """One way to lay out the two tables, in a schema of its own."""

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self.connection = psycopg.connect(url, autocommit=True)
        schema = f"layout_{list(MAKE).index(name)}"
        self.connection.execute(f"CREATE SCHEMA {schema}; SET search_path = {schema}")
        *tables, partitions = MAKE[name].split(";")
        self.connection.execute(";".join(tables))
        for (partition,) in self.connection.execute(partitions).fetchall() if partitions.strip() else ():
            self.connection.execute(partition)

    def seconds(self, statement: str, *parameters: object) -> float:
        """How long a statement takes, its rows fetched."""
        start = time.perf_counter()
        cursor = self.connection.execute(statement, parameters or None)
        if cursor.description is not None:
            cursor.fetchall()
        return time.perf_counter() - start

    def load(self, part: int) -> float:
        """A third of the rows into both tables."""
        column, value = (", run_time", ", event_time") if self.name == "months" else ("", "")
        steps = LOAD_STEPS.format(column=column, value=value)
        spent = self.seconds(LOAD_RUNS, part) + self.seconds(steps, part)
        self.connection.execute("ANALYZE workflow_history, tool_calls")
        return spent

    def remove_month(self, month: int) -> float:
        """The oldest month there is, out of both tables."""
        if self.name != "months":
            return self.seconds(DELETE_MONTH, month)
        return sum(self.seconds(DROP_MONTH.format(table, month)) for table in ("tool_calls", "workflow_history"))


def measure(layouts: Sequence[Layout], ids: Sequence[list[str]]) -> dict[str, dict[str, list[float]]]:
    """Seconds of each repeat, by operation and layout; the layouts take turns."""
    operations: dict[str, Callable[[Layout, int], float]] = {
        "load": lambda layout, turn: layout.load(turn),
        "1,000 runs by id": lambda layout, turn: layout.seconds(FIND, ids[turn]),
        "steps of 1,000 runs": lambda layout, turn: layout.seconds(STEPS_OF, ids[turn]),
        "one hour": lambda layout, turn: layout.seconds(HOUR, 5000 + turn, 5000 + turn),
        "correct 1,000 runs": lambda layout, turn: layout.seconds(CORRECT, ids[turn]),
        "remove the oldest month": lambda layout, turn: layout.remove_month(turn),
    }
    found: dict[str, dict[str, list[float]]] = {}
    for operation, run in operations.items():
        turns = [[run(layout, turn) for layout in layouts] for turn in range(REPEATS)]
        found[operation] = {layout.name: [turn[n] for turn in turns] for n, layout in enumerate(layouts)}
    return found


def main() -> None:
    """Run the benchmark and print its table."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--runs", type=int, default=50_000)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as scratch, server(Path(scratch) / "state") as url:
        database = with_database(url, "partitions")
        Warehouse.open(Settings(database_url=SecretStr(database), home=Path(scratch) / "home")).close()
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(STAGE.replace(":runs", str(given.runs)))
            ids = [
                [
                    row[0]
                    for row in connection.execute("SELECT workflow_id FROM staged_runs ORDER BY random() LIMIT 1000")
                ]
                for _ in range(REPEATS)
            ]
        found = measure([Layout(database, name) for name in MAKE], ids)
    reference, *others = MAKE
    for operation, seconds in found.items():
        told = [f"{operation}: {statistics.median(seconds[reference]) * 1000:.1f} ms {reference}"]
        for name in others:
            ratios = [spent / base for spent, base in zip(seconds[name], seconds[reference], strict=True)]
            result = report(f"partitions by {name}: {operation}", ratios, reference=f"tables {reference}")
            told.append(f"{name} {result.median:.2f} ({result.spread})")
        print("; ".join(told))
    print(f"{given.runs:,} runs with {STEPS} steps each, {MONTHS} months, {REPEATS} repeats")


if __name__ == "__main__":
    main()
