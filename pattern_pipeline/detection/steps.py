"""A tool call -> the signatures of what it ran, the naming one first.

Looking up programs and tools in the policy, the target and the order of the parts belong here; many calls at once are
`step_detector.py`. Reading a command is `shell.py` and `commands.py`; its template is `templates.py`.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pattern_pipeline.detection.commands import Invocation, invocations
from pattern_pipeline.detection.shell import parse
from pattern_pipeline.detection.shell_model import Script, SimpleCommand
from pattern_pipeline.detection.steps_policy import Sides, StepPolicy
from pattern_pipeline.detection.templates import Template, command_template, storable, tool_template

MAX_NESTING = 8
"""Commands inside commands (`ssh host 'bash -c ...'`) that are followed."""

_MAX_NAME = 64
_SEPARATORS = re.compile(r"[/_.\-]+")
_NOT_IN_SIGNATURE = re.compile(r"[^a-z0-9_.+-]")


class StepMatch(NamedTuple):
    """One signature of a step, the rule that gave it, and the words that made the rule fire."""

    signature: str
    rule_id: str
    text: str


class _Part(NamedTuple):
    match: StepMatch
    rank: int


class Step(NamedTuple):
    """What one tool call was: its signatures, the naming one first, and its template."""

    matches: tuple[StepMatch, ...]
    template: Template


def step_signatures(
    tool: str | None, command: str | None, cwd: str | None, tool_params: str | None, policy: StepPolicy
) -> list[StepMatch]:
    """The signatures of one tool call: the naming one first, the others in order of appearance, none twice.

    The arguments are those of `read_step`.
    """
    return list(read_step(tool, command, cwd, tool_params, policy).matches)


def read_step(
    tool: str | None, command: str | None, cwd: str | None, tool_params: str | None, policy: StepPolicy
) -> Step:
    """Read one tool call; never raises, whatever the texts.

    Args:
        tool: Name of the tool; without one the policy knows, a call with a command is a shell command.
        command: Text of the shell command, if it is one.
        cwd: Directory in which the call was made.
        tool_params: Parameters of a call that is no shell command, as JSON; only its template looks at them.
        policy: The step layer's policy.
    """
    name = (tool or "").strip()
    if is_shell(name, command, policy):
        script = parse(command or "")
        found = invocations(script, policy)
        parts = _parts(script, found, cwd or "", policy)
        return Step(_named(parts), command_template(script, found, policy))
    matches = (_tool_match(name, policy),) if name else ()
    return Step(matches, tool_template(name, tool_params))


def is_shell(tool: str, command: str | None, policy: StepPolicy) -> bool:
    """Whether a call is a shell command: by its tool, or because a tool that the policy does not know has one."""
    kind = policy.kind_of_tool(tool)
    return kind == "shell" or (kind == "other" and bool(command))


def _named(parts: Iterable[_Part]) -> tuple[StepMatch, ...]:
    """The matches without repeats: the first of the best rank, then the others in order."""
    in_order = list(parts)
    if not in_order:
        return ()
    naming = min(in_order, key=lambda part: part.rank)
    first_of: dict[str, StepMatch] = {}
    for part in (naming, *in_order):
        first_of.setdefault(part.match.signature, part.match)
    return tuple(first_of.values())


def _parts(script: Script, found: Iterable[Invocation | None], cwd: str, policy: StepPolicy) -> Iterator[_Part]:
    for run, command in executed(script, found, policy):
        if part := _part(run, command, cwd, policy):
            yield part


def executed(
    script: Script, found: Iterable[Invocation | None], policy: StepPolicy
) -> Iterator[tuple[Invocation, SimpleCommand]]:
    """What a script runs with the simple commands that run it, in order; commands inside commands are looked into.

    Args:
        script: The parsed text.
        found: `invocations` of it.
        policy: The table of programs.
    """
    waiting = deque((command, run, 0) for command, run in zip(script.commands, found, strict=True))
    while waiting:
        command, run, depth = waiting.popleft()
        if run is None:
            continue
        if run.shell_text is None:
            yield run, command
        elif depth < MAX_NESTING:
            inner = parse(run.shell_text, command.directory, command.context)
            nested = zip(inner.commands, invocations(inner, policy), strict=True)
            waiting.extendleft((*pair, depth + 1) for pair in reversed(list(nested)))


def _part(found: Invocation, command: SimpleCommand, cwd: str, policy: StepPolicy) -> _Part | None:
    if found.program in policy.writers and any(
        target not in policy.devices for target in _written(found, command, policy)
    ):
        return _ranked(policy.write, None, "step.write", f"{found.program} >", policy)
    if found.program in policy.builtins:
        return None
    rule = found.rule
    form = rule.signature if rule else policy.other_program
    values = {"program": found.program, "sub": found.label.partition(" ")[2].partition(" ")[0]}
    if "{side}" in form:
        values["side"] = side_of_step(found, command.directory, cwd, policy)
    signature = _signature(form, values)
    return _ranked(signature, rule.rank if rule else None, rule.id if rule else "step.other", found.label, policy)


def _ranked(signature: str, rank: str | None, rule_id: str, label: str, policy: StepPolicy) -> _Part:
    match = StepMatch(signature, rule_id, storable(label)[:_MAX_NAME])
    return _Part(match, policy.rank_of[rank or signature.partition(":")[0]])


def _written(found: Invocation, command: SimpleCommand, policy: StepPolicy) -> Iterable[str]:
    if found.program in policy.write_operands:
        yield from (word for _, word in found.arguments.positionals)
    if command.context.output is not None:
        yield command.context.output


def _tool_match(tool: str, policy: StepPolicy) -> StepMatch:
    name = tool.lower()
    form, rule_id, values = policy.other_tool, "tool.other", {"tool": name}
    if rule := policy.tool_rules.get(name):
        form, rule_id = rule.signature, rule.id
    elif policy.kind_of_tool(name) == "mcp":
        server, _, function = name.removeprefix("mcp__").partition("__")
        form, rule_id, values = policy.mcp_tool, "tool.mcp", {"server": server, "tool": function}
    return StepMatch(_signature(form, values), rule_id, storable(tool)[:_MAX_NAME])


def _signature(form: str, values: Mapping[str, str]) -> str:
    return ":".join(
        _NOT_IN_SIGNATURE.sub("-", field.format_map(values).lower()[:_MAX_NAME]) or "-" for field in form.split(":")
    )


def side_of_step(found: Invocation, directory: str, cwd: str, policy: StepPolicy) -> str:
    """Target of a step: `backend`, `frontend`, `both` or `all`, by its path arguments, then `cd`, then `cwd`."""
    syntax = policy.syntax.get(found.program)
    bare = syntax is not None and syntax.positional_paths
    paths = [word for _, word in found.arguments.positionals if bare or "/" in word]
    sides = {side_of(directory_of(path), policy.sides) for path in (*paths, *found.arguments.paths)} - {None}
    if len(sides) > 1:
        return "both"
    return next(iter(sides), None) or side_of(directory, policy.sides) or side_of(cwd, policy.sides) or "all"


def directory_of(path: str) -> str:
    """The directory a path argument stands for; a last component with an extension is a file."""
    if "://" in path:
        return ""
    head, slash, last = path.partition("::")[0].rpartition("/")
    return head if "." in last[1:] and last != ".." else f"{head}{slash}{last}"


def side_of(directory: str, sides: Sides) -> str | None:
    """`backend` or `frontend` by the right-most token of a directory that says so."""
    directory = directory.lower()
    if not sides.mentioned.search(directory):
        return None
    for token in reversed(_SEPARATORS.split(directory)):
        if token in sides.backend:
            return "backend"
        if token in sides.frontend:
            return "frontend"
    return None
