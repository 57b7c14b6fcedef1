"""Training batches: pictures are read by offset, decoded once, and cut into several crops with their maps.

Where a crop lies and whether it is mirrored come from names (seed, epoch, sample key, crop number), so a sample gives
the same crops whoever reads it. N crops, H, W side of a crop.
"""

import queue
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.base.errors import ShardError
from pipeline.base.seeds import generator
from pipeline.formats.corpus import CorpusSplit, classes_of
from pipeline.formats.picture import Pixels
from pipeline.formats.sample import IGNORE, decode_plane
from pipeline.formats.scaling import scaled, scaled_ids, size_for_short_side
from training.classes import multi_hot
from training.config import TrainConfig
from training.order import SampleOrder, Visit, rank_positions

T = TypeVar("T")

_BATCHES_AHEAD = 2


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

    @property
    def num_bytes(self) -> int:
        return self.picture.nbytes + self.label.nbytes + (0 if self.regions is None else self.regions.nbytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One rank's part of one step."""

    pictures: Tensor
    """(N, 3, H, W) uint8 RGB."""
    labels: Tensor
    """(N, H, W) uint8: 0 synthetic, 1 natural, 255 ignore."""
    regions: Tensor | None = None
    """(N, H, W) int32: region ids, each picture's own; for codecs that train with them."""
    classes: Tensor | None = None
    """(N, C) float32: 1 for the classes that each picture shows, 0 for the others; for codecs that learn them."""


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
        self._cache_bytes = cache_bytes
        self._with_regions = with_regions
        self._class_names = tuple(class_names)
        self._scale_to = scale_to
        self._held: OrderedDict[int, Planes] = OrderedDict()
        self._held_bytes = 0

    def key(self, index: int) -> str:
        """Return the key of sample `index`."""
        key: str = self.split.row(index)["key"]
        return key

    def read(self, index: int) -> Planes:
        """Return sample `index`. Raises: ShardError: it is damaged, or its sizes differ."""
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
        row = self.split.row(index)
        where = self.split.where(row)
        # Pillow does not verify the checksums of a PNG's pixel data: without the digest, which covers all members,
        # damaged pixels and labels would be learned from.
        members = self.split.checked_members(index)
        try:
            picture, label = decode_plane(members["png"]), decode_plane(members["label.png"])
            regions = decode_plane(members["regions.png"]).astype(np.uint16) if self._with_regions else None
        except (OSError, SyntaxError, ValueError) as error:
            raise ShardError(f"{where}: {error}") from error
        if picture.ndim != 3 or picture.shape[2] != 3 or label.shape != picture.shape[:2]:
            raise ShardError(f"{where}: picture is {picture.shape}, label map {label.shape}; expected one size")
        if regions is not None and regions.shape != label.shape:
            raise ShardError(f"{where}: label map is {label.shape}, region map {regions.shape}; expected one size")
        classes = multi_hot(classes_of(row), self._class_names) if self._class_names else None
        planes = Planes(picture=picture, label=label, regions=regions, classes=classes)
        return scale(planes, self._scale_to) if self._scale_to else planes


def scale(sample: Planes, short_side: int) -> Planes:
    """Return a picture scaled so that its shorter side is `short_side`, and its maps, whose ids are not mixed."""
    size = size_for_short_side(sample.label.shape[0], sample.label.shape[1], short_side)
    return replace(
        sample,
        picture=scaled(sample.picture, *size),
        label=scaled_ids(sample.label, *size),
        regions=None if sample.regions is None else scaled_ids(sample.regions, *size),
    )


def cut_crop(sample: Planes, crop: int, rng: np.random.Generator, *, flip_probability: float = 0.0) -> Planes:
    """Return a random crop x crop piece of a picture and the same piece of its maps.

    A picture smaller than the crop is continued by reflection, and labelled IGNORE there.
    """
    sample = _enlarge(sample, crop)
    height, width = sample.label.shape
    top = int(rng.integers(height - crop + 1))
    left = int(rng.integers(width - crop + 1))
    flipped = rng.random() < flip_probability
    rows, columns = slice(top, top + crop), slice(left, left + crop)
    step = -1 if flipped else 1
    return replace(
        sample,
        picture=sample.picture[rows, columns][:, ::step],
        label=sample.label[rows, columns][:, ::step],
        regions=None if sample.regions is None else sample.regions[rows, columns][:, ::step],
    )


def _enlarge(sample: Planes, crop: int) -> Planes:
    height, width = sample.label.shape
    border = ((0, max(0, crop - height)), (0, max(0, crop - width)))
    if border == ((0, 0), (0, 0)):
        return sample
    return replace(
        sample,
        picture=np.pad(sample.picture, (*border, (0, 0)), mode="reflect"),
        label=np.pad(sample.label, border, constant_values=IGNORE),
        regions=None if sample.regions is None else np.pad(sample.regions, border, mode="reflect"),
    )


def train_batches(
    reader: SampleReader, config: TrainConfig, *, samples_seen: int, rank: int, num_ranks: int
) -> Iterator[Batch]:
    """Yield the endless batches of one rank, from the position `samples_seen` on."""
    order = SampleOrder(num_samples=reader.split.num_samples, seed=config.seed)
    start = samples_seen
    while True:
        positions = rank_positions(start, config.samples_per_batch, rank=rank, num_ranks=num_ranks)
        visits = [order.visit(position, repeat=repeat) for position, repeat in positions]
        crops = [crop for visit in visits for crop in visit_crops(reader, visit, config)]
        yield _stack(crops)
        start += config.samples_per_batch


def visit_crops(reader: SampleReader, visit: Visit, config: TrainConfig) -> list[Planes]:
    """Return the crops that one visit of a sample gives."""
    sample, key = reader.read(visit.index), reader.key(visit.index)
    return [
        cut_crop(
            sample,
            config.crop,
            generator(config.seed, "crop", visit.epoch, key, number),
            flip_probability=config.flip_probability,
        )
        for number in range(config.crops_per_picture)
    ]


def validation_batches(reader: SampleReader, config: TrainConfig, *, rank: int, num_ranks: int) -> list[Batch]:
    """Return this rank's part of the `validate_crops` crops that every validation measures; it may be empty.

    The crops are spread evenly over the split, are the same at every validation, and never mirrored.
    """
    crops = []
    for number in range(rank, config.validate_crops, num_ranks):
        index = number * reader.split.num_samples // config.validate_crops
        rng = generator(config.seed, "validate", reader.key(index), number)
        crops.append(cut_crop(reader.read(index), config.crop, rng))
    size = max(1, -(-config.batch_size // num_ranks))
    return [_stack(crops[first : first + size]) for first in range(0, len(crops), size)]


def _stack(crops: list[Planes]) -> Batch:
    pictures_NHW3 = np.stack([crop.picture for crop in crops])
    regions = [crop.regions.astype(np.int32) for crop in crops if crop.regions is not None]
    classes = [crop.classes for crop in crops if crop.classes is not None]
    return Batch(
        pictures=torch.from_numpy(np.ascontiguousarray(pictures_NHW3.transpose(0, 3, 1, 2))),
        labels=torch.from_numpy(np.stack([crop.label for crop in crops])),
        regions=torch.from_numpy(np.stack(regions)) if regions else None,
        classes=torch.from_numpy(np.stack(classes)) if classes else None,
    )


@contextmanager
def read_ahead(items: Iterator[T], *, depth: int = _BATCHES_AHEAD) -> Iterator[Iterator[T]]:
    """Give `items` computed by a thread, up to `depth` ahead; the thread has ended when the block ends.

    An exception in the thread is raised where its item would have been.
    """
    ready: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(maxsize=depth)
    stopped = threading.Event()

    def fill() -> None:
        try:
            for item in items:
                if not _put(ready, (item, None), stopped):
                    return
            _put(ready, (None, None), stopped)
        except BaseException as error:
            # Whatever it is, it belongs to the consumer: a thread has nobody to tell.
            _put(ready, (None, error), stopped)

    def drain() -> Iterator[T]:
        while True:
            item, error = ready.get()
            if error is not None:
                raise error
            if item is None:
                return
            yield item

    thread = threading.Thread(target=fill, name="read-ahead", daemon=True)
    thread.start()
    try:
        yield drain()
    finally:
        stopped.set()
        thread.join()


def _put(ready: "queue.Queue[T]", item: T, stopped: threading.Event) -> bool:
    while not stopped.is_set():
        try:
            ready.put(item, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False
