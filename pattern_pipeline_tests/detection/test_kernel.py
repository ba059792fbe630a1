"""The kernel equals the evaluator, whatever the texts."""

import json
import random
from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pattern_pipeline.detection.characteristics import Describer
from pattern_pipeline.detection.evaluator import Evaluator
from pattern_pipeline.detection.kernel import Detector
from pattern_pipeline.detection.policy import Policy, load_policy
from pattern_pipeline.detection.runs import Run

ROWS_PER_EXAMPLE = 1_000
EXAMPLES = 10

# Beside the policy's own phrases: clause ends, boundaries, and characters that change under NFKC or case folding.
HOSTILE_TEXT = """
    , ; : . - -- – — / ~/ ./ # > * _ __ ` ' " ’ ( ) 0 9 x Z é É ü ß ẞ İ ı ſ K Å Ⅳ ½ ① ﬁ 中文 test中 tеst Ω 😀 𐄇
    run use with the my to and please add fix src/app.py app/server/x.ts http://a.b/c.py tests/ 1. 1) README.md
"""
UNPRINTABLE = [*"\u0301\u200b\u200d\ud7ff\u00a0\u2028\u0085\n\r\t\x00\x1c\x1f"]
HOSTILE = [*HOSTILE_TEXT.split(), *UNPRINTABLE, "x" * 190]


@pytest.fixture(scope="module", params=["default", "legacy"])
def policy(request: pytest.FixtureRequest) -> Policy:
    return load_policy(request.param)


def fragments(policy: Policy) -> list[str]:
    detection = policy.detection
    phrases = {phrase for name in detection.terms for phrase in detection.term(name).phrases}
    phrases |= {phrase for guard in detection.guards for phrase in guard.phrases}
    return sorted(phrases.union(detection.negation.words)) + HOSTILE


def random_run(rng: random.Random, known: Sequence[str]) -> Run:
    def text() -> str | None:
        if rng.random() < 0.1:
            return rng.choice([None, "", " ", "\n"])
        words = rng.choices(known, k=rng.choice([1, 3, 8, 20]))
        separators = rng.choices([" ", " ", " ", "", "  ", "\n", "_", "-"], k=len(words))
        written = "".join(word + separator for word, separator in zip(words, separators, strict=True))
        return rng.choice([written, written.upper(), written.title()])

    return Run(
        text(),
        text() if rng.random() < 0.5 else None,
        text() if rng.random() < 0.5 else None,
        rng.choice([None, 0.0, 179.9, 180.0, 600.0, 1e9]),
        rng.choice([None, 0, 2, 3, 5, 6]),
    )


def frame(runs: Sequence[Run]) -> pl.DataFrame:
    return pl.DataFrame(
        [(str(position), *_values(run)) for position, run in enumerate(runs)],
        schema={
            "workflow_id": pl.String,
            "nl_input": pl.String,
            "error_message": pl.String,
            "workflow_template": pl.String,
            "duration_seconds": pl.Float64,
            "error_count": pl.Int64,
        },
        orient="row",
    )


def _values(run: Run) -> tuple[object, ...]:
    return run.nl_input, run.error_message, run.workflow_template, run.duration_seconds, run.error_count


def assert_equal(policy: Policy, runs: Sequence[Run]) -> None:
    evaluator, describer, detector = Evaluator(policy), Describer(policy), Detector(policy)
    found: list[list[tuple[str, ...]]] = [[] for _ in runs]
    for row in detector.detect_texts(frame(runs)).sort("workflow_id", "part").iter_rows():
        found[int(row[0])].append(row[2:])
    described = dict(detector.characteristics(frame(runs)).iter_rows())
    for position, run in enumerate(runs):
        assert found[position] == [tuple(match) for match in evaluator.detect(run)], run
        assert json.loads(described[str(position)]) == describer.describe(run), run


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_the_kernel_equals_the_evaluator_on_hostile_texts(policy: Policy, seed: int) -> None:
    rng = random.Random(seed)
    known = fragments(policy)
    assert_equal(policy, [random_run(rng, known) for _ in range(ROWS_PER_EXAMPLE)])


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=20, max_size=40))
def test_the_kernel_equals_the_evaluator_on_arbitrary_unicode(policy: Policy, texts: list[str]) -> None:
    assert_equal(policy, [Run(f"{text}test{text}", f"{text} eslint", f"{text}/build_{text}", 1.0, 0) for text in texts])


def test_phrases_in_other_scripts_are_found(policy: Policy) -> None:
    detection = policy.detection
    terms = {**detection.terms, "test": ("prüfen", "运行 测试")}
    foreign = policy.model_copy(update={"detection": detection.model_copy(update={"terms": terms})})
    runs = [Run("bitte prüfen"), Run("PRÜFEN!"), Run("vorprüfen"), Run("运行 测试 server"), Run("运行测试")]
    assert_equal(foreign, runs)
    assert [match.signature for match in Evaluator(foreign).detect(runs[0])] == ["test:generic:all"]


def test_a_frame_without_runs_gives_no_rows(policy: Policy) -> None:
    assert Detector(policy).detect_texts(frame([])).height == 0
    assert Detector(policy).characteristics(frame([])).height == 0


@pytest.mark.parametrize("behind", ["\u4e2d", "\u2013", "X", " ", "\u00e9"])
def test_what_stands_just_behind_the_head_decides_about_its_last_word(policy: Policy, behind: str) -> None:
    head = ("x " * 98 + "test").rjust(200, "x")
    assert_equal(policy, [Run(head + behind + "more", None, None)])
