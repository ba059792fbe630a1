"""The shape of `[detection.steps]`: everything the step layer knows about programs, wrappers and agent tools.

Only the data model and its look-up indexes belong here. How a command is read is in `shell.py`, how the table is
applied to it in `steps.py`; neither names a program.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints, model_validator

Name = Annotated[str, StringConstraints(min_length=1, pattern=r"^\S+$")]
Words = Annotated[str, StringConstraints(pattern=r"^\S+( \S+)*$")]
# A set that serialises in one order, because the version of a policy is a hash of its JSON.
Names = Annotated[frozenset[Name], PlainSerializer(sorted, return_type=list[str])]
SignatureForm = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.+{}-]+(:[a-z0-9_.+{}-]+){2}$")]

_KNOWN_WORDS = 4_096
# What a name may bear after that of a program: a version, or the suffix of an executable file.
_SUFFIX = re.compile(r"(?:-?[0-9][0-9.]*)?(?:\.exe)?$", re.IGNORECASE)

PLACEHOLDERS = frozenset({"program", "sub", "side", "tool", "server"})


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ProgramRule(_Model):
    """What a program means. The rules of a program are tried in file order, the first that fits wins.

    Attributes:
        id: Stored as evidence with every signature the rule gives.
        programs: Base names, without version.
        subcommands: Leading words after the program's options: one word, two words, or `*` for any word. Empty: the
            rule needs none.
        options: At least one of these must be given. Empty: the rule needs none.
        piped: The rule holds only for a member of a pipeline.
        signature: May use `{program}`, `{sub}` (the first sub-command word) and `{side}` (the target).
        rank: The rank of naming, when it is not that of the signature's category.
    """

    id: Name
    programs: tuple[Name, ...] = Field(min_length=1)
    subcommands: tuple[Words, ...] = ()
    options: tuple[Name, ...] = ()
    piped: bool = False
    signature: SignatureForm
    rank: Name | None = None


class ProgramSyntax(_Model):
    """How a program's words are read.

    Attributes:
        values: Options that take the next word (or the rest of a short cluster) as a value that is no path.
        paths: Options whose value is a path.
        positional_paths: A bare word among the arguments is a path (`pytest server`), not a name (`make server`).
        verbs: First or second words that are sub-commands although no rule tells them apart: they stay in templates.
        scripts: Sub-commands whose own argument is a script name, which counts up to its first `:` or `-`.
    """

    values: Names = frozenset()
    paths: Names = frozenset()
    positional_paths: bool = False
    verbs: Names = frozenset()
    scripts: Names = frozenset()

    @cached_property
    def with_value(self) -> frozenset[str]:
        """Every option that takes a value."""
        return self.values | self.paths


class Wrapper(_Model):
    """A program that runs the command given in its own words.

    Attributes:
        values: Its own options that take a value.
        positionals: Words between its options and the wrapped command (a duration, a container, a host).
        assignments: `NAME=value` words may stand before the wrapped command.
        shell_text: The rest is shell text, to be parsed again (`ssh host '...'`), not words.
        scripts: Suffix of a wrapped file -> the interpreter that runs it.
    """

    values: Names = frozenset()
    positionals: int = Field(default=0, ge=0)
    assignments: bool = False
    shell_text: bool = False
    scripts: Mapping[Name, Name] = {}


class Interpreter(_Model):
    """A program that runs code, a module or a file.

    Attributes:
        values: Options that take a value.
        code: The option whose value is the code.
        shell_text: That code is shell text, to be parsed again (`bash -c`).
        module: The option whose value is a module. Its first component counts when it is a program of the table.
        modules: Whole module name -> the program it counts as.
    """

    values: Names = frozenset()
    code: Name | None = None
    shell_text: bool = False
    module: Name | None = None
    modules: Mapping[Name, Name] = {}


class ToolRule(_Model):
    """Agent tools that are no shell, by name without regard to case; the signature may use `{tool}`."""

    id: Name
    names: tuple[Name, ...] = Field(min_length=1)
    signature: SignatureForm


class DestructiveRule(_Model):
    """Commands that destroy what they are pointed at; a pattern that runs one carries a warning.

    A command fits when its program and sub-command do and, if any are listed, one of the options, prefixes or
    statements is given.

    Attributes:
        id: Of the rule.
        programs: As the table of programs names them.
        subcommands: Leading words after the program's options. Empty: the rule needs none.
        options: Any of them is enough.
        prefixes: How an argument begins (`+` of a refspec, `of=/dev/sd`).
        statements: How an argument, or a part of it after a `;`, begins, by whole words without regard to case.
        harmless: Options with which nothing is destroyed, and lower-case words that make a statement harmless.
    """

    id: Name
    programs: Names = Field(min_length=1)
    subcommands: tuple[Words, ...] = ()
    options: Names = frozenset()
    prefixes: tuple[Name, ...] = ()
    statements: tuple[Words, ...] = ()
    harmless: Names = frozenset()


class Sides(_Model):
    """Tokens of directory names that decide the target of a step."""

    backend: Names
    frontend: Names

    @cached_property
    def mentioned(self) -> re.Pattern[str]:
        """Found in every text that has one of the tokens, and in some that have none."""
        return re.compile("|".join(map(re.escape, sorted(self.backend | self.frontend))))


class StepPolicy(_Model):
    """The step layer's policy.

    Attributes:
        shell_tools: Tools whose call is a shell command, by name without regard to case.
        naming: Ranks of categories, best first. A step is named by its first part of the best rank.
        builtins: Words of the shell that are no operation.
        writers: Programs that edit a file when their output goes to one.
        write_operands: Writers that take the files as arguments (`tee FILE`).
        devices: Output targets that are no file.
        wrappers: By the words that start them, e.g. `docker compose exec`; options may stand between the words.
        syntax: By program.
        write, other_program, other_tool, mcp_tool: Signatures of what no rule names.
    """

    shell_tools: Names
    naming: tuple[tuple[Name, ...], ...] = Field(min_length=1)
    builtins: Names
    writers: Names
    write_operands: Names
    devices: Names
    write: SignatureForm
    other_program: SignatureForm
    other_tool: SignatureForm
    mcp_tool: SignatureForm
    sides: Sides
    aliases: Mapping[Name, Name] = {}
    wrappers: Mapping[Words, Wrapper] = {}
    interpreters: Mapping[Name, Interpreter] = {}
    syntax: Mapping[Name, ProgramSyntax] = {}
    rules: tuple[ProgramRule, ...] = Field(min_length=1)
    tools: tuple[ToolRule, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ids = [rule.id for rule in self.rules] + [rule.id for rule in self.tools]
        if repeated := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"duplicate rule id: {', '.join(repeated)}")
        ranked = [category for rank in self.naming for category in rank]
        if repeated := sorted({name for name in ranked if ranked.count(name) > 1}):
            raise ValueError(f"ranked more than once in naming: {', '.join(repeated)}")
        forms = [rule.signature for rule in self.rules] + [rule.signature for rule in self.tools]
        for form in (*forms, self.write, self.other_program, self.other_tool, self.mcp_tool):
            if unknown := set(re.findall(r"{([^{}]*)}", form)) - PLACEHOLDERS:
                raise ValueError(
                    f"unknown placeholder {sorted(unknown)} in signature {form!r}; allowed: {sorted(PLACEHOLDERS)}"
                )
        needed = {rule.rank or rule.signature.partition(":")[0] for rule in self.rules}
        needed |= {form.partition(":")[0] for form in (self.write, self.other_program)}
        if unranked := sorted(needed - set(ranked)):
            raise ValueError(f"categories without a rank in naming: {', '.join(unranked)}")
        return self

    @cached_property
    def rank_of(self) -> Mapping[str, int]:
        """Category -> rank of naming, 0 the best."""
        return {category: rank for rank, categories in enumerate(self.naming) for category in categories}

    @cached_property
    def rules_of(self) -> Mapping[str, tuple[ProgramRule, ...]]:
        """Program -> its rules in file order."""
        rules: dict[str, list[ProgramRule]] = {}
        for rule in self.rules:
            for program in rule.programs:
                rules.setdefault(program, []).append(rule)
        return {program: tuple(found) for program, found in rules.items()}

    @cached_property
    def wrappers_of(self) -> Mapping[str, tuple[tuple[tuple[str, ...], Wrapper], ...]]:
        """First word -> the further words and the wrapper they start, those of most words first."""
        wrappers: dict[str, list[tuple[tuple[str, ...], Wrapper]]] = {}
        for command in sorted(self.wrappers, key=lambda words: (-words.count(" "), words)):
            first, *further = command.split(" ")
            wrappers.setdefault(first, []).append((tuple(further), self.wrappers[command]))
        return {word: tuple(found) for word, found in wrappers.items()}

    @cached_property
    def programs(self) -> frozenset[str]:
        """Every program the policy knows by name."""
        return frozenset().union(self.rules_of, self.wrappers_of, self.interpreters, self.aliases)

    @cached_property
    def tool_rules(self) -> Mapping[str, ToolRule]:
        """Lower-cased tool name -> its rule."""
        return {name.lower(): rule for rule in self.tools for name in rule.names}

    @cached_property
    def shell_names(self) -> frozenset[str]:
        """Lower-cased names of the shell tools."""
        return frozenset(name.lower() for name in self.shell_tools)

    @cached_property
    def known_program(self) -> Callable[[str], str]:
        """The program a command's first word stands for: its base name, without version or `.exe`, aliases resolved."""
        return lru_cache(_KNOWN_WORDS)(self._known_program)

    def _known_program(self, word: str) -> str:
        name = word.rstrip("/").rpartition("/")[2] or word
        if name not in self.programs:
            plain = _SUFFIX.sub("", name, count=1)
            name = plain if plain in self.programs else name
        return self.aliases.get(name, name)

    def kind_of_tool(self, tool: str) -> Literal["shell", "agent", "mcp", "other"]:
        """Which table a tool's call is looked up in."""
        name = tool.lower()
        if name in self.shell_names:
            return "shell"
        if name in self.tool_rules:
            return "agent"
        return "mcp" if name.startswith("mcp__") else "other"
