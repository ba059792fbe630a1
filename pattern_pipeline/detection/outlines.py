"""Shell text -> its outline: what is left when the words whose exact text cannot matter are replaced by their kind.

Commands of one outline have the same signatures and the same template, so one of them is read for all. Most commands
of a history are distinct, and most of their outlines are not. An outline only ever tells too many commands apart:
what is not sure not to matter stays as written, and a text with a construct that is not followed here has none.
What a command means is `steps.py`; nothing here may know better.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Final

from pattern_pipeline.detection.commands import is_assignment, is_option, looks_like_subcommand
from pattern_pipeline.detection.shell import MAX_LENGTH
from pattern_pipeline.detection.shell_lexer import HereDocument, Lexer, end_of_here_document
from pattern_pipeline.detection.steps import directory_of, side_of
from pattern_pipeline.detection.steps_policy import Interpreter, ProgramRule, StepPolicy
from pattern_pipeline.detection.templates import is_bare, is_literal, slot_kind, split_flag

Outline = tuple[str, ...]
"""One text per piece of a command: its tokens, one blank apart (a token has none but in quotes)."""

MEMO_PIECES: Final = 16_384
"""Pieces of commands, and words, that are remembered."""
MEMO_LENGTH: Final = 512
"""Code points of a piece that is still remembered."""

# The parts of a word of which nothing is run or expanded; `#` after one of them starts no comment.
_WORD = r"""'[^']*+' | "(?:[^"\\`$]++|\\.|\$(?![({]))*+" | \\[^\n](?!\#) | \$(?![({'"])"""
_REDIRECTION = r"<<_ | &>>?+ | >[>&|]?+(?!\() | <[&>]?+(?![<(])"
# A command without the operators around it, an operator, a comment, or one character that neither can start with.
_PIECE = re.compile(
    rf"""(?: [^'"\\$`;&|()<>\n\#]++ | (?<=[^ \t\r\n;&|()<>])\# | {_WORD} | {_REDIRECTION} )++
    | && | \|\| | [;&|\n] | \#[^\n]*+ | .""",
    re.VERBOSE | re.DOTALL,
)
# A redirection with its target, or a word.
_TOKEN = re.compile(
    rf"""
    (?:\d*+|\{{\w+\}}) (?: <<_ | (?:{_REDIRECTION}) [ \t\r]*+ (?:[^'"\\$`;&|()<>\n \t\r]++|{_WORD})*+ )
    | (?: [^'"\\$`;&|()<>\n \t\r]++ | {_WORD} )++
    """,
    re.VERBOSE | re.DOTALL,
)
_REDIRECTED = re.compile(r"((?:\d*+|\{\w+\})(?:<<_|[<>&|]++))[ \t\r]*+(.*)", re.DOTALL)
_QUOTED = re.compile(r"['\"\\]")
# A line that opens one here-document and has no quotes but those of its delimiter.
_HERE_DOCUMENT = re.compile(r"([^'\"\\$`()<#\n]*+)<<[ \t]*+(['\"]?)(\w++)\2(?![^ \t\n;&|>])([^'\"\\$`()<#\n]*+)\n")
_NOT_FOLLOWED = frozenset("'\"\\$`()<")
_OPERATORS = frozenset({"&&", "||", ";", "|", "&", "\n"})
_INTRODUCERS = frozenset({"if", "then", "elif", "else", "while", "until", "do", "{", "!"})
_RESERVED = _INTRODUCERS | {"in", "fi", "done", "esac", "}", "[[", "]]", "for", "select", "case", "function"}
_MOVES = frozenset({"cd", "pushd", "popd"})
_DIGIT = re.compile(r"\d")
_NO_FILE = "0123456789-"


