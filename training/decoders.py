"""Processes that read, decode and cut for one rank, and hand crops over in shared memory.

Each is started afresh by the system (`python -m training.decoder`), so it holds no copy of this process: neither of
threads of torch or Ray that a fork would break, nor of a script that a spawn would run again. What is asked and
answered goes over a socket each; crops are in one anonymous file that all map and nobody has to remove. A process whose
socket closes ends itself, so none outlives a rank, however that ended; one that dies is replaced, and what it was at is
asked again.

Crops are the same whoever cuts them; visits are answered in order. N crops of a visit.
"""

import json
import mmap
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection, wait
from time import monotonic
from types import TracebackType
from typing import Any

from pipeline.base.config import to_table
from pipeline.base.errors import ConfigError, MissingDependency, ShardError, StorageError, TrainingError, UsageError
from training.config import TrainConfig
from training.crops import CropArrays
from training.decode_task import DecodeTask, anonymous_file
from training.order import Visit
from training.samples import Spent

_POLL_SECONDS = 0.2
_SILENT_SECONDS = 900.0
"""Longer than a store tries again (pipeline.base.remote): who has said nothing for so long will not."""
_MAX_DEATHS = 3
"""Of processes that were at the same visit."""
_SLOTS_EACH = 4
"""At least so many visits are asked of each process: the next one is there when it is done with one."""
_QUEUE_DIFFERENCE = 2
"""Visits that the process with a picture in memory may have more to do than the others before it is passed over."""


_RAISABLE = {kind.__name__: kind for kind in (ConfigError, MissingDependency, ShardError, StorageError, UsageError)}
"""What a decoder may answer with and is raised as it was."""


_KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TRIM_THRESHOLD_": "1000000000"}
"""Of glibc: a decoder keeps the memory of one picture for the next. Getting it from the system, page by page, takes
more time than decoding does."""


class _Worker:
    """One process and what was asked of it."""

    def __init__(self, task: DecodeTask, memory_fd: int) -> None:
        ours, theirs = socket.socketpair()
        told = asdict(task) | {"config": to_table(task.config)}
        # What this process can import, that one can too: Ray's workers have paths of their own.
        environment = os.environ | _KEEP_MEMORY | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "training.decoder", str(theirs.fileno()), str(memory_fd)],
                pass_fds=(theirs.fileno(), memory_fd),
                stdin=subprocess.DEVNULL,
                env=environment,
                # Ctrl-C reaches this process, which then closes the sockets.
                start_new_session=True,
            )
        finally:
            theirs.close()
        self.connection = Connection(ours.detach())
        self.asked: deque[int] = deque()
        """Slots, in order."""
        self.send(told)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: dict[str, Any]) -> None:
        # Of one that has died, the next look at its socket will tell.
        try:
            self.connection.send_bytes(json.dumps(message).encode())
        except OSError:
            return

    def end(self) -> str:
        """End the process at once and return how it had ended, if it had."""
        self.connection.close()
        status = self._process.poll()
        if status is None:
            self._process.kill()
            self._process.wait()
            return "stopped answering"
        return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


@dataclass(slots=True, kw_only=True)
class _Asked:
    visit: Visit
    slot: int
    spent: Spent | None = None
    deaths: int = 0


