"""`pattern-pipeline`: the root of the command line, nothing but its commands.

Each group is a file of its own; what a command does is a call into a service.
"""

from importlib.metadata import version
from typing import Annotated

import typer

from pattern_pipeline.cli import (
    chain,
    db,
    detect,
    doctor,
    patterns,
    policy,
    prices,
    queue,
    review,
    roi,
    sequences,
    serve,
    status,
)

app = typer.Typer(
    name="pattern-pipeline",
    help="Finds the operations that repeat in the history of LLM-agent workflows, says what they really cost and what "
    "automating them is worth, and puts it before a person.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("run")(chain.run)
app.command("ingest")(chain.ingest)
app.command("backfill")(chain.backfill)
app.command("up")(serve.up)
app.command("status")(status.command)
app.command("sequences")(sequences.command)
app.command("detect")(detect.command)
app.command("doctor")(doctor.command)
app.add_typer(patterns.app, name="patterns")
app.add_typer(queue.app, name="queue")
app.add_typer(review.app, name="review")
app.add_typer(roi.app, name="roi")
app.add_typer(policy.app, name="policy")
app.add_typer(prices.app, name="prices")
app.add_typer(db.app, name="db")


@app.callback(invoke_without_command=True)
def root(
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    """Options that belong to no command."""
    if show_version:
        typer.echo(version("pattern-pipeline"))
        raise typer.Exit


def main() -> None:
    """Entry point of the console script."""
    app()
