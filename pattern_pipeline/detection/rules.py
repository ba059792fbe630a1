"""Applying the rules of a policy to the texts of a run, once they are read.

This is the only place that knows what a rule means. It is shared: the evaluator calls it for every run, the kernel for
every distinct set of findings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import chain, islice
from typing import Literal, NamedTuple

from pattern_pipeline.detection.text_policy import TEXT_NAMES, DetectionPolicy, Matching, Rule, TargetRule, TextName
from pattern_pipeline.detection.texts import Reading, pattern_of

Layer = Literal["step", "task", "error", "template"]


class Match(NamedTuple):
    """A signature with its evidence: the rule that fired and the text it fired on."""

    layer: Layer
    rule_id: str
    text: str
    signature: str


def without_repeats(matches: Iterable[Match]) -> list[Match]:
    """The first match of every signature, in the given order."""
    found: dict[str, Match] = {}
    for match in matches:
        found.setdefault(match.signature, match)
    return list(found.values())


class Finder:
    """Finds the phrases of a group of terms."""

    def __init__(self, policy: DetectionPolicy, names: Iterable[str]) -> None:
        self.phrases: dict[Matching, frozenset[str]] = {"token": frozenset(), "substring": frozenset()}
        for term in map(policy.term, names):
            self.phrases[term.matching] |= frozenset(term.phrases)
        groups = [pattern_of(phrases, matching) for matching, phrases in self.phrases.items() if phrases]
        self._any = re.compile("|".join(groups)) if groups else None
        self._each = {
            phrase: re.compile(pattern_of([phrase], matching))
            for matching, phrases in self.phrases.items()
            for phrase in phrases
        }

    def found_in(self, text: str) -> bool:
        """Whether any of the phrases is in the text."""
        return self._any is not None and self._any.search(text) is not None

    def first_in(self, text: str) -> tuple[int, int, str] | None:
        """The phrase that is complete first (the longest of those), as a sort key that ends with it."""
        found = (
            (match.end(), -len(phrase), phrase) for phrase, one in self._each.items() if (match := one.search(text))
        )
        return min(found, default=None)


class _CompiledRule:
    def __init__(self, policy: DetectionPolicy, rule: Rule) -> None:
        self.rule = rule
        self.any = Finder(policy, rule.any)
        self.unless = Finder(policy, rule.unless)
        self.tools = [(tool.name, Finder(policy, tool.any)) for tool in rule.tools]

    def fires(self, text: str) -> bool:
        return self.any.found_in(text) and not self.unless.found_in(text)

    def tool(self, text: str) -> tuple[str | None, str]:
        """The tool that the text names, and the phrase that is the evidence for it or else for the rule."""
        named = [(found, tool) for tool, finder in self.tools if (found := finder.first_in(text))]
        if not named:
            found = self.any.first_in(text)
            return self.rule.tool, found[-1] if found else ""
        (*_, phrase), tool = min(named) if self.rule.pick == "leftmost" else named[0]
        return tool, phrase


class _CompiledTarget:
    def __init__(self, policy: DetectionPolicy, rule: TargetRule) -> None:
        self.rule = rule
        self.finders = [Finder(policy, [name]) for name in rule.all]
        if rule.any:
            self.finders.append(Finder(policy, rule.any))

    def holds(self, text: str) -> bool:
        return all(finder.found_in(text) for finder in self.finders)


class Rulebook:
    """The rules of a policy, ready to be applied.

    Attributes:
        counted: Text -> the phrases that its rules look for.
        plain: Text -> the phrases that the target rules look for in it.
    """

    def __init__(self, policy: DetectionPolicy) -> None:
        self._rules: dict[TextName, list[_CompiledRule]] = {
            name: [_CompiledRule(policy, rule) for rule in policy.rules if rule.layer == name] for name in TEXT_NAMES
        }
        self._targets: dict[TextName, list[_CompiledTarget]] = {
            name: [_CompiledTarget(policy, rule) for rule in policy.targets if name in rule.texts]
            for name in TEXT_NAMES
        }
        self._fires_once = {name: getattr(policy.texts, name).rules == "first" for name in TEXT_NAMES}
        self._consulted: dict[TextName, tuple[TextName, ...]] = {
            layer: tuple(dict.fromkeys(chain(*(rule.target_from for rule in policy.rules if rule.layer == layer))))
            for layer in TEXT_NAMES
        }
        searched = set(chain(*self._consulted.values()))
        self.counted: Mapping[TextName, Finder] = {
            name: Finder(policy, {term for compiled in self._rules[name] for term in compiled.rule.terms})
            for name in TEXT_NAMES
        }
        self.plain: Mapping[TextName, Finder] = {
            name: Finder(
                policy, {term for target in self._targets[name] for term in _terms(target) if name in searched}
            )
            for name in TEXT_NAMES
        }

    def matches(self, readings: Mapping[TextName, Reading]) -> list[Match]:
        """Signatures in the order of layers and rules, each with the evidence of the first layer that gives it."""
        return without_repeats(
            match for layer in TEXT_NAMES for match in self.layer_matches(layer, *self.view(layer, readings))
        )

    def view(self, layer: TextName, readings: Mapping[TextName, Reading]) -> tuple[str, tuple[str, ...]]:
        """What a layer's rules look at: the counted text, and the plain texts that may tell a target."""
        return readings[layer].counted, tuple(readings[name].plain for name in self._consulted[layer])

    def layer_matches(self, layer: TextName, counted: str, plain: tuple[str, ...]) -> list[Match]:
        """Matches of one layer, in rule order, given its `view`."""
        fired = (compiled for compiled in self._rules[layer] if compiled.fires(counted)) if counted else iter(())
        if self._fires_once[layer]:
            fired = islice(fired, 1)
        texts = dict(zip(self._consulted[layer], plain, strict=True))
        return [
            Match(layer, compiled.rule.id, phrase, self._signature(compiled.rule, tool, texts))
            for compiled in fired
            if compiled.rule.signature is not None
            for tool, phrase in [compiled.tool(counted)]
        ]

    def _signature(self, rule: Rule, tool: str | None, texts: Mapping[TextName, str]) -> str:
        form = (rule.signature or "").replace("{tool}", tool or "")
        return form.replace("{target}", self._target(rule, texts)) if "{target}" in form else form

    def _target(self, rule: Rule, texts: Mapping[TextName, str]) -> str:
        decisions = (
            target.rule.target
            for name in rule.target_from
            for target in self._targets[name]
            if target.holds(texts[name])
        )
        return next(decisions, rule.target or "")


def _terms(target: _CompiledTarget) -> tuple[str, ...]:
    return (*target.rule.all, *target.rule.any)
