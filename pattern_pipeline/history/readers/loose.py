"""Values of unknown shape, read as the shape that is wanted: what has another one is nothing.

Shared by the readers of nested records. Nothing here knows a format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson


def text_of(value: Any) -> str | None:
    """Text that is not empty."""
    return value if isinstance(value, str) and value else None


def list_of(value: Any) -> Sequence[Any]:
    """A list."""
    return value if isinstance(value, list) else ()


def objects_of(value: Any) -> list[dict[str, Any]]:
    """The objects of a list."""
    return [each for each in list_of(value) if isinstance(each, dict)]


def decoded(value: Any) -> Any:
    """A value that may be written as JSON text."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            return value
    return value


def mapping_of(value: Any) -> Mapping[str, Any]:
    """An object, perhaps written as JSON text."""
    given = decoded(value)
    return given if isinstance(given, dict) else {}


def at(value: Any, *path: str) -> Any:
    """What stands at a path of nested objects."""
    for key in path:
        value = mapping_of(value).get(key)
    return value


def count_of(value: Any) -> int:
    """A whole number, 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def blocks_of(content: Any) -> list[dict[str, Any]]:
    """The content of a message as blocks: a text is one."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else objects_of(content)


def joined_text(blocks: Sequence[Mapping[str, Any]]) -> str:
    """The texts among some blocks, a line each."""
    texts = [block.get("text") for block in blocks if block.get("type") == "text"]
    return "\n".join([each for each in texts if isinstance(each, str) and each])
