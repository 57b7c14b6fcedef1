"""Going on with half as much when a GPU's memory is full."""

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import torch

from pipeline.base.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

_T = TypeVar("_T")
logger = logging.getLogger(__name__)


def halving(work: Callable[["Tensor"], _T], items: "Tensor") -> Iterator[_T]:
    """Give `work` of all items (N, ...), or of halves of them, and halves of those, until the memory suffices.

    Raises: UsageError: it does not suffice for one.
    """
    parts = [items]
    while parts:
        part = parts.pop(0)
        try:
            made = work(part)
        except torch.OutOfMemoryError as error:
            if len(part) == 1:
                raise UsageError(
                    "masks: the GPU's memory does not suffice for one picture, or prompt, at a time"
                ) from error
            made = None
        if made is not None:
            yield made
            continue
        # Outside of the handler, whose traceback holds on to what filled the memory.
        torch.cuda.empty_cache()
        logger.warning("GPU memory is full: going on with %d at a time", len(part) // 2)
        parts = [*torch.split(part, -(-len(part) // 2)), *parts]
