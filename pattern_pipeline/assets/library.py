"""Group `library`: what was approved, as templates that a team uses, and how that goes."""

from dataclasses import asdict

import dagster as dg

from pattern_pipeline.assets.common import (
    add_day_metadata,
    add_hour_metadata,
    add_to_newest,
    daily_asset,
    hourly_asset,
    small_table,
    table_asset,
    table_metadata,
    window_of,
)
from pattern_pipeline.assets.history import raw_workflow_history
from pattern_pipeline.assets.patterns import pattern_occurrences
from pattern_pipeline.assets.review import approval_queue
from pattern_pipeline.automation import after_its_parents
from pattern_pipeline.checks import evaluate
from pattern_pipeline.library.days import compute_days
from pattern_pipeline.library.days import measure_quality as measure
from pattern_pipeline.library.mining import publish_templates
from pattern_pipeline.library.relationships import derive_relationships
from pattern_pipeline.library.usage import derive_window
from pattern_pipeline.resources import Pipeline

# Every hour of uses is downstream of the templates: a version that moved with each decision would make them all stale.
TEMPLATES = dg.DataVersion("pattern_templates-1")


@table_asset(
    "library",
    "A template for each approved pattern, by its natural key; one whose approval was revoked is deprecated. "
    "What people have edited keeps their wording.",
    deps=[approval_queue],
    automation=after_its_parents(),
)
def pattern_templates(pipeline: Pipeline) -> dg.MaterializeResult[None]:
    """Bring the templates in line with the decisions."""
    published = publish_templates(pipeline.warehouse)
    return dg.MaterializeResult(
        data_version=TEMPLATES,
        check_results=list(evaluate(pipeline.warehouse, "pattern_templates")),
        metadata={**asdict(published), **table_metadata(pipeline.warehouse, "pattern_templates")},
    )


@hourly_asset(
    "library",
    "Uses of templates: reported executions and uses that were recorded. An occurrence is none: that is the agent "
    "doing it by hand.",
    deps=[raw_workflow_history, pattern_templates],
)
def pattern_usage_events(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult[None]:
    """Make the executions of the window uses of their templates."""
    window = window_of(context)
    uses = derive_window(pipeline.warehouse, window)
    add_hour_metadata(context, {each.hour: {"dagster/partition_row_count": each.uses} for each in uses.hours})
    add_to_newest(
        context,
        {
            "rows written": uses.written,
            "uses": sum(each.uses for each in uses.hours),
            "newest hours": small_table([asdict(each) for each in uses.hours[-12:]]),
            **table_metadata(pipeline.warehouse, "pattern_usage_events"),
        },
    )
    return dg.MaterializeResult(check_results=list(evaluate(pipeline.warehouse, "pattern_usage_events", window)))


@table_asset(
    "library",
    "Which templates are similar, and which sequences extend another. What people have stated stays.",
    deps=[pattern_templates],
    automation=after_its_parents(),
)
def pattern_relationships(pipeline: Pipeline) -> dg.MaterializeResult[None]:
    """Find the relationships anew."""
    derived = derive_relationships(pipeline.warehouse)
    return dg.MaterializeResult(
        check_results=list(evaluate(pipeline.warehouse, "pattern_relationships")),
        metadata={**asdict(derived), **table_metadata(pipeline.warehouse, "pattern_relationships")},
    )


@daily_asset(
    "library",
    "The quality of each template at the end of a day, a row for each change.",
    deps=[pattern_usage_events],
)
def pattern_quality(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult[None]:
    """Measure the templates at the end of each day of the window."""
    window = window_of(context)
    written = measure(pipeline.warehouse, window)
    return dg.MaterializeResult(
        check_results=list(evaluate(pipeline.warehouse, "pattern_quality", window)),
        metadata={"changes": written, **table_metadata(pipeline.warehouse, "pattern_quality_metrics")},
    )


@daily_asset(
    "library",
    "Uses, missed uses and adoption of each day: of every template that was used or missed, and of all together.",
    deps=[pattern_usage_events, pattern_occurrences],
)
def pattern_analytics(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult[None]:
    """Compute the days of the window anew."""
    window = window_of(context)
    days = compute_days(pipeline.warehouse, window)
    add_day_metadata(context, {each.day: {"dagster/partition_row_count": each.templates + 1} for each in days})
    return dg.MaterializeResult(
        check_results=list(evaluate(pipeline.warehouse, "pattern_analytics", window)),
        metadata={
            "newest days": small_table([asdict(each) for each in days[-12:]]),
            **table_metadata(pipeline.warehouse, "pattern_analytics"),
        },
    )
