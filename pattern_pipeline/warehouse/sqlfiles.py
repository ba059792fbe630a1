"""Where the SQL files are, and how a statement file becomes what a driver takes.

A statement is plain SQL with `:name` parameters. The same file serves psycopg (`%(name)s`) and ADBC (`$1`); `::casts`,
strings, quoted identifiers, dollar quotes and comments are left alone. Nothing here connects or executes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pattern_pipeline.settings import PROJECT_ROOT

_IN_WHEEL = PROJECT_ROOT / "pattern_pipeline" / "_shipped"

_TOKEN = re.compile(
    r"""
      (?P<opaque> --[^\n]*                                   # comment to the end of the line
                | '(?:[^']|'')*'                             # string (an E'' string must not hold \')
                | "(?:[^"]|"")*"                             # quoted identifier
                | (?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag)  # dollar-quoted body
                | :: | :=                                    # cast, named argument
      )
    | (?P<comment> /\*)
    | (?P<semicolon> ; )
    | (?<![\w\]]):(?P<name>[A-Za-z_]\w*)                     # a parameter, not a slice such as a[1:n]
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Statement:
    """One SQL statement in both drivers' spelling."""

    named: str
    """With `%(name)s`; every other `%` doubled."""

    numbered: str
    """With `$1`, `$2`, ...; a name used twice keeps its number."""

    names: tuple[str, ...]
    """Parameter names in the order of `$n`."""


def shipped(name: str) -> Path:
    """A file or directory of the repository's root that the wheel carries too, e.g. sql, dagster.yaml."""
    in_clone = PROJECT_ROOT / name
    return in_clone if in_clone.exists() else _IN_WHEEL / name


def sql_root() -> Path:
    """The directory that holds migrations/, statements/ and views/."""
    return shipped("sql")


@cache
def statement(name: str) -> str:
    """Text of sql/statements/<name>.sql, e.g. `statement("history/merge_runs")`.

    Raises:
        LookupError: there is no such file.
    """
    path = sql_root() / "statements" / f"{name}.sql"
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise LookupError(f"no SQL statement named {name!r}: {path} does not exist") from error


@cache
def statements(name: str) -> tuple[Statement, ...]:
    """The statements of a file, in order.

    Raises:
        LookupError: there is no such file.
        ValueError: the file is empty, or has parameters and more than one statement.
    """
    parsed = tuple(parse(statement(name)))
    if not parsed:
        raise ValueError(f"SQL statement {name!r} is empty")
    if len(parsed) > 1 and any(each.names for each in parsed):
        raise ValueError(f"SQL statement {name!r} has parameters, so it must be exactly one statement")
    return parsed


def parse(text: str) -> Iterable[Statement]:
    """Splits SQL at top-level semicolons and finds the parameters of each statement."""
    named: list[str] = []
    numbered: list[str] = []
    names: list[str] = []
    has_code = False

    def literal(part: str, *, code: bool) -> None:
        nonlocal has_code
        named.append(part.replace("%", "%%"))
        numbered.append(part)
        has_code = has_code or (code and bool(part.strip()))

    def finished() -> Statement:
        return Statement("".join(named).strip(), "".join(numbered).strip(), tuple(names))

    position = 0
    while match := _TOKEN.search(text, position):
        literal(text[position : match.start()], code=True)
        position = match.end()
        if match["comment"]:
            position = _end_of_block_comment(text, match.start())
            literal(text[match.start() : position], code=False)
        elif match["opaque"]:
            literal(match["opaque"], code=not match["opaque"].startswith("--"))
        elif match["name"]:
            if match["name"] not in names:
                names.append(match["name"])
            named.append(f"%({match['name']})s")
            numbered.append(f"${names.index(match['name']) + 1}")
        else:
            if has_code:
                yield finished()
            named, numbered, names, has_code = [], [], [], False
    literal(text[position:], code=True)
    if has_code:
        yield finished()


def _end_of_block_comment(text: str, start: int) -> int:
    """Index after the block comment at `start`; PostgreSQL nests them, which a regular expression cannot follow."""
    depth = 0
    for mark in re.finditer(r"/\*|\*/", text[start:]):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return start + mark.end()
    raise ValueError("SQL text has a block comment that does not end")
