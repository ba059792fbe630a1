"""What is noted about a run besides its signatures: length, keywords, files, duration range, complexity.

The readable form, one run at a time, belongs here; `kernel.py` computes the same in bulk.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple, TypedDict

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.detection.runs import Run
from pattern_pipeline.detection.texts import pattern_of


class Characteristics(TypedDict):
    """Stored as `matched_characteristics`, keys in alphabetical order."""

    complexity: str
    duration_range: str
    error_count: int
    files_mentioned: list[str]
    input_length: int
    keywords: list[str]


class TextFacts(NamedTuple):
    """What depends on the task text alone: `words` are separated by white space, files are sorted."""

    words: int
    keywords: list[str]
    files: list[str]


class Describer:
    """Computes the characteristics of single runs."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy.detection.characteristics
        self._keyword = re.compile(pattern_of(self._policy.keywords, "token"))
        self._files = [re.compile(source) for source in self._policy.files]

    def describe(self, run: Run) -> Characteristics:
        """The characteristics of a run."""
        text, errors = run.nl_input or "", run.error_count or 0
        facts = self.text_facts(text)
        return Characteristics(
            complexity=self._complexity(facts.words, errors),
            duration_range=self._duration_range(run.duration_seconds),
            error_count=errors,
            files_mentioned=facts.files,
            input_length=len(text),
            keywords=facts.keywords,
        )

    def text_facts(self, text: str) -> TextFacts:
        """Words, keywords and files of a task text."""
        return TextFacts(len(text.split()), self._keywords(text), self._files_mentioned(text))

    def _keywords(self, text: str) -> list[str]:
        if self._policy.keyword_matching == "substring":
            lowered = text.lower()
            return [word for word in self._policy.keywords if word in lowered]
        found = set(self._keyword.findall(unicodedata.normalize("NFKC", text).casefold()))
        return [word for word in self._policy.keywords if word in found]

    def _files_mentioned(self, text: str) -> list[str]:
        found = {match.group() for pattern in self._files for match in pattern.finditer(text)}
        unwanted = self._policy.not_files
        return sorted(file for file in found if unwanted is None or unwanted not in file)[: self._policy.max_files]

    def _duration_range(self, seconds: float | None) -> str:
        bands = self._policy.durations
        return next(band.name for band in bands if seconds is None or band.below is None or seconds < band.below)

    def _complexity(self, words: int, errors: int) -> str:
        limits = self._policy.complexity
        if words < limits.simple_words and errors < limits.simple_errors:
            return "simple"
        if words > limits.complex_words or errors > limits.complex_errors:
            return "complex"
        return "medium"
