"""What Dagster loads, as one JSON document: `python -m pattern_pipeline_tests.orchestration.snapshot` writes it anew.

The test compares; a difference that is wanted is written and reviewed with the change that caused it.
"""

import json
from pathlib import Path
from typing import Any

import dagster as dg

from pattern_pipeline.definitions import build_defs

STORED = Path(__file__).with_name("definitions.json")


def snapshot() -> dict[str, Any]:
    defs = build_defs()
    graph = defs.resolve_asset_graph()
    repository = defs.get_repository_def()
    return {
        "assets": {spec.key.to_user_string(): _asset(spec, graph) for spec in defs.resolve_all_asset_specs()},
        "jobs": {
            job.name: sorted(key.to_user_string() for key in job.asset_layer.executable_asset_keys)
            for job in repository.get_all_jobs()
            if not job.name.startswith("__")
        },
        "schedules": {
            each.name: {"cron": each.cron_schedule, "job": each.job_name, "status": each.default_status.value}
            for each in repository.schedule_defs
        },
        "sensors": {
            each.name: {
                "type": each.sensor_type.value,
                "jobs": [target.job_name for target in each.targets],
                "seconds": each.minimum_interval_seconds,
                "status": each.default_status.value,
            }
            for each in repository.sensor_defs
        },
    }


def _asset(spec: dg.AssetSpec, graph: Any) -> dict[str, Any]:
    partitions = spec.partitions_def
    node = graph.get(spec.key)
    return {
        "group": spec.group_name,
        "deps": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
        "partitions": None if partitions is None else type(partitions).__name__,
        "automation": None if spec.automation_condition is None else spec.automation_condition.get_label(),
        "backfill": None if node.backfill_policy is None else node.backfill_policy.policy_type.value,
        "freshness": None if spec.freshness_policy is None else type(spec.freshness_policy).__name__,
        "table": spec.metadata["dagster/table_name"],
        "checks": sorted(key.name for key in node.check_keys),
    }


if __name__ == "__main__":
    STORED.write_text(json.dumps(snapshot(), indent=2, sort_keys=True) + "\n")
