"""The shape of `[detection]` except its step layer: how texts are read, what is searched for, what a finding means.

Only the data model belongs here, with the checks a policy file must pass. Reading texts is in `texts.py`, applying
rules in `rules.py`; neither knows a keyword.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from itertools import chain
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from pattern_pipeline.detection.redaction_policy import LinearPattern
from pattern_pipeline.detection.steps_policy import DestructiveRule, StepPolicy

TextName = Literal["task", "error", "template"]
Matching = Literal["token", "substring"]

TEXT_NAMES: tuple[TextName, ...] = ("task", "error", "template")
TEXT_FIELDS: Mapping[TextName, str] = {
    "task": "nl_input",
    "error": "error_message",
    "template": "workflow_template",
}
"""Text -> the column of a run that holds it, in the order in which the layers are reported."""

PLACEHOLDERS = frozenset({"tool", "target"})


def expand_braces(notation: str) -> tuple[str, ...]:
    """All phrases that a notation such as `update {,the ,my }docs` stands for, as shells expand braces."""
    opening = re.search(r"{([^{}]*)}", notation)
    if opening is None:
        return (notation,)
    start, end = opening.span()
    options = opening.group(1).split(",")
    return tuple(chain.from_iterable(expand_braces(notation[:start] + option + notation[end:]) for option in options))


def _expanded(notations: object) -> object:
    if not isinstance(notations, list | tuple) or not all(isinstance(item, str) for item in notations):
        return notations
    return tuple(dict.fromkeys(chain.from_iterable(expand_braces(item) for item in notations)))


def _regex(source: str) -> str:
    try:
        re.compile(source)
    except re.error as error:
        raise ValueError(f"{source!r} is no regular expression: {error}") from error
    return source


Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.+-]+$")]
Phrase = Annotated[str, StringConstraints(min_length=1)]
Phrases = Annotated[tuple[Phrase, ...], BeforeValidator(_expanded)]
Regex = Annotated[LinearPattern, AfterValidator(_regex)]
SignatureForm = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9_.+-]+(?::(?:[a-z0-9_.+-]+|\{tool\}|\{target\})){2}$")
]


class PolicyModel(BaseModel):
    """A frozen group of policy values; an unknown key is an error, so that a misspelt one cannot be ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TextReading(PolicyModel):
    """How one text of a run is read before it is searched.

    Attributes:
        normalise: `unicode`: NFKC, case-folded, U+2019 as an apostrophe, runs of white space as one space;
            `lower`: lower case and nothing else.
        scope: `head`: the first line with a letter or digit; `whole`: everything.
        head_characters: Length of the head, counted after NFKC and before markers are skipped.
        separators: Further characters that separate words as a space does.
        rules: Whether the first rule that fires is the only one, or every rule is tried.
    """

    normalise: Literal["unicode", "lower"] = "unicode"
    scope: Literal["head", "whole"] = "whole"
    head_characters: int = Field(default=200, ge=1)
    separators: str = ""
    rules: Literal["first", "every"] = "first"


class Texts(PolicyModel):
    """The texts of a run."""

    task: TextReading
    error: TextReading
    template: TextReading


class Negation(PolicyModel):
    """Words that strike out what follows them.

    Attributes:
        words: Negating words and phrases.
        reach: So many tokens behind the phrase are struck, up to the end of the clause.
        texts: The texts in which negation is heeded.
    """

    words: Phrases = ()
    reach: int = Field(default=3, ge=1)
    texts: tuple[TextName, ...] = ()


class Reach(PolicyModel):
    """Words that must stand at most `within` tokens before, in the same clause."""

    words: Phrases = Field(min_length=1)
    within: int = Field(default=3, ge=1)


class Guard(PolicyModel):
    """Phrases that are often something else: they count only in company. Any one company suffices.

    Attributes:
        at_start: It stands at the start of the text.
        after: One of these stands directly before it.
        before: One of these stands directly behind it.
        following: One of these words stands a few tokens before it.
        argument: A flag or a path stands directly behind it.
        quoted: It stands in back ticks.
    """

    id: Name
    texts: tuple[TextName, ...] = Field(min_length=1)
    phrases: Phrases = Field(min_length=1)
    at_start: bool = False
    after: Phrases = ()
    before: Phrases = ()
    following: Reach | None = None
    argument: bool = False
    quoted: bool = False


class Term(PolicyModel):
    """Phrases that mean the same, and how they are matched when not as the rest of the policy does."""

    phrases: Phrases = Field(min_length=1)
    matching: Matching


class TargetRule(PolicyModel):
    """One line of the target rule: the first that holds for a text decides.

    Attributes:
        texts: The texts it applies to.
        all: Terms that must all be in the text.
        any: Terms of which one must be in the text. Empty: none is needed.
    """

    id: Name
    texts: tuple[TextName, ...] = Field(min_length=1)
    all: tuple[Name, ...] = ()
    any: tuple[Name, ...] = ()
    target: Name

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not self.all and not self.any:
            raise ValueError("a target rule needs terms in `all` or `any`")
        return self


class Tool(PolicyModel):
    """A tool (or another sub-category) that the text may name."""

    name: Name
    any: tuple[Name, ...] = Field(min_length=1)


