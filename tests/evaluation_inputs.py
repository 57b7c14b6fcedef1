"""Small real inputs for the tests of evaluation and report: samples, a corpus, a checkpoint."""

import numpy as np
import torch

from pipeline.base.seeds import generator
from pipeline.base.store import Store
from pipeline.codecs.checkpoint import build_codec, save
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC, Sample, SampleInfo, Source
from pipeline.formats.shards import ShardName, write_manifest, write_shard


def make_sample(key, *, kind="article", height=96, width=160, labelled=True):
    """Return a screen with dark strokes on white to the left, a noisy gradient to the right, ignored pixels between."""
    rng = generator(7, key)
    picture = np.full((height, width, 3), 250, np.uint8)
    for row in range(8, height - 8, 12):
        picture[row : row + 6, 8 : 8 + int(rng.integers(20, 60)) : 3] = 20
    middle = width // 2
    rows, columns = np.mgrid[:height, : width - middle]
    gradient = np.stack([rows * 2, columns * 2, rows + columns], axis=2) + rng.normal(0, 8, (height, width - middle, 3))
    picture[:, middle:] = np.clip(gradient, 0, 255)
    label = np.full((height, width), SYNTHETIC, np.uint8)
    label[:, middle:] = NATURAL
    label[:, middle - 1 : middle + 1] = IGNORE
    if not labelled:
        label[:] = IGNORE
    regions = np.ones((height, width), np.uint16)
    regions[:, middle:] = 2
    source = Source(kind="photo", name="gradient", sha256="0" * 64, licence="CC0-1.0", origin="this test")
    info = SampleInfo(
        key=key,
        width=width,
        height=height,
        kind=kind,
        how_labelled="compositor" if labelled else "none",
        how_masked="layout",
        sources=(source,),
        seed=7,
        versions={"diptych": "test"},
    )
    return Sample(info=info, picture=picture, label=label, regions=regions)


def write_corpus(folder, samples):
    """Write a finished corpus of one `test` shard (and a `train` shard of its first sample)."""
    store = Store(folder)
    records = []
    for split, chosen in (("test", samples), ("train", [make_sample("only-train", kind="editor")])):
        name = ShardName(corpus="tiny", split=split, index=0)
        records.append(write_shard(store, name, chosen, plan_sha256="0" * 64))
    write_manifest(store, records, config={"seed": 7}, versions={"diptych": "test"})
    return str(folder)


def write_checkpoint(folder, *, seed=0, head=True):
    """Write a checkpoint of an untrained tiny codec: bad pictures, real bytes."""
    torch.manual_seed(seed)
    codec = build_codec("mtl_sci", {"num_channels": 8, "num_latents": 8, "segmentation_head": head})
    save(Store(folder), "mtl_sci", codec, provenance={"step": 0})
    return str(folder)
