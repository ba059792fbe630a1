"""Secrets out, typed marks in: nothing that a source holds is stored before it went through here.

Only the application of the patterns of `redaction_rules` to columns belongs here. One search for literals
finds the suspicious values; only those, and each distinct one once, go through the rules. What merely looks like
a secret (`password=None`, `token=get_token()`) is shielded by a NUL meanwhile, which no stored text may hold.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson
import polars as pl

from pattern_pipeline.detection.redaction_policy import RedactionPolicy
from pattern_pipeline.history.redaction_rules import (
    HARMLESS,
    HARMLESS_PATH,
    NAMED_KINDS,
    Rule,
    kind_of_key,
    mark,
    needles_for,
    rules_for,
)

NUL_KIND: Final = "nul_character"
_NUL: Final = "\x00"
_ESCAPED_NUL: Final = "\\u0000"
_REPLACEMENT_CHARACTER: Final = "\ufffd"
# A replacement may bring a new match together; each pass consumes some of the text, and this many are never needed.
_MAX_PASSES: Final = 8
# To search so little for each literal is quicker than to build what searches for all at once.
_FEW_CHARACTERS: Final = 16_384


class Redactor:
    """Replaces secrets in columns. Applying it twice changes nothing more."""

    def __init__(self, policy: RedactionPolicy) -> None:
        self._policy = policy
        self._rules = rules_for(policy)
        self._own_rules = tuple(Rule(name, pattern) for name, pattern in policy.patterns.items())
        self._needles = needles_for(policy)
        self._all_needles = sorted({_NUL, _ESCAPED_NUL, *(each for given in self._needles.values() for each in given)})

    def frame(
        self, frame: pl.DataFrame, *, json: Collection[str] = (), skip: Collection[str] = ()
    ) -> tuple[pl.DataFrame, Counter[str]]:
        """Redact every text column; those named in `json` hold JSON text and stay valid JSON."""
        counts: Counter[str] = Counter()
        columns = [values for values in frame.iter_columns() if values.dtype == pl.String and values.name not in skip]
        if not columns:
            return frame, counts
        # One search over all columns: to build what it searches with is dearer than to search a small column.
        suspicious = self._is_suspicious(pl.concat(columns))
        found: dict[str, Counter[str]] = {}
        for number, values in enumerate(columns):
            if (where := suspicious.slice(number * frame.height, frame.height)).any():
                found[values.name] = Counter(values.filter(where).to_list())
        if not found:
            return frame, counts
        redacted = self._redacted(found, json, counts)
        return frame.with_columns(_replaced(name, clean) for name, clean in redacted.items()), counts

    def text(self, values: pl.Series) -> tuple[pl.Series, Counter[str]]:
        """Redact a text column; also returns how many matches of each kind were replaced."""
        redacted, counts = self.frame(values.to_frame())
        return redacted.to_series(), counts

    def json(self, values: pl.Series) -> tuple[pl.Series, Counter[str]]:
        """Redact a column of JSON text: all strings and keys in it, and what a key like `password` says is secret."""
        redacted, counts = self.frame(values.to_frame(), json=(values.name,))
        return redacted.to_series(), counts

    def _redacted(
        self, found: Mapping[str, Counter[str]], json: Collection[str], counts: Counter[str]
    ) -> dict[str, dict[str, str]]:
        """By column, what takes the place of each of its values; the numbers say how often each stands there."""
        documents = {name: {value: orjson.loads(value) for value in found[name]} for name in found if name in json}
        strings: Counter[str] = Counter()
        for name, values in found.items():
            if name not in json:
                strings.update(values)
                continue
            for value, weight in values.items():
                for string in _strings(documents[name][value]):
                    strings[string] += weight
        clean = self._clean(strings, counts)
        redacted: dict[str, dict[str, str]] = {}
        for name, values in found.items():
            if name in json:
                rebuilt = {
                    value: self._rebuild(documents[name][value], clean, weight, counts)
                    for value, weight in values.items()
                }
                redacted[name] = {value: orjson.dumps(document).decode() for value, document in rebuilt.items()}
            else:
                redacted[name] = {value: clean[value] for value in values}
        return redacted

    def _is_suspicious(self, values: pl.Series) -> pl.Series:
        """Where there may be anything to replace, by one search; only the user's patterns have no literals for it."""
        suspicious = values.str.contains_any(self._all_needles, ascii_case_insensitive=True)
        for pattern in self._policy.patterns.values():
            suspicious |= values.str.contains(pattern)
        return suspicious

    def _clean(self, strings: Counter[str], counts: Counter[str]) -> dict[str, str]:
        """The rules applied to distinct strings, each of which stands there so many times."""
        values = pl.Series("value", list(strings), dtype=pl.String)
        weights = pl.Series("weight", list(strings.values()), dtype=pl.Int64)
        if nuls := sum(string.count(_NUL) * weight for string, weight in strings.items()):
            counts[NUL_KIND] += nuls
            values = values.str.replace_all(_NUL, _REPLACEMENT_CHARACTER, literal=True)
        for _ in range(_MAX_PASSES):
            before, rules = values, self._rules_for(values)
            if not rules:
                break
            is_shielded = any(rule.kind in NAMED_KINDS for rule in rules)
            for harmless in (HARMLESS, HARMLESS_PATH) if is_shielded else ():
                values = values.str.replace_all(harmless, f"${{1}}{_NUL}${{2}}")
            values = _replace(values, rules, counts, weights)
            if is_shielded:
                values = values.str.replace_all(_NUL, "", literal=True)
            if values.equals(before):
                break
        return dict(zip(strings, values, strict=True))

    def _rules_for(self, values: pl.Series) -> list[Rule]:
        """The rules that can match any of the values: to try one is much dearer than to look for its literals."""
        text = _NUL.join(values)
        if len(text) < _FEW_CHARACTERS:
            text = text.lower()
            found = {needle for needle in self._all_needles if needle in text}
        else:
            literals = values.str.extract_many(self._all_needles, ascii_case_insensitive=True, overlapping=True)
            found = set(literals.explode().drop_nulls().str.to_lowercase().unique())
        present = {kind for kind, needles in self._needles.items() if not found.isdisjoint(needles)}
        return [*(rule for rule in self._rules if rule.kind in present), *self._own_rules]

    def _rebuild(self, value: Any, clean: Mapping[str, str], weight: int, counts: Counter[str]) -> Any:
        match value:
            case str():
                return clean[value]
            case list():
                return [self._rebuild(item, clean, weight, counts) for item in value]
            case dict():
                return {clean[key]: self._member(key, member, clean, weight, counts) for key, member in value.items()}
            case _:
                return value

    def _member(self, key: str, value: Any, clean: Mapping[str, str], weight: int, counts: Counter[str]) -> Any:
        redacted = self._rebuild(value, clean, weight, counts)
        if kind := kind_of_key(key, redacted, self._policy):
            counts[kind] += weight
            return mark(kind)
        return redacted


def _replace(values: pl.Series, rules: Sequence[Rule], counts: Counter[str], weights: pl.Series) -> pl.Series:
    for rule in rules:
        if hits := int((values.str.count_matches(rule.pattern) * weights).sum()):
            counts[rule.kind] += hits
            values = values.str.replace_all(rule.pattern, rule.replacement)
    return values


def _replaced(name: str, clean: Mapping[str, str]) -> pl.Expr:
    return pl.col(name).replace(list(clean), pl.Series(list(clean.values()), dtype=pl.String))


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _strings(item)
        case dict():
            for key, member in value.items():
                yield key
                yield from _strings(member)
        case _:
            return