class Rule(PolicyModel):
    """What a finding in one text means.

    Attributes:
        any: Terms of which one must be in the text.
        unless: Terms of which none may be in it.
        signature: May use `{tool}` and `{target}`. None: the rule fires and gives nothing.
        tools: What `{tool}` may be; `tool` when the text names none of them.
        pick: Which tool counts: the first in this list, or the first in the text.
        target_from: Texts searched for a target, in this order; `target` when none decides.
    """

    id: Name
    layer: TextName
    any: tuple[Name, ...] = Field(min_length=1)
    unless: tuple[Name, ...] = ()
    signature: SignatureForm | None = None
    tools: tuple[Tool, ...] = ()
    tool: Name | None = None
    pick: Literal["listed", "leftmost"] = "listed"
    target_from: tuple[TextName, ...] = ()
    target: Name | None = None

    @model_validator(mode="after")
    def _placeholders_have_values(self) -> Self:
        for placeholder in PLACEHOLDERS:
            used = f"{{{placeholder}}}" in (self.signature or "")
            if used and getattr(self, placeholder) is None:
                raise ValueError(f"`{placeholder}` must say what {{{placeholder}}} is when the text does not tell")
        return self

    @property
    def terms(self) -> frozenset[str]:
        """Every term the rule looks for."""
        return frozenset(self.any).union(self.unless, *(tool.any for tool in self.tools))


class Band(PolicyModel):
    """A named range of a duration: `below` seconds. None: everything longer."""

    name: Name
    below: float | None = None


class Complexity(PolicyModel):
    """Limits of words and errors: below both of `simple` is simple, above one of `complex` is complex, else medium."""

    simple_words: int = Field(ge=0)
    simple_errors: int = Field(ge=0)
    complex_words: int = Field(ge=0)
    complex_errors: int = Field(ge=0)


class CharacteristicsPolicy(PolicyModel):
    """What is noted about a run besides its signatures.

    Attributes:
        keywords: Single words, reported in this order.
        keyword_matching: On token boundaries of the normalised text, or anywhere in the lower-cased text.
        files: Regular expressions of paths and file names in the raw text, without look-around and back references.
        not_files: A finding that contains this is none (a URL).
        max_files: So many files at most, in sorted order. None: all.
    """

    keywords: tuple[Annotated[str, StringConstraints(pattern=r"^\w+$")], ...]
    keyword_matching: Matching
    files: tuple[Regex, ...]
    not_files: Phrase | None = None
    max_files: int | None = Field(default=None, ge=1)
    durations: tuple[Band, ...] = Field(min_length=1)
    complexity: Complexity

    @model_validator(mode="after")
    def _bands_ascend(self) -> Self:
        limits = [band.below for band in self.durations]
        bounded = [limit for limit in limits[:-1] if limit is not None]
        if len(bounded) != len(limits) - 1 or bounded != sorted(bounded) or limits[-1] is not None:
            raise ValueError("durations must ascend by `below`; only the last band has none")
        return self


class Exclusion(PolicyModel):
    """Signatures that are counted and shown, but never proposed for automation.

    Attributes:
        pattern: Shell pattern over the whole signature, e.g. `inspect:*`.
        reason: Code shown with the excluded pattern.
    """

    id: Name
    pattern: Phrase
    reason: Name


class DetectionPolicy(PolicyModel):
    """Section `[detection]`.

    Attributes:
        matching: How terms are matched that do not say it themselves: on token boundaries or anywhere.
        terms: Name -> phrases; rules refer to terms only.
        steps: The step layer. None: the policy has none.
        destructive: Commands that a reviewer is warned of; they are told by the step layer's table of programs.
    """

    matching: Matching
    texts: Texts
    negation: Negation = Negation()
    guards: tuple[Guard, ...] = ()
    terms: Mapping[Name, Phrases | Term]
    targets: tuple[TargetRule, ...] = ()
    rules: tuple[Rule, ...] = Field(min_length=1)
    characteristics: CharacteristicsPolicy
    exclusions: tuple[Exclusion, ...] = ()
    steps: StepPolicy | None = None
    destructive: tuple[DestructiveRule, ...] = ()

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        for group in (self.guards, self.targets, self.rules, self.exclusions, self.destructive):
            ids = [entry.id for entry in group]
            if repeated := sorted({name for name in ids if ids.count(name) > 1}):
                raise ValueError(f"duplicate rule id: {', '.join(repeated)}")
        return self

    @model_validator(mode="after")
    def _terms_are_known(self) -> Self:
        users: Iterable[tuple[str, Iterable[str]]] = chain(
            ((rule.id, rule.terms) for rule in self.rules),
            ((rule.id, (*rule.all, *rule.any)) for rule in self.targets),
        )
        for user, names in users:
            if unknown := sorted(set(names) - set(self.terms)):
                raise ValueError(f"{user}: unknown term {', '.join(unknown)}; allowed: {', '.join(sorted(self.terms))}")
        return self

    @model_validator(mode="after")
    def _phrases_can_match(self) -> Self:
        for name in self.terms:
            term = self.term(name)
            for phrase in term.phrases:
                if phrase != phrase.lower():
                    raise ValueError(f"terms.{name}: {phrase!r} can never match, texts are searched in lower case")
                if term.matching == "token" and not re.fullmatch(r"\w(?:.*\w)?", phrase):
                    raise ValueError(
                        f"terms.{name}: {phrase!r} must begin and end with a letter, digit or underscore to be matched "
                        'on token boundaries; allowed otherwise with matching = "substring"'
                    )
        return self

    @model_validator(mode="after")
    def _leftmost_tools_match_alike(self) -> Self:
        for rule in self.rules:
            ways = {self.term(name).matching for tool in rule.tools for name in tool.any}
            if rule.pick == "leftmost" and len(ways) > 1:
                raise ValueError(f'{rule.id}: the tools of a rule with pick = "leftmost" must be matched in one way')
        return self

    def term(self, name: str) -> Term:
        """The term of that name, its way of matching filled in."""
        term = self.terms[name]
        return term if isinstance(term, Term) else Term(phrases=term, matching=self.matching)

    def exclusion(self, signature: str) -> str | None:
        """The reason code of the first exclusion that covers the signature."""
        return next((rule.reason for rule in self.exclusions if fnmatchcase(signature, rule.pattern)), None)
