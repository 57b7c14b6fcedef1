"""Who does the work: this process, local processes, or a Ray cluster. All take the same shards and give the same bytes.

A shard whose worker dies (out of memory, a crash in a C library) or that raises what nobody expected is tried again;
when it keeps failing the engine gives a `Failure` for it and goes on with the others. Errors of Diptych's own, such as
a full disk, concern every shard, and end the run.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass

from datagen import plan as plans
from datagen.font_search import hold, typefaces
from datagen.fonts import Typefaces
from datagen.plan import Plan, Shard
from pipeline.base.errors import DiptychError
from pipeline.base.store import Store
from pipeline.formats.shards import ShardRecord

ATTEMPTS = 3
"""How often a shard is tried."""

Make = Callable[[Store, Plan, Shard, str], ShardRecord]
"""Makes one shard of a plan, given the plan's digest; a function of a module, since processes receive it by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A shard that could not be made."""

    shard: Shard
    attempts: int
    reason: str
    """`worker_died` or `crashed`."""
    message: str


Outcome = ShardRecord | Failure


def in_process(store: Store, shards: Sequence[Shard], make: Make) -> Iterator[Outcome]:
    """Make the shards one after the other in this process."""
    if not shards:
        return
    plan, plan_sha256 = plans.read(store)
    for shard in shards:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                yield make(store, plan, shard, plan_sha256)
                break
            except DiptychError:
                raise
            except Exception as error:
                # The border of quarantine: a shard that keeps failing is given up, counted and reported.
                if attempt == ATTEMPTS:
                    yield crashed(shard, attempt, error)


def processes(store: Store, shards: Sequence[Shard], make: Make, *, workers: int) -> Iterator[Outcome]:
    """Make the shards in `workers` processes of this machine; outcomes come as they are ready."""
    waiting = deque(shards)
    while waiting:
        suspects = yield from _pool(store, waiting, make, workers=workers)
        # A broken pool does not say whose process died, so those that were at work are tried alone.
        for shard in suspects:
            yield _alone(store, shard, make)


def _pool(store: Store, waiting: deque[Shard], make: Make, *, workers: int) -> Generator[Outcome, None, list[Shard]]:
    """Make shards from `waiting` until it is empty, or a process died; return those that were at work then."""
    working: dict[Future[ShardRecord], tuple[Shard, int]] = {}
    try:
        with stoppable(_start_pool(store, workers)) as pool:
            while waiting or working:
                while waiting and len(working) < 2 * workers:
                    shard = waiting.popleft()
                    working[pool.submit(_make_in_worker, make, shard)] = (shard, 1)
                for future in wait(working, return_when=FIRST_COMPLETED).done:
                    shard, attempt = working[future]
                    outcome = _outcome(future, shard, attempt)
                    if outcome is None:
                        working[pool.submit(_make_in_worker, make, shard)] = (shard, attempt + 1)
                    else:
                        yield outcome
                    del working[future]
    except BrokenProcessPool:
        return [shard for shard, _ in working.values()]
    return []


@contextmanager
def stoppable(pool: ProcessPoolExecutor) -> Iterator[ProcessPoolExecutor]:
    """Shut a pool down after the block; at Ctrl-C at once, since a shard that is not whole is made anew anyway."""
    try:
        yield pool
    except KeyboardInterrupt:
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _alone(store: Store, shard: Shard, make: Make) -> Outcome:
    """Make one shard with nobody beside it, so that it is known whether its process dies."""
    attempt = 0
    while attempt < ATTEMPTS:
        attempt += 1
        pool = _start_pool(store, 1)
        try:
            outcome = _outcome(pool.submit(_make_in_worker, make, shard), shard, attempt)
            if outcome is not None:
                return outcome
        except BrokenProcessPool:
            continue
        finally:
            pool.shutdown(cancel_futures=True)
    message = f"{shard.name.stem}: its process died {attempt} times (out of memory?)"
    return Failure(shard=shard, attempts=attempt, reason="worker_died", message=message)


def _outcome(future: Future[ShardRecord], shard: Shard, attempt: int) -> Outcome | None:
    """Return a shard's outcome, None if it is to be tried again. Raises: DiptychError, BrokenProcessPool."""
    try:
        return future.result()
    except (DiptychError, BrokenProcessPool):
        raise
    except Exception as error:
        # The border of quarantine, as in `in_process`.
        return crashed(shard, attempt, error) if attempt >= ATTEMPTS else None


def crashed(shard: Shard, attempts: int, error: Exception) -> Failure:
    """Return the Failure of a shard that raised what nobody expected."""
    message = f"{shard.name.stem}: {type(error).__name__}: {error}"
    return Failure(shard=shard, attempts=attempts, reason="crashed", message=message)


def _start_pool(store: Store, workers: int) -> ProcessPoolExecutor:
    fonts = plans.read(store)[0].config.fonts
    # Workers are forked from one process that has imported everything and started no thread; by themselves they would
    # each take seconds for that.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["datagen.work"])
    return ProcessPoolExecutor(
        max_workers=workers,
        mp_context=context,
        initializer=_start_worker,
        initargs=(store.url, (fonts, typefaces(fonts)) if fonts else None),
    )


_worker: dict[str, tuple[Store, Plan, str]] = {}
"""A worker process's plan, read once when it starts."""


def _start_worker(url: str, fonts: tuple[str, Typefaces] | None) -> None:
    # Ctrl-C in a terminal reaches all its processes; what follows is the parent's decision.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if fonts is not None:
        hold(*fonts)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    store = Store(url)
    _worker["plan"] = (store, *plans.read(store))


def _end_with_parent() -> None:
    # A parent that was killed cannot stop its workers; an orphan would go on writing beside the run that resumes.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make_in_worker(make: Make, shard: Shard) -> ShardRecord:
    store, plan, plan_sha256 = _worker["plan"]
    return make(store, plan, shard, plan_sha256)
