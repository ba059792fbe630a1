"""Work ahead and side by side: order, bounds and errors are those of the plain iteration."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from pattern_pipeline.warehouse.ahead import AT_ONCE, one_ahead, side_by_side


def test_the_next_item_is_made_while_one_is_used() -> None:
    made = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        made.set()
        yield 2

    coming = one_ahead(items())
    assert next(coming) == 1
    assert made.wait(30)
    assert list(coming) == [2]


def test_only_one_item_waits() -> None:
    begun: list[int] = []

    def items() -> Iterator[int]:
        for number in range(10):
            begun.append(number)
            yield number

    coming = one_ahead(items())
    assert [next(coming), next(coming)] == [0, 1]
    coming.close()
    assert begun == [0, 1, 2]


def test_an_error_comes_in_the_place_of_its_item() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("the second item cannot be made")

    coming = one_ahead(items())
    assert next(coming) == 1
    with pytest.raises(ValueError, match="second item"):
        next(coming)


def test_side_by_side_items_are_in_work_together_and_their_results_in_order() -> None:
    together = threading.Barrier(AT_ONCE, timeout=30)

    def work(number: int) -> int:
        together.wait()
        return 10 * number

    assert list(side_by_side(work, range(2 * AT_ONCE))) == [10 * number for number in range(2 * AT_ONCE)]


def test_after_an_error_side_by_side_what_was_begun_ends_and_nothing_more_begins() -> None:
    ended: list[int] = []

    def work(number: int) -> int:
        if number == 1:
            raise ValueError("the second item cannot be worked upon")
        ended.append(number)
        return number

    results = side_by_side(work, range(10))
    assert next(results) == 0
    with pytest.raises(ValueError, match="second item"):
        next(results)
    assert ended == [number for number in range(AT_ONCE + 1) if number != 1]
