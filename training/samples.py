"""Samples of a split, read by offset and decoded, the most recently used ones held in memory. Knows no torch."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.base.errors import ShardError
from pipeline.formats.corpus import CorpusSplit, classes_of
from pipeline.formats.picture import Pixels
from pipeline.formats.sample import decode_plane
from pipeline.formats.scaling import scaled, scaled_ids, size_for_short_side
from training.classes import multi_hot


@dataclass(frozen=True, slots=True, kw_only=True)
class Planes:
    """A decoded picture and its maps, whole or a crop of it."""

    picture: Pixels
    """(H, W, 3) uint8."""
    label: NDArray[np.uint8]
    """(H, W)."""
    regions: NDArray[np.uint16] | None
    """(H, W) region ids; None unless asked for."""
    classes: NDArray[np.float32] | None = None
    """(C,): 1 for what the picture shows; None unless asked for."""
    key: str = ""
    """The sample's."""

    @property
    def num_bytes(self) -> int:
        return self.picture.nbytes + self.label.nbytes + (0 if self.regions is None else self.regions.nbytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What reading cost, summed over visits of samples; of several processes it is the sum, not the wall time."""

    num_samples: int = 0
    num_bytes: int = 0
    """Read from the corpus; nothing for samples that were still in memory."""
    fetch_seconds: float = 0.0
    """Reading members and comparing digests."""
    decode_seconds: float = 0.0
    """Decoding, scaling and cutting."""
    num_fallbacks: int = 0
    """Crops placed anywhere because the picture has nothing of the kind that was drawn."""

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(
            num_samples=self.num_samples + other.num_samples,
            num_bytes=self.num_bytes + other.num_bytes,
            fetch_seconds=self.fetch_seconds + other.fetch_seconds,
            decode_seconds=self.decode_seconds + other.decode_seconds,
            num_fallbacks=self.num_fallbacks + other.num_fallbacks,
        )


class SampleReader:
    """Reads and decodes samples of one split, the most recently used ones held in memory."""

    def __init__(
        self,
        split: CorpusSplit,
        *,
        cache_bytes: int,
        with_regions: bool = False,
        class_names: Sequence[str] = (),
        scale_to: int = 0,
    ) -> None:
        self.split = split
        self.with_regions = with_regions
        self.class_names = tuple(class_names)
        self._cache_bytes = cache_bytes
        self._scale_to = scale_to
        self._held: OrderedDict[int, Planes] = OrderedDict()
        self._held_bytes = 0
        self._fields = ("png", "label.png", "regions.png") if with_regions else ("png", "label.png")
        # A bit a sample, in pages that the system gives only when they are written to.
        self._verified = np.zeros(-(-split.num_samples // 8), dtype=np.uint8)
        self.spent = Spent()
        """Since this reader was made."""

    def key(self, index: int) -> str:
        """Return the key of sample `index`."""
        key: str = self.split.row(index)["key"]
        return key

    def read(self, index: int) -> Planes:
        """Return sample `index`. Raises: ShardError: it is damaged, or its sizes differ."""
        self.spent += Spent(num_samples=1)
        if index in self._held:
            self._held.move_to_end(index)
            return self._held[index]
        sample = self._decode(index)
        self._held[index] = sample
        self._held_bytes += sample.num_bytes
        while self._held_bytes > self._cache_bytes:
            self._held_bytes -= self._held.popitem(last=False)[1].num_bytes
        return sample

    def _decode(self, index: int) -> Planes:
        began = perf_counter()
        row = self.split.row(index)
        members = self._members(index, row)
        fetched = perf_counter()
        try:
            picture, label = decode_plane(members["png"]), decode_plane(members["label.png"])
            regions = decode_plane(members["regions.png"]).astype(np.uint16) if self.with_regions else None
        except (OSError, SyntaxError, ValueError) as error:
            raise ShardError(f"{self.split.where(row)}: {error}") from error
        where = self.split.where(row)
        if picture.ndim != 3 or picture.shape[2] != 3 or label.shape != picture.shape[:2]:
            raise ShardError(f"{where}: picture is {picture.shape}, label map {label.shape}; expected one size")
        if regions is not None and regions.shape != label.shape:
            raise ShardError(f"{where}: label map is {label.shape}, region map {regions.shape}; expected one size")
        classes = multi_hot(classes_of(row), self.class_names) if self.class_names else None
        planes = Planes(picture=picture, label=label, regions=regions, classes=classes, key=row["key"])
        planes = scale(planes, self._scale_to) if self._scale_to else planes
        self.spent += Spent(
            num_bytes=sum(map(len, members.values())),
            fetch_seconds=fetched - began,
            decode_seconds=perf_counter() - fetched,
        )
        return planes

    def _members(self, index: int, row: Mapping[str, Any]) -> dict[str, bytes]:
        """Return the members that are decoded, by ending.

        The digest covers all four, and Pillow does not verify the checksums of a PNG's pixel data: without it damaged
        pixels and labels would be learned from. It is compared when this reader meets a sample for the first time;
        later only what is decoded is read, whose own checksums `decode_plane` verifies.
        """
        byte, bit = divmod(index, 8)
        if self._verified[byte] >> bit & 1:
            return self.split.members(index, self._fields, row=row)
        members = self.split.checked_members(index, row=row)
        self._verified[byte] |= 1 << bit
        return members


def scale(sample: Planes, short_side: int) -> Planes:
    """Return a picture scaled so that its shorter side is `short_side`, and its maps, whose ids are not mixed."""
    size = size_for_short_side(sample.label.shape[0], sample.label.shape[1], short_side)
    return replace(
        sample,
        picture=scaled(sample.picture, *size),
        label=scaled_ids(sample.label, *size),
        regions=None if sample.regions is None else scaled_ids(sample.regions, *size),
    )
