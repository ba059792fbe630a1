"""`pattern-pipeline detect`: signatures of workflows given as JSON lines, without a database.

Only reading lines, their field names, and writing lines belong here; detection itself is pure.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import orjson
import typer

from pattern_pipeline.cli.common import fail_plainly
from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.history.fields import RUN_FIELDS, STEP_FIELDS, Field

if TYPE_CHECKING:
    from pattern_pipeline.detection.workflows import WorkflowDetector


def command(
    source: Annotated[str, typer.Argument(metavar="[FILE|-]", help="JSON lines, one workflow each.")] = "-",
    policy: Annotated[str | None, typer.Option(help="Name of a shipped policy, or a policy file.")] = None,
) -> None:
    """Detects the signatures of workflows; needs no database.

    Every input line gives one output line, in the same order. A line that is no workflow gives
    {"workflow_id": null, "line": N, "error": "..."} and the others go on: the exit code is 0 unless the file cannot be
    read or the policy is invalid (2).
    """
    from pattern_pipeline.detection.policy import load_policy
    from pattern_pipeline.detection.workflows import WorkflowDetector
    from pattern_pipeline.settings import get_settings

    with fail_plainly(), _opened(source) as lines:
        detector = WorkflowDetector(load_policy(policy or get_settings().policy))
        for number, line in enumerate(lines, start=1):
            answer = _answer(detector, number, line)
            sys.stdout.buffer.write(orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE))


@contextmanager
def _opened(source: str) -> Iterator[BinaryIO]:
    if source == "-":
        yield sys.stdin.buffer
        return
    try:
        with Path(source).open("rb") as lines:
            yield lines
    except OSError as error:
        raise InvalidInput(f"{source}: cannot be read: {error.strerror}") from error


def _answer(detector: WorkflowDetector, number: int, line: bytes) -> dict[str, object]:
    try:
        record = orjson.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        return {"workflow_id": None, "line": number, "error": f"no JSON: {error}"}
    if not isinstance(record, dict):
        return {"workflow_id": None, "line": number, "error": f"{type(record).__name__}, not an object"}
    workflow = canonical(record, RUN_FIELDS)
    if isinstance(steps := workflow.get("steps"), list):
        workflow["steps"] = [canonical(step, STEP_FIELDS) if isinstance(step, dict) else step for step in steps]
    return {"workflow_id": workflow.get("workflow_id"), **detector.detect(workflow).as_dict()}


def canonical(record: Mapping[str, object], fields: Mapping[str, Field]) -> dict[str, object]:
    """The record under canonical names; of several names for a field the most specific with a value counts."""
    found = {
        field: next((value for name in kind.names if (value := record.get(name)) is not None), None)
        for field, kind in fields.items()
    }
    milliseconds = found.pop("duration_ms", None)
    if found.get("duration_seconds") is None and isinstance(milliseconds, int | float):
        found["duration_seconds"] = milliseconds / 1000
    return found
