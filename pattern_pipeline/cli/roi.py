"""`pattern-pipeline roi`: what automating is worth, what it turned out to be worth, and what it all costs a month.

Estimates are here, realised figures in `roi_realised`; how results look is the matter of `roi_show` and `roi_page`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pattern_pipeline.cli import roi_realised
from pattern_pipeline.cli.common import JsonOption, emit, fail_plainly
from pattern_pipeline.cli.roi_show import show_assumptions, show_budget, show_estimate, show_summary, show_what_if
from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.settings import get_settings

app = typer.Typer(
    help="What automating is worth, and what it turned out to be worth.",
    no_args_is_help=True,
)
app.command("record")(roi_realised.record)
app.command("log-saving")(roi_realised.log_saving)
app.command("report")(roi_realised.report)
app.command("top")(roi_realised.top)
app.command("bottom")(roi_realised.bottom)
app.command("validate")(roi_realised.validate)
app.command("recommendations")(roi_realised.recommendations)
app.add_typer(roi_realised.confidence, name="confidence")

Pattern = Annotated[str, typer.Argument(help="A signature, like test:pytest:backend, or a number.")]


@app.command("show")
def show(pattern: Pattern, as_json: JsonOption = False) -> None:
    """One estimate in plain words: what we saw, what it costs, what automating would save, how sure that is."""
    with fail_plainly(as_json):
        from pattern_pipeline.roi.questions import explained
        from pattern_pipeline.warehouse.database import Warehouse

        with Warehouse.held(get_settings()) as warehouse:
            found = explained(warehouse, pattern)
    emit(found, as_json, show_estimate)


@app.command("summary")
def summary(
    html: Annotated[Path | None, typer.Option("--html", help="Also write it as one HTML file with charts.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="How many estimates.")] = 30,
    as_json: JsonOption = False,
) -> None:
    """All estimates ranked, and how far the automations keep what was promised."""
    with fail_plainly(as_json):
        from pattern_pipeline.detection.policy import load_policy
        from pattern_pipeline.roi.portfolio import portfolio
        from pattern_pipeline.warehouse.database import Warehouse

        settings = get_settings()
        with Warehouse.held(settings) as warehouse:
            found = portfolio(warehouse, load_policy(settings.policy), limit=limit)
        if html is not None:
            from pattern_pipeline.cli.roi_page import page

            try:
                html.write_text(page(found), encoding="utf-8")
            except OSError as error:
                raise InvalidInput(f"--html {html}: cannot be written: {error.strerror}") from error
    emit(found, as_json, show_summary)


@app.command("assumptions")
def assumptions(as_json: JsonOption = False) -> None:
    """Every assumption of the policy, and for how many patterns an input is assumed rather than measured."""
    with fail_plainly(as_json):
        from pattern_pipeline.detection.policy import load_policy
        from pattern_pipeline.roi import what_if as questions
        from pattern_pipeline.roi.portfolio import assumed_inputs
        from pattern_pipeline.warehouse.database import Warehouse

        settings = get_settings()
        policy = load_policy(settings.policy)
        with Warehouse.held(settings) as warehouse:
            inputs = assumed_inputs(warehouse)
        found = {
            "policy": settings.policy,
            "roi_version": policy.roi_version,
            "assumptions": dict(questions.assumptions(policy.roi)),
            "inputs": inputs,
        }
    emit(found, as_json, show_assumptions)


@app.command("what-if")
def what_if(
    assignments: Annotated[list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="More of --set.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="An assumption, e.g. coverage=0.5; repeatable."),
    ] = None,
    pattern: Annotated[str | None, typer.Option("--pattern", help="Only this one.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Estimate anew with changed assumptions; nothing is stored."""
    with fail_plainly(as_json):
        from pattern_pipeline.detection.policy import load_policy
        from pattern_pipeline.roi.what_if import what_if as ask
        from pattern_pipeline.warehouse.database import Warehouse

        settings = get_settings()
        with Warehouse.held(settings) as warehouse:
            found = ask(warehouse, load_policy(settings.policy), [*(changes or []), *(assignments or [])], pattern)
    emit(found, as_json, show_what_if)


@app.command("budget")
def budget(as_json: JsonOption = False) -> None:
    """Spend of the month of the latest event, its forecast, and its share by model and pattern."""
    with fail_plainly(as_json):
        from pattern_pipeline.detection.policy import load_policy
        from pattern_pipeline.roi.budget import budget as view
        from pattern_pipeline.warehouse.database import Warehouse

        settings = get_settings()
        with Warehouse.held(settings) as warehouse:
            found = view(warehouse, load_policy(settings.policy))
    emit(found, as_json, show_budget)
