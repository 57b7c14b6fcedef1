"""Ctrl-C during a run: its ranks save a checkpoint and end; a second one ends at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from training.stop import ask_to_stop

_POLL_SECONDS = 0.2


@contextmanager
def stop_on_interrupt(out: Path, note: Callable[[str], None]) -> Iterator[None]:
    """While the block runs, let the first SIGINT ask the run in `out` to stop and the second raise KeyboardInterrupt.

    `note` tells the person. In a thread other than the main one, which hears of no signals, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = False

    def hear(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what Python passes
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        ask_to_stop(out)
        note("stopping after this step; again to stop without saving")

    before = signal.signal(signal.SIGINT, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def in_thread(work: Callable[[], object]) -> None:
    """Run `work` in a thread and wait for it, so that this thread hears of signals; raise what it raises."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            # Whatever it is, it belongs to the caller: a thread has nobody to tell.
            raised.append(error)

    thread = threading.Thread(target=run, name="fit", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_POLL_SECONDS)
    if raised:
        raise raised[0]
