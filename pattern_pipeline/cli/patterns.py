"""`patterns list` and `patterns show`: what was found, and why."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pattern_pipeline.cli.common import JsonOption, emit, fail_plainly
from pattern_pipeline.cli.show import BASIS, VERDICTS, destructive_warning, details, pattern_table, usd
from pattern_pipeline.settings import get_settings

_SOURCES = {"constant": "constant", "task": "from the task", "output": "from an earlier output", "free": "free"}

app = typer.Typer(help="What was found, and why.", no_args_is_help=True)


@app.command("list")
def list_patterns(
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many.")] = 50,
    excluded: Annotated[bool, typer.Option("--excluded", help="Also those that are not automatable.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Patterns by what automating them is worth."""
    with fail_plainly(as_json):
        from pattern_pipeline.patterns.report import patterns
        from pattern_pipeline.warehouse.database import Warehouse

        with Warehouse.held(get_settings()) as warehouse, warehouse.transaction() as tx:
            rows = [row for row in patterns(tx) if excluded or row["verdict"] != "excluded"][:limit]
    emit(rows, as_json, lambda found: pattern_table(found, f"{len(found)} patterns"))


@app.command("show")
def show_pattern(
    signature: Annotated[str, typer.Argument(help="A signature, like test:pytest:backend.")],
    as_json: JsonOption = False,
) -> None:
    """One pattern: what it is, the evidence, the money, and why the verdict is what it is."""
    with fail_plainly(as_json):
        from pattern_pipeline.detection.policy import load_policy
        from pattern_pipeline.patterns.explain import explain
        from pattern_pipeline.warehouse.database import Warehouse

        settings = get_settings()
        with Warehouse.held(settings) as warehouse:
            result = explain(warehouse, load_policy(settings.policy), signature)
    emit(result, as_json, _show)


def _show(found: dict[str, Any]) -> RenderableType:
    words, style = VERDICTS[found["verdict"]]
    net, npv = found["net_monthly_savings"], found["npv"]
    runs = (
        f"{found['occurrence_count']:,} on {found['distinct_days']} days, executed {found['execution_count']:,} times, "
        f"only asked for in {found['intent_count']:,}"
    )
    certain = found["determinism"]
    money = details(
        [
            ("what it is", found["readable"]),
            ("runs", runs),
            ("cost of its own", f"{usd(found['attributed_cost_usd'], 6)} ({BASIS.get(found['cost_basis'], '-')})"),
            ("cost of the whole runs", f"{usd(found['naive_cost_usd'], 6)}: what a naive count would claim"),
            ("net a month", f"{usd(net['p10'])} to {usd(net['p90'])}, middle {usd(net['p50'])}"),
            ("worth over a year", f"{usd(npv['p10'])} to {usd(npv['p90'])}, middle {usd(npv['p50'])}"),
            ("confidence", found["confidence_score"]),
            ("determined", None if certain is None else f"{certain:.0%}: how often a script could fill every slot"),
            ("reasons", ", ".join(found["reasons"]) or found["exclusion_reason"]),
            ("remarks", ", ".join(found["flags"])),
        ]
    )
    example = {"workflow_id": "run", "occurred_at": "when", "evidence": "evidence", "cost_usd": "cost"}
    rules = {"layer": "layer", "rule_id": "rule", "matched_text": "text", "runs": "runs"}
    return Group(
        Text.assemble((found["signature"], "bold"), "  ", (words, style)),
        destructive_warning(found["destructive"]),
        money,
        _templates(found),
        _table("Why it was seen", found["rules"], rules),
        _table("Examples", found["examples"], example),
        _table("Where it failed", found["counter_examples"], example),
    )


def _templates(found: dict[str, Any]) -> RenderableType:
    if found["sequence"]:
        lines = [f"{number}. {element}" for number, element in enumerate(found["sequence"]["elements"], 1)]
        return Text("Steps:\n" + "\n".join(lines))
    rows = [
        {
            "template": template["template"],
            "times": template["occurrences"],
            "slots": "; ".join(map(slot_text, template["slots"])),
        }
        for template in found["templates"]
    ]
    return _table("Command templates", rows, {"template": "template", "times": "times", "slots": "slots"})


def slot_text(slot: Mapping[str, Any]) -> str:
    """Where the values of a slot come from, and how often: most often is not always.

    Args:
        slot: A row of `slots.slot_evidence`.
    """
    source = slot["provenance"]
    share = 1 - slot["explained_share"] if source == "free" else slot[f"{source}_share"]
    values = "1 value" if slot["distinct_values"] == 1 else f"{slot['distinct_values']} values"
    return f"<{slot['kind']}> {_SOURCES[source]} {share:.0%} ({values})"


def _table(title: str, rows: list[dict[str, Any]], columns: dict[str, str]) -> RenderableType:
    if not rows:
        return Text(f"{title}: none.", style="dim")
    table = Table(title=title, title_justify="left")
    for name in columns.values():
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text("-" if row[key] is None else str(row[key])) for key in columns))
    return table
