"""Torch's threads are lent and given back; several things at once come back in order."""

import threading

import pytest
import torch

from pipeline.codecs.threads import on_threads, torch_threads


def test_threads_are_given_back_whatever_happens() -> None:
    before = torch.get_num_threads()
    with pytest.raises(KeyError), torch_threads(before + 2):
        assert torch.get_num_threads() == before + 2
        raise KeyError
    assert torch.get_num_threads() == before


def test_items_run_at_once_with_one_torch_thread_each_and_come_back_in_order() -> None:
    both_here = threading.Barrier(2)

    def work(item: int) -> tuple[int, int]:
        both_here.wait(timeout=30)  # passes only if two run at the same time
        return item, torch.get_num_threads()

    with torch_threads(2):
        assert on_threads(work, range(6)) == [(item, 1) for item in range(6)]
        assert torch.get_num_threads() == 2


def test_the_first_exception_in_order_is_raised() -> None:
    def work(item: int) -> int:
        if item in (2, 4):
            raise ValueError(str(item))
        return item

    with pytest.raises(ValueError, match="2"):
        on_threads(work, range(6))
