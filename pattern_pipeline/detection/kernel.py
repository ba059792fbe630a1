"""The detector for whole frames: vector operations, and Python only once per distinct set of findings.

Each text is *reduced* to the places where a phrase of the policy may be: on the reduction the rules find exactly what
they find in the text. Rows then fall into few distinct sets of reductions, each is given to the rulebook once, and the
answers are joined back. Texts that are not plain (not ASCII, or with a word that negates or needs company) are read one
by one by `texts.TextReader`, as the evaluator does, and reduced like the others.

Expressions of polars belong here; what a rule means does not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from itertools import chain
from typing import Final

import polars as pl

from pattern_pipeline.detection.characteristics_kernel import FrameDescriber
from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.detection.rules import Finder, Rulebook
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
_SPACE: Final = r"\t-\r\x1c-\x20"
_FIRST_LINE: Final = r"[^\n-\r]*[0-9A-Za-z][^\n-\r]*"
_LAST_WORD: Final = rf"[{_WORD}]+$"
_SPACE_RUN: Final = rf"[{_SPACE}]{{2,}}|[\t-\r\x1c-\x1f]"
_MARKERS: Final = rf"^(?:[^{_WORD}`]|_|[0-9]{{1,3}}[.)] )+"

_APART: Final = "\x1f"
"""Separates the findings of a reduction."""
_OTHER_LETTER: Final = "Z"
"""Stands for a word character that is in no phrase; phrases are lower case."""


class Detector:
    """Detects the signatures and characteristics of frames of runs under one policy."""

    def __init__(self, policy: Policy) -> None:
        rulebook = Rulebook(policy.detection)
        self._rulebook = rulebook
        self._readers = {
            name: _FrameReader(name, policy.detection, rulebook.counted[name], rulebook.plain[name])
            for name in TEXT_NAMES
        }
        self._describer = FrameDescriber(policy)

    def detect_texts(self, runs: pl.DataFrame) -> pl.DataFrame:
        """Signatures of the texts of runs.

        Args:
            runs: `workflow_id`, `nl_input`, `error_message`, `workflow_template`.

        Returns:
            One row per workflow and signature with the columns of `MATCHES`; `part` counts from 0 in output order.
        """
        findings = runs.select("workflow_id", *TEXT_FIELDS.values())
        for name, field in TEXT_FIELDS.items():
            findings = findings.join(self._readers[name].read(runs[field]), on=field, how="left").drop(field)
        counted = [f"{name}_counted" for name in TEXT_NAMES]
        findings = findings.filter(pl.any_horizontal(pl.col(counted).is_not_null()))
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
        rows = []
        for row in distinct.iter_rows(named=True):
            readings = {name: Reading(row[f"{name}_counted"] or "", row[f"{name}_plain"] or "") for name in TEXT_NAMES}
            for part, match in enumerate(self._rulebook.matches(readings)):
                rows.append((row["set"], part, *match))
        schema = {"set": pl.UInt32(), **{name: kind for name, kind in MATCHES.items() if name != "workflow_id"}}
        return pl.DataFrame(rows, schema=schema, orient="row")


class _FrameReader:
    """Reads and reduces one text of many runs."""

    def __init__(self, name: TextName, policy: DetectionPolicy, counted: Finder, plain: Finder) -> None:
        self._name = name
        self._reader = TextReader(name, policy)
        self._alert = _words_pattern(self._reader.alerting)
        self._counted, self._plain = _Reduction(counted), _Reduction(plain)
        known = re.escape("".join(chain(*counted.phrases.values(), *plain.phrases.values())))
        self._foreign = re.compile(rf"[^\W\x00-\x7f{known}]"), re.compile(rf"[^\w\x00-\x7f{known}]")

    def read(self, texts: pl.Series) -> pl.DataFrame:
        """Distinct texts with their reductions `<name>_counted` and `<name>_plain`, null where nothing is found."""
        distinct = pl.DataFrame({"text": texts.drop_nulls().unique()})
        plain = distinct.with_columns(
            plain=pl.when(pl.col("text").str.len_bytes() == pl.col("text").str.len_chars()).then(
                _prepared(pl.col("text"), self._reader.settings)
            )
        ).with_columns(counted=pl.when(~pl.col("plain").str.contains(self._alert)).then("plain"))
        by_hand = plain.filter(pl.col("counted").is_null())
        read = pl.concat([plain.filter(pl.col("counted").is_not_null()), self._read_by_hand(by_hand)], how="diagonal")
        return read.select(
            pl.col("text").alias(texts.name),
            self._counted.of("counted").alias(f"{self._name}_counted"),
            self._plain.of("plain").alias(f"{self._name}_plain"),
        ).filter(pl.col(f"{self._name}_counted").is_not_null() | pl.col(f"{self._name}_plain").is_not_null())

    def _read_by_hand(self, frame: pl.DataFrame) -> pl.DataFrame:
        readings = [Reading(*map(self._folded, self._reader.read(text))) for text in frame["text"]]
        return frame.select("text").with_columns(
            pl.Series("counted", [reading.counted for reading in readings], pl.String),
            pl.Series("plain", [reading.plain for reading in readings], pl.String),
        )

    def _folded(self, text: str) -> str:
        """The text in ASCII as far as the phrases are: foreign characters tell nothing but that they are letters."""
        if text.isascii():
            return text
        letter, other = self._foreign
        return other.sub(_APART, letter.sub(_OTHER_LETTER, text))


class _Reduction:
    """Cuts texts down to where phrases may be; equal findings, fewer distinct texts."""

    def __init__(self, finder: Finder) -> None:
        self._tokens, self._substrings = sorted(finder.phrases["token"]), sorted(finder.phrases["substring"])
        words = [re.findall(r"\w+", phrase) for phrase in self._tokens]
        first, known = ({parts[0] for parts in words}, {word for parts in words for word in parts})
        # A phrase lies inside one run of known words that starts with the first word of a phrase.
        self._run = rf"(?-u:\b){_any_of(first)}(?-u:\b)(?:[^{_WORD}]+{_any_of(known)}(?-u:\b))*"
        self._phrase = _words_pattern(self._tokens)

    def of(self, column: str) -> pl.Expr:
        """The reduction of a column of prepared texts; null when no phrase is in it.

        Texts that are not ASCII hold characters of the policy's own phrases, and are kept whole.
        """
        text = pl.col(column)
        ascii_only = text.str.len_bytes() == text.str.len_chars()
        found = []
        if self._tokens:
            runs = text.str.extract_all(self._run).list.unique(maintain_order=True)
            found.append(pl.when(text.str.contains(self._phrase)).then(runs.list.join(_APART)))
        if self._substrings:
            hits = text.str.extract_many(self._substrings, overlapping=True).list.unique(maintain_order=True)
            # Enclosed in word characters, they are found as substrings and not as tokens.
            enclosed = hits.list.eval("_" + pl.element() + "_").list.join(_APART)
            found.append(pl.when(hits.list.len() > 0).then(enclosed))
        if not found:
            return pl.lit(None, pl.String)
        reduced = pl.concat_str(found, separator=_APART, ignore_nulls=True)
        return pl.when(~ascii_only).then(text).when(reduced != "").then(reduced)


def _prepared(text: pl.Expr, settings: TextReading) -> pl.Expr:
    """What `TextReader.prepared` does, for ASCII texts."""
    if settings.scope == "head":
        limit = settings.head_characters
        line = text.str.extract(rf"({_FIRST_LINE})").fill_null("")
        shortened = line.str.slice(0, limit + 1).str.replace(_LAST_WORD, "").str.slice(0, limit)
        text = pl.when(line.str.len_bytes() > limit).then(shortened).otherwise(line)
    text = text.str.to_lowercase()
    if settings.separators:
        text = text.str.replace_all(f"[{re.escape(settings.separators)}]", " ")
    if settings.normalise == "unicode":
        text = text.str.replace_all(_SPACE_RUN, " ")
    return text.str.replace(_MARKERS, "") if settings.scope == "head" else text


def _any_of(words: Collection[str]) -> str:
    return "(?:" + "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word))) + ")"


def _words_pattern(phrases: Collection[str]) -> str:
    """Finds any of the phrases on token boundaries of ASCII text; finds nothing when there is none."""
    return rf"(?-u:\b){_any_of(phrases)}(?-u:\b)" if phrases else r"[^\x00-\x{10ffff}]"
