"""OTLP in JSON: the spans and log records of one exported request, with plain attributes and times.

Only the envelope is understood here; what spans mean belongs to `otlp_events`.
"""

from __future__ import annotations

from base64 import b64decode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal

from pattern_pipeline.history.readers.loose import at, list_of, mapping_of, objects_of, text_of

_ERROR: Final = (2, "STATUS_CODE_ERROR")
# Of spans and of traces; those of hex are 16 and 32.
_BASE64_LENGTHS: Final = (12, 24)
_OTHERS: Final = ("resourceMetrics", "resourceProfiles")


@dataclass(slots=True)
class Record:
    """A span or a log record.

    Attributes:
        signal: Which of the two.
        name: Of a span its name, of a log record that of its event, else the text of its body.
        scope: Name of the instrumentation.
        trace: Trace id in hex; empty where there is none.
        span: Id of the span, or of the one that was active.
        parent: Id of the parent span.
        start: Microseconds since 1970; 0: not told.
        end: The same.
        attributes: Those of the resource with the record's own in front.
        events: Names and attributes of a span's events.
        is_error: The status says so.
        message: What the status says.
        place: Number of the record in its line.
    """

    signal: Literal["span", "log"]
    name: str
    scope: str
    trace: str
    span: str
    parent: str
    start: int
    end: int
    attributes: dict[str, Any]
    events: Sequence[tuple[str, dict[str, Any]]]
    is_error: bool
    message: str | None
    place: int


def records_in(row: Mapping[str, Any], skipped: Counter[str]) -> Iterator[Record]:
    """The records of one exported request; signals that are not read are counted in `skipped`."""
    place = 0
    for signals, scopes, items, make in (
        ("resourceSpans", "scopeSpans", "spans", _span),
        ("resourceLogs", "scopeLogs", "logRecords", _log),
    ):
        for resource in objects_of(row.get(signals)):
            shared = attributes_of(at(resource, "resource", "attributes"))
            for scope in objects_of(resource.get(scopes)):
                scope_name = text_of(at(scope, "scope", "name")) or ""
                for item in list_of(scope.get(items)):
                    place += 1
                    if isinstance(item, dict):
                        yield make(item, scope_name, shared, place)
                    else:
                        skipped[f"{items} ({type(item).__name__})"] += 1
    skipped.update({name: len(given) for name in _OTHERS if (given := list_of(row.get(name)))})


def attributes_of(given: Any) -> dict[str, Any]:
    """Attributes as plain values."""
    if isinstance(given, dict):
        return {name: _value(value) for name, value in given.items()}
    pairs = ((pair.get("key"), pair.get("value")) for pair in objects_of(given))
    return {name: _value(value) for name, value in pairs if isinstance(name, str)}


def whole_number(value: Any) -> int | None:
    """A number that may be written as text, as 64-bit numbers are; None for what is no whole one."""
    if isinstance(value, str) and len(value) < 20 and value.removeprefix("-").isdecimal() and value.isascii():
        return int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _span(item: Mapping[str, Any], scope: str, shared: dict[str, Any], place: int) -> Record:
    status = mapping_of(item.get("status"))
    events = [
        (text_of(event.get("name")) or "", attributes_of(event.get("attributes")))
        for event in objects_of(item.get("events"))
    ]
    return Record(
        "span",
        text_of(item.get("name")) or "",
        scope,
        _id(item.get("traceId")),
        _id(item.get("spanId")),
        _id(item.get("parentSpanId")),
        _micros(item.get("startTimeUnixNano")),
        _micros(item.get("endTimeUnixNano")),
        shared | attributes_of(item.get("attributes")),
        events,
        status.get("code") in _ERROR,
        text_of(status.get("message")),
        place,
    )


def _log(item: Mapping[str, Any], scope: str, shared: dict[str, Any], place: int) -> Record:
    attributes = shared | attributes_of(item.get("attributes"))
    body = _value(item.get("body"))
    moment = _micros(item.get("timeUnixNano")) or _micros(item.get("observedTimeUnixNano"))
    return Record(
        "log",
        text_of(item.get("eventName")) or text_of(body) or text_of(attributes.get("event.name")) or "",
        scope,
        _id(item.get("traceId")),
        _id(item.get("spanId")),
        "",
        moment,
        moment,
        attributes,
        (),
        False,
        None,
        place,
    )


def _id(given: Any) -> str:
    """An id in hex; some write it in base64, as JSON of Protocol Buffers has bytes. One of zeros is none."""
    written = text_of(given) or ""
    if len(written) in _BASE64_LENGTHS and written.endswith("="):
        with suppress(ValueError):
            written = b64decode(written, validate=True).hex()
    return written.lower() if written.strip("0") else ""


def _value(given: Any) -> Any:
    """A typed value as a plain one."""
    if not isinstance(given, dict):
        return given
    match given:
        case {"intValue": value}:
            return whole_number(value)
        case {"arrayValue": value}:
            return [_value(each) for each in list_of(at(value, "values"))]
        case {"kvlistValue": value}:
            return attributes_of(at(value, "values"))
        case {"stringValue": value} | {"boolValue": value} | {"doubleValue": value} | {"bytesValue": value}:
            return value
        case _:
            return None


def _micros(nanos: Any) -> int:
    return max(whole_number(nanos) or 0, 0) // 1_000
