"""An estimate in sentences: every code has words, and every figure the places that it needs."""

import polars as pl
import pytest

from pattern_pipeline.economics import words
from pattern_pipeline.economics.assumptions import RoiPolicy
from pattern_pipeline.economics.sensitivity import INPUTS, analyse
from pattern_pipeline.economics.verdicts import VERDICTS
from pattern_pipeline.economics.words import explain, usd, verdict_of_all
from pattern_pipeline_tests.economics.frames import WINDOW, estimates, frame, one, pattern, skewed


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "$0"), (1_234_567.8, "$1,234,568"), (12.3, "$12.30"), (0.1, "$0.10"), (0.0024, "$0.0024"),
        (-3.1, "-$3.10"), (0.0000123, "$0.000012"), (1e-9, "less than $0.000001"),
    ],
)  # fmt: skip
def test_money_has_the_places_it_needs(amount: float, text: str) -> None:
    assert usd(amount) == text


def test_every_verdict_and_input_has_words() -> None:
    assert set(words.VERDICT_WORDS) == set(VERDICTS)
    assert set(words.INPUT_WORDS) == set(INPUTS.values())


def test_every_code_that_an_estimate_uses_has_words() -> None:
    rows = estimates(
        pattern([], "test:a", exposure_days=0),
        pattern([0.1] * 4, "test:b", distinct_days=2, gap_days=1),
        pattern(skewed(30), "test:c", occurrences=40),
        pattern([1.0, 2.0] * 300, "test:d"),
        pattern([0.25, 0.3] * 100, "test:e", step_sum=100.0),
        pattern([1.0] * 9, "test:f", step_n=0, step_sum=0.0, run_n=9, run_sum=9.0),
        pattern([], "test:g", occurrences=9, automatable=False),
    )
    for row in rows:
        assert set(row["reasons"]) <= set(words.REASON_WORDS)
        assert set(row["flags"]) <= set(words.FLAG_WORDS)
        assert all(line.endswith(".") and "None" not in line for line in explain(row).lines())


def test_a_full_explanation_reads_well() -> None:
    inputs = frame(pattern([1.0] * 20 + [2.0] * 20, "test:pytest", distinct_days=30))
    switching = analyse(inputs, RoiPolicy(), window=WINDOW, roi_version="v").switching.to_dicts()
    said = explain(one(pattern([1.0] * 20 + [2.0] * 20, "test:pytest", distinct_days=30)), switching)
    assert said.verdict == (
        "Promising, but not safe: it pays off in at least half of the simulated futures, "
        "and it does not pay off in nine of ten."
    )
    assert said.seen[0] == "Seen in 40 runs within 90 days of history."
    assert said.costs[0].startswith("An occurrence costs the model $1.50 on average (95 %: $1.3")
    assert said.saves[0] == "Automating it would save $10.93 a month after maintenance, for $75.00 to build."
    assert said.saves[2].endswith("a month, 20.0 times our $19.28.")
    assert any(line.startswith("It would be worth automating if it happened") for line in said.would_change)


def test_an_excluded_pattern_names_its_own_reason() -> None:
    row = one(pattern([0.1] * 9, automatable=False, exclusion_reason="reads a file"))
    assert explain(row).verdict == "Excluded: reads a file."


def test_a_loss_is_said_to_be_one() -> None:
    assert "would lose $" in explain(one(pattern(skewed(9)))).saves[0]


def test_when_nothing_could_flip_the_verdict_it_says_so() -> None:
    row = one(pattern(skewed(30)))
    unreachable = pl.DataFrame({"input": ["coverage"], "value": [0.8], "worth_at": [None], "promising_at": [None]})
    assert explain(row, unreachable.to_dicts()).would_change == (
        "No single input could change the verdict on its own.",
    )


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ({}, "No repeated operation has been estimated yet."),
        ({"worth_automating": 1, "excluded": 2}, "1 of 3 patterns is worth automating."),
        ({"worth_automating": 2, "promising": 2}, "2 of 4 patterns are worth automating."),
        ({"promising": 1}, "Nothing here is safely worth automating yet; 1 of 1 pattern may be."),
        (
            {"not_worth_automating": 2, "insufficient_evidence": 3, "excluded": 1},
            (
                "Nothing here is worth automating: "
                "of 6 patterns, 2 not worth the cost, 3 with too little evidence, 1 not to be automated."
            ),
        ),
    ],
)
def test_a_whole_history_is_one_sentence(verdicts: dict[str, int], said: str) -> None:
    assert verdict_of_all(verdicts) == said
