"""What shell text is read into: simple commands, what stands between them, and what surrounds them.

Data only; reading is `shell.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

_OUTPUTS = frozenset({">", ">>", ">|", "&>", "&>>"})


@dataclass(frozen=True, slots=True)
class Redirection:
    """`descriptor` is empty for the operator's own, `target` for a here-document."""

    operator: str
    descriptor: str
    target: str

    @property
    def output(self) -> str | None:
        """The target, if it takes the standard output."""
        to_file = self.operator in _OUTPUTS or (self.operator == ">&" and self.target.strip("0123456789-") != "")
        return self.target if to_file and self.descriptor in ("", "1") else None


@dataclass(frozen=True, slots=True)
class Operator:
    """A control operator, a reserved word, or the redirection operator of a compound command."""

    text: str


@dataclass(frozen=True, slots=True)
class Operand:
    """A word that belongs to no simple command: of a loop's head, of `[[ ]]`, of a compound's redirection."""

    value: str


@dataclass(slots=True)
class Context:
    """What surrounds a simple or compound command; filled in while what follows it is read.

    Attributes:
        parent: Of the compound command around it.
        piped: It, or a compound command around it, is a member of a pipeline.
        feeds: Its output goes into a pipe.
        output: The target its standard output goes to, its own or that of a compound command around it.
    """

    parent: Context | None
    piped: bool = False
    feeds: bool = False
    output: str | None = None

    def inherit(self) -> None:
        """Take over from the compound command around it, which has done so before."""
        if self.parent:
            self.piped = self.piped or self.parent.piped
            if self.output is None and not self.feeds:
                self.output = self.parent.output


@dataclass(slots=True)
class SimpleCommand:
    """One simple command.

    Attributes:
        directory: In force from `cd`, as written; empty when there was none.
        assignments: `NAME=value` words before the program.
        words: Program and arguments, quotes removed.
        redirections: In the order written.
    """

    directory: str
    context: Context
    assignments: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    redirections: list[Redirection] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Script:
    """What could be read of a text.

    Attributes:
        items: Everything but comments and here-document bodies, in order.
        functions: Names of the functions it defines.
        complete: False when the text was cut, or something in it is not closed.
    """

    items: tuple[SimpleCommand | Operator | Operand, ...]
    functions: frozenset[str]
    complete: bool

    @property
    def commands(self) -> Iterator[SimpleCommand]:
        """The simple commands, in order."""
        return (item for item in self.items if isinstance(item, SimpleCommand))
