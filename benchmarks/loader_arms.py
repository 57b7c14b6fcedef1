"""One arm of benchmarks/loader.py, in a process of its own: `python -m benchmarks.loader_arms JOB`, a JSON object.

Every arm decodes pictures and label maps, cuts random crops of both and hands batches of them to this process, with
the same number of worker processes. It prints crops and CPU time, of the whole tree of processes, over a window after
a warm-up.
"""

import io
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pipeline.base.store import Store
from pipeline.formats.corpus import CorpusSplit, open_split
from pipeline.formats.png import decode_png
from training.crops import empty_crops
from training.samples import Planes

_WARM_UP_SECONDS = 2.0
_REPEATS = 6
_TICKS = os.sysconf("SC_CLK_TCK")
Decode = Callable[[bytes], Any]
Crops = tuple[np.ndarray, np.ndarray]
"""(K, 3, H, W) pictures and (K, H, W) labels, uint8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What one run measures."""

    arm: str
    corpus: str
    prepared: str
    """Folder of the peers' own formats."""
    crop: int
    crops_per_picture: int
    processes: int
    seconds: float
    decoder: str = "ours"
    """`ours` or `pillow`."""
    batch_size: int = 16
    """Crops."""


def main() -> None:
    """Run the job that the first argument holds; print its measurement as JSON."""
    job = Job(**json.loads(sys.argv[1]))
    arms = {
        "prepare": prepare,
        "limit": run_limit,
        "tiles": run_ours,
        "ours": run_ours,
        "webdataset": partial(run_data_loader, open_webdataset),
        "litdata": partial(run_data_loader, open_litdata),
        "streaming": partial(run_data_loader, open_streaming),
    }
    print(json.dumps(arms[job.arm](job)))


def decode_of(job: Job) -> Decode:
    """Return the function that decodes a PNG."""
    return decode_png if job.decoder == "ours" else _decode_by_pillow


def _decode_by_pillow(data: bytes) -> Any:
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image)


def cut(picture: Any, label: Any, job: Job, rng: np.random.Generator) -> Crops:
    """Return random crops of a picture and its label map, half of them mirrored, as our loader cuts them."""
    crops = empty_crops(job.crops_per_picture, job.crop, with_regions=False, num_classes=0)
    for number in range(job.crops_per_picture):
        top = int(rng.integers(label.shape[0] - job.crop + 1))
        left = int(rng.integers(label.shape[1] - job.crop + 1))
        area = np.s_[top : top + job.crop, left : left + job.crop]
        piece = Planes(picture=picture[area], label=label[area], regions=None)
        crops.put(number, piece, flipped=bool(rng.random() < 0.5))
    return crops.pictures, crops.labels


def measure(batches: Iterator[int], job: Job) -> dict[str, float]:
    """Return crops a second of wall time and CPU milliseconds a crop; `batches` gives the crops of each."""
    began = time.monotonic()
    next(batches)
    first = time.monotonic()
    while time.monotonic() - first < _WARM_UP_SECONDS:
        next(batches)
    started, cpu, crops = time.monotonic(), tree_seconds(os.getpid()), 0
    while time.monotonic() - started < job.seconds:
        crops += next(batches)
    wall, cpu = time.monotonic() - started, tree_seconds(os.getpid()) - cpu
    return {"crops_per_second": crops / wall, "cpu_ms": 1000 * cpu / crops, "start_seconds": first - began}


def tree_seconds(pid: int) -> float:
    """Return the CPU seconds of a process and all that descend from it."""
    parents, seconds = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        number = int(path.parent.name)
        # Its own, and those of children that have ended.
        parents[number], seconds[number] = int(fields[1]), sum(map(int, fields[11:15])) / _TICKS
    tree = {pid}
    for _ in range(8):
        tree |= {child for child, parent in parents.items() if parent in tree}
    return sum(seconds[one] for one in tree)


def run_ours(job: Job) -> dict[str, float]:
    """Our stream, as a training run reads it."""
    from training.config import TrainConfig
    from training.reading import open_batches
    from training.samples import SampleReader

    config = TrainConfig(
        batch_size=job.batch_size,
        crop=job.crop,
        crops_per_picture=job.crops_per_picture,
        cache_mib=0,
        decode_workers=job.processes,
        num_workers=1,
    )
    reader = SampleReader(open_split(Store(job.corpus), "train"), cache_bytes=0)
    with open_batches(reader, config, samples_seen=0, rank=0, num_ranks=1) as stream:
        found = measure((len(batch.pictures) for batch in stream), job)
        costs = stream.take_costs()
    print(f"read {costs['fetch_ms']:.2f}, decode and cut {costs['decode_ms']:.2f} ms a sample", file=sys.stderr)
    return found


