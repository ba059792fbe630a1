"""The published cases for texts, read in place."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pattern_pipeline.detection.kernel import Detector
from pattern_pipeline.detection.policy import load_policy
from pattern_pipeline.detection.workflows import DetectedWorkflow, WorkflowDetector


def cases(shared_dir: Path, name: str) -> list[dict[str, Any]]:
    lines = (shared_dir / "conformance" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def task_signature(found: DetectedWorkflow) -> str | None:
    return next((match.signature for match in found.matches if match.layer == "task"), None)


def test_legacy_policy_gives_the_origins_answers(shared_dir: Path) -> None:
    detector = WorkflowDetector(load_policy("legacy"))
    for case in cases(shared_dir, "signatures_legacy"):
        found = detector.detect(case["workflow"])
        assert task_signature(found) == case["signature"], case
        assert found.signatures == case["patterns"], case
        assert found.characteristics == case["characteristics"], case


def test_what_made_the_origin_raise_is_read_with_a_reason(shared_dir: Path) -> None:
    detector = WorkflowDetector(load_policy("legacy"))
    for case in cases(shared_dir, "signatures_hostile"):
        assert detector.detect(case["workflow"]).notes, case


def test_default_policy_gives_the_written_answers(shared_dir: Path) -> None:
    detector = WorkflowDetector(load_policy("default"))
    for case in cases(shared_dir, "task_texts_default"):
        assert detector.detect(case).signatures == case["expected"], case["why"]


@pytest.mark.parametrize(
    ("policy", "file", "expected"),
    [("default", "task_texts_default", "expected"), ("legacy", "signatures_legacy", "patterns")],
)
def test_the_kernel_gives_the_same_answers(shared_dir: Path, policy: str, file: str, expected: str) -> None:
    read = cases(shared_dir, file)
    fields = ("nl_input", "error_message", "workflow_template")
    texts = [{name: case.get("workflow", case).get(name) for name in fields} for case in read]
    runs = pl.DataFrame(texts, schema=dict.fromkeys(fields, pl.String)).with_row_index("position")
    runs = runs.with_columns(workflow_id=pl.col("position").cast(pl.String))
    found: dict[str, list[str]] = {identity: [] for identity in runs["workflow_id"]}
    for row in Detector(load_policy(policy)).detect_texts(runs).sort("workflow_id", "part").iter_rows(named=True):
        found[row["workflow_id"]].append(row["signature"])
    assert list(found.values()) == [case[expected] for case in read]
