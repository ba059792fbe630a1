"""Commands that destroy what they are pointed at, told from what they parse to.

Only the mechanism belongs here, on commands as `shell.py` and `commands.py` read them: words inside a message or a file
name are not commands. What counts as destructive is the policy's (`[[detection.destructive]]`).
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from pattern_pipeline.detection.commands import Arguments, Invocation, invocations, read_arguments
from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.detection.shell import parse
from pattern_pipeline.detection.steps import executed, is_shell
from pattern_pipeline.detection.steps_policy import DestructiveRule, ProgramSyntax, StepPolicy
from pattern_pipeline.detection.templates import storable

SHOWN = 5
"""Commands that a warning names."""

_MAX_SHOWN = 200
_WORD = re.compile(r"[^\s;]+")
_NO_SYNTAX = ProgramSyntax()
_QUOTING = str.maketrans("", "", "\\'\"")


def destructive_commands(calls: Iterable[tuple[str | None, str | None]], policy: Policy) -> tuple[str, ...]:
    """The destructive simple commands among tool calls, the commonest first, none twice, at most `SHOWN`.

    Args:
        calls: Tool and command of each call; a tool that is no shell runs no command.
        policy: Without a step layer it knows no programs, so nothing is found.
    """
    steps = policy.detection.steps
    if steps is None:
        return ()
    names = _names(policy.detection.destructive, steps)
    found = Counter(
        text
        for tool, command in calls
        if command and is_shell((tool or "").strip(), command, steps) and _may_be(command, names)
        for text in _destructive(command, policy.detection.destructive, steps)
    )
    return tuple(text for text, _ in sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))[:SHOWN])


def _names(rules: Sequence[DestructiveRule], policy: StepPolicy) -> Sequence[tuple[re.Pattern[str], Sequence[str]]]:
    """Of each rule, its programs under all their names, and the words that its subcommands begin with."""
    return [
        (
            re.compile(rf"(?<![A-Za-z0-9_])(?:{'|'.join(map(re.escape, _all_names(rule, policy)))})(?![A-Za-z_])"),
            [subcommand.partition(" ")[0] for subcommand in rule.subcommands],
        )
        for rule in rules
    ]


def _all_names(rule: DestructiveRule, policy: StepPolicy) -> list[str]:
    return [*rule.programs, *(name for name, program in policy.aliases.items() if program in rule.programs)]


def _may_be(command: str, names: Iterable[tuple[re.Pattern[str], Sequence[str]]]) -> bool:
    """Whether the words of a rule stand in a command, wherever that is: parsing is worth it for few commands only."""
    text = command.translate(_QUOTING)
    return any(
        program.search(text) and (not subcommands or any(word in text for word in subcommands))
        for program, subcommands in names
    )


def _destructive(command: str, rules: Sequence[DestructiveRule], policy: StepPolicy) -> Iterator[str]:
    script = parse(command)
    for run, simple in executed(script, invocations(script, policy), policy):
        candidates = [rule for rule in rules if run.program in rule.programs]
        if candidates and any(_fits(rule, run, simple.words, policy) for rule in candidates):
            yield storable(shlex.join(simple.words))[:_MAX_SHOWN]


def _fits(rule: DestructiveRule, run: Invocation, words: Sequence[str], policy: StepPolicy) -> bool:
    named = (index for index in sorted(run.names) if policy.known_program(words[index]) == run.program)
    start = next(named, None)
    if start is None:
        return False
    given = words[start + 1 :]
    # `+main` is a refspec here; read as a cluster of options it would hide its letters among them.
    options = [word for word in given if not word.startswith("+")]
    arguments = read_arguments(options, 0, policy.syntax.get(run.program, _NO_SYNTAX))
    if not _names_subcommand(rule, arguments) or arguments.options & rule.harmless:
        return False
    return (
        not (rule.options or rule.prefixes or rule.statements)
        or not arguments.options.isdisjoint(rule.options)
        or any(word.startswith(rule.prefixes) for word in given if rule.prefixes)
        or any(_states(rule, statement) for word in given if rule.statements for statement in _value(word).split(";"))
    )


def _names_subcommand(rule: DestructiveRule, arguments: Arguments) -> bool:
    leading = [word for _, word in arguments.positionals]
    return not rule.subcommands or any(
        leading[: len(words)] == words for words in (subcommand.split(" ") for subcommand in rule.subcommands)
    )


def _value(word: str) -> str:
    """An argument without the option that it may be written to: `--command=TEXT`, `-eTEXT`."""
    if word.startswith("--"):
        return word.partition("=")[2]
    return word[2:] if word.startswith("-") else word


def _states(rule: DestructiveRule, statement: str) -> bool:
    """Whether a statement of a client's language begins as the rule says, and nothing in it makes it harmless."""
    said = _WORD.findall(statement.casefold())
    return rule.harmless.isdisjoint(said) and any(
        said[: len(words)] == words for words in (start.split(" ") for start in rule.statements)
    )