class Decoders:
    """The decoders of one rank; a context manager that starts and ends them."""

    def __init__(self, task: DecodeTask) -> None:
        self._task = task
        self._visits: Iterator[Visit] = iter(())
        self._pending: deque[_Asked] = deque()
        self._by_slot: dict[int, _Asked] = {}
        self._free = list(range(task.num_slots))
        self._workers: list[_Worker] = []
        self._stopped = False
        self.num_replaced = 0
        """Decoders that died and were replaced."""

    def __enter__(self) -> "Decoders":
        num_bytes = self._task.num_slots * self._task.slot_bytes()
        self._memory_fd = anonymous_file(num_bytes)
        self._memory = mmap.mmap(self._memory_fd, num_bytes)
        self._slots = [self._task.slot(self._memory, number) for number in range(self._task.num_slots)]
        try:
            for _ in range(self._task.config.decode_workers):
                self._workers.append(_Worker(self._task, self._memory_fd))
        except OSError as error:
            self.__exit__(None, None, None)
            raise TrainingError(f"decoders cannot be started: {error}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        for worker in self._workers:
            worker.end()
        os.close(self._memory_fd)

    @property
    def pids(self) -> list[int]:
        """Process ids of the decoders."""
        return [worker.pid for worker in self._workers]

    def start(self, visits: Iterator[Visit]) -> None:
        """Begin with `visits`, which may be endless."""
        self._visits = visits
        self._ask()

    def stop(self) -> None:
        """Make a `take` in another thread raise within a moment."""
        self._stopped = True

    def take(self, *, into: CropArrays) -> Spent:
        """Copy the next visit's crops; return what they cost. Blocks until they are there.

        Raises: ShardError, StorageError, ... as reading does; TrainingError: decoders keep dying or say nothing.
        """
        asked = self._pending[0]
        since = monotonic()
        while asked.spent is None:
            if self._stopped:
                raise TrainingError("the decoders were stopped")
            if self._listen():
                since = monotonic()
            elif monotonic() - since > _SILENT_SECONDS:
                raise TrainingError(
                    f"the decoders have said nothing for {_SILENT_SECONDS:.0f} s, waiting for sample "
                    f"{asked.visit.index} of {self._task.config.train_split}"
                )
        self._pending.popleft()
        into.copy_from(self._slots[asked.slot])
        del self._by_slot[asked.slot]
        self._free.append(asked.slot)
        self._ask()
        return asked.spent

    def _ask(self) -> None:
        """Ask for further visits as long as there is room."""
        while self._free:
            visit = next(self._visits, None)
            if visit is None:
                return
            asked = _Asked(visit=visit, slot=self._free.pop())
            self._pending.append(asked)
            self._by_slot[asked.slot] = asked
            # In the next epoch the same process has the picture in memory, if all of its pictures fit there.
            worker = self._workers[visit.index % len(self._workers)]
            least = min(self._workers, key=lambda one: len(one.asked))
            self._send(worker if len(worker.asked) <= len(least.asked) + _QUEUE_DIFFERENCE else least, asked)

    def _send(self, worker: _Worker, asked: _Asked) -> None:
        worker.asked.append(asked.slot)
        worker.send({"slot": asked.slot, "index": asked.visit.index, "epoch": asked.visit.epoch})

    def _listen(self) -> bool:
        """Take what decoders say within a moment; return whether one said anything."""
        ready = wait([worker.connection for worker in self._workers], timeout=_POLL_SECONDS)
        for connection in ready:
            worker = next(one for one in self._workers if one.connection is connection)
            try:
                answer = json.loads(worker.connection.recv_bytes())
            except (EOFError, OSError):
                self._replace(worker)
                continue
            self._take_answer(worker, answer)
        return bool(ready)

    def _take_answer(self, worker: _Worker, answer: dict[str, Any]) -> None:
        if "error" in answer:
            raise _RAISABLE.get(answer["error"], TrainingError)(answer["message"])
        slot = answer.pop("slot")
        worker.asked.remove(slot)
        self._by_slot[slot].spent = Spent(**answer)

    def _replace(self, worker: _Worker) -> None:
        """Start another process for one that died, and ask it what that one was asked.

        Raises: TrainingError: too many have died at one visit.
        """
        how = worker.end()
        self.num_replaced += 1
        lost = [self._by_slot[slot] for slot in worker.asked]
        if lost:
            # It answers in order, so it was at the first.
            lost[0].deaths += 1
            if lost[0].deaths == _MAX_DEATHS:
                raise TrainingError(
                    f"{_MAX_DEATHS} decoders died at sample {lost[0].visit.index} of "
                    f"{self._task.config.train_split}, the last one {how}; if memory is short, lower decode_workers "
                    f"({self._task.config.decode_workers}) or cache_mib ({self._task.config.cache_mib})"
                )
        self._workers[self._workers.index(worker)] = fresh = _Worker(self._task, self._memory_fd)
        for asked in lost:
            self._send(fresh, asked)


def decoders_for(corpus: str, config: TrainConfig, *, visits_per_batch: int, **inputs: Any) -> Decoders:
    """Return the decoders of one rank that reads `visits_per_batch` samples a step. `inputs`: of DecodeTask."""
    num_slots = max(2 * visits_per_batch, _SLOTS_EACH * config.decode_workers)
    return Decoders(DecodeTask(corpus=corpus, config=config, num_slots=num_slots, **inputs))
