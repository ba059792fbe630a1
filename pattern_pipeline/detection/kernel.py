"""The detector for whole frames: vector operations, and Python only once per distinct set of findings.

Each text is *reduced* to the places where a phrase of the policy may be: on the reduction the rules find exactly what
they find in the text. Rows then fall into few distinct sets of reductions; each is given to the rulebook once, and the
answers are joined back. Texts whose head is not ASCII are read one by one by `texts.TextReader`, as the evaluator does;
so are the few findings that a negation or a missing company may strike out.

Expressions of polars belong here; what a rule means does not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from itertools import chain
from typing import Final

import polars as pl

from pattern_pipeline.detection.characteristics_kernel import FrameDescriber
from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.detection.rules import Finder, Rulebook, without_repeats
from pattern_pipeline.detection.text_policy import TEXT_FIELDS, TEXT_NAMES, DetectionPolicy, TextName, TextReading
from pattern_pipeline.detection.texts import Reading, TextReader

MATCHES: Final[Mapping[str, pl.DataType]] = {
    "workflow_id": pl.String(),
    "part": pl.Int16(),
    "layer": pl.String(),
    "rule_id": pl.String(),
    "matched_text": pl.String(),
    "signature": pl.String(),
}

# ASCII members of the classes that `texts.py` writes as \w, \s and its line breaks; Rust's own classes differ.
_WORD: Final = "0-9A-Za-z_"
_LINES_BEFORE: Final = r"^[\x00-/:-@\[-`{-\x7f]*[\n-\r]"
_LINE_END: Final = r"(?s)[\n-\r].*"
_LAST_WORD: Final = rf"[{_WORD}]+$"
_SPACE_RUN: Final = r"[\t-\r\x1c-\x20]{2,}|[\t-\r\x1c-\x1f]"
_MARKERS: Final = rf"^(?:[^{_WORD}`]|_|[0-9]{{1,3}}[.)] )+"

_NEVER: Final = r"[^\x00-\x{10ffff}]"
_APART: Final = "\x1f"
"""Separates the findings of a reduction."""
_OTHER_LETTER: Final = "Z"
"""Stands for a word character that is in no phrase; phrases are lower case."""


class Detector:
    """Detects the signatures and characteristics of frames of runs under one policy."""

    def __init__(self, policy: Policy) -> None:
        self._rulebook = Rulebook(policy.detection)
        self._readers = [_FrameReader(name, policy.detection, self._rulebook) for name in TEXT_NAMES]
        self._describer = FrameDescriber(policy)

    def detect_texts(self, runs: pl.DataFrame) -> pl.DataFrame:
        """Signatures of the texts of runs.

        Args:
            runs: `workflow_id`, `nl_input`, `error_message`, `workflow_template`.

        Returns:
            One row per workflow and signature with the columns of `MATCHES`; `part` counts from 0 in output order.
        """
        findings = runs.select("workflow_id", *TEXT_FIELDS.values())
        for field, reader in zip(TEXT_FIELDS.values(), self._readers, strict=True):
            findings = findings.join(reader.read(runs[field]), on=field, how="left").drop(field)
        findings = findings.filter(pl.any_horizontal(pl.col(f"{name}_counted").is_not_null() for name in TEXT_NAMES))
        sets = [column for column in findings.columns if column != "workflow_id"]
        distinct = findings.select(sets).unique().with_row_index("set")
        return (
            findings.join(distinct, on=sets, nulls_equal=True)
            .join(self._matches(distinct), on="set")
            .select(list(MATCHES))
        )

    def characteristics(self, runs: pl.DataFrame) -> pl.DataFrame:
        """`workflow_id` and `matched_characteristics` (JSON, keys sorted) of runs.

        Args:
            runs: `workflow_id`, `nl_input`, `duration_seconds` (Float64), `error_count` (Int64).
        """
        return self._describer.describe(runs)

    def _matches(self, distinct: pl.DataFrame) -> pl.DataFrame:
        layer_matches = cache(self._rulebook.layer_matches)  # a layer depends on a part of the set only
        rows: list[tuple[object, ...]] = []
        for row in distinct.iter_rows(named=True):
            readings = {name: Reading(row[f"{name}_counted"] or "", row[f"{name}_plain"] or "") for name in TEXT_NAMES}
            views = ((layer, *self._rulebook.view(layer, readings)) for layer in TEXT_NAMES)
            found = without_repeats(match for view in views for match in layer_matches(*view))
            rows.extend((row["set"], part, *match) for part, match in enumerate(found))
        schema = {"set": pl.UInt32(), **{name: kind for name, kind in MATCHES.items() if name != "workflow_id"}}
        return pl.DataFrame(rows, schema=schema, orient="row")


class _FrameReader:
    """Reads and reduces one text of many runs."""

    def __init__(self, name: TextName, policy: DetectionPolicy, rulebook: Rulebook) -> None:
        self._name = name
        self._reader = TextReader(name, policy)
        self._alert = _tokens_pattern(self._reader.alerting)
        self._counted, self._plain = _Reduction(rulebook.counted[name]), _Reduction(rulebook.plain[name])
        known = re.escape("".join(chain(*self._counted.phrases, *self._plain.phrases)))
        self._foreign_letter = re.compile(rf"[^\W\x00-\x7f{known}]")
        self._foreign = re.compile(rf"[^\w\x00-\x7f{known}]")

    def read(self, texts: pl.Series) -> pl.DataFrame:
        """Distinct texts with their reductions `<name>_counted` and `<name>_plain`, null where nothing is found."""
        scope = _scope(pl.col("text"), self._reader.settings)
        plain = pl.when(_is_ascii(pl.col("scope"))).then(_normalised(pl.col("scope"), self._reader.settings))
        read = (
            pl.DataFrame({"text": texts.drop_nulls().unique()})
            .lazy()
            .with_columns(scope=scope)
            .with_columns(plain=plain)
            .with_columns(doubtful=self._is_doubtful("plain"))
            .select("text", "plain", "doubtful", counted="plain")
            .collect()
        )
        foreign, doubtful = pl.col("plain").is_null(), pl.col("doubtful").fill_null(False)
        parts = (
            read.filter(~foreign & ~doubtful),
            self._struck(read.filter(~foreign & doubtful)),
            self._read_by_hand(read.filter(foreign)),
        )
        counted, plain_found = f"{self._name}_counted", f"{self._name}_plain"
        return (
            pl.concat(parts, how="diagonal")
            .select(
                pl.col("text").alias(texts.name),
                self._counted.of("counted").alias(counted),
                self._plain.of("plain").alias(plain_found),
            )
            .filter(pl.col(counted).is_not_null() | pl.col(plain_found).is_not_null())
        )

    def _is_doubtful(self, column: str) -> pl.Expr:
        """Whether something that a rule looks for may be struck out of an ASCII text."""
        if not self._reader.alerting:
            return pl.lit(False)
        return pl.col(column).str.contains(self._alert) & self._counted.found_in(column)

    def _struck(self, frame: pl.DataFrame) -> pl.DataFrame:
        counted = [self._reader.counted(plain) for plain in frame["plain"]]
        return frame.with_columns(pl.Series("counted", counted, pl.String))

    def _read_by_hand(self, frame: pl.DataFrame) -> pl.DataFrame:
        readings = [self._reader.read(text) for text in frame["text"]]
        return frame.select("text").with_columns(
            pl.Series("counted", [self._folded(reading.counted) for reading in readings], pl.String),
            pl.Series("plain", [self._folded(reading.plain) for reading in readings], pl.String),
        )

    def _folded(self, text: str) -> str:
        """The text in ASCII as far as the phrases are: a foreign character tells nothing but whether it is a letter."""
        return text if text.isascii() else self._foreign.sub(_APART, self._foreign_letter.sub(_OTHER_LETTER, text))


class _Reduction:
    """Cuts prepared texts down to where phrases are: the same findings in fewer distinct texts."""

    def __init__(self, finder: Finder) -> None:
        self.phrases = finder.phrases["token"], finder.phrases["substring"]
        self._tokens, self._substrings = _tokens_pattern(self.phrases[0]), sorted(self.phrases[1])
        words = [re.findall(r"\w+", phrase) for phrase in self.phrases[0]]
        # A phrase lies inside one run of known words that starts with the first word of a phrase.
        first, known = _tokens_pattern({parts[0] for parts in words}), _tokens_pattern(set(chain(*words)))
        self._run = rf"{first}(?:[^{_WORD}]+{known})*"

    def found_in(self, column: str) -> pl.Expr:
        """Whether an ASCII text holds any of the phrases."""
        text = pl.col(column)
        found = text.str.contains(self._tokens)
        return found | text.str.contains_any(self._substrings) if self._substrings else found

    def of(self, column: str) -> pl.Expr:
        """The reduction of a column of texts; null when no phrase is in it.

        Texts that are not ASCII hold characters of the policy's own phrases, and are kept whole.
        """
        if self._substrings and not self.phrases[0]:
            enclosed = self._enclosed(pl.col(column))
            return pl.when(~_is_ascii(pl.col(column))).then(column).when(enclosed != "__").then(enclosed)
        text = pl.when(self.found_in(column)).then(column)
        runs = text.str.extract_all(self._run).list.unique(maintain_order=True).list.join(_APART)
        if self._substrings:
            runs = pl.concat_str(runs, self._enclosed(text), separator=_APART)
        return pl.when(_is_ascii(pl.col(column))).then(runs).otherwise(column)

    def _enclosed(self, text: pl.Expr) -> pl.Expr:
        """The substrings found: enclosed in word characters they are found as such again, not as tokens."""
        hits = text.str.extract_many(self._substrings, overlapping=True).list.unique(maintain_order=True)
        return pl.lit("_") + hits.list.join(f"_{_APART}_") + pl.lit("_")


def _scope(text: pl.Expr, settings: TextReading) -> pl.Expr:
    """`texts.first_line` for texts that are ASCII as far as it looks; the result of others is not ASCII."""
    if settings.scope == "whole":
        return text
    limit = settings.head_characters
    line = text.str.replace(_LINES_BEFORE, "").str.slice(0, limit + 1).str.replace(_LINE_END, "")
    shortened = line.str.replace(_LAST_WORD, "").str.slice(0, limit)
    # A foreign character just behind the limit still tells where the last word ends.
    return pl.when(_is_ascii(line) & (line.str.len_bytes() > limit)).then(shortened).otherwise(line)


def _normalised(text: pl.Expr, settings: TextReading) -> pl.Expr:
    """What `TextReader.prepared` does besides, for ASCII texts."""
    text = text.str.to_lowercase()
    if settings.separators:
        text = text.str.replace_all(f"[{re.escape(settings.separators)}]", " ")
    if settings.normalise == "unicode":
        text = text.str.replace_all(_SPACE_RUN, " ")
    return text.str.replace(_MARKERS, "") if settings.scope == "head" else text


def _is_ascii(text: pl.Expr) -> pl.Expr:
    return text.str.len_bytes() == text.str.len_chars()


def _any_of(words: Iterable[str]) -> str:
    return "(?:" + "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word))) + ")"


def _tokens_pattern(phrases: Collection[str]) -> str:
    """Finds any of the phrases on token boundaries of ASCII text."""
    return rf"(?-u:\b){_any_of(phrases)}(?-u:\b)" if phrases else _NEVER
