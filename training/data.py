"""Training batches: the crops of the samples that one rank reads, in the order that all ranks share.

N crops, H, W side of a crop.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from pipeline.base.seeds import generator
from training.config import TrainConfig
from training.crops import CropArrays, cut_crop, cut_visit, empty_crops
from training.decoders import Decoders
from training.order import SampleOrder, rank_visits
from training.samples import SampleReader, Spent

T = TypeVar("T")

_BATCHES_AHEAD = 2


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
    spent: Spent = field(default_factory=Spent)
    """What reading it cost."""


def train_batches(
    reader: SampleReader,
    config: TrainConfig,
    *,
    samples_seen: int,
    rank: int,
    num_ranks: int,
    decoders: Decoders | None = None,
) -> Iterator[Batch]:
    """Yield the endless batches of one rank, from the position `samples_seen` on.

    `decoders` cut the crops; without them this thread does, and the batches are the same.
    """
    order = SampleOrder(num_samples=reader.split.num_samples, seed=config.seed)
    visits = rank_visits(order, config.samples_per_batch, start=samples_seen, rank=rank, num_ranks=num_ranks)
    num_visits, num_cut = -(-config.samples_per_batch // num_ranks), config.crops_per_picture
    if decoders is not None:
        decoders.start(visits)
    while True:
        crops = empty_crops(
            num_visits * num_cut,
            config.crop,
            with_regions=reader.with_regions,
            num_classes=len(reader.class_names),
        )
        spent = Spent()
        for first in range(0, num_visits * num_cut, num_cut):
            part = crops.part(first, first + num_cut)
            if decoders is not None:
                spent += decoders.take(into=part)
            else:
                spent += cut_visit(reader, next(visits), config, into=part)
        yield _batch(crops, spent)


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
    batches = []
    for first in range(0, len(crops), size):
        held = crops[first : first + size]
        arrays = empty_crops(
            len(held), config.crop, with_regions=reader.with_regions, num_classes=len(reader.class_names)
        )
        for number, crop in enumerate(held):
            arrays.put(number, crop)
        batches.append(_batch(arrays, Spent()))
    return batches


def _batch(crops: CropArrays, spent: Spent) -> Batch:
    return Batch(
        pictures=torch.from_numpy(crops.pictures),
        labels=torch.from_numpy(crops.labels),
        regions=None if crops.regions is None else torch.from_numpy(crops.regions.astype(np.int32)),
        classes=None if crops.classes is None else torch.from_numpy(crops.classes),
        spent=spent,
    )


@contextmanager
def read_ahead(
    items: Iterator[T], *, depth: int = _BATCHES_AHEAD, stop: Callable[[], None] = lambda: None
) -> Iterator[Iterator[T]]:
    """Give `items` computed by a thread, up to `depth` ahead; the thread has ended when the block ends.

    An exception in the thread is raised where its item would have been. `stop` is called at the block's end, before
    the thread is waited for; it makes an item that is being computed end soon.
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
        stop()
        thread.join()


def _put(ready: "queue.Queue[T]", item: T, stopped: threading.Event) -> bool:
    while not stopped.is_set():
        try:
            ready.put(item, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False
