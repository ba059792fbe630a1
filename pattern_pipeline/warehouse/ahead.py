"""Work ahead: the next item is made while the one before is used.

Only the passing of items between two threads belongs here; what they are is the caller's.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def one_ahead(items: Iterable[T]) -> Generator[T, None, None]:
    """The items in their order, each made in another thread while the one before is used.

    At most one item waits, so that memory stays bounded. An error of `items` is raised in the item's place. Whoever
    stops early closes the generator, which waits for the item that is being made.
    """
    source = iter(items)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="one-ahead") as worker:
        coming = worker.submit(list, islice(source, 1))
        while made := coming.result():
            coming = worker.submit(list, islice(source, 1))
            yield from made
