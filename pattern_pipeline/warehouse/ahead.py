"""Work ahead and side by side: what waits for the database leaves a core to what does not.

Only the passing of items between threads belongs here; what they are is the caller's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")

AT_ONCE: Final = 2
"""Each item side by side costs a connection, a core of the server and the memory of its work."""


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


def side_by_side(work: Callable[[T], R], items: Iterable[T]) -> Generator[R, None, None]:
    """The results of `work` in the order of `items`, with `AT_ONCE` of them in work.

    The first error is raised in its item's place, once the items that were begun are done; no further one is begun.
    Whoever stops early closes the generator, which waits for them as well.
    """
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="side-by-side") as workers:
        begun: deque[Future[R]] = deque()
        for item in items:
            begun.append(workers.submit(work, item))
            if len(begun) == AT_ONCE:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
