"""What `patterns show` tells of a pattern beyond its figures."""

from __future__ import annotations

import pytest

from pattern_pipeline.cli.patterns import slot_text


@pytest.mark.parametrize(
    ("provenance", "values", "expected"),
    [
        ("constant", 5, "<num> constant 60% (5 values)"),
        ("task", 5, "<num> from the task 20% (5 values)"),
        ("output", 5, "<num> from an earlier output 10% (5 values)"),
        ("free", 1, "<num> free 10% (1 value)"),
    ],
)
def test_a_slot_says_how_often_its_values_come_from_their_main_source(
    provenance: str, values: int, expected: str
) -> None:
    shares = {"constant_share": 0.6, "task_share": 0.2, "output_share": 0.1, "explained_share": 0.9}
    assert slot_text({"kind": "num", "provenance": provenance, "distinct_values": values, **shares}) == expected
