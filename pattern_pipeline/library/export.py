"""Drafts of an automation, written from a template: a shell script, a skill file for an agent, or a make target.

A draft is text for a person to finish. Nothing here runs anything, and nothing of a template is left for a shell to
interpret but the operators between its commands: every word is quoted, every slot a quoted variable.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson
from pydantic import BaseModel

from pattern_pipeline.detection.destructive import destructive_commands
from pattern_pipeline.detection.policy import Policy

_OPERATORS: Final = frozenset(("&&", "||", "|", "|&", ";", "(", ")", "<", ">", ">>", "&>", "2>", "2>>", "2>&1", ">&2"))
_RAW_WORD: Final = re.compile(r"""(?:[^\s"'\\]|"(?:[^"\\]|\\.)*"|'[^']*'|\\.)+|\S+""")
_SLOT: Final = re.compile(r"<(path|num|hash|uuid|url|str|date)>\+?")
_REDIRECTION: Final = re.compile(r"(\d?(?:>>?|<))([^<>&|;()]+)")
_NOT_A_NAME: Final = re.compile(r"[^a-z0-9]+")
_BREAK: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]+")


class DraftFormat(StrEnum):
    """What a template can be written as."""

    SCRIPT = "script"
    SKILL = "skill"
    MAKEFILE = "makefile"


class Draft(BaseModel):
    """A file for a person to finish.

    Attributes:
        destructive: Commands in it that destroy what they are pointed at; the text warns of them too.
    """

    pattern_id: UUID
    pattern_name: str
    format: DraftFormat
    file_name: str
    text: str
    destructive: tuple[str, ...]


class _Slot(NamedTuple):
    variable: str
    kind: str


@dataclass(frozen=True)
class _Step:
    """A line of a template: as it stands, and as a shell may have it; None: it is no shell command."""

    text: str
    command: str | None


class _Steps(NamedTuple):
    steps: list[_Step]
    slots: list[_Slot]


def draft(template: Mapping[str, Any], form: DraftFormat, policy: Policy) -> Draft:
    """The draft of a template.

    Args:
        template: A row of `v_templates`.
        form: What to write.
        policy: Says which commands are destructive.
    """
    steps = _steps(template)
    commands = [("Bash", _SLOT.sub("x", step.text)) for step in steps.steps if step.command is not None]
    destructive = destructive_commands(commands, policy)
    name = _NOT_A_NAME.sub("-", template["pattern_name"].lower()).strip("-") or "template"
    write = {DraftFormat.SCRIPT: _script, DraftFormat.SKILL: _skill, DraftFormat.MAKEFILE: _makefile}[form]
    file_name = {DraftFormat.SCRIPT: f"{name}.sh", DraftFormat.SKILL: "SKILL.md", DraftFormat.MAKEFILE: f"{name}.mk"}
    return Draft(
        pattern_id=template["id"],
        pattern_name=template["pattern_name"],
        format=form,
        file_name=file_name[form],
        text="\n".join(write(name, template, steps, destructive)) + "\n",
        destructive=destructive,
    )


def _steps(template: Mapping[str, Any]) -> _Steps:
    """The lines of a template. Which of a mined one are shell commands, its evidence says."""
    known = template["context"].get("steps")
    mined = {str(step.get("code")): bool(step.get("shell")) for step in known} if _are_steps(known) else {}
    slots: list[_Slot] = []
    steps = []
    for line in filter(str.strip, template["template_code"].splitlines()):
        is_shell = mined.get(line, template["language"] == "shell")
        command = " ".join(_words(line, slots)) if is_shell and _is_balanced(line) else None
        steps.append(_Step(_one_line(line), command))
    return _Steps(steps, slots)


def _are_steps(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(step, dict) for step in value)


def _is_balanced(line: str) -> bool:
    """Whether every quotation mark has its end: without, what is said and what is done cannot be told apart."""
    try:
        shlex.split(line)
    except ValueError:
        return False
    return True


def _words(line: str, slots: list[_Slot]) -> Iterator[str]:
    """The words of a command for a shell; the slots met are added to those known."""
    for raw in _RAW_WORD.findall(line):
        redirection = _REDIRECTION.fullmatch(raw) if not _SLOT.fullmatch(raw) else None
        if raw in _OPERATORS:
            yield raw
        elif redirection:
            yield redirection[1] + _quoted(redirection[2], slots)
        else:
            yield _quoted(raw, slots)


def _quoted(raw: str, slots: list[_Slot]) -> str:
    """A word as it means itself, with its slots as quoted variables."""
    word = "".join(shlex.split(raw))
    parts, end = [], 0
    for found in _SLOT.finditer(word):
        slots.append(_Slot(f"{found[1]}_{len(slots) + 1}", found[1]))
        parts += [_literal(word[end : found.start()]), f'"${{{slots[-1].variable}}}"']
        end = found.end()
    parts.append(_literal(word[end:]))
    return "".join(parts) or "''"


def _literal(text: str) -> str:
    return shlex.quote(_one_line(text)) if text else ""


def _one_line(text: str) -> str:
    """Without line breaks and other control characters, which would end a comment or a recipe."""
    return _BREAK.sub(" ", text)


def _notes(template: Mapping[str, Any], steps: _Steps, destructive: Sequence[str]) -> Iterator[str]:
    """What stands at the head of every draft."""
    yield f"DRAFT, never run: made from the template {_one_line(template['pattern_name'])} ({template['id']})."
    yield "Read it, finish it and test it before anybody uses it."
    if template["description"]:
        yield _one_line(template["description"])
    if any(step.command is None for step in steps.steps):
        yield "Some of its steps are no shell commands; they stand here as comments."
    yield from (f"WARNING, destructive: {_one_line(command)}" for command in destructive)


def _comments(lines: Iterator[str]) -> Iterator[str]:
    # A backslash at its end would make a makefile's comment go on.
    yield from (f"# {line}".rstrip("\\ ") for line in lines)


def _script(name: str, template: Mapping[str, Any], steps: _Steps, destructive: Sequence[str]) -> Iterator[str]:
    yield "#!/usr/bin/env bash"
    yield from _comments(_notes(template, steps, destructive))
    usage = " ".join([f"{name}.sh", *(slot.variable.upper() for slot in steps.slots)])
    yield f"# Usage: {usage}"
    yield "set -euo pipefail"
    yield from (
        f'{slot.variable}="${{{position}:?{slot.variable.upper()} is missing}}"'
        for position, slot in enumerate(steps.slots, 1)
    )
    yield ""
    for step in steps.steps:
        yield step.command if step.command is not None else f"# by hand: {step.text}"


def _skill(name: str, template: Mapping[str, Any], steps: _Steps, destructive: Sequence[str]) -> Iterator[str]:
    # JSON texts are YAML texts as well, whatever is in them.
    description = orjson.dumps(_one_line(template["description"] or template["pattern_name"])).decode()
    yield from ("---", f'name: "{name[:64]}"', f"description: {description}", "---", "")
    yield from (f"> {line}" for line in _notes(template, steps, destructive))
    yield from ("", "## Inputs", "")
    yield from ([f"- `{slot.variable}`: {slot.kind}" for slot in steps.slots] or ["None."])
    yield from ("", "## Steps", "", "Ask before anything that cannot be undone.", "")
    longest = max((len(run) for step in steps.steps for run in re.findall("`+", step.text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}{'bash' if all(step.command for step in steps.steps) else 'text'}"
    yield from (step.command if step.command is not None else step.text for step in steps.steps)
    yield fence


def _makefile(name: str, template: Mapping[str, Any], steps: _Steps, destructive: Sequence[str]) -> Iterator[str]:
    yield from _comments(_notes(template, steps, destructive))
    yield f"# Usage: {' '.join(['make', name, *(f'{slot.variable}=...' for slot in steps.slots)])}"
    yield f".PHONY: {name}"
    # Values reach the commands through the environment: put in by make, they would be interpreted by the shell.
    yield from (f"export {slot.variable}" for slot in steps.slots)
    yield f"{name}:"
    yield from (f'\t@: "$${{{slot.variable}:?is missing}}"' for slot in steps.slots)
    for step in steps.steps:
        line = step.command if step.command is not None else f"# by hand: {step.text}"
        yield "\t" + line.replace("$", "$$").rstrip("\\")
