"""Small real inputs for the tests of datagen: photographs in a folder, configs that finish in a second."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datagen.config import CorpusConfig, Counts, QualityConfig
from pipeline.formats.picture import write_png


def noise(seed: int, *, height: int = 160, width: int = 200, low: int = 0, high: int = 256) -> NDArray[np.uint8]:
    """Return a picture (height, width, 3) of values in low..high-1."""
    return np.random.default_rng(seed).integers(low, high, (height, width, 3), dtype=np.uint8)


def photo_folder(folder: Path, num_photos: int = 4, *, first: int = 0) -> Path:
    """Fill `folder` with PNG photographs that all differ, and differ from those with a lower number."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + num_photos):
        (folder / f"photo{number}.png").write_bytes(write_png(noise(number)))
    return folder


def small_config(photos: Path, **changes: Any) -> CorpusConfig:
    """Return a corpus of 7 samples of 480x320 in 4 shards."""
    settings: dict[str, Any] = {
        "name": "small",
        "seed": 5,
        "sizes": ("480x320",),
        "scales": (0.6,),
        "num_samples": Counts(train=4, val=1, test=2),
        "samples_per_shard": 2,
        "photos": str(photos),
        "png_compress_level": 1,
        "quality": QualityConfig(near_duplicate_bits=0),
    }
    return CorpusConfig(**(settings | changes))
