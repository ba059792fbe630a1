"""`pattern-pipeline review`: the review page and its API, and the tokens of those who may use them from elsewhere."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.text import Text

from pattern_pipeline.cli.common import JsonOption, emit, fail_plainly, to_json
from pattern_pipeline.cli.ports import LOOPBACK, REVIEW_PORT, refuse_taken
from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.settings import get_settings

app = typer.Typer(help="The review page and its API.", invoke_without_command=True)


@app.callback()
def review(
    context: typer.Context,
    host: Annotated[str, typer.Option("--host", help="Other addresses than this computer need tokens.")] = LOOPBACK,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the page.")] = REVIEW_PORT,
) -> None:
    """Serve the review page and its API until Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    with fail_plainly():
        from pattern_pipeline.web.server import refuse_open_address, serve

        settings = get_settings()
        refuse_open_address(settings, host)
        refuse_taken("--port", port, host)
        typer.echo(f"Review: {address(host, port)} (Ctrl-C stops it)")
        serve(settings, host, port)


@app.command("token")
def token(
    name: Annotated[str, typer.Argument(help="Who gets it; this name stands in the history.")],
    role: Annotated[str, typer.Option("--role", help="reviewer may decide, viewer may look.")] = "reviewer",
    as_json: JsonOption = False,
) -> None:
    """Make a token, and the entry of the file of reviewers that knows it. The token itself is kept nowhere."""
    with fail_plainly(as_json):
        from pydantic import ValidationError

        from pattern_pipeline.web.reviewers import Reviewer, Role, new_token, token_hash

        secret = new_token()
        try:
            entry = Reviewer(name=name, role=Role(role), token_sha256=token_hash(secret))
        except (ValueError, ValidationError) as error:
            allowed = ", ".join(Role)
            raise InvalidInput(
                f"name {name!r}, role {role!r}: a name is not blank, a role is one of {allowed}"
            ) from error
    made: dict[str, Any] = {"token": secret, "entry": entry.model_dump(mode="json")}
    emit(made, as_json, _show_token)


def address(host: str, port: int) -> str:
    """Where a browser finds the page."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _show_token(made: dict[str, Any]) -> RenderableType:
    lines = "\n".join(f"{key} = {to_json(value)}" for key, value in made["entry"].items())
    return Text(
        f"Token, shown this once:\n{made['token']}\n\n"
        f"Add to the file that PATTERN_PIPELINE_REVIEWERS names:\n[[reviewers]]\n{lines}"
    )
