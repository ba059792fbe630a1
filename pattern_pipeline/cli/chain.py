"""`run`, `ingest` and `backfill`: the chain, executed through Dagster, and what it found."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pattern_pipeline.cli.common import JsonOption, emit, fail_plainly
from pattern_pipeline.cli.progress import phases
from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.settings import get_settings

if TYPE_CHECKING:
    from pattern_pipeline.history.mapping import ReadOptions

Sources = Annotated[list[str] | None, typer.Argument(help="Files, directories, globs or database URLs.")]
MappingOption = Annotated[
    Path | None, typer.Option("--mapping", help="TOML file that names the columns of these sources.")
]
ZoneOption = Annotated[str | None, typer.Option("--timezone", help="IANA zone of their times that name none.")]
NamespaceOption = Annotated[
    str | None, typer.Option("--namespace", help="Prefix of their ids; keeps ids of unrelated sources apart.")
]
TypeOption = Annotated[
    str | None, typer.Option("--source-type", help="Their reader, when the content does not tell; auto: it does.")
]
PolicyOption = Annotated[str, typer.Option("--policy", help="Policy name or file; none: PATTERN_PIPELINE_POLICY.")]
SinceOption = Annotated[str | None, typer.Option("--since", help="Only hours from this UTC time on.")]
UntilOption = Annotated[str | None, typer.Option("--until", help="Only hours before this UTC time.")]


def run(
    sources: Sources = None,
    sample: Annotated[bool, typer.Option("--sample", help="Use a generated sample history.")] = False,
    policy: PolicyOption = "",
    preset: Annotated[str, typer.Option("--preset", help="Queue preset of the policy.")] = "smart",
    since: SinceOption = None,
    until: UntilOption = None,
    mapping: MappingOption = None,
    timezone: ZoneOption = None,
    namespace: NamespaceOption = None,
    source_type: TypeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read sources, compute what they touch, and print what is worth automating.

    How a source is to be read is remembered with it: without sources, all configured ones are read that way again.
    """
    with fail_plainly(as_json), phases(as_json) as shown:
        from pattern_pipeline.patterns.report import overview
        from pattern_pipeline.runs import chain_runner

        options = _read_options([] if sample else sources, mapping, timezone, namespace, source_type)
        first, last = moment(since), moment(until)
        if first and last and first >= last:
            raise InvalidInput(f"--since {since} must lie before --until {until}")
        with chain_runner(get_settings(), shown.announce, policy, shown.landed) as runner:
            runner.check(preset=preset)
            specs = [*(sources or []), *(_sample(runner.settings.state_dir() / "sample") if sample else [])]
            landing = runner.ingest(specs, options, source_type or "")
            runner.catch_up(first, last)
            runner.publish(preset)
            result = overview(runner.pipeline.warehouse)
    from pattern_pipeline.cli.show import show_overview, unpriced

    state, models = result.pop("state"), result.pop("unpriced_models")
    remarks = [*landing["notes"], *([unpriced(models)] if models else [])]
    remarks += [] if state == "current" else [f"Counts are not complete yet: {state}."]
    if as_json:
        # What this call could not read or compute is no part of what is known.
        for remark in remarks:
            typer.echo(remark, err=True)
        emit(result, as_json, str)
    else:
        emit({**result, "landing": {**landing, "notes": remarks}}, as_json, show_overview)


def ingest(
    sources: Sources = None,
    mapping: MappingOption = None,
    timezone: ZoneOption = None,
    namespace: NamespaceOption = None,
    source_type: TypeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Only read what is new in the sources; without any, in all configured ones.

    How a source is to be read is remembered with it. `ingest forget SOURCE` takes back what a source supplied.
    """
    with fail_plainly(as_json), phases(as_json) as shown:
        from pattern_pipeline.runs import chain_runner

        options = _read_options(sources, mapping, timezone, namespace, source_type)
        with chain_runner(get_settings(), shown.announce, progress=shown.landed) as runner:
            landing = runner.ingest(sources or [], options, source_type or "")
    from pattern_pipeline.cli.show import show_landing

    emit(landing, as_json, show_landing)


def forget(
    source: Annotated[str, typer.Argument(help="File, directory, glob or database URL, as `status` lists it.")],
    as_json: JsonOption = False,
) -> None:
    """Remove a source and the runs that no other source supplies; the next run computes their hours anew."""
    with fail_plainly(as_json):
        from pattern_pipeline.history.forgetting import forget as take_back
        from pattern_pipeline.warehouse.database import Warehouse

        with Warehouse.held(get_settings()) as warehouse:
            forgotten = take_back(warehouse, source).to_dict()
    emit(forgotten, as_json, _show_forgotten)


def backfill(
    since: Annotated[str, typer.Option("--from", help="First hour, UTC.")],
    until: Annotated[str, typer.Option("--to", help="The hour after the last one, UTC.")],
    policy: PolicyOption = "",
    preset: Annotated[str, typer.Option("--preset", help="Queue preset of the policy.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Compute a range of hours anew in one run, whether they are stale or not, then the queue."""
    with fail_plainly(as_json), phases(as_json) as shown:
        from pattern_pipeline.patterns.windows import Window, ceil_hour, floor_hour
        from pattern_pipeline.runs import chain_runner

        first, last = moment(since), moment(until)
        if first is None or last is None or first >= last:
            raise InvalidInput(f"--from {since} must lie before --to {until}")
        window = Window(floor_hour(first), ceil_hour(last))
        with chain_runner(get_settings(), shown.announce, policy) as runner:
            runner.check(window, preset)
            runner.recompute(window)
            runner.publish(preset)
            result = {"from": window.start.isoformat(), "to": window.end.isoformat(), "runs": runner.run_ids}
    emit(result, as_json, _show_backfill)


def _show_backfill(result: dict[str, Any]) -> str:
    return f"Recomputed {result['from']} to {result['to']} in {len(result['runs'])} runs."


def _show_forgotten(result: dict[str, Any]) -> str:
    files, runs = len(result["locations"]), result["runs_deleted"]
    forgot = f"Forgot {files:,} files or tables and {runs:,} runs that nothing else supplied."
    back = [
        f"It is part of {spec}, which brings it back unless it is moved away." for spec in result["still_configured"]
    ]
    return "\n".join([forgot, *back, "`pattern-pipeline run` computes the hours anew."])


def _read_options(
    sources: list[str] | None,
    mapping: Path | None,
    timezone: str | None,
    namespace: str | None,
    source_type: str | None,
) -> "ReadOptions":
    """How the named sources are to be read.

    Raises:
        InvalidInput: an option cannot be used, or stands there without sources.
    """
    from pattern_pipeline.history.mapping import load_mapping, options_of
    from pattern_pipeline.history.readers import check_source_type

    given = {"timezone": timezone, "namespace": namespace, "mapping": mapping and load_mapping(mapping)}
    said = {name: value for name, value in given.items() if value is not None}
    if (said or source_type) and not sources:
        names = ", ".join(f"--{name}" for name in [*said, *(["source-type"] if source_type else [])])
        raise InvalidInput(f"{names}: name the sources to be read that way in the same command, without --sample.")
    check_source_type(source_type or "auto")
    return options_of(said)


def _sample(directory: Path) -> list[str]:
    from pattern_pipeline.sample import write_sample

    return [str(path) for path in write_sample(directory)]


def moment(text: str | None) -> datetime | None:
    """A UTC time from ISO text; without a zone it is UTC.

    Raises:
        InvalidInput: it is not a time.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is not a time; write it like 2026-04-10 or 2026-04-10T06:00Z") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
