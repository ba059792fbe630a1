"""How results look on a terminal: tables and sentences in plain words. What they say is decided elsewhere."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pattern_pipeline.cli.fitting import Column, FittedTable

VERDICTS = {
    "worth_automating": ("worth automating", "bold green"),
    "promising": ("promising", "green"),
    "not_worth_automating": ("not worth it", "yellow"),
    "insufficient_evidence": ("too little evidence", "dim"),
    "excluded": ("excluded", "dim"),
}
_MODELS_TOLD = 5
BASIS = {
    "step": "measured",
    "workflow": "upper bound",
    "intent": "only asked for",
    "unpriced": "no price",
}


def usd(value: float | None, digits: int = 2) -> str:
    """Money for people: unknown is a dash, never zero; small sums keep what they are."""
    if value is None:
        return "-"
    if value and abs(value) < 10**-digits:
        return f"{'-' if value < 0 else ''}${abs(value):.2g}"
    return f"{'-' if value < 0 else ''}${abs(value):,.{digits}f}"


def show_overview(result: Mapping[str, Any]) -> RenderableType:
    """What `run` found: the landing, the totals, the best patterns, the queue or why it is empty."""
    parts: list[RenderableType] = [show_landing(result["landing"]), _totals(result)]
    ranked = [p for p in result["patterns"] if p["verdict"] != "excluded"]
    if ranked:
        parts.append(pattern_table(ranked[:15], "Patterns, by what automating them is worth"))
    if result["queue"]:
        parts.append(queue_table(result["queue"]))
    elif result["workflows"]:
        parts.append(Text(why_nothing(result), style="bold"))
    if ranked:
        parts.append(Text(f"\n{_next_step(ranked[0]['signature'])}"))
    return Group(*parts)


def _next_step(best: str) -> str:
    return (
        f"`pattern-pipeline roi show {best}` says how the first was estimated; `pattern-pipeline up` serves the review "
        "page and the Dagster UI."
    )


def _totals(result: Mapping[str, Any]) -> Text:
    start, end = result["window"]["start"], result["window"]["end"]
    if start is None:
        return Text("No history yet: name a source with `pattern-pipeline run SOURCE`, or look at `run --sample`.")
    share = result["priced_share"]
    return Text(
        f"\n{result['workflows']:,} runs with {result['steps']:,} steps, {start[:16]} to {end[:16]} UTC. "
        f"Spend {usd(result['spend_usd'])} ({share:.0%} of the runs priced), "
        f"{usd(result['attributed_usd'])} of it attributed to patterns, each call counted once. "
        f"{result['quarantined']:,} records in quarantine."
    )


def unpriced(models: Mapping[str, float]) -> str:
    """A sentence about models without a price, with their shares of all tokens."""
    shown = ", ".join(f"{name} ({share:.1%} of the tokens)" for name, share in list(models.items())[:_MODELS_TOLD])
    others = f" and {len(models) - _MODELS_TOLD:,} more" if len(models) > _MODELS_TOLD else ""
    return f"Without a price, and in no sum of money: {shown}{others}; `pattern-pipeline prices check` says more."


def why_nothing(result: Mapping[str, Any]) -> str:
    """One sentence for an empty queue."""
    patterns = result["patterns"]
    if not patterns:
        return "Nothing in the queue: no repeated operation was found in this history."
    counts = {
        name: sum(p["verdict"] == name for p in patterns)
        for name in ("excluded", "insufficient_evidence", "not_worth_automating")
    }
    reasons = [
        f"{counts['excluded']} are normal orchestration or plumbing" if counts["excluded"] else "",
        f"{counts['insufficient_evidence']} have too little evidence" if counts["insufficient_evidence"] else "",
        f"{counts['not_worth_automating']} would cost more than they save" if counts["not_worth_automating"] else "",
    ]
    found = "; ".join(r for r in reasons if r) or "none passes the filters of the preset"
    return f"Nothing in the queue: of {len(patterns)} patterns, {found}."


def pattern_table(rows: Sequence[Mapping[str, Any]], title: str) -> FittedTable:
    """Patterns, one a line."""
    columns = (
        Column("pattern"),
        Column("runs", "right", 1),
        Column("a month", "right", 6),
        Column("cost", "right", 3),
        Column("basis", rank=5),
        Column("net a month, P10 to P90", "right", 2),
        Column("worth over a year, P10 to P90", "right", 7),
        Column("confidence", "right", 4),
        Column("verdict"),
    )
    return FittedTable(title, columns, map(_pattern_row, rows))


def _pattern_row(row: Mapping[str, Any]) -> tuple[str | Text, ...]:
    words, style = VERDICTS[row["verdict"]]
    rate = row["monthly_rate"]
    return (
        row["signature"],
        f"{row['occurrence_count']:,}",
        "-" if rate is None else f"{rate:,.1f}",
        usd(row["attributed_cost_usd"], 4),
        BASIS.get(row["cost_basis"], "-"),
        _interval(row["net_monthly_savings"]),
        _interval(row["npv"]),
        _points(row["confidence_score"]),
        Text(words, style=style),
    )


def _interval(percentiles: Mapping[str, float | None]) -> str:
    return "-" if percentiles["p10"] is None else f"{usd(percentiles['p10'])} to {usd(percentiles['p90'])}"


def _points(score: float | None) -> str:
    return "-" if score is None else f"{score:.0f}"


def queue_table(rows: Iterable[Mapping[str, Any]], title: str = "Waiting for a decision") -> FittedTable:
    """The queue, one pattern a line."""
    columns = (
        Column("pattern"),
        Column("runs", "right", 1),
        Column("gross a month", "right", 4),
        Column("net P50 a month", "right", 2),
        Column("confidence", "right", 3),
        Column("status"),
    )
    return FittedTable(
        title,
        columns,
        (
            (
                row["signature"],
                f"{row['occurrence_count']:,}",
                usd(row["potential_monthly_savings"]),
                usd(row["net_p50"]),
                _points(row["confidence_score"]),
                row["status"] + (" (look again)" if row["needs_review"] else ""),
            )
            for row in rows
        ),
    )


def details(pairs: Iterable[tuple[str, object]]) -> Table:
    """Names and values, one a line, without a frame."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(name, "-" if value is None else str(value))
    return table


