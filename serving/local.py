"""The local engine: chunks coded in this process, or by processes that live as long as the job."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import Any, TypeVar

from pipeline.base.errors import UsageError

A = TypeVar("A")
B = TypeVar("B")
S = TypeVar("S")

_CHUNKS_A_WORKER = 2
"""How many chunks are in flight for each worker: one in hand, one waiting."""

# A worker process's own state; set once by its initialiser, never in the process that starts the job.
_worker: dict[str, Any] = {}


def map_chunks(
    open_state: Callable[[], S], work: Callable[[S, A], B], chunks: Iterable[A], *, workers: int
) -> Generator[B, None, None]:
    """Yield `work(open_state(), chunk)` for each chunk, in order, with a bounded number in flight.

    One worker works in this process. More are spawned; all arguments must then be picklable.
    Raises: what `work` raises; UsageError: a worker process died.
    """
    if workers == 1:
        state = open_state()
        for chunk in chunks:
            yield work(state, chunk)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(open_state, work))
    try:
        yield from in_order((pool.submit(_run, chunk) for chunk in chunks), window=workers * _CHUNKS_A_WORKER)
    except BrokenProcessPool as error:
        raise UsageError(
            "a worker process died, perhaps for want of memory; the same command goes on where it stopped "
            "(fewer workers need less memory)"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def in_order(futures: Iterable[Future[B]], *, window: int) -> Iterator[B]:
    """Yield results in order, taking the next future from the iterable only when fewer than `window` are pending."""
    pending: deque[Future[B]] = deque()
    for future in futures:
        pending.append(future)
        if len(pending) >= window:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def _start(open_state: Callable[[], Any], work: Callable[[Any, Any], Any]) -> None:
    # The terminal sends its Ctrl-C to all processes; only the one that starts the job answers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _worker.update(open_state=open_state, work=work)


def _run(chunk: Any) -> Any:
    # Opened with the first chunk, not by the initialiser: what goes wrong comes back as that chunk's exception.
    if "state" not in _worker:
        _worker["state"] = _worker["open_state"]()
    return _worker["work"](_worker["state"], chunk)


def _end_with_parent() -> None:
    # Workers hold both ends of their queue, so a killed parent would leave them waiting for ever.
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
