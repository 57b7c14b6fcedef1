"""The wish to stop a run: a file in its folder, which rank 0 looks for and all ranks then hear of."""

import time
from pathlib import Path

STOP = ".stop"
_LOOK_SECONDS = 0.5


class StopWish:
    """Whether somebody asked a run to stop. Looks at the disk, which may be far away, twice a second at most."""

    def __init__(self, out: Path) -> None:
        self._path = out / STOP
        self._looked = float("-inf")
        self._found = False

    def __call__(self) -> bool:
        now = time.monotonic()
        if not self._found and now - self._looked >= _LOOK_SECONDS:
            self._looked, self._found = now, self._path.exists()
        return self._found


def ask_to_stop(out: Path) -> None:
    """Ask the run in this folder to save a checkpoint after its next step and end."""
    (out / STOP).touch()


def forget_stop(out: Path) -> None:
    """Take the wish back, as each new start of a run does."""
    (out / STOP).unlink(missing_ok=True)
