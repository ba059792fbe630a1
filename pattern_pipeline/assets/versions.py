"""What each asset stands on: the policy sections and SQL statements whose change makes its rows out of date.

Dagster shows an asset as stale when its code version moved. Versions of the data itself belong to `patterns.versions`.
"""

import hashlib
from dataclasses import dataclass

import dagster as dg

from pattern_pipeline.assets.lineage import column_lineage
from pattern_pipeline.detection.policy import Policy, Stage
from pattern_pipeline.warehouse.sqlfiles import statement


@dataclass(frozen=True)
class Basis:
    """The table that an asset publishes, and what it is computed by."""

    table: str
    stages: tuple[Stage, ...] = ()
    statements: tuple[str, ...] = ()

    def version(self, policy: Policy) -> str:
        """12 hexadecimal digits that change when a section or a statement does."""
        parts = [getattr(policy, f"{stage}_version") for stage in self.stages]
        parts += [statement(name) for name in self.statements]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


BASES = {
    "landed_history": Basis("workflow_history", ("redaction",)),
    "raw_workflow_history": Basis("history_hours", (), ("history/add_missing_hours", "history/close_hours")),
    "detected_signatures": Basis(
        "detected_signatures",
        ("detection",),
        ("patterns/window_runs", "patterns/window_steps", "patterns/clear_detected"),
    ),
    "sequence_catalog": Basis(
        "sequence_catalog",
        ("detection",),
        ("patterns/sequence_steps", "patterns/kept_sequences", "patterns/history_span", "patterns/carry_over_hours"),
    ),
    "pattern_occurrences": Basis(
        "pattern_occurrences",
        ("detection",),
        (
            "patterns/stage_runs",
            "patterns/fill_runs",
            "patterns/fill_calls",
            "patterns/sequence_steps",
            "patterns/stage_sequence_steps",
            "patterns/unknown_signatures",
            "patterns/add_patterns",
            "patterns/clear_occurrences",
            "patterns/clear_moved_occurrences",
            "patterns/insert_occurrences",
        ),
    ),
    "pattern_hourly_statistics": Basis(
        "pattern_hourly_statistics",
        (),
        (
            "patterns/clear_hourly_statistics",
            "patterns/insert_hourly_statistics",
            "patterns/clear_daily_statistics",
            "patterns/insert_daily_statistics",
        ),
    ),
    "pattern_statistics": Basis(
        "operation_patterns",
        ("confidence",),
        (
            "patterns/collect_totals",
            "patterns/totals",
            "patterns/publish_statistics",
            "patterns/publish_typical",
            "patterns/note_confidence_changes",
        ),
    ),
    "roi_estimates": Basis(
        "roi_estimates",
        ("roi",),
        ("patterns/roi_inputs", "patterns/history_days", "patterns/latest_event", "patterns/point_to_estimates"),
    ),
    "roi_validation": Basis(
        "roi_validations",
        ("roi", "confidence"),
        (
            "roi/executions",
            "roi/baselines",
            "roi/link_executions",
            "roi/link_savings",
            "roi/confidence_facts",
            "roi/store_summaries",
            "roi/store_validations",
        ),
    ),
    "approval_queue": Basis(
        "pattern_approvals",
        ("queue",),
        (
            "review/choose_candidates",
            "review/add_candidates",
            "review/refresh_evidence",
            "review/drifted",
            "review/start_review",
        ),
    ),
    "pattern_templates": Basis(
        "pattern_templates", (), ("library/publish_templates", "library/deprecate_revoked", "library/seed_templates")
    ),
    "pattern_usage_events": Basis("pattern_usage_events", (), ("library/derive_events", "library/window_uses")),
    "pattern_relationships": Basis(
        "pattern_relationships",
        (),
        (
            "library/related_candidates",
            "library/stated_extensions",
            "library/drop_derived_relationships",
            "library/store_derived_relationships",
        ),
    ),
    "pattern_quality": Basis("pattern_quality_metrics", (), ("library/measure_quality",)),
    "pattern_analytics": Basis("pattern_analytics", (), ("library/store_period", "library/drop_outdated_analytics")),
}
"""Statements that decide what is in a table. What reads versions, fills dictionaries, stages a loaded batch or counts
rows for the metadata is left out."""


def with_basis(asset: dg.AssetsDefinition, policy: Policy) -> dg.AssetsDefinition:
    """The asset with its code version, its table's name and the lineage of the table's columns."""

    def described(spec: dg.AssetSpec) -> dg.AssetSpec:
        name = spec.key.to_user_string()
        basis, lineage = BASES[name], column_lineage(name)
        return spec.replace_attributes(code_version=basis.version(policy)).merge_attributes(
            metadata={"dagster/table_name": basis.table, **({"dagster/column_lineage": lineage} if lineage else {})}
        )

    return asset.map_asset_specs(described)
