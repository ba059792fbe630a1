"""Work ahead: order, bounds and errors are those of the plain iteration."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from pattern_pipeline.warehouse.ahead import one_ahead


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
