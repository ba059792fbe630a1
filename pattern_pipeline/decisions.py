"""The job `record_decision`: how somebody who works in the Dagster UI decides upon a queued pattern.

The rules of a decision are those of `review.transitions`; nothing is decided here.
"""

import dagster as dg
from pydantic import Field

from pattern_pipeline.resources import Pipeline
from pattern_pipeline.review.transitions import Action, decide


class DecisionConfig(dg.Config):
    """One decision, as the review page would take it."""

    pattern: str = Field(description="Signature of the pattern, like test:pytest:backend.")
    action: Action = Field(description="What to do with it.")
    reviewer: str = Field(description="Who decides; this name stands in the history.")
    version: int = Field(description="The version that was looked at (`pattern-pipeline queue show`).")
    reason: str = Field(default="", description="Needed for everything but an approval.")
    evidence_hash: str = Field(
        default="", description="Estimate that was looked at, of the same command; may be empty."
    )


@dg.op
def record(context: dg.OpExecutionContext, config: DecisionConfig, pipeline: Pipeline) -> None:
    """Record the decision, or fail with the sentence that says why it cannot be."""
    made = decide(
        pipeline.warehouse,
        config.pattern,
        config.action,
        reviewer=config.reviewer,
        version=config.version,
        notes=config.reason,
        evidence_hash=config.evidence_hash or None,
    )
    context.log.info(f"{made.pattern_id} is {made.status} now, version {made.version}, decided by {made.reviewer}.")


@dg.job(description="Decide upon one pattern of the approval queue; the version guards against a stale look.")
def record_decision() -> None:
    """A decision from the Dagster UI."""
    record()
