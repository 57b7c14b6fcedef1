"""Which pictures are so near to one that was kept that they are not worth keeping.

The perceptual hash finds kept pictures that may be alike, a count of changed pixels decides. Measured on 1280x720 and
1920x1080 screens of a chat in Chromium, xterm and a text editor, alone and as windows side by side:

    change                                     bits of 256   pixels
    blinking cursor, in windows with content        0 to 4        10 to 180
    blinking cursor, terminal nearly empty        18 to 50             180
    clock of a page ticks                           0 to 2       210 to 250
    a letter or a word typed                       0 to 32       60 to 1800
    a line more in a terminal                      4 to 48     1100 to 2300
    a chat message more                            2 to 96    8500 and more
    a page scrolled                               8 to 118   12000 and more

No number of bits parts a cursor from a message: on an empty screen the hash is made of noise, and a window of a large
screen hardly moves it. 2000 pixels do, also at scale 2 (four times the pixels). 32 bits choose what is counted.
"""

from collections.abc import Callable

import numpy as np

from datagen.capture.config import CaptureConfig
from pipeline.formats.picture import Pixels

_MAX_COUNTED = 3
"""Kept pictures, nearest first, that are read again for one new picture: 50 to 100 ms each."""
_LARGEST_SHARE = 0.01
"""Of a small picture's pixels; more is a change however few pixels it is."""


class KeptPictures:
    """What was kept, oldest first: hashes of all, pixels of the newest of each monitor."""

    def __init__(self, config: CaptureConfig, hashes: dict[str, int], read: Callable[[str], Pixels | None]) -> None:
        """`hashes`: of earlier pictures by name; `read` gives a kept picture's RGB pixels, None if it cannot."""
        self._config = config
        self._hashes = hashes
        self._read = read
        self._newest: dict[int, tuple[str, Pixels]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._hashes

    def add(self, name: str, looks_like: str, monitor: int, pixels: Pixels) -> None:
        """Remember a picture (H, W, 3) of a monitor with its perceptual hash, 64 hexadecimal digits."""
        self._hashes.pop(name, None)
        self._hashes[name] = int(looks_like, 16)
        self._newest[monitor] = (name, pixels)

    def find_similar(self, looks_like: str, monitor: int, pixels: Pixels) -> str | None:
        """Return the name of a kept picture that is near to this one, or None."""
        if self._config.near_duplicate_bits == 0:
            return None
        name, newest = self._newest.get(monitor, ("", None))
        if name and self._few_changes(newest, pixels):
            return name
        value = int(looks_like, 16)
        kept = list(self._hashes.items())[-self._config.near_duplicate_memory :]
        distances = {name: (value ^ other).bit_count() for name, other in reversed(kept)}
        near = [name for name, bits in distances.items() if bits < self._config.near_duplicate_bits]
        if self._config.near_duplicate_pixels == 0:
            return next(iter(near), None)
        for name in sorted(near, key=distances.__getitem__)[:_MAX_COUNTED]:
            if self._few_changes(self._read(name), pixels):
                return name
        return None

    def _few_changes(self, kept: Pixels | None, pixels: Pixels) -> bool:
        if kept is None or kept.shape != pixels.shape:
            return False
        limit = min(self._config.near_duplicate_pixels, _LARGEST_SHARE * pixels.shape[0] * pixels.shape[1])
        return int(np.count_nonzero((kept != pixels).any(axis=2))) < limit
