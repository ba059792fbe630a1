"""Windows are whole hours, and their chunks cover them exactly."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pattern_pipeline.patterns.windows import HOUR, Window, ceil_hour, contiguous, cut, floor_hour

START = datetime(2026, 3, 1, tzinfo=UTC)


def hour(number: int) -> datetime:
    return START + number * HOUR


@given(weights=st.dictionaries(st.integers(0, 99), st.integers(1, 500), max_size=40), limit=st.integers(1, 400))
def test_chunks_cover_the_window_without_gap_or_overlap(weights: dict[int, int], limit: int) -> None:
    window = Window(hour(0), hour(100))
    loads = [(hour(number), weight) for number, weight in sorted(weights.items())]
    chunks = cut(window, loads, limit)
    assert [c.window.start for c in chunks] == [window.start, *(c.window.end for c in chunks[:-1])]
    assert chunks[-1].window.end == window.end
    for chunk in chunks:
        inside = [weight for at, weight in loads if chunk.window.start <= at < chunk.window.end]
        assert sum(inside) <= limit or len(inside) == 1
        assert sum(inside) <= chunk.slices * limit


def test_hours_within_the_gap_share_a_window() -> None:
    hours = [hour(n) for n in (0, 1, 2, 5, 20)]
    assert contiguous(hours) == [Window(hour(0), hour(3)), Window(hour(5), hour(6)), Window(hour(20), hour(21))]
    assert contiguous(hours, 2 * HOUR) == [Window(hour(0), hour(6)), Window(hour(20), hour(21))]
    assert contiguous([]) == []


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (START, START),
        (START + timedelta(minutes=1), START + HOUR),
        (START.replace(tzinfo=None), START.replace(tzinfo=None) + HOUR),
    ],
)
def test_a_window_of_anything_but_whole_utc_hours_is_refused(start: datetime, end: datetime) -> None:
    with pytest.raises(ValueError, match=r"window|hour"):
        Window(start, end)


def test_hours_are_those_of_utc() -> None:
    half_hour_zone = datetime.fromisoformat("2026-03-01T06:15:00+05:30")
    assert floor_hour(half_hour_zone) == datetime(2026, 3, 1, 0, tzinfo=UTC)
    assert ceil_hour(half_hour_zone) == datetime(2026, 3, 1, 1, tzinfo=UTC)
    assert ceil_hour(START) == START
