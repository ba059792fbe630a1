"""Requests made up from the OpenAPI description: no 500, and no status, type or body that it does not know."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as effort
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.web.app import create_app
from pattern_pipeline_tests.web.conftest import served
from pattern_pipeline_tests.web.seed import seed

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EFFORT = effort(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def test_any_request_gets_a_documented_answer(
    module_warehouse: Warehouse, module_settings: Settings, policy: Policy
) -> None:
    seed(module_warehouse, patterns=10, occurrences=30, runs=10)
    with served(create_app(module_settings, module_warehouse, policy)) as url:
        schema = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.json")
        operations = [found.ok() for found in schema.get_all_operations()]
        assert len(operations) >= 25
        for operation in operations:

            @EFFORT
            @given(case=operation.as_strategy())
            def check(case: schemathesis.Case) -> None:
                # Hardly any made-up id would be a pattern's: half of the requests are about one that is there.
                if "pattern" in case.path_parameters and len(str(case.path_parameters["pattern"])) % 2:
                    case.path_parameters["pattern"] = "1"
                case.call_and_validate(checks=CHECKS)

            check()
