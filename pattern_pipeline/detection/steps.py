"""A tool call -> the signatures of what it ran, the naming one first.

Looking up programs and tools in the policy, the target, the order of the parts and the vectorised detector belong here.
Reading a command is `shell.py` and `commands.py`; its template is `templates.py`.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pattern_pipeline.detection.commands import Invocation, invocation
from pattern_pipeline.detection.shell import Script, SimpleCommand, parse
from pattern_pipeline.detection.steps_policy import Sides, StepPolicy

MAX_NESTING = 8
"""Commands inside commands (`ssh host 'bash -c ...'`) that are followed."""

_MAX_NAME = 64
_SEPARATORS = re.compile(r"[/_.\-]+")
_NOT_IN_SIGNATURE = re.compile(r"[^a-z0-9_.+-]")
_NOT_STORABLE = re.compile(r"[\0\ud800-\udfff]")


class StepMatch(NamedTuple):
    """One signature of a step, the rule that gave it, and the words that made the rule fire."""

    signature: str
    rule_id: str
    text: str


class _Part(NamedTuple):
    match: StepMatch
    rank: int


def step_signatures(
    tool: str | None, command: str | None, cwd: str | None, tool_params: str | None, policy: StepPolicy
) -> list[StepMatch]:
    """The signatures of one tool call: the naming one first, the others in order of appearance, none twice.

    Args:
        tool: Name of the tool; without one, a call with a command is a shell command.
        command: Text of the shell command, if it is one.
        cwd: Directory in which the call was made.
        tool_params: Parameters of the call as JSON; no rule of the step layer looks at them.
        policy: The step layer's policy.
    """
    kind = policy.kind_of_tool(tool or "")
    if kind == "shell" or (kind == "other" and command):
        return command_signatures(parse(command or ""), cwd, policy)
    return [_tool_match(tool, kind == "mcp", policy)] if tool and tool.strip() else []


def command_signatures(script: Script, cwd: str | None, policy: StepPolicy) -> list[StepMatch]:
    """The signatures of a parsed command, in the order of `step_signatures`."""
    parts = list(_parts(script, cwd, policy))
    if not parts:
        return []
    naming = min(parts, key=lambda part: part.rank)
    matches = {part.match.signature: part.match for part in reversed([naming, *parts])}
    return [matches[signature] for signature in dict.fromkeys(part.match.signature for part in [naming, *parts])]


def _parts(script: Script, cwd: str | None, policy: StepPolicy) -> Iterator[_Part]:
    waiting = deque((command, script.functions, 0) for command in script.commands)
    while waiting:
        command, functions, depth = waiting.popleft()
        if not command.words or command.words[0] in functions or command.words[0].startswith(("$(", "`")):
            continue
        found = invocation(command.words, command.context.piped, policy)
        if found.shell_text is None:
            if part := _part(found, command, cwd, policy):
                yield part
        elif depth < MAX_NESTING:
            inner = parse(found.shell_text, command.directory)
            for nested in inner.commands:
                nested.context.piped = nested.context.piped or command.context.piped
            waiting.extendleft((nested, inner.functions, depth + 1) for nested in reversed([*inner.commands]))


def _part(found: Invocation, command: SimpleCommand, cwd: str | None, policy: StepPolicy) -> _Part | None:
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
    signature = ":".join(_name(field.format_map(values)) for field in form.split(":"))
    return _ranked(signature, rule.rank if rule else None, rule.id if rule else "step.other", found.label, policy)


def _ranked(signature: str, rank: str | None, rule_id: str, label: str, policy: StepPolicy) -> _Part:
    match = StepMatch(signature, rule_id, storable(label)[:_MAX_NAME])
    return _Part(match, policy.rank_of[rank or signature.partition(":")[0]])


def _written(found: Invocation, command: SimpleCommand, policy: StepPolicy) -> Iterable[str]:
    if found.program in policy.write_operands:
        yield from (word for _, word in found.arguments.positionals)
    if command.context.output is not None:
        yield command.context.output


def _tool_match(tool: str, is_mcp: bool, policy: StepPolicy) -> StepMatch:
    name = tool.strip().lower()
    if is_mcp:
        server, _, function = name.removeprefix("mcp__").partition("__")
        form, rule_id, values = policy.mcp_tool, "tool.mcp", {"server": server, "tool": function}
    else:
        rule = policy.tool_rules.get(name)
        form, rule_id = (rule.signature, rule.id) if rule else (policy.other_tool, "tool.other")
        values = {"tool": name}
    signature = ":".join(_name(field.format_map(values)) for field in form.split(":"))
    return StepMatch(signature, rule_id, storable(tool.strip())[:_MAX_NAME])


def _name(text: str) -> str:
    return _NOT_IN_SIGNATURE.sub("-", text.lower()[:_MAX_NAME]) or "-"


def storable(text: str) -> str:
    """The text without what PostgreSQL cannot hold: NUL and lone surrogates."""
    return _NOT_STORABLE.sub("\ufffd", text)


def side_of_step(found: Invocation, directory: str, cwd: str | None, policy: StepPolicy) -> str:
    """Target of a step: `backend`, `frontend`, `both` or `all`, by its path arguments, then `cd`, then `cwd`."""
    syntax = policy.syntax.get(found.program)
    bare = syntax is not None and syntax.positional_paths
    paths = [word for _, word in found.arguments.positionals if bare or "/" in word]
    sides = {side_of(directory_of(path), policy.sides) for path in (*paths, *found.arguments.paths)} - {None}
    if len(sides) > 1:
        return "both"
    return next(iter(sides), None) or side_of(directory, policy.sides) or side_of(cwd or "", policy.sides) or "all"


def directory_of(path: str) -> str:
    """The directory a path argument stands for; a last component with an extension is a file."""
    if "://" in path:
        return ""
    head, slash, last = path.partition("::")[0].rpartition("/")
    return head if "." in last[1:] and last != ".." else f"{head}{slash}{last}"


def side_of(directory: str, sides: Sides) -> str | None:
    """`backend` or `frontend` by the right-most token of a directory that says so."""
    for token in reversed(_SEPARATORS.split(directory.lower())):
        if token in sides.backend:
            return "backend"
        if token in sides.frontend:
            return "frontend"
    return None
