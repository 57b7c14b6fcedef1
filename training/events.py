"""`events.jsonl`: what happened to a run besides its steps, one JSON object a line.

{"event": "started", "step": 40, "num_workers": 2, "steps_lost": 3}     workers took over at a step
{"event": "failed", "why": "worker 1: ActorDiedError: ..."}             some of them ended before the run did
{"event": "waited", "seconds": 12.1, "why": "run/metrics.jsonl: ..."}   the run's folder could not be written
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.base.errors import StorageError

EVENTS = "events.jsonl"
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 10.0


def tell(out: Path, event: str, **details: Any) -> None:
    """Append a line, if the folder can be written: no run fails for its diary."""
    line = json.dumps({"event": event, **details, "unix": round(time.time(), 1)}, allow_nan=False)
    with suppress(OSError), open(out / EVENTS, "a", encoding="utf-8") as file:
        file.write(line + "\n")


def read_events(out: Path) -> list[dict[str, Any]]:
    """Return the whole lines; none if there is no such file."""
    found = []
    with suppress(OSError):
        for line in (out / EVENTS).read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                row = json.loads(line)
                if isinstance(row, dict) and "event" in row:
                    found.append(row)
    return found


def describe(events: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return a line for each event but the first start, such as `worker 1: ActorDiedError: ...`."""
    lines = []
    started = False
    for row in events:
        if row["event"] == "started":
            if started:
                lines.append(
                    f"{row['num_workers']} workers went on from step {row['step']}, {row['steps_lost']} steps lost"
                )
            started = True
        elif row["event"] == "waited":
            lines.append(f"waited {row['seconds']:g} s to write: {row['why']}")
        else:
            lines.append(str(row.get("why", row["event"])))
    return tuple(lines)


def num_restarts(events: Sequence[Mapping[str, Any]]) -> int:
    """Return how often workers took over from others."""
    return max(0, len([row for row in events if row["event"] == "started"]) - 1)


def steps_lost(events: Sequence[Mapping[str, Any]]) -> int:
    """Return how many steps were taken again, as far as metrics.jsonl had told of them."""
    starts = [row for row in events if row["event"] == "started"]
    return sum(int(row["steps_lost"]) for row in starts[1:])


def patiently(write: Callable[[], object], out: Path, *, patience_s: float) -> None:
    """Call `write` until the storage takes it, for at most `patience_s` seconds; tell of a wait in `out`.

    Raises: StorageError: the last one.
    """
    began = time.monotonic()
    wait, why = _FIRST_WAIT_S, ""
    while True:
        try:
            write()
            break
        except StorageError as error:
            why = str(error)
            if time.monotonic() - began + wait > patience_s:
                raise
        time.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT_S)
    if why:
        tell(out, "waited", seconds=round(time.monotonic() - began, 1), why=why)
