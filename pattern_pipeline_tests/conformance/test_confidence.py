"""The banded scoring against the recorded answers of the project it was taken from."""

import json
from pathlib import Path

import polars as pl

from pattern_pipeline.detection.policy import load_policy
from pattern_pipeline.economics.confidence import aggregates_from_workflows, detection_confidence


def test_every_recorded_score_is_reproduced(shared_dir: Path) -> None:
    lines = (shared_dir / "conformance" / "confidence_legacy.jsonl").read_text().splitlines()
    cases = [json.loads(line) for line in lines]
    aggregates = pl.concat(
        aggregates_from_workflows(case["workflows"], case["pattern"].get("occurrence_count")) for case in cases
    )
    scores = detection_confidence(aggregates, load_policy("legacy").confidence)
    assert scores.tolist() == [case["score"] for case in cases]
    assert len(cases) == 49


def test_a_pattern_without_workflows_scores_ten() -> None:
    assert detection_confidence(aggregates_from_workflows([]), load_policy("legacy").confidence).tolist() == [10.0]
