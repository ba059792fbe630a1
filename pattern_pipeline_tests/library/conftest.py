"""A library on the database of a test."""

from __future__ import annotations

import pytest

from pattern_pipeline.library.service import Library
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.patterns.histories import default_policy


@pytest.fixture
def library(warehouse: Warehouse) -> Library:
    return Library(warehouse, default_policy())
