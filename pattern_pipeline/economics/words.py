"""An estimate in plain words: what was seen, what it costs, what automating would save, how sure that is.

Belongs here: every sentence that explains figures, for the command line and the page alike. Does not belong here:
markup, and deciding anything: a sentence only says what a column holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]

VERDICT_WORDS = {
    "excluded": "Excluded",
    "insufficient_evidence": "Not enough evidence yet",
    "worth_automating": "Worth automating",
    "promising": "Promising, but not safe",
    "not_worth_automating": "Not worth automating",
}

REASON_WORDS = {
    "no_exposure": "the window holds no day of history",
    "few_occurrences": "it was seen too few times",
    "few_days": "it was seen on too few days",
    "unpriced": "none of its occurrences has a known cost",
    "few_priced": "too few of its occurrences have a known cost",
    "npv_p10_positive": "it pays off in at least nine of ten simulated futures",
    "npv_p50_positive": "it pays off in at least half of the simulated futures",
    "npv_p10_not_positive": "it does not pay off in nine of ten",
    "npv_p50_not_positive": "it does not pay off in half of the simulated futures",
    "saving_not_positive": "an occurrence would save nothing at all",
    "not_automatable": "it cannot be automated",
}

FLAG_WORDS = {
    "short_window": "The history is short, so the rate may not be typical.",
    "gaps": "Some days inside the window are covered by no source; they are left out.",
    "upper_bound": "The cost is a share of whole runs, because their steps are unknown: an upper bound.",
    "partly_priced": "Not every occurrence has a known cost; the mean is over those that have.",
    "zero_variance": "Every occurrence cost exactly the same, so the cost's interval is a single point.",
    "skewed_understated": "A few occurrences cost far more than the rest: the mean may be understated.",
    "recent_cost_differs": "The most recent occurrences cost something else than the window's average.",
    "assumed_tool_cost": "The cost of the tool is assumed, not measured.",
    "assumed_reliability": "The reliability of the automation is assumed, not measured.",
}

INPUT_WORDS = {
    "monthly_rate": ("it happened {} times a month", "{:,.0f}"),
    "cost_per_occurrence": ("an occurrence cost {}", "usd"),
    "tool_cost": ("the tool cost {} per occurrence", "usd"),
    "reliability": ("the automation succeeded in {} of cases", "{:.0%}"),
    "coverage": ("it took over {} of the occurrences", "{:.0%}"),
    "build_cost": ("building it cost {}", "usd"),
}


INPUT_NAMES = {
    "monthly_rate": "occurrences a month",
    "cost_per_occurrence": "cost of an occurrence",
    "tool_cost": "cost of the tool",
    "reliability": "reliability",
    "coverage": "coverage",
    "build_cost": "cost to build",
    "cost_drift": "drift of model prices a year",
    "discount_rate": "discount rate a year",
}


@dataclass(frozen=True)
class Explanation:
    """The sentences about one estimate; each is a list, empty when there is nothing to say."""

    verdict: str
    seen: tuple[str, ...]
    costs: tuple[str, ...]
    saves: tuple[str, ...]
    certainty: tuple[str, ...]
    would_change: tuple[str, ...]

    def lines(self) -> tuple[str, ...]:
        """All sentences in reading order."""
        return (self.verdict, *self.seen, *self.costs, *self.saves, *self.certainty, *self.would_change)


def explain(estimate: Row, switching: Sequence[Row] = ()) -> Explanation:
    """Explain one row of `pattern_pipeline.economics.estimates.ESTIMATES`.

    Args:
        estimate: the row.
        switching: the pattern's rows of `pattern_pipeline.economics.sensitivity.Sensitivity.switching`, if known.
    """
    return Explanation(
        verdict=_verdict(estimate),
        seen=_seen(estimate),
        costs=_costs(estimate),
        saves=_saves(estimate),
        certainty=_certainty(estimate),
        would_change=_would_change(estimate, switching),
    )


def verdict_of_all(verdicts: Mapping[str, int]) -> str:
    """One sentence about a whole history, from the number of patterns of each verdict."""
    total, worth = sum(verdicts.values()), verdicts.get("worth_automating", 0)
    if not total:
        return "No repeated operation has been estimated yet."
    of_all = f"of {total:,} {_plural(total, 'pattern')}"
    if worth:
        return f"{worth:,} {of_all} {'is' if worth == 1 else 'are'} worth automating."
    if promising := verdicts.get("promising", 0):
        return f"Nothing here is safely worth automating yet; {promising:,} {of_all} may be."
    parts = {
        "not_worth_automating": "not worth the cost",
        "insufficient_evidence": "with too little evidence",
        "excluded": "not to be automated",
    }
    found = ", ".join(f"{verdicts[name]:,} {words}" for name, words in parts.items() if verdicts.get(name))
    return f"Nothing here is worth automating: {of_all}, {found}."


def usd(amount: float) -> str:
    """US dollars with as many places as a small amount needs: $1,234, $12.30, $0.0024, -$3.10, $0.

    Below a tenth of a cent at two significant digits; thousands without cents.
    """
    size = abs(amount)
    if size == 0:
        return "$0"
    if size >= 1000:
        text = f"{size:,.0f}"
    elif size >= 0.1:
        text = f"{size:.2f}"
    elif size >= 1e-6:
        text = f"{size:.{2 - _magnitude(size)}f}"
    else:
        return "less than $0.000001" if amount > 0 else "-$0.000001 or closer to zero"
    return f"-${text}" if amount < 0 else f"${text}"


def _magnitude(size: float) -> int:
    """Decimal exponent plus one: 0 for 0.1..1, -2 for 0.001..0.01."""
    return int(f"{size:e}".split("e")[1]) + 1


def _verdict(estimate: Row) -> str:
    reasons = [REASON_WORDS.get(code, str(code)) for code in estimate["reasons"]]
    name = VERDICT_WORDS[estimate["verdict"]]
    return f"{name}: {', and '.join(reasons)}." if reasons else f"{name}."


def _seen(estimate: Row) -> tuple[str, ...]:
    times, days = estimate["occurrences"], estimate["exposure_days"]
    seen = f"Seen in {times:,} {_plural(times, 'run')} within {days:,} {_plural(days, 'day')} of history."
    if estimate["monthly_rate"] is None:
        return (seen,)
    low, high = estimate["monthly_rate_low"], estimate["monthly_rate_high"]
    return (seen, f"That is about {estimate['monthly_rate']:,.1f} a month (95 %: {low:,.1f} to {high:,.1f}).")


def _costs(estimate: Row) -> tuple[str, ...]:
    if estimate["cost_per_occurrence"] is None:
        return ("What it costs is not known.",)
    mean = f"An occurrence costs the model {usd(estimate['cost_per_occurrence'])} on average"
    if estimate["cost_low"] is None:
        return (f"{mean}; too few are priced for an interval.",)
    span = f"{usd(estimate['cost_low'])} to {usd(estimate['cost_high'])}"
    return (f"{mean} (95 %: {span}), measured on {estimate['priced_count']:,} of {estimate['occurrences']:,}.",)


def _saves(estimate: Row) -> tuple[str, ...]:
    if estimate["net_monthly_savings"] is None:
        return ("What automating it would save cannot be said.",)
    net, built = estimate["net_monthly_savings"], usd(estimate["build_cost"])
    effect = f"save {usd(net)} a month after maintenance" if net > 0 else f"lose {usd(-net)} a month after maintenance"
    said = [f"Automating it would {effect}, for {built} to build."]
    if estimate["payback_months"] is None:
        said.append("It would not pay for itself within the horizon.")
    else:
        months = estimate["payback_months"]
        said.append(f"It would have paid for itself after {months} {_plural(months, 'month')}.")
    if estimate["naive_factor"] is not None:
        said.append(
            f"Counting whole runs instead would have claimed {usd(estimate['naive_monthly_savings'])} a month, "
            f"{estimate['naive_factor']:,.1f} times our {usd(estimate['potential_monthly_savings'])}."
        )
    return tuple(said)


def _certainty(estimate: Row) -> tuple[str, ...]:
    notes = [FLAG_WORDS[flag] for flag in estimate["flags"]]
    if estimate["npv_p50"] is None:
        return tuple(notes)
    spread = (
        f"In eight of ten simulated futures it is worth between {usd(estimate['npv_p10'])} and "
        f"{usd(estimate['npv_p90'])}; the chance of a loss is {chance(estimate['probability_of_loss'])}."
    )
    return (spread, *notes)


def flipping_threshold(verdict: str) -> str | None:
    """The column of switching values at which a verdict would become another; None where no value could do that."""
    return {
        "worth_automating": "worth_at",
        "promising": "worth_at",
        "not_worth_automating": "promising_at",
    }.get(verdict)


def _would_change(estimate: Row, switching: Sequence[Row]) -> tuple[str, ...]:
    """One sentence per input that could flip the verdict on its own."""
    verdict = estimate["verdict"]
    if verdict == "insufficient_evidence":
        return ("More history would allow a verdict.",)
    threshold = flipping_threshold(verdict)
    if threshold is None:
        return ()
    target = {
        "worth_automating": "It would no longer be safe beyond the point where",
        "promising": "It would be worth automating if",
        "not_worth_automating": "It would be promising if",
    }[verdict]
    said = []
    for row in switching:
        if row[threshold] is not None:
            clause, form = INPUT_WORDS[row["input"]]
            value, now = (usd(row[key]) if form == "usd" else form.format(row[key]) for key in (threshold, "value"))
            said.append(f"{target} {clause.format(value)} (now {now}).")
    return tuple(said) or ("No single input could change the verdict on its own.",)


def chance(probability: float) -> str:
    """A probability in words: a share of a finite simulation is never certainty."""
    if probability < 0.01:
        return "below 1 %"
    return "above 99 %" if probability > 0.99 else f"{100 * probability:.0f} %"


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"
