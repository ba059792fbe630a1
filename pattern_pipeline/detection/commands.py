"""What a simple command runs: wrappers taken off, interpreters looked into, options told from arguments.

The policy says which programs wrap, interpret and take values; only the mechanism belongs here. What a program means
is looked up in `steps.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from pattern_pipeline.detection.shell_model import Script
from pattern_pipeline.detection.steps_policy import Interpreter, ProgramRule, ProgramSyntax, StepPolicy, Wrapper

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_SCRIPT_NAME = re.compile(r"[^:-]*")
_NO_SYNTAX = ProgramSyntax()
_SUBSTITUTIONS = ("$(", "`")
_SUBCOMMAND = re.compile(r"[a-z][a-z-]{1,23}")
_MAX_CLUSTER = 32


class Arguments(NamedTuple):
    """The words after a program, told apart.

    Attributes:
        positionals: Index and text of the words that are no option and no option's value, without assignments.
        options: Names of the options given.
        paths: Values of the path options.
    """

    positionals: tuple[tuple[int, str], ...]
    options: frozenset[str]
    paths: tuple[str, ...]


class Invocation(NamedTuple):
    """A program with its arguments, as a simple command runs it.

    Attributes:
        program: Name in the policy, or base name.
        arguments: Of the program.
        rule: The rule of the policy that fits, if any.
        names: Indexes of the command's words that say what is run: wrappers, program, sub-commands.
        label: Those of them that decided the rule, as text.
        shell_text: Text that is a command of its own (`bash -c`, `ssh host`) and stands for this one.
    """

    program: str
    arguments: Arguments
    rule: ProgramRule | None
    names: frozenset[int]
    label: str
    shell_text: str | None = None


def invocation(words: Sequence[str], piped: bool, policy: StepPolicy) -> Invocation:
    """What the words of a simple command run.

    Args:
        words: Program and arguments, at least one word.
        piped: The command is a member of a pipeline.
        policy: The table of programs.
    """
    words = list(words)
    names: set[int] = set()
    start = 0
    while True:
        program = policy.known_program(words[start])
        names.add(start)
        if wrapped := _wrapped(program, words, start, policy):
            wrapper, inner, own_words = wrapped
            names |= own_words
            if wrapper.shell_text:
                return _shell(program, " ".join(words[inner:]), names)
            start = inner
            script = next((name for suffix, name in wrapper.scripts.items() if words[inner].endswith(suffix)), None)
            if script:
                return _of_file(script, words, start, piped, names, policy)
            continue
        interpreter = policy.interpreters.get(program)
        if interpreter is None:
            return _program(program, words, start, piped, names, policy)
        option, at = _interpreted(interpreter, words, start + 1)
        if option == interpreter.code and interpreter.shell_text and at < len(words):
            return _shell(program, words[at], names)
        if option == interpreter.module and at < len(words):
            module = interpreter.modules.get(words[at], words[at].partition(".")[0])
            if module in policy.programs:
                words[at] = module
                start = at
                continue
        if option is None and at < len(words):
            return _of_file(program, words, at, piped, names, policy)
        return Invocation(program, Arguments((), frozenset(), ()), None, frozenset(names), program)


def invocations(script: Script, policy: StepPolicy) -> list[Invocation | None]:
    """What each simple command of a script runs; None for one that names no program (assignments, substitutions)."""
    return [
        None
        if not command.words or command.words[0] in script.functions or command.words[0].startswith(_SUBSTITUTIONS)
        else invocation(command.words, command.context.piped, policy)
        for command in script.commands
    ]


def read_arguments(words: Sequence[str], start: int, syntax: ProgramSyntax) -> Arguments:
    """Tell options, their values and positional words apart, from `start` on."""
    positionals: list[tuple[int, str]] = []
    options: set[str] = set()
    paths: list[str] = []
    index, only_positionals = start, False
    while index < len(words):
        word = words[index]
        index += 1
        if word == "--" and not only_positionals:
            only_positionals = True
        elif only_positionals or not is_option(word):
            if not is_assignment(word):
                positionals.append((index - 1, word))
        else:
            option = _option(word, syntax.with_value)
            options.update(option.names)
            value = option.value
            if option.taker and value is None and index < len(words):
                value = words[index]
                index += 1
            if value is not None and option.taker in syntax.paths:
                paths.append(value)
    return Arguments(tuple(positionals), frozenset(options), tuple(paths))


def is_assignment(word: str) -> bool:
    """Whether an argument is `NAME=value`."""
    return _ASSIGNMENT.match(word) is not None


def looks_like_subcommand(word: str) -> bool:
    """Whether the first argument of a program of which nothing is known is taken for a sub-command."""
    return _SUBCOMMAND.fullmatch(word) is not None


class _Option(NamedTuple):
    """The options of one word; `taker` is the one that takes a value, which may stand in the same word."""

    names: tuple[str, ...]
    taker: str | None = None
    value: str | None = None


def is_option(word: str) -> bool:
    """Whether a word stands for options, not for itself; `--` does."""
    return len(word) > 1 and word[0] in "-+"


def _option(word: str, with_value: AbstractSet[str]) -> _Option:
    name, equals, value = word.partition("=")
    if name in with_value:
        return _Option((name,), name, value if equals else None)
    if word.startswith("--"):
        return _Option((name,))
    names: list[str] = [word]
    for index, letter in enumerate(word[1:_MAX_CLUSTER], start=1):
        names.append(f"-{letter}")
        if names[-1] in with_value:
            return _Option(tuple(names), names[-1], word[index + 1 :] or None)
    return _Option(tuple(names))


def _after_options(words: Sequence[str], index: int, with_value: AbstractSet[str]) -> int:
    """Index of the first word from `index` on that is neither an option nor an option's value."""
    while index < len(words) and is_option(words[index]):
        if words[index] == "--":
            return index + 1
        option = _option(words[index], with_value)
        index += 2 if option.taker and option.value is None else 1
    return index


