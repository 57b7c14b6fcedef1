"""A run that is killed again and again: `python -m tests.training_driver CORPUS OUT [KILL ...]`.

Each KILL is one life of the run, a process that ends by SIGKILL:

    step:N      in the N-th step of this life
    before:N    when the N-th file of this life is written but not yet under its name
    after:N     when it has its name
    ms:N        N milliseconds after the run began, wherever it is then

The last life, without a KILL, goes to the end. Prints each life's signal, and digests of what was learned.
"""

import json
import os
import signal
import sys
import threading
import time
from itertools import count
from pathlib import Path

import torch

from pipeline.base.store import sha256_file
from tests.training_corpus import small_config
from training import rank
from training.loop import Alone
from training.rank import Job, run_rank
from training.state import newest_complete
from training.stop import StopWish

CONFIG = small_config(
    steps=11,
    checkpoint_every=3,
    validate_every=2,
    validate_bitstreams=1,
    validate_pictures=1,
    accumulate=2,
    ema_decay=0.9,
    schedule="plateau",
    plateau_patience=1,
    learning_rate=1e-2,
)


def live(corpus: str, out: Path, kill: str) -> None:
    """Run from where the run stands until the end, or until killed."""
    kind, _, number = kill.partition(":")
    if kind == "step":
        _kill_in_step(int(number))
    elif kind in ("before", "after"):
        _kill_at_file(int(number), before=kind == "before")
    elif kind == "ms":
        _kill_later(int(number) / 1000)
    list(run_rank(Job(config=CONFIG, corpus=corpus, corpus_sha256="0" * 64, out=out), Alone(), torch.device("cpu")))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_in_step(number: int) -> None:
    steps = count(1)

    class Killer(StopWish):
        def __call__(self) -> bool:
            if next(steps) == number:
                _die()
            return False

    rank.StopWish = Killer  # type: ignore[misc]


def _kill_at_file(number: int, *, before: bool) -> None:
    files, replace = count(1), Path.replace

    def killing(self: Path, target: Path) -> Path:
        last = next(files) == number
        if last and before:
            _die()
        result = replace(self, target)
        if last:
            _die()
        return result

    Path.replace = killing  # type: ignore[method-assign,assignment]


def _kill_later(seconds: float) -> None:
    def wait() -> None:
        time.sleep(seconds)
        _die()

    threading.Thread(target=wait, daemon=True).start()


def main() -> None:
    """Live all lives; each is a fork, so that the imports are paid once."""
    corpus, out, kills = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    torch.set_num_threads(1)
    out.mkdir(exist_ok=True)
    signals = []
    for kill in [*kills, ""]:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                live(corpus, out, kill)
                status = 0
            finally:
                sys.stderr.flush()
                os._exit(status)
        _, status = os.waitpid(child, 0)
        signals.append(os.WTERMSIG(status) if os.WIFSIGNALED(status) else -os.WEXITSTATUS(status))
    newest = newest_complete(out)
    learned = {} if newest is None else {path.name: sha256_file(path) for path in sorted(newest.glob("*.safetensors"))}
    best = out / "best" / "weights.safetensors"
    print(json.dumps({"signals": signals, "learned": learned, "best": sha256_file(best)}))  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
