"""training/interrupt.py and stop.py: the first SIGINT asks, the second ends, and others' handlers come back."""

import os
import signal
import threading
from pathlib import Path

import pytest

from training.interrupt import in_thread, stop_on_interrupt
from training.stop import StopWish, ask_to_stop, forget_stop


def test_the_first_signal_asks_the_run_to_stop_and_the_second_ends(tmp_path: Path):
    before, notes = signal.getsignal(signal.SIGINT), []
    with pytest.raises(KeyboardInterrupt), stop_on_interrupt(tmp_path, notes.append):
        os.kill(os.getpid(), signal.SIGINT)
        assert StopWish(tmp_path)()
        assert len(notes) == 1
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_signals_are_heard_while_a_thread_works(tmp_path: Path):
    def work() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        while not StopWish(tmp_path)():
            threading.Event().wait(0.01)

    with stop_on_interrupt(tmp_path, lambda _: None):
        in_thread(work)


def test_what_a_thread_raises_is_raised():
    def work() -> None:
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        in_thread(work)


def test_another_thread_leaves_signals_alone(tmp_path: Path):
    before = signal.getsignal(signal.SIGINT)

    def work() -> None:
        with stop_on_interrupt(tmp_path, lambda _: None):
            assert signal.getsignal(signal.SIGINT) is before

    in_thread(work)


def test_a_wish_can_be_taken_back(tmp_path: Path):
    wish = StopWish(tmp_path)
    assert not wish()
    ask_to_stop(tmp_path)
    assert not wish(), "the disk is looked at twice a second at most"
    assert StopWish(tmp_path)()
    forget_stop(tmp_path)
    forget_stop(tmp_path)
    assert not StopWish(tmp_path)()
