"""Asset checks: what must hold before anything downstream may read the data.

Each is one statement that returns the offending rows, so a failure shows what to look at. They run inside the asset's
own step, over the hours that it has just computed: a step of its own would make Dagster list every partition there is.
All are blocking, so bad data never reaches the queue. Constraints of the schema are not repeated here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import dagster as dg

from pattern_pipeline.patterns.windows import Window
from pattern_pipeline.warehouse.database import Warehouse


@dataclass(frozen=True)
class Rule:
    """A rule that rows must keep.

    Attributes:
        name: Of the check.
        holds: The rule, as a sentence.
        statement: Returns the rows that break it, bounded.
    """

    name: str
    holds: str
    statement: str


RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "raw_workflow_history": (
        Rule("hours_count_their_rows", "Closed hours count exactly the runs in them.", "checks/hours_out_of_step"),
    ),
    "pattern_occurrences": (
        Rule(
            "no_orphan_occurrence",
            "Every occurrence stands on something detected in a run that counts.",
            "checks/orphan_occurrences",
        ),
        Rule("runs_are_not_overspent", "Patterns of a run claim at most what it cost.", "checks/overspent_runs"),
        Rule("window_is_not_overspent", "Patterns of a window claim at most its spend.", "checks/overspent_window"),
    ),
    "pattern_hourly_statistics": (
        Rule("hours_sum_their_occurrences", "Hourly aggregates are sums of occurrences.", "checks/underived_hours"),
        Rule("days_sum_their_hours", "Daily aggregates are sums of hours.", "checks/underived_days"),
    ),
    "pattern_statistics": (
        Rule("counts_are_derived", "Published counts are sums of the days.", "checks/underived_patterns"),
    ),
    "pattern_templates": (
        Rule(
            "templates_follow_decisions",
            "Every approved pattern has its template; no other is in force.",
            "checks/templates_without_approval",
        ),
    ),
    "pattern_usage_events": (
        Rule("executions_are_uses", "Executions of patterns with a template are its uses.", "checks/underived_uses"),
        Rule("uses_are_counted", "Templates count exactly their uses.", "checks/uncounted_uses"),
    ),
    "pattern_relationships": (
        Rule(
            "found_among_templates_in_force",
            "No relationship that was found is one with a deprecated template.",
            "checks/outdated_relationships",
        ),
    ),
    "pattern_quality": (
        Rule("every_template_is_measured", "Every template has a quality.", "checks/unmeasured_templates"),
    ),
    "pattern_analytics": (
        Rule("days_sum_their_templates", "Each day's total is that of its templates.", "checks/analytics_out_of_step"),
    ),
}


def specs(asset: str) -> list[dg.AssetCheckSpec]:
    """The checks of an asset."""
    return [
        dg.AssetCheckSpec(rule.name, asset=asset, description=rule.holds, blocking=True)
        for rule in RULES.get(asset, ())
    ]


def evaluate(warehouse: Warehouse, asset: str, window: Window | None = None) -> Iterable[dg.AssetCheckResult]:
    """The results of an asset's checks, over the hours of `window` where they look at hours."""
    params = {} if window is None else window.params
    with warehouse.transaction() as tx:
        for rule in RULES[asset]:
            yield _result(rule, [dict(row) for row in tx.rows(rule.statement, **params)])


def _result(rule: Rule, offending: list[dict[str, Any]]) -> dg.AssetCheckResult:
    rows = [dg.TableRecord({key: str(value) for key, value in row.items()}) for row in offending]
    columns = [dg.TableColumn(name) for name in (offending[0] if offending else ("nothing",))]
    return dg.AssetCheckResult(
        check_name=rule.name,
        passed=not offending,
        description=rule.holds if not offending else f"{len(offending)} or more rows break the rule: {rule.holds}",
        metadata={"offending rows": dg.MetadataValue.table(rows, dg.TableSchema(columns))},
    )
