"""The whole chain on a test's own database and Dagster instance, as the command line runs it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from psycopg import sql

from pattern_pipeline.resources import Pipeline
from pattern_pipeline.runs import ChainRunner
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.warehouse.servers import dagster_url
from pattern_pipeline.warehouse.sqlfiles import shipped
from pattern_pipeline.warehouse.urls import parse, with_database
from pattern_pipeline_tests.tables import BOOKKEEPING, Rows, snapshot

# Surrogate ids are compared as what they stand for, and estimates that a newer one superseded are left out.
DERIVED = {
    "detected_signatures": """SELECT d.*, signature, layer, rule_id, matched_text, template FROM detected_signatures d
        JOIN signatures USING (signature_id) JOIN detection_evidence USING (evidence_id)
        LEFT JOIN command_templates USING (template_id)""",
    "workflow_characteristics": "SELECT * FROM workflow_characteristics",
    "operation_patterns": "SELECT * FROM operation_patterns",
    "pattern_occurrences": """SELECT o.*, pattern_signature, rule_id, matched_text FROM pattern_occurrences o
        JOIN operation_patterns USING (pattern_id) LEFT JOIN detection_evidence USING (evidence_id)""",
    "pattern_hourly_statistics": """SELECT s.*, pattern_signature FROM pattern_hourly_statistics s
        JOIN operation_patterns USING (pattern_id)""",
    "pattern_daily_statistics": """SELECT s.*, pattern_signature FROM pattern_daily_statistics s
        JOIN operation_patterns USING (pattern_id)""",
    "roi_estimates": """SELECT e.*, pattern_signature FROM roi_estimates e
        JOIN operation_patterns p ON p.pattern_id = e.pattern_id AND p.current_estimate = e.input_hash""",
    "pattern_approvals": """SELECT a.*, pattern_signature FROM pattern_approvals a
        JOIN operation_patterns USING (pattern_id)""",
    "history_hours": "SELECT * FROM history_hours",
}
SURROGATES = BOOKKEEPING | {"template_id"}


@contextmanager
def runner_on(settings: Settings, instance: dg.DagsterInstance, policy: str = "") -> Iterator[ChainRunner]:
    """A runner whose assets use the database of `settings`."""
    with pytest.MonkeyPatch.context() as environment:
        assert settings.database_url is not None
        environment.setenv("PATTERN_PIPELINE_DATABASE_URL", settings.database_url.get_secret_value())
        environment.setenv("PATTERN_PIPELINE_HOME", str(settings.state_dir()))
        pipeline = Pipeline(policy_name=policy)
        try:
            yield ChainRunner(settings, pipeline, instance, lambda _: None)
        finally:
            pipeline.close()


@contextmanager
def stored_instance(settings: Settings, directory: Path) -> Iterator[tuple[dg.DagsterInstance, str]]:
    """An instance on PostgreSQL, as the shipped dagster.yaml has it, and the URL of its database."""
    assert settings.database_url is not None
    url = dagster_url(settings)
    (directory / "dagster.yaml").write_text(shipped("dagster.yaml").read_text())
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PATTERN_PIPELINE_DATABASE_URL", settings.database_url.get_secret_value())
        with dg.DagsterInstance.from_config(str(directory)) as instance:
            yield instance, url
    with psycopg.connect(with_database(url, "postgres"), autocommit=True) as connection:
        name = sql.Identifier(parse(url).database or "")
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def run_everything(runner: ChainRunner, *sources: str) -> int:
    """Ingest, compute what is stale, publish; returns the number of windows that had to be computed."""
    runner.ingest(sources)
    windows = runner.catch_up()
    runner.publish("smart")
    return len(windows)


def tables(warehouse: Warehouse) -> Rows:
    """Every table of the chain, ready to be compared."""
    with warehouse.engine.begin() as connection:
        derived = {
            name: [
                json.dumps({k: v for k, v in row.items() if k not in SURROGATES}, default=str, sort_keys=True)
                for row in connection.exec_driver_sql(query).mappings()
            ]
            for name, query in DERIVED.items()
        }
    return {**snapshot(warehouse), **{name: sorted(rows) for name, rows in derived.items()}}
