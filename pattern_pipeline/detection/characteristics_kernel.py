"""The characteristics of whole frames of runs, equal to `characteristics.Describer` run by run.

Texts that are not ASCII are described one by one, each distinct text once; everything else is vector operations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl
from polars.exceptions import ComputeError

from pattern_pipeline.detection.characteristics import Describer
from pattern_pipeline.detection.policy import Policy

_FACTS: Final[Mapping[str, pl.DataType]] = {
    "nl_input": pl.String(),
    "words": pl.UInt32(),
    "keywords": pl.List(pl.String),
    "files": pl.List(pl.String),
}
_NO_NAMES: Final = pl.lit([], pl.List(pl.String))
# What `str.split` takes for words, among ASCII characters.
_WORD: Final = r"[^\t-\r\x1c-\x20]+"


def _for_ascii(pattern: str) -> str:
    """The pattern with the classes of ASCII, which are several times faster, if it can be written so."""
    faster = f"(?-u:{pattern})"
    try:
        pl.Series([""]).str.contains(faster)
    except ComputeError:
        return pattern
    return faster


class FrameDescriber:
    """Computes the characteristics of frames of runs."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy.detection.characteristics
        self._describer = Describer(policy)
        self._file_patterns = [_for_ascii(pattern) for pattern in self._policy.files]

    def describe(self, runs: pl.DataFrame) -> pl.DataFrame:
        """`workflow_id` and `matched_characteristics` (JSON text, keys sorted) of every run.

        Args:
            runs: `workflow_id`, `nl_input`, `duration_seconds`, `error_count`.
        """
        text = pl.col("nl_input")
        facts = self._text_facts(runs.select(text.drop_nulls().unique()))
        errors = pl.col("error_count").fill_null(0)
        return (
            runs.select("workflow_id", "nl_input", "duration_seconds", "error_count")
            .join(facts, on="nl_input", how="left")
            .select(
                "workflow_id",
                pl.struct(
                    complexity=self._complexity(pl.col("words").fill_null(0), errors),
                    duration_range=self._duration_range(pl.col("duration_seconds")),
                    error_count=errors,
                    files_mentioned=pl.col("files").fill_null(_NO_NAMES),
                    input_length=text.str.len_chars().fill_null(0),
                    keywords=pl.col("keywords").fill_null(_NO_NAMES),
                )
                .struct.json_encode()
                .alias("matched_characteristics"),
            )
        )

    def _text_facts(self, texts: pl.DataFrame) -> pl.DataFrame:
        text = pl.col("nl_input")
        plain = text.str.len_bytes() == text.str.len_chars()
        described = texts.filter(plain).select(
            text,
            words=self._words(text),
            hits=self._keyword_hits(text.str.to_lowercase()).list.unique().list.sort().list.join(" "),
            files=self._files(text),
        )
        vector = described.join(self._ordered_keywords(described["hits"]), on="hits").select(list(_FACTS))
        others = [(other, *self._describer.text_facts(other)) for other in texts.filter(~plain)["nl_input"]]
        return pl.concat([vector, pl.DataFrame(others, schema=dict(_FACTS), orient="row")])

    def _words(self, text: pl.Expr) -> pl.Expr:
        """Number of words; 0 for texts too short for it to matter."""
        shortest = 2 * self._policy.complexity.simple_words - 1
        return pl.when(text.str.len_bytes() >= shortest).then(text).str.count_matches(_WORD).fill_null(0)

    def _keyword_hits(self, lowered: pl.Expr) -> pl.Expr:
        if self._policy.keyword_matching == "substring":
            return lowered.str.extract_many(list(self._policy.keywords), overlapping=True)
        return lowered.str.extract_all(rf"(?-u:\b)(?:{'|'.join(self._policy.keywords)})(?-u:\b)")

    def _ordered_keywords(self, hits: pl.Series) -> pl.DataFrame:
        distinct = hits.unique()
        found = (set(joined.split(" ")) for joined in distinct)
        ordered = [[word for word in self._policy.keywords if word in words] for words in found]
        return pl.DataFrame({"hits": distinct, "keywords": pl.Series(ordered, dtype=pl.List(pl.String))})

    def _files(self, text: pl.Expr) -> pl.Expr:
        found = pl.concat_list([text.str.extract_all(pattern) for pattern in self._file_patterns])
        if self._policy.not_files is not None:
            wanted = ~pl.element().str.contains(self._policy.not_files, literal=True)
            found = found.list.eval(pl.element().filter(wanted))
        files = found.list.unique().list.sort()
        return files if self._policy.max_files is None else files.list.head(self._policy.max_files)

    def _duration_range(self, seconds: pl.Expr) -> pl.Expr:
        bands = self._policy.durations
        ranges = pl.lit(bands[-1].name)
        for band in reversed(bands[:-1]):
            ranges = pl.when(seconds < band.below).then(pl.lit(band.name)).otherwise(ranges)
        return pl.when(seconds.is_null()).then(pl.lit(bands[0].name)).otherwise(ranges)

    def _complexity(self, words: pl.Expr, errors: pl.Expr) -> pl.Expr:
        limits = self._policy.complexity
        return (
            pl.when((words < limits.simple_words) & (errors < limits.simple_errors))
            .then(pl.lit("simple"))
            .when((words > limits.complex_words) | (errors > limits.complex_errors))
            .then(pl.lit("complex"))
            .otherwise(pl.lit("medium"))
        )
