"""`prices`: what tokens cost, and which models of the history have no price."""

import json
from typing import Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pattern_pipeline.cli.common import JsonOption, emit, fail_plainly
from pattern_pipeline.cli.show import usd
from pattern_pipeline.settings import get_settings

app = typer.Typer(help="The price book, by which runs without a bill are priced.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `check` a command of its own."""


@app.command()
def check(as_json: JsonOption = False) -> None:
    """List the models of the history with their share of the tokens, and whether each has a price."""
    with fail_plainly(as_json):
        from pattern_pipeline.history.price_check import check_prices
        from pattern_pipeline.history.pricing import load_prices
        from pattern_pipeline.warehouse.database import Warehouse

        settings = get_settings()
        prices = load_prices(settings.prices)
        with Warehouse.held(settings) as warehouse:
            result = check_prices(warehouse, prices).to_dict()
    emit(result, as_json, _show)


def _show(result: dict[str, Any]) -> RenderableType:
    told = Text(f"Price book {result['version']}. {result['unpriced_share']:.1%} of the tokens have no cost.")
    if not result["models"]:
        return Group(told, Text("No run in the history names a model."))
    table = Table()
    table.add_column("model", overflow="fold")
    for name in ("runs", "tokens", "share", "without cost", "cost", "$/M in", "$/M out"):
        table.add_column(name, justify="right")
    for each in result["models"]:
        has_price = each["input_usd_per_million"] is not None
        table.add_row(
            each["model"] or "(none named)",
            f"{each['runs']:,}",
            f"{each['tokens']:,}",
            f"{each['share']:.1%}",
            f"{each['unpriced_tokens']:,}",
            usd(each["cost_usd"]),
            str(each["input_usd_per_million"]) if has_price else "no price",
            str(each["output_usd_per_million"]) if has_price else "-",
        )
    without = [each["model"] for each in result["models"] if each["model"] and _lacks_price(each)]
    if not any(map(_lacks_price, result["models"])):
        return Group(told, table)
    return Group(told, table, Text(_advice(without[0] if without else "name-of-the-model")))


def _lacks_price(model: dict[str, Any]) -> bool:
    return bool(model["input_usd_per_million"] is None and model["unpriced_tokens"])


def _advice(model: str) -> str:
    return (
        "A model without a price is never counted as $0: its runs have no cost. Give it one in a TOML file (these are "
        "USD per million tokens), name the file in PATTERN_PIPELINE_PRICES and run ingest:\n\n"
        f'version = "ours-1"\n\n[[prices]]\nmodels = [{json.dumps(model)}]\ninput = "1.00"\noutput = "5.00"'
    )
