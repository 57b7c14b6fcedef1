"""Conditions of machines under which what is exact must not change."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import torch

from pipeline.codecs.threads import torch_threads


@contextmanager
def without_onednn() -> Iterator[None]:
    # The public context manager sets flags of other devices too, and warns about them.
    torch._C._set_mkldnn_enabled(False)
    try:
        yield
    finally:
        torch._C._set_mkldnn_enabled(True)


@contextmanager
def double_by_default() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


CONDITIONS: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "1 thread": lambda: torch_threads(1),
    "2 threads": lambda: torch_threads(2),
    "5 threads": lambda: torch_threads(5),
    "no oneDNN": without_onednn,
    "float64 by default": double_by_default,
}
