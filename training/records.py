"""`metrics.jsonl`: one JSON object a report, written by rank 0, read by whoever watches.

{"split": "train", "step": 20, "epoch": 0.31, "loss": 2.1, "estimated_bpp": 0.9, "psnr": 27.0, ...}
"""

import json
import math
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from pipeline.base.errors import StorageError
from pipeline.base.progress import Progress
from pipeline.base.store import Store
from training.loop import Report

METRICS = "metrics.jsonl"
_POLL_SECONDS = 0.5
_OF_EACH_RATE = ("bpp", "estimated_bpp", "psnr")


def report_row(report: Report) -> dict[str, Any]:
    """Return a report as the flat object that a line holds; what is not a number becomes null."""
    row = {
        field.name: getattr(report, field.name)
        for field in fields(report)
        if field.name not in ("figures", "by_rate", "checkpoint_due", "best", "shown")
    }
    row |= asdict(report.figures)
    for rate, figures in enumerate(report.by_rate):
        row |= {f"{name}_rate_{rate}": getattr(figures, name) for name in _OF_EACH_RATE}
    return {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in row.items()}


def append_row(out: Path, row: dict[str, Any]) -> None:
    """Append one line, or nothing. Raises: StorageError."""
    path = out / METRICS
    try:
        before = path.stat().st_size if path.is_file() else 0
        try:
            with open(path, "a", encoding="utf-8") as file:
                file.write(json.dumps(row, allow_nan=False) + "\n")
        except OSError:
            # On a full disk a part of the line may be there, and what is appended next would continue it.
            with suppress(OSError):
                os.truncate(path, before)
            raise
    except OSError as error:
        raise StorageError(f"{out / METRICS}: {error.strerror or error}") from error


def cut_rows(out: Path, *, step: int) -> None:
    """Remove the lines beyond `step`, and a last line that was cut short: a continued run writes them again."""
    if (out / METRICS).is_file():
        kept = [row for row in read_rows(out) if row["step"] <= step]
        Store(out).write_bytes(METRICS, "".join(json.dumps(row) + "\n" for row in kept).encode())


def read_rows(out: Path) -> list[dict[str, Any]]:
    """Return the whole lines of `metrics.jsonl`; none if there is no such file."""
    path = out / METRICS
    if not path.is_file():
        return []
    return [row for row in map(_parse, path.read_text(encoding="utf-8").splitlines()) if row is not None]


def _parse(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and isinstance(row.get("step"), int) else None


@contextmanager
def follow(out: Path, progress: Progress, *, step: int) -> Iterator[None]:
    """While the block runs, advance `progress` from `step` on as lines appear in `metrics.jsonl`."""
    ended = threading.Event()
    follower = _Follower(out, progress, step)

    def watch() -> None:
        while not ended.wait(_POLL_SECONDS):
            follower.look()

    thread = threading.Thread(target=watch, name="follow-metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        follower.look()


class _Follower:
    def __init__(self, out: Path, progress: Progress, step: int) -> None:
        self._path = out / METRICS
        self._progress = progress
        self._step = step
        self._offset = 0

    def look(self) -> None:
        """Take in the lines that were added since the last look."""
        try:
            data = self._new_bytes()
        except OSError:
            # The file is replaced when a restarted worker cuts it; the next look finds it.
            return
        whole, _, _ = data.rpartition(b"\n")
        self._offset += len(whole) + 1 if whole else 0
        for line in whole.decode("utf-8", "replace").splitlines():
            row = _parse(line)
            if row is not None and row["step"] > self._step:
                self._take(row)

    def _new_bytes(self) -> bytes:
        if self._path.stat().st_size < self._offset:
            self._offset = 0
        with open(self._path, "rb") as file:
            file.seek(self._offset)
            return file.read()

    def _take(self, row: dict[str, Any]) -> None:
        self._progress.note(describe(row))
        if row["split"] == "train":
            self._progress.advance(row["step"] - self._step)
            self._step = row["step"]


def describe(row: dict[str, Any]) -> str:
    """Return such as `loss 1.93, 0.81 bpp est., 27.4 dB, label loss 0.21, 41 images/s`.

    The rate is the likelihoods' estimate; a validation's is that of bitstreams: `0.84 bpp`. Of a codec that learns
    classes: `loss 0.41, 87.5 % of classes right`.
    """
    if row["loss"] is None:
        return "no finite step"
    if row.get("class_accuracy") is not None:
        parts = [f"{row['class_accuracy']:.1%} of classes right"]
    else:
        real = row.get("bpp")
        rate = f"{row['estimated_bpp']:.3f} bpp est." if real is None else f"{real:.3f} bpp"
        parts = [rate, f"{row['psnr']:.2f} dB"]
        if row.get("bce") is not None:
            parts.append(f"label loss {row['bce']:.3f}")
    if row.get("images_per_second"):
        parts.append(f"{row['images_per_second']:.3g} images/s")
    return ", ".join([f"loss {row['loss']:.3f}", *parts])
