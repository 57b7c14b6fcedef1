"""A small real corpus for the tests of training/, and a config that trains on it in seconds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.base.seeds import generator
from pipeline.base.store import Store
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC, Sample, SampleInfo
from pipeline.formats.shards import ShardName, write_manifest, write_shard
from training.config import TrainConfig


def small_config(**changes: Any) -> TrainConfig:
    """Return a config of a few quick steps of the smallest codec."""
    settings: dict[str, Any] = {
        "codec_preset": "tiny",
        "codec_set": ("num_channels=8", "num_latents=8"),
        "steps": 4,
        "batch_size": 4,
        "crop": 32,
        "crops_per_picture": 2,
        "learning_rate": 1e-3,
        "report_every": 1,
        "validate_every": 2,
        "validate_crops": 3,
        "checkpoint_every": 2,
        "num_workers": 1,
    }
    return TrainConfig(**(settings | changes))


def make_sample(split: str, number: int, *, height: int = 48, width: int = 64) -> Sample:
    """Return half a drawn picture (flat bars) and half a photographed one (smooth noise), the seam ignored."""
    rng = generator(7, split, number)
    bars = rng.integers(0, 256, (1, -(-width // 8), 3), dtype=np.uint8)
    picture = bars.repeat(8, axis=1)[:, :width].repeat(height, axis=0)
    ramp = np.linspace(20, 200, height)[:, None, None] + rng.integers(0, 30, (height, width, 3))
    picture[:, width // 2 :] = ramp[:, width // 2 :].astype(np.uint8)
    label = np.full((height, width), SYNTHETIC, np.uint8)
    label[:, width // 2 :] = NATURAL
    label[:, width // 2] = IGNORE
    info = SampleInfo(
        key=f"{split}-{number:04d}",
        width=width,
        height=height,
        kind="bars",
        how_labelled="compositor",
        how_masked="layout",
        sources=(),
        seed=number,
        versions={},
    )
    return Sample(info=info, picture=picture, label=label, regions=(label == NATURAL).astype(np.uint16))


def write_corpus(folder: Path, *, num_train: int = 7, num_val: int = 2, shard_size: int = 3) -> str:
    """Write a corpus with the splits train and val; return its path."""
    store = Store(folder)
    records = []
    for split, count in (("train", num_train), ("val", num_val)):
        for index, first in enumerate(range(0, count, shard_size)):
            name = ShardName(corpus="bars", split=split, index=index)
            numbers = range(first, min(count, first + shard_size))
            records.append(write_shard(store, name, _samples(split, numbers), plan_sha256="0" * 64))
    write_manifest(store, records, config={}, versions={})
    return str(folder)


def _samples(split: str, numbers: range) -> Iterator[Sample]:
    return (make_sample(split, number) for number in numbers)
