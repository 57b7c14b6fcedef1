"""The ranks of a run as a torch.distributed process group that listens on one address only.

torch's own start (`env://`, and Ray's on top of it) opens the group's key-value server on every network interface; here
rank 0 binds it to its node's address first, which is 127.0.0.1 on a cluster of one machine.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import torch
from torch import Tensor, distributed

_TIMEOUT = timedelta(minutes=30)


class Ranks(Protocol):
    """The processes that train together."""

    @property
    def rank(self) -> int: ...

    @property
    def num_ranks(self) -> int: ...

    def average(self, tensor: Tensor) -> None:
        """Replace a tensor, in place, by its mean over the ranks; the result is the same bits on all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """This process among the others of its process group; a `Ranks`."""

    rank: int
    num_ranks: int
    device: torch.device

    def average(self, tensor: Tensor) -> None:
        if self.num_ranks > 1:
            # NCCL reduces GPU memory only; on the CPU this is the tensor itself.
            here = tensor.to(self.device)
            distributed.all_reduce(here)
            tensor.copy_(here.div_(self.num_ranks))


Address = tuple[str, int]


@contextmanager
def process_group(together: Together, *, host: str, share: Callable[[Address], Address]) -> Iterator[None]:
    """Hold the process group while the block runs; it is left when the block ends.

    `host` is this node's address. `share` is called by all ranks and gives each the value that rank 0 passed.
    """
    server = socket.create_server((host, 0)) if together.rank == 0 else None
    address, port = share((host, server.getsockname()[1] if server is not None else 0))
    store = distributed.TCPStore(  # type: ignore[attr-defined]
        address,
        port,
        together.num_ranks,
        is_master=server is not None,
        timeout=_TIMEOUT,
        master_listen_fd=None if server is None else server.detach(),
    )
    distributed.init_process_group(
        backend="nccl" if together.device.type == "cuda" else "gloo",
        store=store,
        rank=together.rank,
        world_size=together.num_ranks,
        timeout=_TIMEOUT,
    )
    try:
        yield
    finally:
        distributed.destroy_process_group()
