"""The pipeline under a real `dagster dev`: a month of hours is one run, started the way the UI starts it."""

from pathlib import Path

import pytest

from pattern_pipeline.partitions import hour_key
from pattern_pipeline.patterns.windows import HOUR, Window
from pattern_pipeline_tests.e2e.processes import Installation, dagster_dev
from pattern_pipeline_tests.tables import snapshot

SPINE = ["raw_workflow_history", "detected_signatures", "pattern_occurrences", "pattern_hourly_statistics"]


@pytest.mark.e2e
def test_a_month_of_hours_is_backfilled_in_one_run(tmp_path: Path) -> None:
    """720 hours, asked for over GraphQL, end in the tables that the command line ends in."""
    installation = Installation(tmp_path / "home")
    reference = Installation(tmp_path / "reference")
