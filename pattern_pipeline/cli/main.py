"""`pattern-pipeline`: the root of the command line, nothing but its commands.

Each group is a file of its own; what a command does is a call into a service.
"""

from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pattern_pipeline.cli import (
    chain,
    db,
    detect,
    doctor,
    export,
    library,
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


class Root(TyperGroup):
    """Knows commands of two words beside one of their first word: `ingest forget` beside `ingest SOURCE`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that the first two words name, else the first one."""
        words = " ".join(args[:2])
        if words in self.commands:
            return words, self.commands[words], args[2:]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="pattern-pipeline",
    cls=Root,
    help="Finds the operations that repeat in the history of LLM-agent workflows, says what they really cost and what "
    "automating them is worth, and puts it before a person.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("run")(chain.run)
app.command("ingest")(chain.ingest)
app.command("ingest forget")(chain.forget)
app.command("backfill")(chain.backfill)
app.command("up")(serve.up)
app.command("status")(status.command)
app.command("sequences")(sequences.command)
app.command("detect")(detect.command)
app.command("export")(export.command)
app.command("doctor")(doctor.command)
app.add_typer(patterns.app, name="patterns")
app.add_typer(queue.app, name="queue")
app.add_typer(library.app, name="library")
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
