"""`sequences`: the catalogue of what repeats across steps, with what was excluded and why."""

from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pattern_pipeline.cli.common import JsonOption, emit, fail_plainly
from pattern_pipeline.cli.show import VERDICTS, usd
from pattern_pipeline.settings import get_settings


def command(
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many.")] = 50,
    excluded: Annotated[bool, typer.Option("--excluded", help="Also normal orchestration, with the reason.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Sequences of 2 to 8 steps that repeat, by the number of runs that contain them."""
    with fail_plainly(as_json):
        from pattern_pipeline.patterns.report import sequences
        from pattern_pipeline.warehouse.database import Warehouse

        with Warehouse.held(get_settings()) as warehouse, warehouse.transaction() as tx:
            rows = sequences(tx, limit=limit, excluded=excluded)
    emit(rows, as_json, _show)


def _show(rows: list[dict[str, Any]]) -> RenderableType:
    if not rows:
        return Text("No sequence repeats often enough; `--excluded` shows normal orchestration too.")
    table = Table(title=f"{len(rows)} sequences", title_justify="left")
    table.add_column("sequence", overflow="fold")
    for name in ("runs", "days", "cost"):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    for row in rows:
        words = VERDICTS[row["verdict"]][0] if row["verdict"] else row["exclusion_reason"] or "only in longer ones"
        table.add_row(
            Text.assemble(row["readable"], "\n", (row["signature"], "dim")),
            f"{row['workflows']:,}",
            f"{row['days']:,}",
            usd(row["attributed_cost_usd"], 4),
            words,
        )
    return table
