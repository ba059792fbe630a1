"""Reading a text before rules search it: normalising, taking the head, striking out what does not count.

The reference implementation belongs here, one text at a time; `kernel.py` does the plain majority of texts with vector
operations and hands the others to it. Which words negate or need company is policy.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator
from typing import Final, NamedTuple

from pattern_pipeline.detection.text_policy import DetectionPolicy, Guard, Matching, TextName, TextReading

STRUCK: Final = "\x00"
"""Fills the place of a struck character: part of no word and of no phrase."""

# The ASCII members of these classes are repeated in `kernel.py` for its regular expressions.
_LINE_BREAK: Final = re.compile("[\n\r\v\f\x85\u2028\u2029]")
_LINES_BEFORE: Final = re.compile("[\\W_]*[\n\r\v\f\x85\u2028\u2029]")
_LAST_WORD: Final = re.compile(r"\w+$")
_WHITE_SPACE: Final = re.compile(r"\s+")
_MARKERS: Final = re.compile(r"^(?:[^\w`]|_|[0-9]{1,3}[.)] )+")
_TOKEN: Final = re.compile(r"\w+")
_QUOTED: Final = re.compile(r"`[^`]*`")
# A hyphen or full stop inside a word is part of it; a dash stands free, or is doubled.
_CLAUSE_END: Final = re.compile(r"[,;:。、‒–—―]|\.(?!\w)|(?<!\S)--?(?!\S)|(?<=\w)--")
# What may stand between a word and its company: anything but words and clause ends.
_GAP: Final = r"[^\w,;:.!?()‒–—―]+"
_ARGUMENT: Final = re.compile(
    r"""[ ][`"']?(?: --?[a-z]                                      # a flag
                   | [\w.~@-]+/ | /\w | \.(?!\S)                   # a path
                   | [\w-]+ \. (?:[a-z]\w{1,5} | [chr]) (?!\w) )     # a file name
    """,
    re.VERBOSE,
)


class Reading(NamedTuple):
    """A text as it is searched: `counted` by rules, its negated and unaccompanied words struck; `plain` for targets."""

    counted: str
    plain: str


NOTHING: Final = Reading("", "")


def pattern_of(phrases: Collection[str], matching: Matching) -> str:
    """Source of a regular expression that finds any of the phrases, the longest at a place."""
    alternatives = "|".join(re.escape(phrase) for phrase in sorted(phrases, key=lambda phrase: (-len(phrase), phrase)))
    return rf"(?<!\w)(?:{alternatives})(?!\w)" if matching == "token" else f"(?:{alternatives})"


class TextReader:
    """Reads one of a run's texts as the policy says."""

    def __init__(self, name: TextName, policy: DetectionPolicy) -> None:
        self.settings: TextReading = getattr(policy.texts, name)
        negators = policy.negation.words if name in policy.negation.texts else ()
        guards = [guard for guard in policy.guards if name in guard.texts]
        self.alerting: frozenset[str] = frozenset(negators).union(*(guard.phrases for guard in guards))
        """Phrases without which nothing is struck."""
        self._alert = self.alerting and re.compile(pattern_of(self.alerting, "token"))
        self._strikers: list[Callable[[str], Iterator[tuple[int, int]]]] = []
        if negators:
            negator, reach = re.compile(pattern_of(negators, "token")), policy.negation.reach
            self._strikers.append(lambda text: _tokens_behind(negator, reach, text))
        self._strikers += [GuardReader(guard).unaccompanied for guard in guards]

    def read(self, text: str | None) -> Reading:
        """The text as rules and targets search it."""
        if not text:
            return NOTHING
        plain = self.prepared(text)
        return Reading(self.counted(plain), plain)

    def counted(self, plain: str) -> str:
        """A prepared text without the words that are negated or lack company."""
        if not (self._alert and self._alert.search(plain)):
            return plain
        counted = plain
        for start, end in (span for strike in self._strikers for span in strike(plain)):
            counted = counted[:start] + STRUCK * (end - start) + counted[end:]
        return counted

    def prepared(self, text: str) -> str:
        """The text normalised and cut to its scope."""
        unicode = self.settings.normalise == "unicode"
        text = unicodedata.normalize("NFKC", text) if unicode else text
        if self.settings.scope == "head":
            text = first_line(text, self.settings.head_characters)
        text = text.casefold().replace("\u2019", "'") if unicode else text.lower()
        for separator in self.settings.separators:
            text = text.replace(separator, " ")
        text = _WHITE_SPACE.sub(" ", text) if unicode else text
        return _MARKERS.sub("", text) if self.settings.scope == "head" else text


def first_line(text: str, limit: int) -> str:
    """The first line with a letter or digit, at most `limit` characters; a word cut there is dropped whole."""
    before = _LINES_BEFORE.match(text)
    start = before.end() if before else 0
    line_break = _LINE_BREAK.search(text, start)
    line = text[start : line_break.start() if line_break else len(text)]
    return line if len(line) <= limit else _LAST_WORD.sub("", line[: limit + 1])[:limit]


def _tokens_behind(words: re.Pattern[str], reach: int, text: str) -> Iterator[tuple[int, int]]:
    """Spans of the up to `reach` tokens behind each occurrence of the words, within its clause."""
    for found in words.finditer(text):
        clause_end = _CLAUSE_END.search(text, found.end())
        tokens = _TOKEN.finditer(text, found.end(), clause_end.start() if clause_end else len(text))
        for token, _ in zip(tokens, range(reach), strict=False):
            yield token.span()


class GuardReader:
    """Finds the occurrences of a guard's phrases that stand without company."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._phrases = re.compile(pattern_of(guard.phrases, "token"))
        self._after = guard.after and re.compile(rf"{pattern_of(guard.after, 'token')}{_GAP}$")
        self._before = guard.before and re.compile(rf"{_GAP}{pattern_of(guard.before, 'token')}")
        self._following = guard.following and re.compile(pattern_of(guard.following.words, "token"))

    def unaccompanied(self, text: str) -> Iterator[tuple[int, int]]:
        """Spans of the occurrences that do not count."""
        for found in self._phrases.finditer(text):
            if not self._accompanied(text, *found.span()):
                yield found.span()

    def _accompanied(self, text: str, start: int, end: int) -> bool:
        guard = self._guard
        return bool(
            (guard.at_start and not _TOKEN.search(text, 0, start))
            or (self._after and self._after.search(text, 0, start))
            or (self._before and self._before.match(text, end))
            or (guard.argument and _ARGUMENT.match(text, end))
            or (guard.quoted and any(span.start() < start and end < span.end() for span in _QUOTED.finditer(text)))
            or (
                guard.following
                and self._following
                and any(token == start for token, _ in _tokens_behind(self._following, guard.following.within, text))
            )
        )