class Outliner:
    """Outlines commands under one policy; remembers their pieces, within a bound."""

    def __init__(self, policy: StepPolicy) -> None:
        self._policy = policy
        self._remembered_piece = lru_cache(MEMO_PIECES)(self._piece)
        self._remembered_kind = lru_cache(MEMO_PIECES)(self._kind)

    def outline(self, command: str) -> Outline | None:
        """The outline of a command, or None when it has to be read itself; never raises."""
        if len(command) > MAX_LENGTH:
            return None
        pieces = _pieces(command)
        if pieces is None or not _NOT_FOLLOWED.isdisjoint(pieces):
            return None
        if len(command) <= MEMO_LENGTH:
            return tuple(map(self._remembered_piece, pieces))
        return tuple(
            [self._piece(piece) if len(piece) > MEMO_LENGTH else self._remembered_piece(piece) for piece in pieces]
        )

    def _piece(self, piece: str) -> str:
        """The tokens of one piece: as written as far as they say what is run, then by kind."""
        if piece in _OPERATORS:
            return piece
        if piece.startswith("#"):
            return "#"
        tokens = _TOKEN.findall(piece)
        if "<" not in piece and ">" not in piece:
            literal = self._literal_words(tokens)
            return " ".join([*tokens[:literal], *map(self._kind_of, tokens[literal:])])
        words = [token for token in tokens if not _REDIRECTED.match(token)]
        literal_words = set(words[: self._literal_words(words)])
        return " ".join([token if token in literal_words else self._kind_of(token) for token in tokens])

    def _literal_words(self, words: Sequence[str]) -> int:
        """How many words from the first on matter as they are written."""
        policy, everything = self._policy, len(words)
        if words and "=" not in words[0] and policy.known_program(words[0]) in self._settled_programs:
            return 1
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
            if first == interpreter.module and len(deciding) > 2:
                return self._literal_words_of_module(interpreter, deciding[2], start + 2, everything)
            if first == interpreter.code and not interpreter.shell_text:
                return start + 2
            is_file = not is_option(first) and policy.known_program(first) not in policy.rules_of
            return start + 1 if is_file else everything
        if is_option(first) or is_assignment(first) or not self._is_plain(program):
            return everything
        is_unknown = program not in policy.rules_of and program not in policy.syntax
        return start + 1 if is_unknown and not looks_like_subcommand(first) else start + 2

    def _literal_words_of_module(self, interpreter: Interpreter, module: str, at: int, everything: int) -> int:
        if _QUOTED.search(module):
            return everything
        program = interpreter.modules.get(module, module.partition(".")[0])
        if program not in self._policy.programs:
            return at
        return at + 1 if self._policy.known_program(program) in self._settled_programs else everything

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

    def _kind_of(self, word: str) -> str:
        return self._remembered_kind(word) if len(word) <= MEMO_LENGTH else self._kind(word)

    def _kind(self, word: str) -> str:
        """What can matter of a word that says nothing of what is run, or of a redirection."""
        if redirected := _REDIRECTED.match(word):
            operator, target = redirected.groups()
            is_file = target.strip(_NO_FILE) and not target.isdecimal() and not _QUOTED.search(target)
            return f"{operator} {self._kind(target) if is_file else target}"
        value = _value(word)
        if is_literal(value):
            return self._flag(value) or word
        return word if is_assignment(value) or value in self._vocabulary else self._shape(value)

    def _flag(self, word: str) -> str | None:
        """A flag and the shape of the value attached to it, if that can be nothing but a value."""
        flag, value = split_flag(word)
        if value is None:
            return None
        is_certain = flag.startswith("--") if flag.endswith("=") else not self._has_numbered_options
        return flag + self._shape(value) if is_certain else None

    def _shape(self, value: str) -> str:
        side = side_of(directory_of(value), self._policy.sides)
        return f"<{slot_kind(value)},{side},{'/' in value},{is_bare(value)}>"

    @cached_property
    def _has_numbered_options(self) -> bool:
        """The policy knows an option or a directory by a digit: a number attached to an option could be one."""
        policy = self._policy
        options = {option for rule in policy.rules for option in rule.options}
        options |= {option for syntax in policy.syntax.values() for option in syntax.with_value}
        return any(map(_DIGIT.search, options | policy.sides.backend | policy.sides.frontend))

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

    @cached_property
    def _vocabulary(self) -> frozenset[str]:
        """Words that the policy or the grammar tells apart among the arguments."""
        policy = self._policy
        subcommands = {run for rule in policy.rules for words in rule.subcommands for run in _runs(words.split(" "))}
        verbs = {verb for syntax in policy.syntax.values() for verb in syntax.verbs}
        return frozenset(_RESERVED | policy.devices | subcommands | verbs)


def _settle(rules: Iterable[ProgramRule]) -> bool:
    """One of the rules fits whatever the words are, and none takes just any word for a sub-command."""
    always = any(not (rule.subcommands or rule.options or rule.piped) for rule in rules)
    return always and not any("*" in rule.subcommands for rule in rules)


def _pieces(command: str) -> list[str] | None:
    """The pieces of a command without the bodies of its here-documents; None if one cannot be told."""
    if "<<" not in command:
        return _PIECE.findall(command)
    pieces: list[str] = []
    position = 0
    while (mark := command.find("<<", position)) >= 0:
        line = max(command.rfind("\n", position, mark) + 1, position)
        opened = _HERE_DOCUMENT.match(command, line)
        if opened is None or command.endswith("\\\n", position, line):
            return None
        before, _, delimiter, after = opened.groups()
        pieces += _PIECE.findall(command[position:line])
        pieces += _PIECE.findall(f"{before}<<_{after}\n")
        position, _ = end_of_here_document(command, opened.end(), HereDocument(delimiter, "<<"))
    pieces += _PIECE.findall(command, position)
    return pieces


def _value(word: str) -> str:
    """The word without its quotes."""
    if not _QUOTED.search(word):
        return word
    inner = word[1:-1]
    if word[0] == word[-1] and not _QUOTED.search(inner):
        return inner
    return Lexer(word).word().value


def _runs(words: Sequence[str]) -> Iterator[str]:
    """Every run of the words as one text: a quoted argument could be several of them."""
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            yield " ".join(words[start:end])
