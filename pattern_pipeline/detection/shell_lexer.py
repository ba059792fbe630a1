"""Words, operators and here-documents of shell text, by bash's token rules (quoting, expansions, comments).

Only the lexical level belongs here; which words form which command is `shell.py`.

A grammar-driven parser (tree-sitter-bash) was measured first and not used: it reads `cat <<E > f && a; b` as one
command, finds no command at all in an unfinished `if` or loop, and needs several times as long. A token scan is linear
in the text, has no recursion, and always yields what could be read. The tests check it against that parser.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

Kind = Literal["word", "operator", "newline", "redirection", "heredoc"]

_PLAIN = r"[^ \t\r\n\"'\\$`;&|()<>]++"
_TOKEN = re.compile(
    r"(?:[ \t\r]|\\\n)*+(?:"
    r"(?P<newline>\n)"
    r"|(?P<comment>#[^\n]*+)"
    r"|(?P<descriptor>\d*+|\{\w+\})(?P<redirection><<<|<<-|<<|<>|<&|>>|>&|>\||<(?!\()|>(?!\()|&>>|&>)"
    r"|(?P<arithmetic>\(\((?:[^()]++|\([^()]*+\))*+\)\))"
    r"|(?P<operator>&&|\|\||;;&|;&|;;|\|&|[;&|()])"
    rf"|(?P<word>{_PLAIN})(?=[ \n;&|)]|\Z)"
    r")"
)
_BLANK = re.compile(r"(?:[ \t\r]|\\\n)*+")
# The pieces of a word that need no look at nesting.
_PIECE = re.compile(
    rf"(?P<plain>{_PLAIN})"
    r"|\\(?P<escaped>.?)"
    r"|'(?P<single>[^']*+)'"
    r"|\$'(?P<ansi>(?:[^'\\]++|\\.)*+)'"
    r'|\$?"(?P<double>(?:[^"\\$`]++|\\.|\$(?![({]))*+)"'
    r"|(?P<dollar>\$(?![({'\"]))",
    re.DOTALL,
)
_ESCAPED_IN_DOUBLE = re.compile(r"\\(?:([\\\"$`])|\n)")
_MARK = re.compile(r"\\.|\$?'|\$?\"|`|\$\(\(|\$\(|\$\{|[()}\n]|<<<|<<-?", re.DOTALL)
_SINGLE_END = re.compile(r"[^']*+'")
_ANSI_END = re.compile(r"(?:[^'\\]++|\\.)*+'", re.DOTALL)
_NESTING = ('"', "'", "$", "`", "<(", ">(")
_DELIMITER_LENGTH = 200


class Token(NamedTuple):
    """One token of shell text.

    Attributes:
        kind: The target of a `redirection` is the word after it; a `heredoc` has none, its body is dropped.
        text: As written.
        value: Of a word: quotes removed, expansions as written.
        descriptor: Of a redirection: the file descriptor, empty for the operator's own.
    """

    kind: Kind
    text: str
    value: str
    descriptor: str = ""


class HereDocument(NamedTuple):
    """One that was opened: its delimiter without quotes, and `<<` or `<<-`."""

    delimiter: str
    operator: str


class Lexer:
    """Reads the tokens of one text, once.

    Attributes:
        complete: False once a quote, an expansion or a here-document turned out to be unclosed.
    """

    __slots__ = ("_pending", "_position", "_text", "complete")

    def __init__(self, text: str, position: int = 0) -> None:
        self._text = text
        self._position = position
        self._pending: deque[HereDocument] = deque()
        self.complete = True

    def tokens(self) -> Iterator[Token]:
        """Yield the tokens in order; never raises, whatever the text."""
        while self._position < len(self._text):
            found = _TOKEN.match(self._text, self._position)
            if not found:
                self._position = _blank_end(self._text, self._position)
                if self._position < len(self._text):
                    yield self.word()
                continue
            self._position = found.end()
            kind = found.lastgroup
            if kind == "word":
                yield Token("word", found["word"], found["word"])
            elif kind == "redirection":
                yield self._redirection(found["redirection"], found["descriptor"])
            elif kind == "newline":
                self._skip_here_documents()
                yield Token("newline", "\n", "\n")
            elif kind != "comment":
                operator = "((" if kind == "arithmetic" else found["operator"]
                yield Token("operator", operator, operator)
        self.complete = self.complete and not self._pending

    def word(self) -> Token:
        """Read the word at the position."""
        text, start = self._text, self._position
        value: list[str] = []
        while self._position < len(text):
            if piece := _PIECE.match(text, self._position):
                self._position = piece.end()
                value.append(_unquoted(piece))
            elif text.startswith(_NESTING, self._position) or (
                value and value[-1].endswith("=") and text[self._position] == "("
            ):
                value.append(self._nested())
            else:
                break
        return Token("word", text[start : self._position], "".join(value))

    def _nested(self) -> str:
        """Read one quoted or bracketed piece that may contain others; its outer quotes are removed."""
        start = self._position
        self._position, closed = _end_of_nested(self._text, start)
        self.complete = self.complete and closed
        piece = self._text[start : self._position]
        unsigned = piece.removeprefix("$")
        if unsigned[:1] in ('"', "'"):
            return _ESCAPED_IN_DOUBLE.sub(r"\1", unsigned[1 : -1 if closed else None])
        return piece

    def _redirection(self, operator: str, descriptor: str) -> Token:
        if operator not in ("<<", "<<-"):
            return Token("redirection", operator, operator, descriptor)
        self._position = _blank_end(self._text, self._position)
        delimiter = self.word()
        if delimiter.text:
            self._pending.append(HereDocument(delimiter.value, operator))
        self.complete = self.complete and bool(delimiter.text)
        return Token("heredoc", operator, operator, descriptor)

    def _skip_here_documents(self) -> None:
        while self._pending:
            self._position, closed = end_of_here_document(self._text, self._position, self._pending.popleft())
            self.complete = self.complete and closed


def without_quotes(word: str) -> str:
    """The value of a word, or of what of a text is its first word."""
    piece = _PIECE.fullmatch(word)
    return _unquoted(piece) if piece else Lexer(word).word().value


def _blank_end(text: str, position: int) -> int:
    blank = _BLANK.match(text, position)
    return blank.end() if blank else position


def _unquoted(piece: re.Match[str]) -> str:
    if piece.lastgroup == "escaped":
        return "" if piece["escaped"] == "\n" else piece["escaped"]
    if piece.lastgroup == "double":
        return _ESCAPED_IN_DOUBLE.sub(r"\1", piece["double"])
    return piece[piece.lastgroup] if piece.lastgroup else ""


def end_of_here_document(text: str, position: int, document: HereDocument) -> tuple[int, bool]:
    """Position after the delimiter line (before its line end), and whether there was one.

    The position to start from is that after a line end, or where the here-document before it ended.
    """
    position = text.find(f"\n{document.delimiter}" if document.operator == "<<" else "\n", position - 1)
    found = _delimiter_line(document).search(text, position) if position >= 0 else None
    return (found.end(), True) if found else (len(text), False)


@lru_cache(64)
def _delimiter_line(document: HereDocument) -> re.Pattern[str]:
    """The line end before a delimiter, and the delimiter: a search for literal text is much quicker than for `^`."""
    tabs = r"\t*" if document.operator == "<<-" else ""
    # Inside a substitution the delimiter may be followed by the closing bracket: "$(cat <<EOF\n...\nEOF)".
    return re.compile(rf"\n{tabs}{re.escape(document.delimiter)}(?=[ \t\r]*$|[)`])", re.MULTILINE)


def _end_of_nested(text: str, start: int) -> tuple[int, bool]:
    """Position after the quote or bracket that opens at `start`, and whether it was closed.

    The stack holds what each open construct waits for: `a` is a bracket of arithmetic, where `<<` is a shift, and `"}`
    a brace inside double quotes, where a single quote is a character like any other.
    """
    waiting: list[str] = []
    pending: deque[HereDocument] = deque()
    position = start
    while found := _MARK.search(text, position):
        mark, position = found.group(), found.end()
        top = waiting[-1] if waiting else ""
        if _closes(mark, top):
            waiting.pop()
        elif mark == "\n":
            while pending and top == ")":
                position, closed = end_of_here_document(text, position, pending.popleft())
                if not closed:
                    return position, False
        elif mark in ("<<", "<<-"):
            if top == ")":
                delimiter = Lexer(text[position : position + _DELIMITER_LENGTH], _blank_end(text, position) - position)
                pending.append(HereDocument(delimiter.word().value, mark))
        elif mark in ("'", "$'"):
            if top not in ('"', '"}'):
                end = (_ANSI_END if mark == "$'" else _SINGLE_END).match(text, position)
                if not end:
                    return len(text), False
                position = end.end()
        else:
            waiting.extend(_opens(mark, top))
        if not waiting and position > start:
            return position, True
    return len(text), False


def _closes(mark: str, top: str) -> bool:
    if mark == ")":
        return top in (")", "a")
    if mark == "}":
        return top in ("}", '"}')
    return mark in (top, f"${top}") and top in ('"', "`")


def _opens(mark: str, top: str) -> tuple[str, ...]:
    """What the mark makes the scan wait for, given what it waits for already."""
    quoted = top in ('"', '"}')
    if mark == "$((":
        return ("a", "a")
    if mark == "$(":
        return (")",)
    if mark == "${":
        return ('"}',) if quoted else ("}",)
    if mark == "`":
        return ("`",)
    if mark in ('"', '$"'):
        return () if quoted else ('"',)
    if mark == "(" and not quoted and top not in ("}", "`"):
        return ("a",) if top == "a" else (")",)
    return ()
