"""How files of exported telemetry are told, and the ids by which those that hold parts of the same runs are found.

An exporter rotates its file and writes spans and events apart, so that a trace or a session may stand in several files
of a directory. What the records mean is not asked here.
"""

from __future__ import annotations

import re
from typing import Final

from pattern_pipeline.history.readers.siblings import SiblingFiles

_START: Final = re.compile(rb'^(?:\xef\xbb\xbf)?\s*\{\s*"resource(?:Spans|Logs|Metrics)"\s*:')
_IDS: Final = re.compile(
    rb'"traceId"\s*:\s*"([0-9A-Fa-f]{1,64})"'
    rb'|"session\.id"\s*,\s*"value"\s*:\s*\{\s*"stringValue"\s*:\s*("(?:[^"\\]|\\.){1,200}")'
)


def is_telemetry(head: bytes) -> bool:
    """Whether a file that begins like this holds OTLP in JSON."""
    return _START.search(head) is not None


def telemetry_files() -> SiblingFiles:
    """The files of exported telemetry."""
    return SiblingFiles(is_telemetry, _IDS)
