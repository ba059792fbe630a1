"""A tool call -> its template: what stays the same when it is repeated, with typed slots for what varies.

Programs, sub-commands, flags and operators stay; other words become `<path>`, `<num>`, `<hash>`, `<uuid>`, `<url>`,
`<str>` or `<date>`. Only the template of one call belongs here; what is known of a slot's values over many calls is
`slots.py`.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final, Literal, NamedTuple, cast

import orjson

from pattern_pipeline.detection.commands import Invocation
from pattern_pipeline.detection.shell_model import Operator, Script, SimpleCommand
from pattern_pipeline.detection.steps_policy import StepPolicy

SlotKind = Literal["path", "num", "hash", "uuid", "url", "str", "date"]

MAX_SLOTS = 64
"""Slot values of one call that are kept."""
MAX_VALUE = 200
"""Code points of a slot value that are kept."""
MAX_BYTES = 1_500
"""A longer template is cut and ends in the hash of the whole: it must fit into an index row of PostgreSQL."""

KINDS: Final = r"""
      (?P<uuid> [0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12} )
    | (?P<date> \d{4}-\d{2}-\d{2}(?:[T\ ]\d{2}:\d{2}(?::\d{2})?\S{0,16})? )
    | (?P<num> [+-]?\d+(?:[.,]\d+)*[%kKMG]? )
    | (?P<hash> (?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,64} )
    | (?P<url> [A-Za-z][A-Za-z0-9+.-]*://\S+ )
    | (?P<path> [^\s"'`|;<>()\\]*/[^\s"'`|;<>()\\]* | [\w@+*?~-]*\.[A-Za-z]\w{0,7}(?:::\S+)? | ~ | \.{1,2} | \* )
    """
"""Verbose pattern of the values of each kind of slot, the most specific first; what fits none is a `str`."""
BARE: Final = r"[\w$][\w$.@+-]*"
"""Pattern of the words that are a path if their program takes paths, and nothing in themselves."""

_KIND = re.compile(KINDS, re.VERBOSE)
_FLAG = re.compile(r"[-+]{1,2}[\w?@][\w.:-]{0,40}")
_NUMBERED_FLAG = re.compile(r"(-[A-Za-z]*)(\d+)")
_VALUED_FLAG = re.compile(r"(--?[\w?@][\w.:-]{0,40}=)(.*)", re.DOTALL)
_PUNCTUATION = re.compile(r"[^\w\s/.*~]{1,3}")
_BARE = re.compile(BARE)
_NOT_STORABLE = re.compile(r"[\0\ud800-\udfff]")


class Slot(NamedTuple):
    """A variable part of a call and its value there, bounded."""

    kind: SlotKind
    value: str


class _Piece(NamedTuple):
    """A literal, a slot, or a literal that a slot follows at once (`--cov=<path>`)."""

    literal: str
    slot: Slot | None = None


class Template(NamedTuple):
    """The text of a template and the values of its slots, in order."""

    text: str
    slots: tuple[Slot, ...]


def slot_kind(value: str) -> SlotKind:
    """The most specific kind of slot that the value fits; of a long one, its first `MAX_VALUE` code points."""
    found = _KIND.fullmatch(value, 0, MAX_VALUE)
    return cast(SlotKind, found.lastgroup) if found else "str"


def storable(text: str) -> str:
    """The text without what PostgreSQL cannot hold: NUL and lone surrogates."""
    return _NOT_STORABLE.sub("\ufffd", text)


def command_template(script: Script, invocations: Sequence[Invocation | None], policy: StepPolicy) -> Template:
    """Template of a parsed command; a leading `cd DIR &&` is not part of it.

    Args:
        script: The parsed command.
        invocations: What each of its simple commands runs, in order.
        policy: The step layer's policy.
    """
    items = deque(script.items)
    found = iter(invocations)
    while len(items) > 1 and _changes_directory(items[0], items[1]):
        items.popleft()
        items.popleft()
        next(found)
    while items and items[-1] == Operator(";"):
        items.pop()
    pieces: list[_Piece] = []
    for item in items:
        if isinstance(item, SimpleCommand):
            pieces += _simple(item, next(found), policy)
        else:
            pieces.append(_Piece(item.text) if isinstance(item, Operator) else _word(item.value))
    return _template(pieces)


def tool_template(tool: str, tool_params: str | None) -> Template:
    """Template of an agent's or MCP server's tool: its name and a slot for each parameter, in the order given.

    A flag that is set stands by its name; one that is not, and a parameter without a value, are left out.
    """
    try:
        parameters = orjson.loads(tool_params or "{}")
    except ValueError:
        parameters = {}
    pieces = [_Piece(tool.strip())]
    for name, value in parameters.items() if isinstance(parameters, dict) else ():
        if value is True:
            pieces.append(_Piece(name))
        elif isinstance(value, str | int | float) and value is not False:
            pieces.append(_word(str(value)))
        elif value:
            pieces.append(_Piece("", Slot("str", orjson.dumps(value).decode()[:MAX_VALUE])))
    return _template(pieces)


def _changes_directory(first: object, second: object) -> bool:
    moves = isinstance(first, SimpleCommand) and first.words[:1] == ["cd"] and not first.redirections
    return moves and isinstance(second, Operator) and second.text in ("&&", ";")


def _simple(command: SimpleCommand, found: Invocation | None, policy: StepPolicy) -> Iterator[_Piece]:
    for assignment in command.assignments:
        name, _, value = assignment.partition("=")
        yield _word(value, f"{name}=")
    names = found.names if found else frozenset((0,))
    paths = _path_words(found, policy) if found else frozenset()
    for index, word in enumerate(command.words):
        if index in names:
            yield _Piece(policy.known_program(word))
        else:
            yield _word(word, kind="path") if index in paths else _argument(word)
    for redirection in command.redirections:
        operator = redirection.descriptor + redirection.operator
        if redirection.target in policy.devices or redirection.target.isdecimal() or not redirection.target:
            yield _Piece(operator + redirection.target)
        else:
            yield _Piece(operator)
            yield _word(redirection.target)


def _path_words(found: Invocation, policy: StepPolicy) -> frozenset[int]:
    """Indexes of the bare words that are paths because of where they stand (`pytest server`)."""
    syntax = policy.syntax.get(found.program)
    positionals = found.arguments.positionals if syntax and syntax.positional_paths else ()
    return frozenset(index for index, word in positionals if is_bare(word))


def _argument(word: str) -> _Piece:
    if word[0:1] in ("-", "+"):
        flag, value = split_flag(word)
        if value is not None:
            return _word(value, flag)
        if word in ("-", "--") or _FLAG.fullmatch(word):
            return _Piece(word)
    return _Piece(word) if _PUNCTUATION.fullmatch(word) else _word(word)


def is_literal(word: str) -> bool:
    """Whether an argument stands in the template as it is, at least in part."""
    return word[0:1] in ("-", "+") or _PUNCTUATION.fullmatch(word) is not None


def split_flag(word: str) -> tuple[str, str | None]:
    """A flag and the value attached to it (`-A5`, `--cov=x`); None for the value if there is none."""
    found = _NUMBERED_FLAG.fullmatch(word) or _VALUED_FLAG.fullmatch(word)
    return (found[1], found[2]) if found else (word, None)


def is_bare(value: str) -> bool:
    """Whether an argument is a path if its program takes paths, and nothing in itself."""
    return _BARE.fullmatch(value) is not None and slot_kind(value) == "str"


def _word(value: str, literal: str = "", kind: SlotKind | None = None) -> _Piece:
    return _Piece(literal, Slot(kind or slot_kind(value), storable(value[:MAX_VALUE])))


def _template(pieces: Iterable[_Piece]) -> Template:
    texts: list[str] = []
    slots: list[Slot] = []
    for text, run in groupby(pieces, key=_text):
        same = list(run)
        slots += [piece.slot for piece in same if piece.slot]
        is_slot = same[0].slot and not same[0].literal
        texts += [f"{text}+"] if is_slot and len(same) > 1 else [text] * len(same)
    return Template(_bounded(storable(" ".join(texts))), tuple(slots[:MAX_SLOTS]))


def _text(piece: _Piece) -> str:
    return f"{piece.literal}<{piece.slot.kind}>" if piece.slot else piece.literal


def _bounded(text: str) -> str:
    content = text.encode()
    if len(content) <= MAX_BYTES:
        return text
    return f"{content[:MAX_BYTES].decode(errors='ignore')} ... {hashlib.sha256(content).hexdigest()[:12]}"
