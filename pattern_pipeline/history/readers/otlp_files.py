"""How files of exported telemetry are told and opened, and the ids by which those that hold parts of a run are found.

An exporter rotates its file and writes spans and events apart, so that a trace or a session may stand in several files
of a directory. What the records mean is not asked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import orjson

from pattern_pipeline.history.faults import Faults
from pattern_pipeline.history.readers.jsonlines import MAX_LINE_BYTES, Block, blocks, parse
from pattern_pipeline.history.readers.loose import objects_of
from pattern_pipeline.history.readers.siblings import SiblingFiles

_MAX_DOCUMENT_BYTES: Final = 64 << 20
_START: Final = re.compile(rb'^(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*"resource(?:Spans|Logs|Metrics)"\s*:')
_IDS: Final = re.compile(
    rb'"traceId"\s*:\s*"([0-9A-Za-z+/=]{1,64})"'
    rb'|"session\.id"\s*,\s*"value"\s*:\s*\{\s*"stringValue"\s*:\s*("(?:[^"\\]|\\.){1,200}")'
)


def is_telemetry(head: bytes) -> bool:
    """Whether a file that begins like this holds OTLP in JSON."""
    return _START.search(head) is not None


def requests_in(path: Path) -> Iterator[Block]:
    """The exported requests of a file: one a line, else the whole of it one or a list of them."""
    with path.open("rb") as stream:
        is_lines = parse(stream.readline(MAX_LINE_BYTES).removeprefix(b"\xef\xbb\xbf")) is not None
    size = path.stat().st_size
    if is_lines or size > _MAX_DOCUMENT_BYTES:
        yield from blocks(path)
        return
    try:
        document = orjson.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
        orjson.dumps(document)  # Deeper nesting is read than can be written again.
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        yield from blocks(path)
        return
    rows = objects_of(document if isinstance(document, list) else [document])
    yield Block(rows, [0] * len(rows), Faults(), len(rows), size)


def telemetry_files() -> SiblingFiles:
    """The files of exported telemetry."""
    return SiblingFiles(is_telemetry, _IDS)
