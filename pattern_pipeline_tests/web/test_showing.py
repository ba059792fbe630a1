"""Charts and words: every code that the pipeline gives out has words, and a chart never leaves its frame."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.review.listing import Sort
from pattern_pipeline.review.transitions import STATUSES, TRANSITIONS, Action
from pattern_pipeline.web.pages import wording
from pattern_pipeline.web.pages.charts import WIDTH, Scale, interval_bar, plain_bar, sparkline
from pattern_pipeline.web.pages.queue import back_to_list

AMOUNTS = st.floats(-1e12, 1e12, allow_nan=False)


@given(st.lists(AMOUNTS, min_size=3, max_size=3).map(sorted), st.lists(AMOUNTS | st.none(), max_size=4))
def test_a_bar_stays_inside_its_frame_whatever_the_amounts(interval: list[float], others: list[float | None]) -> None:
    scale = Scale.around(others)
    drawn = interval_bar(*interval, scale, "label") + plain_bar(interval[1], scale, "label")
    for x, width in re.findall(r'x="([^"]+)" y="[^"]+" width="([^"]+)"', drawn):
        assert float(x) >= 0
        assert 0 <= float(width) <= WIDTH + 2
    assert "nan" not in drawn


@given(st.lists(st.integers(0, 10**6), max_size=90))
def test_a_sparkline_has_a_column_for_every_day_with_runs(counts: list[int]) -> None:
    assert sparkline(counts, "label").count("<rect") == sum(count > 0 for count in counts)


def test_a_label_is_text_not_markup() -> None:
    assert 'aria-label="&lt;b&gt;&#34;"' in sparkline([1], '<b>"')


def test_every_code_has_words(policy: Policy) -> None:
    assert set(wording.STATUS_WORDS) == set(STATUSES)
    assert set(wording.ACTION_WORDS) == set(wording.ACTION_EFFECTS) == set(Action)
    assert {rule.recorded_as for rule in TRANSITIONS.values()} <= set(wording.PAST_WORDS)
    assert set(wording.SORT_WORDS) == set(Sort)
    assert {entry.reason for entry in policy.detection.exclusions} <= set(wording.EXCLUSION_WORDS)


def test_the_way_back_is_always_a_list_of_this_site() -> None:
    assert back_to_list("q=a+b&sort=newest&evil=//x", 7) == "/?q=a+b&sort=newest&done=7"
    assert back_to_list("sort=nonsense") == "/?"
    assert back_to_list("https://evil.example/?q=x") == "/?"
