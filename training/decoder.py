"""A decoder: `python -m training.decoder SOCKET MEMORY`, started by training.decoders. Knows no torch.

It is told a task, then visits, one JSON message each; it answers a visit when its crops are in the shared memory, and
ends when the socket closes.
"""

import json
import mmap
import os
import sys
from dataclasses import asdict
from multiprocessing.connection import Connection
from typing import Any

from pipeline.base.config import from_table
from pipeline.base.errors import DiptychError
from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from training.config import TrainConfig
from training.crops import cut_visit
from training.decode_task import DecodeTask
from training.order import Visit
from training.samples import SampleReader


def main(socket_fd: int, memory_fd: int) -> None:
    """Answer until the socket closes."""
    connection = Connection(socket_fd)
    try:
        _serve(connection, memory_fd)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        # Whoever asked is gone.
        return
    except DiptychError as error:
        _fail(connection, type(error).__name__, str(error))
    except Exception as error:
        # The traceback goes to stderr, the line to whoever waits.
        _fail(connection, "", f"a decoder failed: {type(error).__name__}: {error}")
        raise


def _serve(connection: Connection, memory_fd: int) -> None:
    told = _receive(connection)
    told["config"] = from_table(TrainConfig, told["config"], where="decoder")
    task = DecodeTask(**told)
    memory = mmap.mmap(memory_fd, os.fstat(memory_fd).st_size)
    reader = SampleReader(
        open_split(Store(task.corpus), task.config.train_split),
        cache_bytes=task.cache_bytes,
        with_regions=task.with_regions,
        class_names=task.class_names,
        scale_to=task.config.scale_to,
    )
    slots = [task.slot(memory, number) for number in range(task.num_slots)]
    while True:
        asked = _receive(connection)
        visit = Visit(position=0, epoch=asked["epoch"], index=asked["index"])
        spent = cut_visit(reader, visit, task.config, into=slots[asked["slot"]])
        connection.send_bytes(json.dumps({"slot": asked["slot"], **asdict(spent)}).encode())


def _receive(connection: Connection) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(connection.recv_bytes())
    return message


def _fail(connection: Connection, kind: str, message: str) -> None:
    connection.send_bytes(json.dumps({"error": kind, "message": message}).encode())


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