def run_limit(job: Job) -> dict[str, float]:
    """Decoding alone: the same PNG files again and again from memory, no crops, nothing handed over."""
    context = multiprocessing.get_context("spawn")
    counter = context.Value("q", 0)
    workers = [context.Process(target=_decode_forever, args=(job, counter), daemon=True) for _ in range(job.processes)]
    for worker in workers:
        worker.start()

    def batches() -> Iterator[int]:
        seen = 0
        while True:
            time.sleep(0.005)
            now = counter.value
            if now > seen:
                yield (now - seen) * job.crops_per_picture
                seen = now

    found = measure(batches(), job)
    for worker in workers:
        worker.kill()
    return found


def _decode_forever(job: Job, counter: Any) -> None:
    split = open_split(Store(job.corpus), "train")
    step = max(1, split.num_samples // 64)
    held = [split.members(index, ("png", "label.png")) for index in range(0, split.num_samples, step)]
    decode = decode_of(job)
    while True:
        for members in held:
            decode(members["png"])
            decode(members["label.png"])
            with counter.get_lock():
                counter.value += 1


def run_data_loader(open_dataset: Callable[[Job], tuple[Any, type]], job: Job) -> dict[str, float]:
    """A peer's dataset under a data loader of torch, each item the crops of one picture."""
    dataset, loader_type = open_dataset(job)
    per_batch = job.batch_size // job.crops_per_picture
    loader = loader_type(
        dataset,
        batch_size=per_batch,
        num_workers=job.processes,
        collate_fn=_collate,
        drop_last=True,
        persistent_workers=True,
    )

    def batches() -> Iterator[int]:
        while True:
            for pictures, _ in loader:
                yield len(pictures)

    return measure(batches(), job)


def _collate(items: list[Crops]) -> Any:
    import torch

    pictures, labels = zip(*items, strict=True)
    return torch.from_numpy(np.concatenate(pictures)), torch.from_numpy(np.concatenate(labels))


class _Cutter:
    """Decodes and cuts in a worker of a data loader."""

    def __init__(self, job: Job) -> None:
        self._job, self._decode = job, decode_of(job)
        self._rng: np.random.Generator | None = None

    def __call__(self, item: dict[str, Any]) -> Crops:
        if self._rng is None:
            self._rng = np.random.Generator(np.random.PCG64(os.getpid()))
        return cut(self._decode(item["png"]), self._decode(item["label.png"]), self._job, self._rng)


def open_webdataset(job: Job) -> tuple[Any, type]:
    """The corpus's own tars; a buffer as large as the split, so that the order is as random as ours."""
    import webdataset
    from torch.utils.data import DataLoader

    split = open_split(Store(job.corpus), "train")
    tars = [f"{job.corpus}/{stem}.tar" for stem in split.stems]
    # Resampled, so that it has no epochs at whose ends it would stand still.
    dataset = webdataset.WebDataset(
        tars, shardshuffle=False, resampled=True, select_files=lambda name: not name.endswith("regions.png")
    )
    return dataset.shuffle(split.num_samples, initial=split.num_samples // job.processes).map(_Cutter(job)), DataLoader


def open_litdata(job: Job) -> tuple[Any, type]:
    """Chunks made by litdata.optimize from the same PNG bytes."""
    import litdata

    class Cut(litdata.StreamingDataset):  # type: ignore[misc]
        cutter = _Cutter(job)

        def __getitem__(self, index: Any) -> Crops:
            return self.cutter(super().__getitem__(index))

    return Cut(f"{job.prepared}/litdata", shuffle=True), litdata.StreamingDataLoader


def open_streaming(job: Job) -> tuple[Any, type]:
    """MDS shards made by MDSWriter from the same PNG bytes."""
    import streaming
    from torch.utils.data import DataLoader

    streaming.base.util.clean_stale_shared_memory()

    class Cut(streaming.StreamingDataset):  # type: ignore[misc]
        cutter = _Cutter(job)

        def __getitem__(self, index: Any) -> Crops:
            return self.cutter(super().__getitem__(index))

    per_batch = job.batch_size // job.crops_per_picture
    return Cut(local=f"{job.prepared}/mds", shuffle=True, batch_size=per_batch), DataLoader


def prepare(job: Job) -> dict[str, float]:
    """Write the peers' formats; kept if they are there."""
    import litdata
    import streaming

    split = open_split(Store(job.corpus), "train")
    if not Path(job.prepared, "mds", "index.json").exists():
        columns = {"png": "bytes", "label.png": "bytes"}
        with streaming.MDSWriter(out=f"{job.prepared}/mds", columns=columns, size_limit=1 << 25) as writer:
            for index in _indices(split):
                writer.write(split.members(index, ("png", "label.png")))
    if not Path(job.prepared, "litdata", "index.json").exists():
        members = partial(_members, split)
        inputs = _indices(split)
        litdata.optimize(members, inputs, output_dir=f"{job.prepared}/litdata", num_workers=1, chunk_bytes=1 << 25)
    return {}


def _indices(split: CorpusSplit) -> list[int]:
    # Longer epochs than a small corpus has: the peers stand still between two of them.
    return list(range(split.num_samples)) * _REPEATS


def _members(split: CorpusSplit, index: int) -> dict[str, bytes]:
    return split.members(index, ("png", "label.png"))


if __name__ == "__main__":
    main()
