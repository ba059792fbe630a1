"""The lines of a template as a shell may have them: every word quoted, every slot a quoted variable.

Nothing of a template is left for a shell to interpret but the operators between its commands. What the lines are put
into is `export`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, Field, ValidationError

from pattern_pipeline.library.observed import Filled, Observed

_OPERATORS: Final = frozenset(("&&", "||", "|", "|&", ";", "(", ")", "<", ">", ">>", "&>", "2>", "2>>", "2>&1", ">&2"))
_RAW_WORD: Final = re.compile(r"""(?:[^\s"'\\]|"(?:[^"\\]|\\.)*"|'[^']*'|\\.)+|\S+""")
_SLOT: Final = re.compile(r"<(path|num|hash|uuid|url|str|date)>(\+?)")
_OPTION: Final = re.compile(r"(--[a-z][a-z0-9-]{0,30})=?")
_REDIRECTION: Final = re.compile(r"(\d?(?:>>?|<))([^<>&|;()]+)")
_BREAK: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]+")
_KINDS: Final = {
    "path": "a path",
    "num": "a number",
    "hash": "a hash",
    "uuid": "a UUID",
    "url": "a URL",
    "str": "a text",
    "date": "a date",
}


@dataclass(frozen=True)
class Slot:
    """A part of a command that varies: what it is called, what it is, for which option, and what was seen."""

    variable: str
    kind: str
    option: str | None
    filled: Filled | None


@dataclass(frozen=True)
class Step:
    """A line of a template: as it stands, and as a shell may have it; None: it is no shell command."""

    text: str
    command: str | None

    @property
    def example(self) -> str:
        """With something in place of its slots."""
        return _SLOT.sub("x", self.text)


class Steps(NamedTuple):
    """The lines of a template and the slots in them, in order; `defaults` are values of some of their variables."""

    steps: list[Step]
    slots: list[Slot]
    defaults: Mapping[str, str] = MappingProxyType({})


class Variant(BaseModel):
    """Another template of the same pattern, and how many steps had it."""

    code: str
    support: int


class _Line(BaseModel):
    code: str
    shell: bool


class Evidence(BaseModel):
    """What publishing says of a mined template in its context: steps like it, and the share of the pattern's."""

    support: int | None = None
    coverage: float | None = None
    steps: list[_Line] = Field(default_factory=list)
    variants: list[Variant] = Field(default_factory=list)


def evidence_of(template: Mapping[str, Any]) -> Evidence:
    """What is known of where a template is from; nothing when people have put something else in its place."""
    try:
        return Evidence.model_validate(template["context"])
    except ValidationError:
        return Evidence()


def steps_of(template: Mapping[str, Any], observed: Observed) -> Steps:
    """The lines of a template. Which of a mined one are shell commands, its evidence says."""
    mined = {line.code: line.shell for line in evidence_of(template).steps}
    slots: list[Slot] = []
    steps = []
    for line in filter(str.strip, template["template_code"].splitlines()):
        is_shell = mined.get(line, template["language"] == "shell")
        command = " ".join(_Words(line, slots, observed).quoted()) if is_shell and _is_balanced(line) else None
        steps.append(Step(one_line(line), command))
    return Steps(steps, slots)


def one_line(text: str) -> str:
    """Without line breaks and other control characters, which would end a comment or a recipe."""
    return _BREAK.sub(" ", text)


def told(slot: Slot) -> str:
    """What a slot is for people: its kind, and the values that were seen."""
    what = _KINDS[slot.kind] + (f" for {slot.option}" if slot.option else "")
    if slot.filled is None:
        return what
    seen = ", ".join(shortened(value) for value in slot.filled.examples)
    if slot.filled.distinct_values == 1:
        return f"{what}; always {seen}, in {slot.filled.occurrences} steps"
    source = {"task": "; mostly named in the task", "output": "; mostly from an earlier step's output"}
    return (
        f"{what}; seen: {seen} ({slot.filled.distinct_values} values in {slot.filled.occurrences} steps"
        f"{source.get(slot.filled.provenance, '')})"
    )


def shortened(text: str) -> str:
    """On one line, and not longer than a comment may be."""
    line = one_line(text)
    return line if len(line) <= 80 else f"{line[:79]}…"


def _is_balanced(line: str) -> bool:
    """Whether every quotation mark has its end: without, what is said and what is done cannot be told apart."""
    try:
        shlex.split(line)
    except ValueError:
        return False
    return True


class _Words:
    """The words of a line; the slots met are added to those known."""

    def __init__(self, line: str, slots: list[Slot], observed: Observed) -> None:
        self._line, self._slots, self._observed, self._before = line, slots, observed, len(slots)

    def quoted(self) -> Iterator[str]:
        """Each as a shell may have it."""
        option = None
        for raw in _RAW_WORD.findall(self._line):
            redirection = _REDIRECTION.fullmatch(raw) if not _SLOT.fullmatch(raw) else None
            if raw in _OPERATORS:
                yield raw
            elif redirection:
                yield redirection[1] + self._word(redirection[2], None)
            else:
                yield self._word(raw, option)
            option = _OPTION.fullmatch(raw)

    def _word(self, raw: str, option: re.Match[str] | None) -> str:
        """As it means itself, with its slots as quoted variables."""
        word = "".join(shlex.split(raw))
        parts, end = [], 0
        for found in _SLOT.finditer(word):
            before = word[end : found.start()]
            of_option = option if found[0] == word else _OPTION.fullmatch(before)
            parts += [_literal(before), f'"${{{self._slot(found[1], of_option)}}}"']
            end = found.end()
        parts.append(_literal(word[end:]))
        return "".join(parts) or "''"

    def _slot(self, kind: str, option: re.Match[str] | None) -> str:
        filled = self._observed.get((self._line, len(self._slots) - self._before))
        self._slots.append(Slot(f"{kind}_{len(self._slots) + 1}", kind, option[1] if option else None, filled))
        return self._slots[-1].variable


def _literal(text: str) -> str:
    return shlex.quote(one_line(text)) if text else ""
