"""Which days an estimate is about."""

from datetime import UTC, date, datetime, timedelta, timezone

from pattern_pipeline.economics.exposure import Exposure, Window, exposure

WINDOW = Window.ending_with(datetime(2026, 3, 31, 17, 30, tzinfo=UTC), 90)
MARCH = [date(2026, 3, day) for day in range(1, 32)]


def test_the_window_ends_with_the_day_of_the_latest_event_in_utc() -> None:
    assert WINDOW.start == datetime(2026, 1, 1, tzinfo=UTC)
    assert WINDOW.end == datetime(2026, 4, 1, tzinfo=UTC)
    evening = datetime(2026, 3, 31, 22, tzinfo=timezone(timedelta(hours=-5)))
    assert Window.ending_with(evening, 1).start == datetime(2026, 4, 1, tzinfo=UTC)


def test_empty_days_count() -> None:
    assert exposure([MARCH[0], MARCH[29]], WINDOW) == Exposure(30, ())


def test_days_that_no_source_covers_are_subtracted_and_listed() -> None:
    gaps = [MARCH[4], MARCH[3], MARCH[30], date(2026, 2, 1)]
    assert exposure([MARCH[0], MARCH[9]], WINDOW, gaps) == Exposure(8, (MARCH[3], MARCH[4]))


def test_a_day_with_history_is_no_gap() -> None:
    assert exposure(MARCH[:5], WINDOW, MARCH[:5]) == Exposure(5, ())


def test_history_outside_the_window_is_left_out() -> None:
    assert exposure([date(2025, 12, 31), date(2026, 1, 1), date(2026, 4, 1)], WINDOW) == Exposure(1, ())
    assert exposure([], WINDOW) == Exposure(0, ())
