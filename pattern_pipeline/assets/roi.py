"""Group `roi`: what automating each pattern would save, with its uncertainty."""

import dagster as dg

from pattern_pipeline.assets.common import small_table, table_asset, table_metadata
from pattern_pipeline.assets.statistics import pattern_statistics
from pattern_pipeline.patterns.estimates import estimate_patterns
from pattern_pipeline.resources import Pipeline


@table_asset(
    "roi",
    "An estimate with intervals and a verdict for each pattern; earlier estimates stay readable.",
    deps=[pattern_statistics],
)
def roi_estimates(pipeline: Pipeline) -> dg.MaterializeResult[None]:
    """Estimate every pattern from the window that the policy asks for."""
    estimated = estimate_patterns(pipeline.warehouse, pipeline.policy)
    return dg.MaterializeResult(
        metadata={
            "patterns": estimated.patterns,
            "new estimates": estimated.new,
            "verdicts": small_table([{"verdict": v, "patterns": n} for v, n in estimated.verdicts.items()]),
            **table_metadata(pipeline.warehouse, "roi_estimates"),
        }
    )