def _wrapped(
    program: str, words: Sequence[str], start: int, policy: StepPolicy
) -> tuple[Wrapper, int, set[int]] | None:
    """The wrapper at `start`, the index of the command it runs, and the indexes of the wrapper's own words.

    A wrapper with nothing to run is a program like any other.
    """
    for further, wrapper in policy.wrappers_of.get(program, ()):
        own: set[int] = set()
        index = start + 1
        for word in further:
            index = _after_options(words, index, wrapper.values)
            if index >= len(words) or words[index] != word:
                break
            own.add(index)
            index += 1
        else:
            index = _after_options(words, index, wrapper.values) + wrapper.positionals
            while wrapper.assignments and index < len(words) and is_assignment(words[index]):
                index += 1
            if index < len(words):
                return wrapper, index, own
    return None


def _interpreted(interpreter: Interpreter, words: list[str], index: int) -> tuple[str | None, int]:
    """The option that gives the code or the module, with the index of its value; or None and the index of the file."""
    deciding = {option for option in (interpreter.code, interpreter.module) if option}
    with_value = interpreter.values | deciding
    while index < len(words) and is_option(words[index]) and words[index] != "--":
        option = _option(words[index], with_value)
        attached = option.taker and option.value is not None
        if option.taker in deciding:
            if attached and option.value:
                words[index] = option.value
            return option.taker, index if attached else index + 1
        index += 2 if option.taker and not attached else 1
    return None, index


def _of_file(
    interpreter: str, words: list[str], at: int, piped: bool, names: set[int], policy: StepPolicy
) -> Invocation:
    """A file run by an interpreter: a program of the table when a rule fits, else the interpreter itself."""
    found = _program(policy.known_program(words[at]), words, at, piped, names | {at}, policy)
    if found.rule:
        return found
    return Invocation(interpreter, read_arguments(words, at, _NO_SYNTAX), None, frozenset(names), interpreter)


def _shell(program: str, text: str, names: set[int]) -> Invocation:
    return Invocation(program, Arguments((), frozenset(), ()), None, frozenset(names), program, shell_text=text)


def _program(
    program: str, words: Sequence[str], start: int, piped: bool, names: set[int], policy: StepPolicy
) -> Invocation:
    syntax = policy.syntax.get(program, _NO_SYNTAX)
    rule: ProgramRule | None
    arguments = read_arguments(words, start + 1, syntax)
    leading = [word for _, word in arguments.positionals[:2]]
    if len(leading) == 2 and leading[0] in syntax.scripts and (script := _SCRIPT_NAME.match(leading[1])):
        leading[1] = script.group()
    for rule in policy.rules_of.get(program, ()):
        if rule.options and arguments.options.isdisjoint(rule.options):
            continue
        if rule.piped and not piped:
            continue
        depth = _subcommand_depth(rule, leading)
        if depth is not None:
            break
    else:
        rule, depth = None, 0
        if program not in policy.builtins and leading and looks_like_subcommand(leading[0]):
            depth = 1
    while depth < len(leading) and leading[depth] in syntax.verbs:
        depth += 1
    taken = frozenset(index for index, _ in arguments.positionals[:depth])
    rest = Arguments(arguments.positionals[depth:], arguments.options, arguments.paths)
    label = " ".join((program, *leading[:depth])) if rule else program
    return Invocation(program, rest, rule, frozenset(names | taken), label)


def _subcommand_depth(rule: ProgramRule, leading: Sequence[str]) -> int | None:
    """How many of the leading words the rule's sub-command takes; None: it does not fit."""
    if not rule.subcommands:
        return 0
    if " ".join(leading) in rule.subcommands:
        return len(leading)
    return 1 if leading and (leading[0] in rule.subcommands or "*" in rule.subcommands) else None
