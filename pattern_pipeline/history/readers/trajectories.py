"""Trajectories of mini-swe-agent (`*.traj.json`) and SWE-agent (`*.traj`): one JSON document a run.

Here a file becomes a document and a document a run with its steps; what the two formats mean is told in
`mini_trajectories` and `swe_trajectories`.

The id of a run is that of its task, with a digest of how the run began (the first answer of the model with its time or
id, or how long the first command took). So a file that grows or moves, and its copies, stay one run, while the same
task run again is another one. Where the beginning holds nothing of the kind, the name of the directory tells runs
apart: agents write each set of runs into one of its own.

SWE-agent writes no time at all. The run then ends when its file was last changed, and `extra` says so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from re import compile as pattern
from typing import Any, Final

import orjson
import polars as pl

from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.history.coercion import column, instant
from pattern_pipeline.history.faults import UNREDACTED_LENGTH, Faults
from pattern_pipeline.history.mapping import ReadOptions
from pattern_pipeline.history.model import Batch
from pattern_pipeline.history.readers import jsonlines, mini_trajectories, swe_trajectories
from pattern_pipeline.history.readers.base import Location
from pattern_pipeline.history.readers.gathering import Gathering
from pattern_pipeline.history.readers.loose import at, objects_of, text_of
from pattern_pipeline.history.readers.trajectory import Trajectory

MAX_BYTES: Final = 64 << 20
_POSITION: Final = "item 1"
_SUFFIXES: Final = (".traj", ".traj.json")
_STARTS: Final = (
    pattern(rb'^\s*\{\s*("environment"\s*:\s*"[^"]*"\s*,\s*)?"trajectory"\s*:\s*\['),
    pattern(rb'^\s*\{.{0,200}?"info"\s*:\s*\{(?s:.)*?"(instance_cost|exit_status|mini_version)"\s*:'),
    pattern(rb'^\s*\{(?s:.)*?"trajectory_format"\s*:\s*"mini-swe-agent'),
)


class TrajectoryReader:
    """Reads the trajectories of the two agents."""

    kind = "swe-agent"
    rank = 40
    version = 1

    def recognises(self, location: Location, head: bytes) -> bool:
        """A JSON document that bears the name of a trajectory, or begins like one."""
        text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if location.kind != "file" or not text.startswith(b"{"):
            return False
        if location.path.name.endswith(_SUFFIXES):
            return True
        return location.path.suffix == ".json" and any(start.search(text) for start in _STARTS)

    def related(self, location: Location) -> Sequence[str]:
        """None: a file says all there is to say of its run."""
        return ()

    def read(self, location: Location, options: ReadOptions, offset: int = 0) -> Iterator[Batch]:
        """The run of a file; see `Reader.read`. A half-written one is refused: its run is not gone."""
        output = Gathering(self.kind, options)
        document, faults = _document(location)
        if objects_of(document.get("trajectory")):
            trajectory = swe_trajectories.trajectory(document)
        elif objects_of(document.get("messages")):
            trajectory = mini_trajectories.trajectory(document)
        else:
            raise InvalidInput(f"{location.location} holds no trajectory: neither steps nor messages.")
        record = _record(trajectory, location, options.zone)
        output.account(rows_read=1, faults=faults, skipped=trajectory.skipped)
        output.add(record, trajectory.steps, _POSITION)
        yield from output.batches(is_last=True)


def _document(location: Location) -> tuple[dict[str, Any], Faults]:
    if location.kind != "file":
        raise InvalidInput(f"{location.location} is a table; trajectories are files.")
    faults = Faults()
    with location.path.open("rb") as stream:
        text = stream.read(MAX_BYTES + 1).removeprefix(b"\xef\xbb\xbf")
    if len(text) > MAX_BYTES:
        raise InvalidInput(
            f"{location.location} is a trajectory of more than {MAX_BYTES >> 20} MiB; shorten its observations first."
        )
    document = jsonlines.parse(text)
    if document is None:
        document = jsonlines.parse_leniently(text)
        if document is None:
            raise InvalidInput(f"{location.location} is no complete JSON object that can be stored.")
        excerpt = text[:UNREDACTED_LENGTH].decode("utf-8", "replace")
        detail = "The file is no strict JSON; what is no UTF-8 was replaced by U+FFFD and the run landed."
        faults.add(pl.Series([_POSITION]), "repaired", detail, pl.Series([excerpt]))
    return document, faults


def _record(trajectory: Trajectory, location: Location, zone: str) -> dict[str, Any]:
    """The run's record: what both formats have in common."""
    moments: list[int] = instant(column("moment", trajectory.times), zone).drop_nulls().dt.epoch("us").to_list()
    failures = [_is_failure(step) for step in trajectory.steps]
    known = [each for each in failures if each is not None]
    changed = datetime.fromtimestamp(location.path.stat().st_mtime, UTC)
    name = location.path.name
    for suffix in (".json", ".traj"):
        name = name.removesuffix(suffix)
    instance = trajectory.instance or name
    opening = [instance, *trajectory.opening]
    if not any(trajectory.opening):
        opening += [location.path.parent.name, name, trajectory.record.get("nl_input")]
    return {
        **trajectory.record,
        "workflow_id": f"{instance}:{_digest(opening)}",
        "instance_id": instance,
        "exit_status": text_of(at(trajectory.info, "exit_status")),
        "start_time": min(moments) / 1e6 if moments else None,
        "end_time": max(moments) / 1e6 if moments else changed,
        "time_from": None if moments else "file",
        "error_message": _failure(trajectory.info),
        "error_count": sum(known) if known else None,
        "api_calls": at(trajectory.info, "model_stats", "api_calls"),
        "submission": trajectory.submission,
        "instance_cost": trajectory.cost,
    }


def _is_failure(step: dict[str, Any]) -> bool | None:
    code = step.get("exit_code")
    return None if code is None else code != 0


def _failure(info: Any) -> str | None:
    """What broke the run off, where it did not end by itself."""
    traceback = text_of(at(info, "traceback"))
    return text_of(at(info, "exception_str")) or (traceback and traceback.strip().rpartition("\n")[2])


def _digest(value: Any) -> str:
    return hashlib.blake2b(orjson.dumps(value, default=str), digest_size=6).hexdigest()
