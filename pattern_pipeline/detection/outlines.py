"""Shell text -> its outline: what is left when the words whose exact text cannot matter are replaced by their kind.

Commands of one outline have the same signatures and the same template, so one of them is read for all. Most commands
of a history are distinct, and most of their outlines are not. An outline only ever tells too many commands apart:
what is not sure not to matter stays as written, and a text with a construct that is not followed here has none.
What a command means is `steps.py`; nothing here may know better.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache, partial
from itertools import compress, count
from typing import Final

from pattern_pipeline.detection.commands import is_assignment, is_option, looks_like_subcommand
from pattern_pipeline.detection.shell import MAX_LENGTH
from pattern_pipeline.detection.shell_lexer import HereDocument, end_of_here_document, without_quotes
from pattern_pipeline.detection.steps import directory_of, side_of
from pattern_pipeline.detection.steps_policy import Interpreter, ProgramRule, Sides, StepPolicy
from pattern_pipeline.detection.templates import BARE, KINDS, MAX_VALUE, is_bare, is_literal, slot_kind, split_flag

Outline = tuple[str, ...]
"""The words, redirections and operators of a command, each as written or by its kind."""

MEMO_WORDS: Final = 16_384
"""Words, and simple commands, that are remembered."""
MEMO_LENGTH: Final = 512
"""Code points of a command of which the words and simple commands are still remembered."""

# The parts of a word of which nothing is run or expanded. `\ #` is left out: it looks like the start of a comment.
_PART = r"""[^'"\\$`;&|()<>\n \t\r]++ | '[^']*+' | "(?:[^"\\`$]++|\\.|\$(?![({]))*+" | \\[^\n](?!\#) | \$(?![({'"])"""
_REDIRECTION = r"&>>?+ | >[>&|]?+(?!\() | <[&>]?+(?![<(])"
# A redirection with its target, a word, an operator, or one character that none of them can start with; blanks and
# a comment before it are dropped.
_TOKEN = re.compile(
    rf"""[ \t\r]*+ (?:\#[^\n]*+)?+ (
    (?=[\d{{<>&]) (?:\d*+|\{{\w+\}}) (?: <<_ | (?:{_REDIRECTION}) [ \t\r]*+ (?:(?!\#)(?:{_PART})++)?+ )
    | (?:{_PART})++
    | && | \|\| | ;;& | ;& | ;; | \|& | [;&|\n] | . | \Z )""",
    re.VERBOSE | re.DOTALL,
)
_REDIRECTED = re.compile(r"((?:\d*+|\{\w+\})(?:<<_|[<>&|]++))[ \t\r]*+(.*)", re.DOTALL)
_NOT_PLAIN = re.compile(r"['\"\\<>=]")
_QUOTED = re.compile(r"['\"\\]")
# A line that opens one here-document and has no quotes but those of its delimiter.
_HERE_DOCUMENT = re.compile(r"([^'\"\\$`()<#\n]*+)<<[ \t]*+(['\"]?)(\w++)\2(?![^ \t\n;&|>])([^'\"\\$`()<#\n]*+)\n")
# After `function` even words behind an operator may be read as they are written.
_NOT_FOLLOWED = frozenset({*"'\"\\$`()<", "function"})
# The end of the text reads as an empty token.
_ENDS = frozenset({"&&", "||", ";;&", ";&", ";;", "|&", ";", "|", "&", "\n", ""})
_INTRODUCERS = frozenset({"if", "then", "elif", "else", "while", "until", "do", "{", "!"})
_RESERVED = _INTRODUCERS | {"in", "fi", "done", "esac", "}", "[[", "]]", "for", "select", "case", "function"}
_MOVES = frozenset({"cd", "pushd", "popd"})
# A word, or what is in its quotes, that is no flag, no punctuation, no assignment and no redirection, by its kind.
_PLAIN_VALUE = re.compile(
    rf"""(['"]?)(?=[\w./~*][^'"\\<>=]*+\1\Z)(?:{KINDS} | (?P<bare>{BARE}) | (?P<str>[^'"\\<>=]*+))\1""", re.VERBOSE
)
_DIGIT = re.compile(r"\d")
_NO_FILE = "0123456789-"


class Outliner:
    """Outlines commands under one policy; remembers their words, within a bound."""

    def __init__(self, policy: StepPolicy) -> None:
        self._policy = policy
        self._kinds = _Kinds(policy, _shape)
        self._places = _Kinds(policy, partial(_place, sides=policy.sides))
        self._reading_after = lru_cache(MEMO_WORDS)(self._settled_reading)

    def outline(self, command: str) -> Outline | None:
        """The outline of a command, or None when it has to be read itself; never raises."""
        tokens = _tokens(command) if len(command) <= MAX_LENGTH else None
        if tokens is None or not _NOT_FOLLOWED.isdisjoint(tokens):
            return None
        outline: list[str] = []
        start = 0
        for end in compress(count(), map(_ENDS.__contains__, tokens)):
            if start < end:
                read = self._reading_after(tokens[start])
                if read:
                    outline.append(tokens[start])
                    outline += map(read, tokens[start + 1 : end])
                else:
                    outline += self._unsettled(tokens[start:end])
            outline.append(tokens[end])
            start = end + 1
        return tuple(outline)

    def _settled_reading(self, first: str) -> Callable[[str], str] | None:
        """How a token after a first word is outlined that settles what is run; None when it does not settle it."""
        if _NOT_PLAIN.search(first):
            return None
        program = self._policy.known_program(first)
        if program in _MOVES:
            return str
        if program not in self._settled_programs:
            return None
        has_target = any("{side}" in rule.signature for rule in self._policy.rules_of.get(program, ()))
        return (self._places if has_target else self._kinds).__getitem__

    def _unsettled(self, tokens: Sequence[str]) -> Iterable[str]:
        """The tokens of a simple command: as written as far as they say what is run, then by kind."""
        kind = self._places.__getitem__
        text = "".join(tokens)
        words = tokens
        if "<" in text or ">" in text:
            words = [token for token in tokens if not _REDIRECTED.match(token)]
        literal = self._literal_words(words)
        if len(words) == len(tokens):
            return (*tokens[:literal], *map(kind, tokens[literal:]))
        as_written = set(words[:literal])
        return [token if token in as_written else kind(token) for token in tokens]

    def _literal_words(self, words: Sequence[str]) -> int:
        """How many words from the first on matter as they are written."""
        policy, everything = self._policy, len(words)
        start = 0
        while start < everything and words[start] in _INTRODUCERS:
            start += 1
        while start + 1 < everything and policy.known_program(words[start]) in self._plain_wrappers:
            start += 1
        deciding = words[start : start + 3]
        if not deciding or deciding[0] in _RESERVED or is_option(deciding[0]) or "=" in deciding[0]:
            return everything
        program = policy.known_program(deciding[0])
        if _QUOTED.search(deciding[0]):
            return everything
        if program in self._settled_programs:
            return start + 1
        first = deciding[1] if len(deciding) > 1 else ""
        if not first or _QUOTED.search(first):
            return everything
        if interpreter := policy.interpreters.get(program):
            return self._literal_words_of_interpreter(interpreter, words, start)
        return self._literal_words_of_program(program, words, start)

    def _literal_words_of_interpreter(self, interpreter: Interpreter, words: Sequence[str], at: int) -> int:
        first = words[at + 1]
        if first == interpreter.code and not interpreter.shell_text:
            return at + 2
        if first == interpreter.module and at + 2 < len(words):
            return self._literal_words_of_module(interpreter, words, at + 2)
        is_file = not (is_option(first) or _QUOTED.search(first))
        return at + 1 if is_file and self._policy.known_program(first) not in self._policy.rules_of else len(words)

    def _literal_words_of_module(self, interpreter: Interpreter, words: Sequence[str], at: int) -> int:
        module = words[at]
        if _QUOTED.search(module):
            return len(words)
        program = interpreter.modules.get(module, module.partition(".")[0])
        if program not in self._policy.programs:
            return at
        program = self._policy.known_program(program)
        if program in self._settled_programs:
            return at + 1
        return self._literal_words_of_program(program, words, at)

    def _literal_words_of_program(self, program: str, words: Sequence[str], at: int) -> int:
        policy = self._policy
        first = words[at + 1] if at + 1 < len(words) else ""
        if not first or _QUOTED.search(first) or is_option(first) or is_assignment(first):
            return len(words)
        if not self._is_plain(program):
            return len(words)
        is_unknown = program not in policy.rules_of and program not in policy.syntax
        return at + 1 if is_unknown and not looks_like_subcommand(first) else at + 2

    def _is_plain(self, program: str) -> bool:
        """It runs no other program and changes no directory, and only its first word can be a sub-command of its own.

        The second one can be, too, but then the policy names it.
        """
        policy = self._policy
        syntax = policy.syntax.get(program)
        return (
            program not in policy.wrappers_of
            and program not in policy.interpreters
            and program not in _MOVES
            and not (syntax and syntax.scripts)
        )

    @cached_property
    def _settled_programs(self) -> frozenset[str]:
        """Plain programs that mean something whatever their words are, or nothing ever."""
        settled = {program for program, rules in self._policy.rules_of.items() if _settle(rules)}
        return frozenset(filter(self._is_plain, (settled | self._policy.builtins) - _RESERVED))

    @cached_property
    def _plain_wrappers(self) -> frozenset[str]:
        """Wrappers of one word that may be followed at once by the command they run."""
        return frozenset(
            program
            for program, wrappers in self._policy.wrappers_of.items()
            for further, wrapper in wrappers
            if len(wrappers) == 1 and not (further or wrapper.positionals or wrapper.shell_text or wrapper.scripts)
        )


class _Kinds(dict[str, str]):
    """Word or redirection -> what can matter of it where it says nothing of what is run; remembers the short ones."""

    def __init__(self, policy: StepPolicy, shape: Callable[[str, str], str]) -> None:
        super().__init__()
        self._policy = policy
        self._shape = shape

    def __missing__(self, word: str) -> str:
        kind = self._kind(word)
        if len(word) <= MEMO_LENGTH:
            if len(self) >= MEMO_WORDS:
                self.clear()
            self[word] = kind
        return kind

    def _kind(self, word: str) -> str:
        if word in self._vocabulary:
            return word
        plain = _PLAIN_VALUE.fullmatch(word) if len(word) <= MAX_VALUE else None
        if plain and (kind := plain.lastgroup):
            return self._shape(kind, plain[kind])
        if ("<" in word or ">" in word) and (redirected := _REDIRECTED.match(word)):
            operator, target = redirected.groups()
            is_file = target.strip(_NO_FILE) and not target.isdecimal() and not _QUOTED.search(target)
            # Inside of [[ the mark compares, and what follows may end the test.
            is_name = is_file and target not in _RESERVED
            return f"{operator} {_kind_of(target) if is_name else target}"
        value = without_quotes(word) if _QUOTED.search(word) else word
        if is_literal(value):
            return self._flag(value) or word
        if value in self._vocabulary:
            return word
        return f"={self._shape_of(value)}" if is_assignment(value) else self._shape_of(value)

    def _shape_of(self, value: str) -> str:
        return self._shape(_kind_of(value), value)

    def _flag(self, word: str) -> str | None:
        """A flag and the shape of the value attached to it, if that can be nothing but a value."""
        flag, value = split_flag(word)
        if value is None:
            return None
        is_certain = flag.startswith("--") if flag.endswith("=") else not self._has_numbered_options
        return flag + self._shape_of(value) if is_certain else None

    @cached_property
    def _has_numbered_options(self) -> bool:
        """The policy knows an option or a directory by a digit: a number attached to an option could be one."""
        policy = self._policy
        options = {option for rule in policy.rules for option in rule.options}
        options |= {option for syntax in policy.syntax.values() for option in syntax.with_value}
        return any(map(_DIGIT.search, options | policy.sides.backend | policy.sides.frontend))

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        """Words that the policy or the grammar tells apart among the arguments, without quotes and in them."""
        policy = self._policy
        subcommands = {run for rule in policy.rules for words in rule.subcommands for run in _runs(words.split(" "))}
        verbs = {verb for syntax in policy.syntax.values() for verb in syntax.verbs}
        words = _RESERVED | policy.devices | subcommands | verbs
        return frozenset(quoted for word in words for quoted in (word, f"'{word}'", f'"{word}"'))


def _kind_of(value: str) -> str:
    """The kind of slot that a value is; `bare`: it is also a path to a program that takes any word for one."""
    kind = slot_kind(value)
    return "bare" if kind == "str" and is_bare(value) else kind


def _shape(kind: str, _value: str) -> str:
    return f"<{kind}>"


def _place(kind: str, value: str, sides: Sides) -> str:
    """The kind, and what the value says of the target if it is a path."""
    return f"<{kind}>{side_of(directory_of(value), sides)}{'/' in value}"


def _settle(rules: Iterable[ProgramRule]) -> bool:
    """One of the rules fits whatever the words are, and none takes just any word for a sub-command."""
    always = any(not (rule.subcommands or rule.options or rule.piped) for rule in rules)
    return always and not any("*" in rule.subcommands for rule in rules)


def _tokens(command: str) -> list[str] | None:
    """The tokens of a command without the bodies of its here-documents, an empty one last; None if one cannot be told.

    A character that nothing can start with stands alone.
    """
    if "<<" not in command:
        return _TOKEN.findall(command)
    tokens: list[str] = []
    position = 0
    while (mark := command.find("<<", position)) >= 0:
        line = max(command.rfind("\n", position, mark) + 1, position)
        opened = _HERE_DOCUMENT.match(command, line)
        if opened is None or command.endswith("\\\n", position, line):
            return None
        before, _, delimiter, after = opened.groups()
        if position < line:
            tokens += _TOKEN.findall(command[position:line])[:-1]
        tokens += _TOKEN.findall(f"{before}<<_{after}\n")[:-1]
        position, _ = end_of_here_document(command, opened.end(), HereDocument(delimiter, "<<"))
    tokens += _TOKEN.findall(command, position)
    return tokens


def _runs(words: Sequence[str]) -> Iterator[str]:
    """Every run of the words as one text: a quoted argument could be several of them."""
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            yield " ".join(words[start:end])
