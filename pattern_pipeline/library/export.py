"""Drafts of an automation, written from a template: a shell script, a skill file for an agent, or a make target.

A draft is text for a person to finish; nothing here runs anything. What a template's lines become is `steps`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import orjson
from pydantic import BaseModel

from pattern_pipeline.detection.destructive import destructive_commands
from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.library.observed import Observed
from pattern_pipeline.library.steps import Slot, Step, Steps, evidence_of, one_line, shortened, steps_of, told

_NOT_A_NAME: Final = re.compile(r"[^a-z0-9]+")
_SAFE: Final = re.compile(r"[A-Za-z0-9_./:@%+=-]{1,80}")
"""Values that mean themselves to a shell, to make and in a comment."""


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


def draft(template: Mapping[str, Any], form: DraftFormat, policy: Policy, observed: Observed | None = None) -> Draft:
    """The draft of a template.

    Args:
        template: A row of `v_templates`.
        form: What to write.
        policy: Says which commands are destructive.
        observed: What its slots were filled with.
    """
    steps = steps_of(template, observed or {})
    commands = [("Bash", step.example) for step in steps.steps if step.command is not None]
    destructive = destructive_commands(commands, policy)
    if not destructive:  # what is destroyed, whoever runs it has to say
        steps = steps._replace(defaults=_defaults(steps.slots))
    name = _NOT_A_NAME.sub("-", template["pattern_name"].lower()).strip("-") or "template"
    write = {DraftFormat.SCRIPT: _script, DraftFormat.SKILL: _skill, DraftFormat.MAKEFILE: _makefile}[form]
    file_name = {DraftFormat.SCRIPT: f"{name}.sh", DraftFormat.SKILL: "SKILL.md", DraftFormat.MAKEFILE: f"{name}.mk"}
    return Draft(
        pattern_id=template["id"],
        pattern_name=template["pattern_name"],
        format=form,
        file_name=file_name[form],
        text="\n".join(write(name, template, steps, list(_notes(template, steps, destructive)))) + "\n",
        destructive=destructive,
    )


def _notes(template: Mapping[str, Any], steps: Steps, destructive: Sequence[str]) -> Iterator[str]:
    """What stands at the head of every draft."""
    yield f"DRAFT, never run: made from the template {one_line(template['pattern_name'])} ({template['id']})."
    yield "Read it, finish it and test it before anybody uses it."
    yield from (f"WARNING, destructive: {one_line(command)}" for command in destructive)
    if template["description"]:
        yield one_line(template["description"])
    evidence = evidence_of(template)
    if evidence.support and evidence.coverage and template["pattern_type"] != "sequence":
        yield f"Made of {evidence.support} steps, {evidence.coverage:.0%} of those that were looked at."
    yield from (f"Not in it, seen {each.support} times: {shortened(each.code)}" for each in evidence.variants)
    yield from (f"Example: {shortened(line)}" for line in (template["example_usage"] or "").splitlines())
    if any(step.command is None for step in steps.steps):
        yield "Some of its steps are no shell commands; they stand here as comments."


def _comments(lines: Iterable[str]) -> Iterator[str]:
    # A backslash at its end would make a makefile's comment go on.
    yield from (f"# {line}".rstrip("\\ ") for line in lines)


def _script(name: str, template: Mapping[str, Any], steps: Steps, notes: Sequence[str]) -> Iterator[str]:
    # What has a default comes last, so that it can be left out.
    slots = sorted(steps.slots, key=lambda slot: slot.variable in steps.defaults)
    yield "#!/usr/bin/env bash"
    yield from _comments(notes)
    words = [
        f"[{slot.variable.upper()}]" if slot.variable in steps.defaults else slot.variable.upper() for slot in slots
    ]
    yield f"# Usage: {' '.join([f'{name}.sh', *words])}"
    yield from _comments(f"  {slot.variable.upper()}: {told(slot)}" for slot in slots)
    yield "set -euo pipefail"
    for position, slot in enumerate(slots, 1):
        default = steps.defaults.get(slot.variable)
        missing = f":?{slot.variable.upper()} is missing" if default is None else f":-{default}"
        yield f'{slot.variable}="${{{position}{missing}}}"'
    yield ""
    yield from map(_line, steps.steps)


def _skill(name: str, template: Mapping[str, Any], steps: Steps, notes: Sequence[str]) -> Iterator[str]:
    # JSON texts are YAML texts as well, whatever is in them.
    description = orjson.dumps(one_line(template["description"] or template["pattern_name"])).decode()
    yield from ("---", f'name: "{name[:64]}"', f"description: {description}", "---", "")
    yield from (f"> {line}  " for line in notes)
    yield from ("", "## Inputs", "")
    yield from ([f"- `{slot.variable}`: {told(slot)}" for slot in steps.slots] or ["None."])
    yield from ("", "## Steps", "", "Ask before anything that cannot be undone.", "")
    longest = max((len(run) for step in steps.steps for run in re.findall("`+", step.text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}{'bash' if all(step.command for step in steps.steps) else 'text'}"
    yield from (step.command if step.command is not None else step.text for step in steps.steps)
    yield fence


def _makefile(name: str, template: Mapping[str, Any], steps: Steps, notes: Sequence[str]) -> Iterator[str]:
    yield from _comments(notes)
    given = [f"{slot.variable}=..." for slot in steps.slots if slot.variable not in steps.defaults]
    yield f"# Usage: {' '.join(['make', name, *given])}"
    yield from _comments(f"  {slot.variable}: {told(slot)}" for slot in steps.slots)
    yield f".PHONY: {name}"
    for slot in steps.slots:
        if slot.variable in steps.defaults:
            yield f"{slot.variable} ?= {steps.defaults[slot.variable]}"
        # Values reach the commands through the environment: put in by make, they would be interpreted by the shell.
        yield f"export {slot.variable}"
    yield f"{name}:"
    yield from (f'\t@: "$${{{slot.variable}:?is missing}}"' for slot in steps.slots)
    yield from ("\t" + _line(step).replace("$", "$$").rstrip("\\") for step in steps.steps)


def _line(step: Step) -> str:
    return step.command if step.command is not None else f"# by hand: {step.text}"


def _defaults(slots: Sequence[Slot]) -> dict[str, str]:
    """The values that slots always had, as far as they can be written down as they are."""
    always = {slot.variable: slot.filled.constant for slot in slots if slot.filled is not None}
    return {variable: value for variable, value in always.items() if value and _SAFE.fullmatch(value)}
