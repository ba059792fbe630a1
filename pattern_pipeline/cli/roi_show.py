"""How results of `pattern-pipeline roi` look on a terminal. What they say is decided by the services."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pattern_pipeline.cli.show import VERDICTS, details, usd

if TYPE_CHECKING:
    from pattern_pipeline.roi.advice import Recommendation
    from pattern_pipeline.roi.budget import Budget
    from pattern_pipeline.roi.confidence import ConfidenceChange, ConfidenceHistoryRow
    from pattern_pipeline.roi.executions import Execution, Saving
    from pattern_pipeline.roi.portfolio import Portfolio, Ranked
    from pattern_pipeline.roi.questions import Explained
    from pattern_pipeline.roi.reports import PortfolioSummary, RealisedRoi, RoiReport, Validation
    from pattern_pipeline.roi.what_if import WhatIf

Number = float | Decimal | None
BUDGET_PATTERNS = 15
THEMES = {
    "seen": "What we saw",
    "costs": "What it costs",
    "saves": "What automating would save",
    "certainty": "How sure that is",
    "would_change": "What would change our mind",
}


def show_estimate(found: Explained) -> RenderableType:
    """An estimate in sentences, theme by theme, then what moves it."""
    words, style = VERDICTS[found.estimate["verdict"]]
    text = Text.assemble((found.pattern_signature, "bold"), "  ", (words, style), "\n", found.readable, "\n")
    text.append(f"\n{found.in_words['verdict']}\n")
    for theme, title in THEMES.items():
        if found.in_words[theme]:
            text.append(f"\n{title}\n", style="bold")
            text.append("".join(f"  {sentence}\n" for sentence in found.in_words[theme]))
    if not found.reproducible:
        text.append(
            "\nThe rows behind this estimate were corrected since; the next run estimates anew.\n", style="yellow"
        )
    if not found.tornado:
        return text
    rows = (
        (row["input"], f"{row['low']:,.4g} to {row['high']:,.4g}", usd(row["npv_low"]), usd(row["npv_high"]))
        for row in found.tornado
    )
    return Group(text, _table("What moves its value", ("input", "range", "worth at its low", "at its high"), rows))


def show_summary(found: Portfolio) -> RenderableType:
    """The whole in a sentence, the ranking, and how the automations do."""
    parts: list[RenderableType] = [Text(found.in_words, style="bold")]
    if found.state != "current":
        parts.append(Text(f"These figures are not final: {found.state}.", style="yellow"))
    if found.estimates:
        parts.append(_ranking(found.estimates))
    return Group(*parts, show_realised(found.realised))


def show_assumptions(found: Mapping[str, Any]) -> RenderableType:
    """Every assumption, then which inputs are assumed."""
    title = f"Assumptions of the policy {found['policy']} (version {found['roi_version']})"
    table = _table(title, ("assumption", "value"), ((key, f"{value:g}") for key, value in found["assumptions"].items()))
    if not found["inputs"]:
        return table
    rows = ((row["input"], f"{row['assumed']:,} of {row['estimates']:,}") for row in found["inputs"])
    return Group(table, _table("Assumed rather than measured", ("input", "estimates"), rows))


def show_what_if(found: WhatIf) -> RenderableType:
    """What was changed, and what became of each verdict."""
    lines = [f"{c.key}: {'-' if c.policy is None else f'{c.policy:g}'} -> {c.asked:g}" for c in found.changes]
    turned = sum(row.turned for row in found.patterns)
    lines.append(f"{turned:,} of {len(found.patterns):,} verdicts would change. Nothing was stored.")
    rows = (
        (
            row.pattern_signature,
            f"{usd(row.now['net_p50'])} -> {usd(row.then['net_p50'])}",
            f"{usd(row.now['npv_p10'])} -> {usd(row.then['npv_p10'])}",
            VERDICTS[row.now["verdict"]][0] + (f" -> {VERDICTS[row.then['verdict']][0]}" if row.turned else ""),
        )
        for row in found.patterns
        if row.now["verdict"] != "excluded"
    )
    return Group(
        Text("\n".join(lines)), _table("What if", ("pattern", "net P50 a month", "worth, P10", "verdict"), rows)
    )


def show_budget(found: Budget | None) -> RenderableType:
    """The month in sentences, then its shares."""
    if found is None:
        return Text("No history yet, so no budget.")
    spent = f"{found.month:%B %Y}: {usd(found.spent)} spent up to {found.last_day}, the day of the latest event"
    lines = [f"{spent}; {found.priced_runs:,} of {found.runs:,} runs have a known cost.", _forecast(found)]
    if found.uncovered_days:
        lines.append(f"No source covers {found.uncovered_days:,} of these days: the forecast is too low.")
    models = (
        (row.model or "unknown", f"{row.priced_runs:,} of {row.runs:,}", usd(row.usd), _share(row.share))
        for row in found.models
    )
    patterns = [(row.pattern_signature, usd(row.usd, 4), _share(row.share)) for row in found.patterns[:BUDGET_PATTERNS]]
    rest = sum(row.usd for row in found.patterns[BUDGET_PATTERNS:])
    patterns += [("other patterns", usd(rest, 4), "")] if rest else []
    patterns.append(("no pattern", usd(found.unattributed_usd), ""))
    return Group(
        Text("\n".join(lines)),
        _table("By model", ("model", "runs priced", "spent", "share"), models),
        _table("By pattern, each call counted once", ("pattern", "spent", "share"), patterns),
    )


def show_execution(stored: Execution) -> RenderableType:
    """What was recorded."""
    done = "was known already; nothing was written" if stored.repeated else "recorded"
    saved = "not known" if stored.cost_saved_usd is None else usd(float(stored.cost_saved_usd), 4)
    return Text(f"{stored.pattern_signature}: execution {stored.idempotency_key!r} {done}. It saved: {saved}.")


def show_saving(stored: Saving) -> RenderableType:
    """What was logged."""
    done = "was known already; nothing was written" if stored.repeated else "logged"
    return Text(f"{stored.optimization_type}: saving {stored.idempotency_key!r} {done}.")


def show_report(found: RoiReport) -> RenderableType:
    """One automation: figures, verdict upon the estimate, latest executions."""
    s = found.summary
    facts = details(
        [
            ("pattern", s.pattern_signature),
            ("status", s.status),
            ("effectiveness", s.effectiveness),
            (
                "executions",
                f"{s.successful_executions:,} of {s.total_executions:,} succeeded ({_share(s.success_rate)})",
            ),
            ("saved", f"{_usd(s.total_cost_saved_usd)} in {s.priced_executions:,} executions of known cost"),
            ("invested", f"{_usd(s.invested_usd)} to build and maintain, {_usd(s.total_actual_cost)} to run"),
            ("realised ROI", None if s.roi_percentage is None else f"{s.roi_percentage:,.0f} %"),
            ("baseline", f"{_usd(s.baseline_cost)} an occurrence" + ("" if s.approved else ", not approved yet")),
            ("estimate", None if found.validation is None else _validation(found.validation)),
        ]
    )
    if not found.executions:
        return Group(facts, Text("It has no executions yet; `pattern-pipeline roi record` reports one."))
    rows = (
        (
            f"{row.executed_at:%Y-%m-%d %H:%M}",
            "succeeded" if row.success else "failed",
            _usd(row.actual_cost),
            _usd(row.cost_saved_usd),
            row.error_message or "",
        )
        for row in found.executions
    )
    return Group(facts, _table("Latest executions", ("when", "outcome", "cost", "saved", "error"), rows))


def show_performers(found: Sequence[RealisedRoi]) -> RenderableType:
    """Automations, one a line."""
    if not found:
        return Text("No automation here: it takes three executions of known cost to be graded.")
    rows = (
        (
            row.pattern_signature,
            row.effectiveness,
            f"{row.successful_executions:,} of {row.total_executions:,}",
            _usd(row.total_cost_saved_usd),
            "-" if row.roi_percentage is None else f"{row.roi_percentage:,.0f} %",
        )
        for row in found
    )
    return _table("Automations", ("pattern", "effectiveness", "succeeded", "saved", "ROI"), rows)


def show_recommendations(found: Mapping[str, Any]) -> RenderableType:
    """What is recommended, and what was done about it."""
    rows: Sequence[Recommendation] = found["recommendations"]
    applied = found["applied"]
    parts: list[RenderableType] = []
    if applied is not None:
        parts.append(Text(f"{applied.pattern_id}: {applied.status} (version {applied.version})"))
    if not rows:
        return Group(*parts, Text("The executions recommend nothing."))
    lines = ((row.pattern_signature, row.status, row.action, row.severity, row.reason) for row in rows)
    return Group(*parts, _table("Recommended", ("pattern", "status", "action", "severity", "why"), lines))


def show_changes(changes: Sequence[ConfidenceChange], *, dry_run: bool) -> RenderableType:
    """Which confidence moved, or would."""
    moved = [row for row in changes if row.changed]
    said = f"{len(moved):,} of {len(changes):,} {'would change' if dry_run else 'changed'}."
    if not moved:
        return Text(said)
    rows = (
        (
            row.pattern_signature,
            "-" if row.old_confidence is None else f"{row.old_confidence:.2f}",
            f"{row.new_confidence:.2f}",
            f"{row.successful_executions:,} of {row.total_executions:,}",
        )
        for row in moved
    )
    return Group(Text(said), _table("Confidence", ("pattern", "was", "is", "executions succeeded"), rows))


def show_confidence_history(rows: Sequence[ConfidenceHistoryRow]) -> RenderableType:
    """Every change, oldest first."""
    if not rows:
        return Text("It has not changed since there are executions, or there are none.")
    lines = (
        (f"{row.changed_at:%Y-%m-%d %H:%M}", str(row.old_confidence), str(row.new_confidence), row.reason)
        for row in rows
    )
    return _table("Confidence", ("when", "was", "became", "because of"), lines)


def _ranking(rows: Sequence[Ranked]) -> Table:
    lines = (
        (
            row.pattern_signature,
            f"{row.occurrences:,}",
            _span(row.net_p10, row.net_p90),
            _span(row.npv_p10, row.npv_p90),
            _usd(row.naive_monthly_savings),
            VERDICTS[row.verdict][0],
        )
        for row in rows
    )
    names = ("pattern", "runs", "net a month, P10 to P90", "worth, P10 to P90", "naive claim", "verdict")
    return _table("Estimates, best first; overlapping patterns do not add up", names, lines)


def show_realised(found: PortfolioSummary) -> RenderableType:
    """The portfolio in a sentence, then estimate against reality, one pattern a line."""
    if not found.total_executions:
        return Text("No automation has reported an execution yet.")
    said = (
        f"{found.successful_executions:,} of {found.total_executions:,} executions of {found.patterns:,} patterns "
        f"succeeded; they saved {_usd(found.total_cost_saved_usd)} for {_usd(found.invested_usd)} invested."
    )
    if found.realisation is not None:
        r = found.realisation
        said += f" Realised: {r.ratio:.0%} of what was estimated (95 %: {r.low:.0%} to {r.high:.0%})."
    if not found.validations:
        return Text(f"{said} No approved pattern has executions yet.")
    rows = (
        (row.pattern_signature, f"{row.executions:,}", _usd(row.estimated), _usd(row.realised_mean), _validation(row))
        for row in found.validations
    )
    names = ("pattern", "executions", "estimated", "realised", "estimate")
    return Group(Text(said), _table("Estimate against reality, USD saved by an execution", names, rows))


def _validation(row: Validation) -> str:
    if row.more_executions is not None:
        return f"{row.validation} ({row.more_executions:,} more executions needed)"
    return row.validation


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _usd(value: Number) -> str:
    return usd(None if value is None else float(value))


def _forecast(found: Budget) -> str:
    if not found.days_left:
        return "The month is complete."
    rests = f"It rests on {found.days_of_history:,} days of history; {found.days_left:,} days are left."
    if found.low is None:
        return f"Forecast for the month: {usd(found.expected)}; the history is too short for an interval. {rests}"
    span = f"{usd(found.low)} and {usd(found.high)}"
    return f"Forecast for the month: {usd(found.expected)}, with 80 % certainty between {span}. {rests}"


def _span(low: Number, high: Number) -> str:
    return "-" if low is None else f"{_usd(low)} to {_usd(high)}"


def _share(value: Number) -> str:
    return "-" if value is None else f"{value:.1%}"
