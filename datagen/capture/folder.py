"""The folder that a capture fills, and what an earlier capture left in it.

<digest>.png     a picture, named by the first digits of its pixels' SHA-256
capture.jsonl    a line a picture taken
skipped.jsonl    a line for each run of pictures that were left out for the same reason
"""

import json
import os
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from datagen.capture.config import CaptureConfig
from datagen.capture.duplicates import KeptPictures
from datagen.capture.screen import Frame
from datagen.capture.x_questions import Rectangle
from datagen.quality import perceptual_hash
from datagen.sources import CAPTURE_LOG
from pipeline.base.errors import PictureError, StorageError, UsageError
from pipeline.base.store import Store, sha256_hex
from pipeline.formats.picture import Pixels, read_picture, to_rgb, write_png

SKIPPED_LOG = "skipped.jsonl"
_NAME_DIGITS = 24
_LONGEST_RUN = 1000
"""Pictures left out, after which a run is written though it goes on: a capture that is killed loses no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip:
    """Why a picture was left out."""

    reason: str
    monitor: int
    patterns: tuple[str, ...] = ()
    """For `blocked`: what matched."""
    titles: tuple[str, ...] = ()
    """Those of the blocked windows, if they are asked for."""
    file: str = ""
    """For `near_duplicate`, `taken_before`: the picture that it is like."""


@dataclass(slots=True, kw_only=True)
class _Run:
    """Pictures of one monitor, left out one after another for the same reason."""

    skip: Skip
    first: str
    last: str
    count: int


class CaptureFolder:
    """Written by one capture at a time. Raises UsageError: a remote folder; StorageError."""

    def __init__(self, store: Store, config: CaptureConfig) -> None:
        self._store = store
        self._config = config
        self._runs: dict[int, _Run] = {}
        self._num_unchanged: Counter[int] = Counter()
        self.num_skipped: Counter[str] = Counter()
        for name in (CAPTURE_LOG, SKIPPED_LOG):
            _end_last_line(_path(store, name))
        self._kept = KeptPictures(config, self._read_log(), self._pixels_of)

    def find(self, digest: str) -> str | None:
        """Return the picture with these pixels (`digest_pixels`) if the folder has it."""
        name = _name(digest)
        return name if name in self._kept else None

    def find_similar(self, frame: Frame, looks_like: str) -> str | None:
        """Return a picture that a frame with this perceptual hash is nearly a copy of."""
        return self._kept.find_similar(looks_like, frame.target.monitor, frame.pixels)

    def add(self, frame: Frame, digest: str, *, looks_like: str, blocked: tuple[Rectangle, ...]) -> None:
        """Write a picture and its line; `looks_like` is its perceptual hash, `blocked` what was blacked out in it."""
        data = write_png(frame.pixels, compress_level=self._config.png_compress_level)
        name, monitor = _name(digest), frame.target.monitor
        self._store.write_bytes(name, data)
        left, top, width, height = frame.target.rectangle
        line = {
            "time": frame.time.isoformat(timespec="milliseconds"),
            "file": name,
            "sha256": sha256_hex(data),
            "perceptual_hash": looks_like,
            "monitor": monitor,
            "left": left,
            "top": top,
            "width": width,
            "height": height,
            "masks": frame.masks,
            "blocked": blocked,
            "num_unchanged_before": self._num_unchanged.pop(monitor, 0),
        }
        self._end_run(monitor)
        _append(_path(self._store, CAPTURE_LOG), line)
        self._kept.add(name, looks_like, monitor, frame.pixels)

    def skip(self, skip: Skip) -> None:
        """Count a picture as left out; its line is written when the reason changes."""
        self.num_skipped[skip.reason] += 1
        self._num_unchanged[skip.monitor] += skip.reason == "unchanged"
        run = self._runs.get(skip.monitor)
        if run is None or run.skip != skip or run.count >= _LONGEST_RUN:
            self._end_run(skip.monitor)
            run = self._runs[skip.monitor] = _Run(skip=skip, first=_now(), last="", count=0)
        run.count += 1
        run.last = _now()

    def close(self) -> None:
        """Write the lines that are still open."""
        for monitor in list(self._runs):
            self._end_run(monitor)

    def _end_run(self, monitor: int) -> None:
        run = self._runs.pop(monitor, None)
        if run is not None:
            facts = {key: value for key, value in asdict(run.skip).items() if value not in ("", ())}
            line = {"time": run.first, "until": run.last, "count": run.count, **facts}
            _append(_path(self._store, SKIPPED_LOG), line)

    def _read_log(self) -> dict[str, int]:
        """Return the perceptual hash of each picture taken before, the newest last."""
        path = _path(self._store, CAPTURE_LOG)
        hashes: dict[str, int] = {}
        for text in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else ():
            try:
                line = json.loads(text)
                name, looks_like = str(line["file"]), str(line.get("perceptual_hash", ""))
                value = int(looks_like, 16) if looks_like else self._hash_of(name)
            except (ValueError, KeyError, TypeError, AttributeError):
                # A capture that was killed may leave an unfinished line; its picture is taken again.
                continue
            if value is not None and self._store.exists(name):
                hashes.pop(name, None)
                hashes[name] = value
        return hashes

    def _hash_of(self, name: str) -> int | None:
        """Return the hash of a picture whose line has none, or None if it cannot be read."""
        pixels = self._pixels_of(name)
        return None if pixels is None else int(perceptual_hash(pixels), 16)

    def _pixels_of(self, name: str) -> Pixels | None:
        try:
            picture = read_picture(self._store.read_bytes(name), where=self._store.where(name))
        except (PictureError, StorageError):
            return None
        return to_rgb(picture.pixels)


def check_local(store: Store) -> None:
    """Raise UsageError if the store is not a folder of this machine."""
    _path(store, "")


def _path(store: Store, name: str) -> Path:
    path = store.local_path(name)
    if path is None:
        raise UsageError(f"{store.url}: screens are captured into a local folder")
    return path


def _name(digest: str) -> str:
    return f"{digest[:_NAME_DIGITS]}.png"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _append(path: Path, line: dict[str, Any]) -> None:
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}") from error


def _end_last_line(path: Path) -> None:
    """Make sure that the next line is one of its own, though a killed capture left its last one unfinished."""
    try:
        if path.is_file() and path.stat().st_size:
            with open(path, "rb+") as file:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(b"\n")
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}") from error
