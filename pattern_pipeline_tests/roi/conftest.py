"""Fixtures of the tests of what automations turned out to be worth."""

import pytest

from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline_tests.roi.portfolios import approve, estimated


@pytest.fixture
def approved(warehouse: Warehouse) -> Warehouse:
    """A warehouse with an estimated pattern that a person approved."""
    estimated(warehouse)
    approve(warehouse)
    return warehouse
