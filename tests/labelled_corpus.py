"""A small corpus whose pictures show one or two of three things, somewhere on a noisy ground, and a network for it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.base.seeds import generator
from pipeline.base.store import Store
from pipeline.formats.sample import SYNTHETIC, Sample, SampleInfo
from pipeline.formats.shards import ShardName, write_manifest, write_shard
from training.config import TrainConfig

COLOURS = {"blue": (40, 60, 240), "green": (30, 220, 60), "red": (240, 40, 30)}
TINY = ("trunk=light", "width=4", "num_channels=4", "depth_multiplier=2")


def class_config(**changes: Any) -> TrainConfig:
    """Return a config of a few quick steps of a saliency network."""
    settings: dict[str, Any] = {
        "codec": "msroi_jpeg",
        "codec_preset": "tiny",
        "codec_set": TINY,
        "gamma": 0.0,
        "steps": 4,
        "batch_size": 4,
        "crop": 32,
        "crops_per_picture": 1,
        "scale_to": 32,
        "learning_rate": 1e-2,
        "report_every": 1,
        "validate_every": 2,
        "validate_crops": 6,
        "checkpoint_every": 2,
        "num_workers": 1,
    }
    return TrainConfig(**(settings | changes))


def shown(split: str, number: int) -> tuple[str, ...]:
    """Return what a sample shows: one colour, in every seventh two."""
    names = sorted(COLOURS)
    first = names[number % 3]
    return (first, names[(number + 1) % 3]) if number % 7 == 6 else (first,)


def make_sample(split: str, number: int, classes: Sequence[str], *, as_kind: bool) -> Sample:
    """Return a noisy picture of 64x48 with a square of each class's colour; `as_kind`: the kind tells the class."""
    rng = generator(3, split, number)
    height, width = 48, 64
    picture = rng.integers(90, 166, (height, width, 3), dtype=np.uint8)
    for name in classes:
        top, left = int(rng.integers(height - 20)), int(rng.integers(width - 20))
        picture[top : top + 20, left : left + 20] = COLOURS[name]
    info = SampleInfo(
        key=f"{split}-{number:04d}",
        width=width,
        height=height,
        kind=classes[0] if as_kind else "photo",
        how_labelled="none",
        how_masked="none",
        sources=(),
        seed=number,
        versions={},
        classes=() if as_kind else tuple(classes),
    )
    label = np.full((height, width), SYNTHETIC, np.uint8)
    return Sample(info=info, picture=picture, label=label, regions=np.zeros((height, width), np.uint16))


def write_corpus(folder: Path, *, num_train: int = 21, num_val: int = 6, as_kind: bool = False) -> str:
    """Write a corpus with the splits train and val; return its path."""
    store = Store(folder)
    records = []
    for split, count in (("train", num_train), ("val", num_val)):
        samples = (make_sample(split, number, shown(split, number), as_kind=as_kind) for number in range(count))
        name = ShardName(corpus="colours", split=split, index=0)
        records.append(write_shard(store, name, samples, plan_sha256="0" * 64))
    write_manifest(store, records, config={}, versions={})
    return str(folder)
