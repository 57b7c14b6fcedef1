"""training/ranks.py: two processes that average, and a server that listens on loopback alone."""

import multiprocessing
import os
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from training.ranks import Address, Together, process_group


def listening_addresses() -> set[str]:
    """Return the addresses on which this process listens, as /proc/net/tcp and tcp6 write them, without the port."""
    mine = set()
    for path in Path("/proc/self/fd").iterdir():
        # The descriptor that lists the folder is gone by now.
        with suppress(FileNotFoundError):
            mine.add(str(path.readlink()))
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            local, state, inode = (line.split()[column] for column in (1, 3, 9))
            if state == "0A" and f"socket:[{inode}]" in mine:
                found.add(local.partition(":")[0])
    return found


def rank(number: int, pipe: Connection) -> None:
    """Average twice with the other process; send what came out and where this one listens."""
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"

    def share(address: Address) -> Address:
        if number == 0:
            pipe.send(address)
            return address
        got: Address = pipe.recv()
        return got

    together = Together(rank=number, num_ranks=2, device=torch.device("cpu"))
    with process_group(together, host="127.0.0.1", share=share):
        tensor = torch.tensor([1.0, 3.0]) * (number + 1)
        together.average(tensor)
        counts = torch.tensor([2.0 + number], dtype=torch.float64)
        together.average(counts)
        listening = listening_addresses()
    pipe.send((tensor.tolist(), counts.tolist(), listening))


def test_two_processes_average_over_loopback():
    context: Any = multiprocessing.get_context("spawn")
    ours, theirs = zip(*(context.Pipe() for _ in range(2)), strict=True)
    processes = [context.Process(target=rank, args=(number, theirs[number])) for number in range(2)]
    for process in processes:
        process.start()
    ours[1].send(ours[0].recv())
    results = [pipe.recv() for pipe in ours]
    for process in processes:
        process.join()
    for averaged, counts, listening in results:
        assert averaged == [1.5, 4.5]
        assert counts == [2.5]
        # 127.0.0.1, plain and as IPv6 writes it, in the byte order of the machine.
        assert listening <= {"0100007F", "0000000000000000FFFF00000100007F"}
    assert results[0][2], "rank 0 holds the server"
