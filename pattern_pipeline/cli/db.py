"""`pattern-pipeline db`: the database server, its schema and its dumps."""

from __future__ import annotations

import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pattern_pipeline.cli.common import JsonOption, emit, fail_plainly
from pattern_pipeline.errors import Conflict, InvalidInput
from pattern_pipeline.settings import get_settings

if TYPE_CHECKING:
    from pattern_pipeline.warehouse.embedded import EmbeddedServer

app = typer.Typer(
    help="The database: start, stop, look into, migrate, verify, dump, restore, upgrade.", no_args_is_help=True
)

DagsterOption = Annotated[bool, typer.Option("--dagster", help="Dagster's own database instead of ours.")]


@app.command()
def start(as_json: JsonOption = False) -> None:
    """Start the embedded server and leave it running."""
    with fail_plainly(as_json):
        from pattern_pipeline.warehouse.servers import dagster_url, pipeline_url
        from pattern_pipeline.warehouse.urls import redacted

        settings = get_settings()
        _embedded()
        urls = {"database": redacted(pipeline_url(settings)), "dagster": redacted(dagster_url(settings))}
    emit(urls, as_json, lambda data: f"Running: {data['database']}")


@app.command()
def stop(
    force: Annotated[
        bool, typer.Option("--force", help="Stop it although other processes use it; who stays starts it again.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Stop the embedded server."""
    with fail_plainly(as_json):
        server = _embedded()
        if not force and server.in_use():
            raise Conflict(
                "Other pattern-pipeline or Dagster processes use the server. End them, or stop it with --force."
            )
        result = {"stopped": server.stop()}
    emit(result, as_json, lambda data: "Stopped." if data["stopped"] else "It was not running.")


@app.command()
def status(as_json: JsonOption = False) -> None:
    """Say whether the database answers, and where it is; starts nothing."""
    with fail_plainly(as_json):
        from pattern_pipeline.warehouse.servers import embedded_server, pipeline_url
        from pattern_pipeline.warehouse.urls import redacted

        settings = get_settings()
        result: dict[str, Any]
        if server := embedded_server(settings):
            result = {"embedded": True, **asdict(server.status())}
        else:
            result = {"embedded": False, "running": True, "url": redacted(pipeline_url(settings))}
    emit(result, as_json, _render_status)


@app.command()
def url(dagster: DagsterOption = False, as_json: JsonOption = False) -> None:
    """Print the URL of the database, with its password if it has one; starts the embedded server."""
    with fail_plainly(as_json):
        result = {"url": _database_url(dagster)}
    emit(result, as_json, lambda data: data["url"])


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context, dagster: DagsterOption = False, as_json: JsonOption = False) -> None:
    """Open psql on the database; further arguments are psql's. With --json: print the command instead."""
    with fail_plainly(as_json):
        from pattern_pipeline.warehouse.dump import tool_environment
        from pattern_pipeline.warehouse.embedded import binary_dir
        from pattern_pipeline.warehouse.urls import without_password

        database = _database_url(dagster)
        command = [str(binary_dir() / "psql"), f"--dbname={without_password(database)}", *context.args]
        if as_json:
            return emit({"command": command}, as_json, str)
        finished = subprocess.run(command, env=tool_environment(database), check=False)
    raise typer.Exit(finished.returncode)


@app.command()
def migrate(as_json: JsonOption = False) -> None:
    """Bring the schema up to date; safe to run at any time and from several processes."""
    with fail_plainly(as_json):
        from pattern_pipeline.warehouse import migrations
        from pattern_pipeline.warehouse.servers import connected

        with connected(_database_url(dagster=False)) as connection:
            applied = migrations.migrate(connection)
    emit(
        {"applied": applied},
        as_json,
        lambda data: "\n".join(data["applied"]) or "Nothing to do: the schema is current.",
    )


@app.command()
def verify(as_json: JsonOption = False) -> None:
    """Check the schema and the chain of the review history; lists what is wrong and exits with 4 when something is."""
    with fail_plainly(as_json):
        from pattern_pipeline.warehouse import migrations
        from pattern_pipeline.warehouse.servers import connected

        with connected(_database_url(dagster=False)) as connection:
            problems = migrations.verify(connection)
    emit(
        {"problems": problems}, as_json, lambda data: "\n".join(data["problems"]) or "The database is as it should be."
    )
    if problems:
        raise typer.Exit(Conflict.exit_code)


@app.command()
def dump(
    target: Annotated[Path, typer.Argument(help="Directory to create.")],
    as_json: JsonOption = False,
) -> None:
    """Write both databases to a new directory, in pg_dump's custom format."""
    with fail_plainly(as_json):
        from pattern_pipeline.warehouse import dump as dumps

        files = dumps.dump(get_settings(), target)
    emit({"files": files}, as_json, lambda data: "\n".join(str(file) for file in data["files"]))


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="Directory that `db dump` wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Replace what the databases hold.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Restore both databases from a dump, then bring the schema up to date."""
    with fail_plainly(as_json):
        from pattern_pipeline.warehouse import dump as dumps
        from pattern_pipeline.warehouse import migrations
        from pattern_pipeline.warehouse.servers import connected

        dumps.restore(get_settings(), source, force=force)
        with connected(_database_url(dagster=False)) as connection:
            applied = migrations.migrate(connection)
    emit({"restored": source, "applied": applied}, as_json, lambda data: f"Restored {data['restored']}.")


@app.command()
def upgrade(
    from_binaries: Annotated[
        Path | None,
        typer.Option(help="Directory of the old version's programs, e.g. /usr/lib/postgresql/15/bin."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Take over the data directory of an older major version of PostgreSQL; the old one is kept beside it."""
    with fail_plainly(as_json):
        from pattern_pipeline.warehouse.upgrade import upgrade as take_over

        _embedded()
        result = take_over(get_settings(), from_binaries)
    emit({"upgraded": result}, as_json, _render_upgrade)


def _database_url(dagster: bool) -> str:
    from pattern_pipeline.warehouse.servers import dagster_url, pipeline_url

    return dagster_url(get_settings()) if dagster else pipeline_url(get_settings())


def _embedded() -> EmbeddedServer:
    from pattern_pipeline.warehouse.servers import embedded_server

    server = embedded_server(get_settings())
    if server is None:
        raise InvalidInput(
            "PATTERN_PIPELINE_DATABASE_URL names a server of your own, which is not ours to start or stop."
        )
    return server


def _render_upgrade(data: dict[str, Any]) -> str:
    if data["upgraded"] is None:
        return "Nothing to do: the data directory is of the present version."
    done = data["upgraded"]
    return (
        f"Taken over from PostgreSQL {done.old_version} to {done.new_version}. The old data directory is kept as "
        f"{done.kept}: remove it when all is well."
    )


def _render_status(data: dict[str, Any]) -> str:
    if not data["embedded"]:
        return f"{data['url']} answers."
    state = f"running (process {data['pid']})" if data["running"] else "not running"
    users = "in use" if data["in_use"] else "not in use"
    return f"Embedded PostgreSQL {data['version'] or ''} in {data['state_dir']}: {state}, {users}."
