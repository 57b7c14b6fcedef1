"""How ranks that a test starts as processes learn an address: the first tells the test, the test the others."""

from collections.abc import Callable
from multiprocessing.connection import Connection

from training.ranks import Address


def share_through(pipe: Connection, *, rank: int) -> Callable[[Address], Address]:
    """Return what `process_group` asks of a rank that has this end of a pipe."""

    def share(address: Address) -> Address:
        if rank == 0:
            pipe.send(address)
            return address
        got: Address = pipe.recv()
        return got

    return share
