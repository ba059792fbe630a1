"""Libraries to test with: rows put in and read back, and patterns that were approved by the services themselves."""

from __future__ import annotations

from typing import Any

from psycopg.rows import dict_row

from pattern_pipeline.library.mining import publish_templates
from pattern_pipeline.library.results import Failure
from pattern_pipeline.library.service import Library
from pattern_pipeline.review.queue import entry
from pattern_pipeline.review.transitions import Action, decide
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.review.rows import connect
from pattern_pipeline_tests.roi.portfolios import PYTEST, approve, estimated

TEMPLATE, COMMAND = "python -m pytest -q <path>", "python -m pytest -q tests/unit"


def select(warehouse: Warehouse, query: str, *parameters: Any) -> list[dict[str, Any]]:
    """The rows of a query of the test's own."""
    with connect(warehouse) as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), parameters).fetchall()


def execute(warehouse: Warehouse, statement: str, *parameters: Any) -> None:
    with connect(warehouse) as connection:
        connection.execute(statement.encode(), parameters)


def approved_pattern(warehouse: Warehouse) -> None:
    """A pattern with steps of one template, approved; its library is not published yet."""
    estimated(warehouse)
    execute(warehouse, "INSERT INTO command_templates (template) VALUES (%s)", TEMPLATE)
    execute(warehouse, "UPDATE detected_signatures SET template_id = (SELECT max(template_id) FROM command_templates)")
    execute(warehouse, "UPDATE tool_calls SET command = %s", COMMAND)
    approve(warehouse)


def mined(warehouse: Warehouse, signature: str = PYTEST) -> dict[str, Any]:
    """The template of a pattern."""
    (row,) = select(
        warehouse, "SELECT * FROM pattern_templates WHERE source = 'mined' AND pattern_name = %s", signature
    )
    return row


def published(warehouse: Warehouse) -> dict[str, Any]:
    """An approved pattern's template, as publishing makes it."""
    approved_pattern(warehouse)
    publish_templates(warehouse)
    return mined(warehouse)


def turn(warehouse: Warehouse, action: Action, signature: str = PYTEST) -> None:
    """Decide upon a queued pattern."""
    version = entry(warehouse, signature).version
    decide(warehouse, signature, action, reviewer="ada", version=version, notes="because")


def ask(library: Library, operation: str, **fields: Any) -> Any:
    """The data of an operation that must succeed."""
    result = library.perform({"operation": operation, **fields}, actor="ada")
    assert result.success, result.error
    assert result.metadata.operation == operation
    return result.data


def refusal(library: Library, operation: str, **fields: Any) -> Failure:
    """Why an operation that must fail did."""
    result = library.perform({"operation": operation, **fields}, actor="ada")
    assert (result.success, result.data) == (False, None)
    assert result.error is not None
    return result.error


def template(name: str, **fields: Any) -> dict[str, Any]:
    """A template that can be inserted."""
    return {
        "pattern_name": name,
        "pattern_type": "operation",
        "language": "shell",
        "template_code": "git diff <path>",
        **fields,
    }


def add(library: Library, name: str, **fields: Any) -> Any:
    """The id of a new template."""
    return ask(library, "insert", template=template(name, **fields))["id"]
