"""Training batches: pictures are read by offset, decoded once, and cut into several crops with their labels.

Where a crop lies and whether it is mirrored come from names (seed, epoch, sample key, crop number), so a sample gives
the same crops whoever reads it. N crops, H, W side of a crop.
"""

import queue
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.base.errors import ShardError
from pipeline.base.seeds import generator
from pipeline.formats.corpus import CorpusSplit
from pipeline.formats.picture import Pixels
from pipeline.formats.sample import IGNORE, decode_plane
from training.config import TrainConfig
from training.order import SampleOrder, Visit, rank_positions

T = TypeVar("T")

_BATCHES_AHEAD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A decoded picture (H, W, 3) and its label map (H, W), both uint8."""

    key: str
    picture: Pixels
    label: NDArray[np.uint8]

    @property
    def num_bytes(self) -> int:
        return self.picture.nbytes + self.label.nbytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One rank's part of one step."""

    pictures: Tensor
    """(N, 3, H, W) uint8 RGB."""
    labels: Tensor
    """(N, H, W) uint8: 0 synthetic, 1 natural, 255 ignore."""


class SampleReader:
    """Reads and decodes samples of one split, the most recently used ones held in memory."""

    def __init__(self, split: CorpusSplit, *, cache_bytes: int) -> None:
        self.split = split
        self._cache_bytes = cache_bytes
        self._held: OrderedDict[int, Labelled] = OrderedDict()
        self._held_bytes = 0

    def read(self, index: int) -> Labelled:
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

    def _decode(self, index: int) -> Labelled:
        row = self.split.row(index)
        where = self.split.where(row)
        # Pillow does not verify the checksums of a PNG's pixel data: without the digest, which covers all members,
        # damaged pixels and labels would be learned from.
        members = self.split.checked_members(index)
        try:
            picture, label = decode_plane(members["png"]), decode_plane(members["label.png"])
        except (OSError, SyntaxError, ValueError) as error:
            raise ShardError(f"{where}: {error}") from error
        if picture.ndim != 3 or picture.shape[2] != 3 or label.shape != picture.shape[:2]:
            raise ShardError(f"{where}: picture is {picture.shape}, label map {label.shape}; expected one size")
        return Labelled(key=row["key"], picture=picture, label=label)


def cut_crop(
    sample: Labelled, crop: int, rng: np.random.Generator, *, flip_probability: float = 0.0
) -> tuple[Pixels, NDArray[np.uint8]]:
    """Return a random (crop, crop, 3) piece of a picture and the same piece of its label map.

    A picture smaller than the crop is continued by reflection, and labelled IGNORE there.
    """
    picture, label = _enlarge(sample, crop)
    top = int(rng.integers(picture.shape[0] - crop + 1))
    left = int(rng.integers(picture.shape[1] - crop + 1))
    flipped = rng.random() < flip_probability
    window = (slice(top, top + crop), slice(left, left + crop))
    step = -1 if flipped else 1
    return picture[window][:, ::step], label[window][:, ::step]


def _enlarge(sample: Labelled, crop: int) -> tuple[Pixels, NDArray[np.uint8]]:
    height, width = sample.label.shape
    border = ((0, max(0, crop - height)), (0, max(0, crop - width)))
    if border == ((0, 0), (0, 0)):
        return sample.picture, sample.label
    picture = np.pad(sample.picture, (*border, (0, 0)), mode="reflect")
    return picture, np.pad(sample.label, border, constant_values=IGNORE)


def train_batches(
    reader: SampleReader, config: TrainConfig, *, samples_seen: int, rank: int, num_ranks: int
) -> Iterator[Batch]:
    """Yield the endless batches of one rank, from the position `samples_seen` on."""
    order = SampleOrder(num_samples=reader.split.num_samples, seed=config.seed)
    start = samples_seen
    while True:
        positions = rank_positions(start, config.samples_per_batch, rank=rank, num_ranks=num_ranks)
        visits = [order.visit(position, repeat=repeat) for position, repeat in positions]
        crops = [crop for visit in visits for crop in visit_crops(reader.read(visit.index), visit, config)]
        yield _stack(crops)
        start += config.samples_per_batch


def visit_crops(sample: Labelled, visit: Visit, config: TrainConfig) -> list[tuple[Pixels, NDArray[np.uint8]]]:
    """Return the crops that one visit of a sample gives."""
    return [
        cut_crop(
            sample,
            config.crop,
            generator(config.seed, "crop", visit.epoch, sample.key, number),
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
        sample = reader.read(number * reader.split.num_samples // config.validate_crops)
        crops.append(cut_crop(sample, config.crop, generator(config.seed, "validate", sample.key, number)))
    size = max(1, -(-config.batch_size // num_ranks))
    return [_stack(crops[first : first + size]) for first in range(0, len(crops), size)]


def _stack(crops: list[tuple[Pixels, NDArray[np.uint8]]]) -> Batch:
    pictures_NHW3 = np.stack([picture for picture, _ in crops])
    return Batch(
        pictures=torch.from_numpy(np.ascontiguousarray(pictures_NHW3.transpose(0, 3, 1, 2))),
        labels=torch.from_numpy(np.stack([label for _, label in crops])),
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
