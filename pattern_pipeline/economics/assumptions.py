"""The assumptions behind every economic figure, as validated policy data.

Belongs here: the models of the policy sections ``[confidence]`` and ``[roi]``. Every number that a person may dispute
(a prior, a cost, a threshold) is a field with its unit. Does not belong here: formulas, defaults of other sections,
reading files.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1)]
OpenShare = Annotated[float, Field(gt=0, lt=1)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Assumptions(BaseModel):
    """A frozen group of assumptions; an unknown key is an error, so that a misspelt one cannot be ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class GradedScoring(Assumptions):
    """Confidence that grows smoothly with evidence (`pattern_pipeline.economics.confidence` gives the formula)."""

    method: Literal["graded"] = "graded"
    frequency_weight: NonNegative = 40
    consistency_weight: NonNegative = 30
    success_weight: NonNegative = 30
    saturation_count: Positive = 20
    """Workflows at which the frequency points are full."""
    single_day_factor: Share = 0.5
    """Multiplies the frequency points of what was seen on one day only."""
    consistency_prior_count: NonNegative = 5
    """Workflows that the neutral consistency weighs as much as."""
    neutral_consistency: Share = 0.5
    level: OpenShare = 0.95

    @model_validator(mode="after")
    def _weights_fill_the_scale(self) -> Self:
        if abs(self.frequency_weight + self.consistency_weight + self.success_weight - 100) > 1e-9:
            raise ValueError("frequency_weight, consistency_weight and success_weight must add up to 100")
        return self


class FrequencyBand(Assumptions):
    """Points for at least this many occurrences."""

    at_least: NonNegative
    points: NonNegative


class VarianceBand(Assumptions):
    """Points for a population variance of durations (seconds squared) below a limit."""

    below: Positive
    points: NonNegative


class SuccessBand(Assumptions):
    """Points when the mean error count and the mean retry count lie below their limits (no retry limit: any)."""

    errors_below: Positive
    retries_below: Positive | None = None
    points: NonNegative


class BandedScoring(Assumptions):
    """Confidence read from tables of bands; in each table the first band that applies gives the points."""

    method: Literal["banded"]
    score_without_workflows: NonNegative
    frequency: tuple[FrequencyBand, ...]
    frequency_otherwise: NonNegative
    consistency: tuple[VarianceBand, ...]
    consistency_otherwise: NonNegative
    consistency_unknown: NonNegative
    """Points with fewer than two durations."""
    success: tuple[SuccessBand, ...]
    success_flawless: NonNegative
    """Points when no error and no retry was seen at all."""
    success_otherwise: NonNegative


class ExecutionEvidence(Assumptions):
    """How executions of an automation move the detection confidence."""

    min_executions: Annotated[int, Field(ge=1)] = 3
    prior_count: Positive = 10
    """Executions that the detection confidence weighs as much as."""
    roi_scale_percent: Positive = 1000
    roi_limit: Share = 0.10
    """The most that the realised ROI may add or take away, as a share of the scale."""


class ConfidencePolicy(Assumptions):
    """Section ``[confidence]``: how detection is scored, and how executions move the score."""

    scoring: Annotated[GradedScoring | BandedScoring, Field(discriminator="method")] = GradedScoring()
    executions: ExecutionEvidence = ExecutionEvidence()


class Range(Assumptions):
    """The plausible range of an input that no data speaks about."""

    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low ({self.low}) must not exceed high ({self.high})")
        return self


class SensitivityRanges(Assumptions):
    """Ranges of the assumed inputs for the tornado; measured inputs use their own interval."""

    coverage: Range = Range(low=0.5, high=1.0)
    tool_cost_factor: Range = Range(low=0.5, high=2.0)
    cost_drift: Range = Range(low=-0.5, high=0.0)
    discount_rate: Range = Range(low=0.05, high=0.20)


class EffectivenessTier(Assumptions):
    """A name earned by a success rate and a realised ROI (percent) of at least these."""

    name: Literal["excellent", "good", "acceptable"]
    success_rate: Share
    roi_percent: float


