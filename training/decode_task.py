"""What decoders are told, and the shared memory in which they leave crops. Knows no torch.

A slot holds the crops of one visit. N crops of a visit, H, W side of a crop, C classes.
"""

import mmap
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.config import TrainConfig
from training.crops import CropArrays


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeTask:
    """What every decoder is told when it starts."""

    corpus: str
    config: TrainConfig
    with_regions: bool
    class_names: Sequence[str]
    num_slots: int

    @property
    def cache_bytes(self) -> int:
        """Memory for decoded pictures of one decoder: together they hold what the config allows a rank."""
        return (self.config.cache_mib << 20) // max(1, self.config.decode_workers)

    def slot_bytes(self) -> int:
        """Return the bytes of one visit's crops, a multiple of 64."""
        return -(-sum(size for _, size in self._places()) // 64) * 64

    def slot(self, memory: mmap.mmap, number: int) -> CropArrays:
        """Return the arrays of slot `number`, in the shared memory."""
        num, crop, start = self.config.crops_per_picture, self.config.crop, number * self.slot_bytes()
        starts = np.cumsum([start, *(size for _, size in self._places())])

        def array(place: int, dtype: type, *shape: int) -> Any:
            count = int(np.prod(shape))
            return np.frombuffer(memory, dtype, count=count, offset=int(starts[place])).reshape(shape)

        return CropArrays(
            classes=array(0, np.float32, num, len(self.class_names)) if self.class_names else None,
            regions=array(1, np.uint16, num, crop, crop) if self.with_regions else None,
            pictures=array(2, np.uint8, num, 3, crop, crop),
            labels=array(3, np.uint8, num, crop, crop),
        )

    def _places(self) -> list[tuple[str, int]]:
        """Return names and bytes of what a slot holds, wider types first."""
        pixels = self.config.crops_per_picture * self.config.crop**2
        return [
            ("classes", 4 * self.config.crops_per_picture * len(self.class_names)),
            ("regions", 2 * pixels if self.with_regions else 0),
            ("pictures", 3 * pixels),
            ("labels", pixels),
        ]


def anonymous_file(num_bytes: int) -> int:
    """Return the descriptor of a file without a name: it is gone with the last process that has it open.

    Unlike a named segment it cannot be left over, and it is not limited by the size of /dev/shm in containers.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("diptych-crops")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, num_bytes)
    return descriptor