def destructive_warning(commands: Iterable[str]) -> RenderableType:
    """The warning over a pattern that runs destructive commands; nothing where there are none."""
    lines = [f"  {command}" for command in commands]
    return (
        Text("\n".join(("Destructive commands among its latest steps:", *lines)), style="bold red")
        if lines
        else Group()
    )


def show_landing(report: Mapping[str, Any]) -> RenderableType:
    """What an ingest did."""
    from pattern_pipeline.history.redaction_rules import HOME_KIND

    total = report["total"]
    changes = ", ".join(
        f"{total[name]:,} {name}" for name in ("inserted", "updated", "unchanged", "deleted", "moved") if total[name]
    )
    outcomes = Counter(source["outcome"] for source in report["sources"])
    read = outcomes["read"] + outcomes["continued"]
    unreadable = f", {outcomes['unreadable']:,} could not be read" if outcomes["unreadable"] else ""
    noun = "source" if read == 1 else "sources"
    lines = [f"{read:,} {noun} read, {outcomes['unchanged']:,} had nothing new{unreadable}. Runs: {changes or 'none'}."]
    if total["quarantined"]:
        lines.append(f"In quarantine: {_counts(total['quarantined'])}.")
    removed = {**total["redactions"]}
    homes = removed.pop(HOME_KIND, 0)
    if removed:
        lines.append(f"Secrets removed before storage: {_counts(removed)}.")
    if homes:
        lines.append(f"Home directories shortened to ~: {homes:,}.")
    return Text("\n".join([*lines, *report["notes"]]))


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
