"""Asset checks: what must hold before anything downstream may read the data.

Each is one statement that returns the offending rows, so a failure shows what to look at. They run inside the asset's
own step, over the hours that it has just computed: a step of its own would make Dagster list every partition there is.
Broken arithmetic is blocking, so that it never reaches the queue; what drifts in the sources is a warning. Constraints
of the schema are not repeated here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import dagster as dg

from pattern_pipeline.partitions import SPINE, hour_key, newest_due_hour
from pattern_pipeline.patterns.windows import Window
from pattern_pipeline.warehouse.database import Warehouse, only_statement

WARN: Final = dg.AssetCheckSeverity.WARN


@dataclass(frozen=True)
class Rule:
    """A rule that rows must keep.

    Attributes:
        name: Of the check.
        holds: The rule, as a sentence.
        statement: Returns the rows that break it, bounded.
        blocking: A breach stops the run; otherwise it is a warning about what came in.
    """

    name: str
    holds: str
    statement: str
    blocking: bool = True


RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "landed_history": (
        Rule(
            "few_records_are_quarantined",
            "Of each source at most one record in twenty is put aside.",
            "checks/much_quarantined",
            blocking=False,
        ),
    ),
    "raw_workflow_history": (
        Rule("hours_count_their_rows", "Closed hours count exactly the runs in them.", "checks/hours_out_of_step"),
        Rule(
            "volume_is_usual",
            "The last whole day has about as many runs as that weekday usually has.",
            "checks/unusual_volume",
            blocking=False,
        ),
        Rule(
            "unpriced_share_is_usual",
            "About as many runs have no cost as in the four weeks before.",
            "checks/unpriced_share",
            blocking=False,
        ),
        Rule(
            "fields_stay_filled",
            "Sources fill the fields that they used to fill.",
            "checks/emptied_fields",
            blocking=False,
        ),
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


LATEST_HOUR: Final = "latest_hour_present"


def specs(asset: str) -> list[dg.AssetCheckSpec]:
    """The checks of an asset."""
    found = [
        dg.AssetCheckSpec(rule.name, asset=asset, description=rule.holds, blocking=rule.blocking)
        for rule in RULES.get(asset, ())
    ]
    if asset == SPINE[0]:
        found.append(dg.AssetCheckSpec(LATEST_HOUR, asset=asset, description="The newest hour that is due is there."))
    return found


def evaluate(warehouse: Warehouse, asset: str, window: Window | None = None) -> Iterable[dg.AssetCheckResult]:
    """The results of an asset's rules, over the hours of `window` where they look at hours."""
    params = {} if window is None else window.params
    with warehouse.transaction() as tx:
        for rule in RULES[asset]:
            wanted = {name: params[name] for name in only_statement(rule.statement).names}
            yield _result(rule, [dict(row) for row in tx.rows(rule.statement, **wanted)])


def latest_hour(instance: dg.DagsterInstance, window: Window) -> dg.AssetCheckResult:
    """Whether the newest hour that is due is in `window` or was computed before.

    Freshness alone would not tell: it turns green as well when an old hour is computed anew.
    """
    newest = newest_due_hour()
    is_there = window.start <= newest < window.end or hour_key(newest) in instance.get_materialized_partitions(
        dg.AssetKey(SPINE[0])
    )
    return dg.AssetCheckResult(
        check_name=LATEST_HOUR, passed=is_there, severity=WARN, metadata={"newest hour that is due": hour_key(newest)}
    )


def _result(rule: Rule, offending: list[dict[str, Any]]) -> dg.AssetCheckResult:
    rows = [dg.TableRecord({key: str(value) for key, value in row.items()}) for row in offending]
    columns = [dg.TableColumn(name) for name in (offending[0] if offending else ("nothing",))]
    return dg.AssetCheckResult(
        check_name=rule.name,
        passed=not offending,
        severity=dg.AssetCheckSeverity.ERROR if rule.blocking else WARN,
        description=rule.holds if not offending else f"{len(offending)} or more rows break the rule: {rule.holds}",
        metadata={"offending rows": dg.MetadataValue.table(rows, dg.TableSchema(columns))},
    )