class RealisedPolicy(Assumptions):
    """How realised ROI is judged once an automation runs."""

    tiers: tuple[EffectivenessTier, ...] = (
        EffectivenessTier(name="excellent", success_rate=0.95, roi_percent=200),
        EffectivenessTier(name="good", success_rate=0.85, roi_percent=100),
        EffectivenessTier(name="acceptable", success_rate=0.70, roi_percent=50),
    )
    """Best first."""
    poor_success_rate: Share = 0.70
    """Below it (or below zero ROI) an automation is poor, and its approval should be revoked."""
    approve_success_rate: Share = 0.90
    """A pending pattern is recommended when the lower Wilson bound of its success rate exceeds this ..."""
    approve_roi_percent: float = 200
    """... and its ROI exceeds this."""
    review_success_rate: Share = 0.80
    review_roi_percent: float = 50
    tolerance: Positive = 0.20
    """Shortfall against the estimate, as a share of it, that still confirms it."""
    power: OpenShare = 0.80
    """Power of the minimum detectable effect."""


class RoiPolicy(Assumptions):
    """Section ``[roi]``: evidence required, assumed inputs, prices, time and risk. Money is US dollars."""

    window_days: Annotated[int, Field(ge=1)] = 90
    short_window_days: Annotated[int, Field(ge=0)] = 14
    month_days: Positive = 30.4375
    min_occurrences: Annotated[int, Field(ge=1)] = 5
    min_distinct_days: Annotated[int, Field(ge=1)] = 3
    min_priced: Annotated[int, Field(ge=2)] = 5
    """Priced occurrences without which a mean cost gets no interval."""
    bootstrap_from: Annotated[int, Field(ge=3)] = 20
    """Priced occurrences from which the interval of the mean is a bootstrap instead of Student's t."""
    interval_level: OpenShare = 0.95
    sample_size: Annotated[int, Field(ge=20, le=100_000)] = 1000
    """Most recent priced occurrences that intervals are drawn from."""
    draws: Annotated[int, Field(ge=200, le=20_000)] = 2000
    strong_skewness: Positive = 1.0

    coverage: Annotated[float, Field(gt=0, le=1)] = 0.8
    """Share of the occurrences that an automation would take over."""
    prior_successes: Positive = 8
    prior_failures: Positive = 2
    min_executions: Annotated[int, Field(ge=1)] = 3
    tool_cost_ratio: NonNegative = 0.05
    tool_cost_by_category: dict[str, NonNegative] = Field(default_factory=dict)
    """Declared cost of the tool per occurrence."""
    fallback_extra_ratio: NonNegative = 0
    """Extra cost of a failed automation, as a share of the model's cost."""

    build_cost_by_category: dict[str, NonNegative] = Field(
        default_factory=lambda: {"test": 75.0, "build": 75.0, "format": 50.0, "git": 50.0}
    )
    build_cost_otherwise: NonNegative = 150
    build_cost_low_factor: Share = 0.5
    build_cost_high_factor: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 2
    maintenance_share: NonNegative = 0.20
    """Maintenance a year, as a share of the build cost."""
    discount_rate: Annotated[float, Field(gt=-1, allow_inf_nan=False)] = 0.10
    cost_drift: Annotated[float, Field(gt=-1, allow_inf_nan=False)] = -0.20
    """Change of the model's cost in a year."""
    horizon_months: Annotated[int, Field(ge=1, le=120)] = 12
    naive_share: Share = 0.95
    """Share of the whole-run cost that a naive claim would book as saved."""

    sensitivity: SensitivityRanges = SensitivityRanges()
    realised: RealisedPolicy = RealisedPolicy()

    @model_validator(mode="after")
    def _thresholds_are_ordered(self) -> Self:
        if self.min_priced > self.bootstrap_from:
            raise ValueError("min_priced must not exceed bootstrap_from")
        return self
