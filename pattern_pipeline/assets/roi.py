"""Group `roi`: what automating each pattern would save, with its uncertainty, and whether that came true."""

import dagster as dg

from pattern_pipeline.assets.common import small_table, table_asset, table_metadata
from pattern_pipeline.assets.statistics import pattern_statistics
from pattern_pipeline.automation import after_its_parents
from pattern_pipeline.patterns.estimates import estimate_patterns
from pattern_pipeline.resources import Pipeline
from pattern_pipeline.roi.charts import as_markdown, estimates_chart, reality_chart
from pattern_pipeline.roi.confidence import update_confidence
from pattern_pipeline.roi.portfolio import ranked
from pattern_pipeline.roi.realised import derive_all
from pattern_pipeline.roi.reports import roi_summary

CHARTED = 15


@table_asset(
    "roi",
    "An estimate with intervals and a verdict for each pattern; earlier estimates stay readable.",
    deps=[pattern_statistics],
    automation=after_its_parents(),
)
def roi_estimates(pipeline: Pipeline) -> dg.MaterializeResult[None]:
    """Estimate every pattern from the window that the policy asks for."""
    estimated = estimate_patterns(pipeline.warehouse, pipeline.policy)
    return dg.MaterializeResult(
        metadata={
            "patterns": estimated.patterns,
            "new estimates": estimated.new,
            "verdicts": small_table([{"verdict": v, "patterns": n} for v, n in estimated.verdicts.items()]),
            "ranked intervals": _image(estimates_chart(ranked(pipeline.warehouse, CHARTED)), "ranked intervals"),
            **table_metadata(pipeline.warehouse, "roi_estimates"),
        }
    )


@table_asset(
    "roi",
    "Estimate against reality for each approved pattern with executions: confirmed, refuted, or how many more are "
    "needed; with it the realised ROI and the confidence that follow from the executions.",
    deps=[roi_estimates],
    automation=after_its_parents(),
)
def roi_validation(pipeline: Pipeline) -> dg.MaterializeResult[None]:
    """Derive everything that stands on executions anew."""
    derived = derive_all(pipeline.warehouse, pipeline.policy)
    confidence = update_confidence(pipeline.warehouse, pipeline.policy)
    summary = roi_summary(pipeline.warehouse, pipeline.policy)
    shown = ("pattern_signature", "validation", "executions", "more_executions", "estimated", "realised_mean")
    return dg.MaterializeResult(
        metadata={
            "executions": summary.total_executions,
            "rows written": derived.summaries + derived.savings + derived.validations + derived.linked,
            "confidence changed": sum(change.changed for change in confidence),
            "realisation ratio": dg.MetadataValue.json(summary.realisation.model_dump() if summary.realisation else {}),
            "validations": small_table(
                [row.model_dump(mode="json", include=set(shown)) for row in summary.validations[:CHARTED]]
            ),
            "estimate against reality": _image(
                reality_chart(summary.validations[:CHARTED]), "estimate against reality"
            ),
            **table_metadata(pipeline.warehouse, "roi_validations"),
        }
    )


def _image(svg: str, name: str) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md(as_markdown(svg, name))
