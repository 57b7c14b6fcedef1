"""How many threads torch takes, and several pictures at once.

Some float kernels add up in another order on another number of threads, which an encoder's bytes must not show. One
thread a picture, and as many pictures at a time as there are threads, is also faster than all threads on one.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Give torch so many threads while the block runs."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def on_threads(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Return the function of each item, in order, computed on torch's number of threads with one torch thread each.

    The first exception, in the items' order, is raised.
    """
    count = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(function, items))
    finally:
        # The math library's number of threads is one for all threads.
        torch.set_num_threads(count)
