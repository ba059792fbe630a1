"""Shell text -> its simple commands, in order, each with the directory in force and what surrounds it.

The grammar level only: lists, pipelines, groups, subshells, loops, conditions, functions, `cd`. Tokens are
`shell_lexer.py`; what a program does is not known here. Command substitutions and here-documents are not searched.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pattern_pipeline.detection.shell_lexer import Lexer, Token
from pattern_pipeline.detection.shell_model import Context, Operand, Operator, Redirection, Script, SimpleCommand

MAX_LENGTH = 65_536
"""Code points of a text that are read; a longer one is cut and flagged."""

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=")
_PATH_MAX = 4096
_INTRODUCERS = frozenset({"then", "elif", "else", "do", "!"})
_LOOPS = frozenset({"for", "select"})
_OPENERS = frozenset({"if", "while", "until", "{", "case", *_LOOPS})
_COMPOUNDS = _OPENERS | {"!", "[["}
_TIMES = (["time"], ["time", "-p"])
_OPENERS_OF: Mapping[str, frozenset[str]] = {
    "fi": frozenset({"if"}),
    "done": frozenset({"while", "until", *_LOOPS}),
    "}": frozenset({"{"}),
    "esac": frozenset({"case"}),
    ")": frozenset({"("}),
}
_ENDS = frozenset({*_OPENERS_OF, "]]", "(("})


def parse(text: str, directory: str = "", around: Context | None = None) -> Script:
    """Read shell text; never raises, in time linear in the text.

    Args:
        text: Any text.
        directory: The directory in force at its start, as a `cd` before it left it.
        around: The context of the command that runs the text, if it is not read on its own.
    """
    lexer = Lexer(text[:MAX_LENGTH])
    reader = _Reader(directory, around)
    for token in lexer.tokens():
        reader.read(token)
    reader.finish()
    complete = reader.complete and lexer.complete and len(text) <= MAX_LENGTH
    return Script(tuple(reader.items), frozenset(reader.functions), complete)


@dataclass(slots=True)
class _Frame:
    """A compound command being read, and the state of the list around it."""

    opener: str
    context: Context
    directory: str
    list_directory: str
    pipeline_directory: str
    piping: bool


class _Reader:
    """Turns tokens into items, one token at a time; `_mode` is what the next word means."""

    def __init__(self, directory: str, around: Context | None) -> None:
        self.items: list[SimpleCommand | Operator | Operand] = []
        self.functions: set[str] = set()
        self.complete = True
        self._directory = self._list_directory = self._pipeline_directory = self._previous = directory
        self._pushed: list[str] = []
        self._piping = False
        self._around = around
        self._frames: list[_Frame] = []
        self._contexts: list[Context] = []
        self._command: SimpleCommand | None = None
        self._element: Context | None = None  # the compound command that has just been closed
        self._redirection: Token | None = None
        # Plain functions, not bound methods: those would make every reader garbage that only the collector can free.
        self._read_word: Callable[[_Reader, Token], None] = _Reader._command_word

    def read(self, token: Token) -> None:
        if token.kind in ("redirection", "heredoc") and self._read_word != _Reader._test_word:
            self._open_redirection(token)
        elif token.kind == "word":
            if self._redirection:
                self._close_redirection(token.value)
            else:
                self._read_word(self, token)
        else:
            self._redirection = None
            _OPERATORS_IN.get(self._read_word, _Reader._operator)(self, token.text)

    def finish(self) -> None:
        self._end_list(";")
        self.complete = self.complete and not self._frames and self._read_word == _Reader._command_word
        for context in self._contexts:
            context.inherit()

    # Words

    def _command_word(self, token: Token) -> None:
        word = token.text
        if word in _COMPOUNDS:
            self._drop_time()
        if self._command is None:
            if word in _OPENERS:
                self._open(word)
                return
            if word in _OPENERS_OF:
                self._close(word)
                return
            if word in _INTRODUCERS:
                self._end_list(None)
                self.items.append(Operator(word))
                return
            if word in ("[[", "function"):
                self._read_word = _Reader._test_word if word == "[[" else _Reader._function_word
                self.items.append(Operator(word))
                return
        command = self._started()
        if not command.words and _ASSIGNMENT.match(word):
            command.assignments.append(token.value)
        else:
            command.words.append(token.value)

    def _head_word(self, token: Token) -> None:
        """A word of `for NAME in WORDS` or `case WORD in`, up to the separator or `in`."""
        head = self._frames[-1].opener
        if token.text == "do":
            self._read_word = _Reader._command_word
            self._command_word(token)
            return
        named = isinstance(self.items[-1], Operator) and self.items[-1].text == head
        keyword = token.text == "in" or (named and head != "case")
        self.items.append(Operator(token.text) if keyword else Operand(token.value))
        if head == "case" and token.text == "in":
            self._read_word = _Reader._pattern_word

    def _pattern_word(self, token: Token) -> None:
        if token.text == "esac":
            self._read_word = _Reader._command_word
            self._close("esac")
        else:
            self.items.append(Operand(token.value))

    def _test_word(self, token: Token) -> None:
        if token.text == "]]":
            self.items.append(Operator("]]"))
            self._read_word = _Reader._command_word
            self._element = self._new_context()
        else:
            self.items.append(Operand(token.value))

    def _function_word(self, token: Token) -> None:
        if token.text == "{":
            self._read_word = _Reader._command_word
            self._open("{")
        else:
            self.functions.add(token.value)
            self.items.append(Operator(token.value))

    # Operators

    def _operator(self, operator: str) -> None:
        if self._read_word == _Reader._head_word and self._frames[-1].opener == "case":
            return
        self._read_word = _Reader._command_word
        if operator in ("|", "|&"):
            self._pipe(operator)
        elif operator in ("&&", "||"):
            self._end_pipeline()
            self.items.append(Operator(operator))
        elif operator == "(":
            self._open_bracket()
        elif operator == ")":
            self._close(")")
        elif operator == "((":
            self.items.append(Operator(operator))
            self._element = self._new_context()
        else:
            self._end_list(operator)
            if operator.startswith((";;", ";&")) and self._frames and self._frames[-1].opener == "case":
                self._read_word = _Reader._pattern_word

    def _pattern_operator(self, operator: str) -> None:
        if operator == ")":
            self.items.append(Operator(operator))
            self._read_word = _Reader._command_word

    def _test_operator(self, operator: str) -> None:
        if operator != "\n":
            self.items.append(Operator(operator))

    def _function_operator(self, operator: str) -> None:
        if operator in (")", "\n", ";"):
            self._read_word = _Reader._command_word

    def _bracket_word(self, token: Token) -> None:
        """`WORD ( WORD`: no function, so the bracket opens a subshell (`time (...)`)."""
        self._read_word = _Reader._command_word
        self._open("(")
        self._command_word(token)

    def _bracket_operator(self, operator: str) -> None:
        """`WORD ( )` defines a function."""
        self._read_word = _Reader._command_word
        if operator == ")" and self._command:
            self.functions.add(self._command.words[0])
            self.items[-1] = Operator(f"{self._command.words[0]}()")
            self._command = None
        else:
            self._open("(")
            self._operator(operator)

    def _pipe(self, operator: str) -> None:
        element = self._end_element()
        if element:
            element.piped = element.feeds = True
        self._directory = self._pipeline_directory
        self._piping = True
        self.items.append(Operator(operator))

    # Commands

    def _started(self) -> SimpleCommand:
        if self._command is None:
            self._command = SimpleCommand(self._directory, self._new_context())
            self.items.append(self._command)
            self._element = None
        return self._command

    def _new_context(self) -> Context:
        context = Context(self._frames[-1].context if self._frames else self._around, piped=self._piping)
        self._contexts.append(context)
        return context

    def _open_redirection(self, token: Token) -> None:
        if self._element is None:
            self._started()
        if token.kind == "redirection":
            self._redirection = token
        elif self._command:
            self._command.redirections.append(Redirection(token.text, token.descriptor, ""))

    def _close_redirection(self, target: str) -> None:
        token, self._redirection = self._redirection, None
        context = self._command.context if self._command else self._element
        if token is None or context is None:
            return
        redirection = Redirection(token.text, token.descriptor, target)
        if self._command:
            self._command.redirections.append(redirection)
        else:
            self.items += (Operator(token.descriptor + token.text), Operand(target))
        if redirection.output is not None:
            context.output = redirection.output

    def _end_element(self) -> Context | None:
        """End the simple command being read, or leave the compound command just closed; returns its context."""
        command, element = self._command, self._element
        self._command = self._element = None
        if command is None:
            return element
        if command.words:
            self._change_directory(command.words)
        return command.context

    def _end_pipeline(self) -> None:
        self._end_element()
        if self._piping:  # every member of a pipeline runs in its own subshell
            self._directory = self._pipeline_directory
        self._pipeline_directory = self._directory
        self._piping = False

    def _end_list(self, operator: str | None) -> None:
        waits = self._piping and self._command is None and self._element is None
        if operator == "\n" and waits:  # a newline after a pipe continues the pipeline
            return
        self._end_pipeline()
        if operator == "&":  # the whole list runs in a subshell
            self._directory = self._pipeline_directory = self._list_directory
        self._list_directory = self._directory
        separator = ";" if operator == "\n" else operator
        last = self.items[-1] if self.items else Operator(";")
        if separator and not (separator == ";" and isinstance(last, Operator) and last.text not in _ENDS):
            self.items.append(Operator(separator))

    # Compound commands

    def _drop_time(self) -> None:
        """`time` before a compound command is a word of the grammar, not a program."""
        command = self._command
        if command and command.words in _TIMES and not (command.assignments or command.redirections):
            self.items[-1] = Operator(" ".join(command.words))
            self._command = None

    def _open_bracket(self) -> None:
        self._drop_time()
        command = self._command
        if command and len(command.words) == 1 and not command.assignments and not command.redirections:
            self._read_word = _Reader._bracket_word
        else:
            self._open("(")

    def _open(self, opener: str) -> None:
        self._end_element()
        context = self._new_context()
        self._frames.append(
            _Frame(opener, context, self._directory, self._list_directory, self._pipeline_directory, self._piping)
        )
        self._piping = False
        self._list_directory = self._pipeline_directory = self._directory
        self.items.append(Operator(opener))
        if opener == "case" or opener in _LOOPS:
            self._read_word = _Reader._head_word

    def _close(self, closer: str) -> None:
        if not self._frames or self._frames[-1].opener not in _OPENERS_OF[closer]:
            self._end_list(None)
            self.complete = False
            return
        self._end_pipeline()
        frame = self._frames.pop()
        if frame.opener == "(":
            self._directory = frame.directory
        self._list_directory, self._pipeline_directory = frame.list_directory, frame.pipeline_directory
        self._piping = frame.piping
        self.items.append(Operator(closer))
        self._element = frame.context

    # Directories

    def _change_directory(self, words: list[str]) -> None:
        if words[0] == "popd":
            if self._pushed:
                self._previous, self._directory = self._directory, self._pushed.pop()
        elif words[0] in ("cd", "pushd"):
            operands = [word for word in words[1:] if not word.startswith("-") or word == "-"]
            if words[0] == "pushd":
                self._pushed.append(self._directory)
            target = operands[0] if operands else "~"
            directory = self._previous if target == "-" else joined(self._directory, target)
            self._previous, self._directory = self._directory, directory


_OPERATORS_IN: Mapping[Callable[[_Reader, Token], None], Callable[[_Reader, str], None]] = {
    _Reader._test_word: _Reader._test_operator,
    _Reader._pattern_word: _Reader._pattern_operator,
    _Reader._function_word: _Reader._function_operator,
    _Reader._bracket_word: _Reader._bracket_operator,
}


def joined(directory: str, path: str) -> str:
    """`path` as seen from `directory`, normalised; one that starts with `/`, `~` or `$` stands for itself."""
    if not path.startswith(("/", "~", "$")):
        path = posixpath.join(directory, path)
    return posixpath.normpath(path.replace("\0", "")[-_PATH_MAX:])
