"""SegPIC by its number of cells, and told the masks: `python -m benchmarks.grids --checkpoint DIR --corpus CORPUS`.

One trained codec codes the test split's pictures with 1, 2, 4 and 8 cells a side, all bytes counted; the prototypes'
bytes are shown by themselves, since they do not depend on the picture's size. "masks" is the float networks'
announcement when they are told the region maps, whose own bytes are not counted: no decoder could have them.
"""

import argparse
import dataclasses

import numpy as np
import torch

from pipeline.base.store import Store
from pipeline.codecs import checkpoint
from pipeline.codecs.checkpoint import LoadedCodec
from pipeline.codecs.coding import compress_picture
from pipeline.codecs.segpic.codec import SegPic
from pipeline.formats.corpus import open_split
from training.objectives import bits, psnr
from training.samples import Planes, SampleReader

GRIDS = (1, 2, 4, 8)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--limit", type=int, default=16)
    arguments = parser.parse_args()
    loaded = checkpoint.load(arguments.checkpoint)
    assert isinstance(loaded.codec, SegPic)
    reader = SampleReader(open_split(Store(arguments.corpus), "test"), cache_bytes=0, with_regions=True)
    samples = [reader.read(index) for index in range(min(arguments.limit, reader.split.num_samples))]
    print("| regions | bpp | PSNR, dB | bytes of p' | bytes of p |")
    print("|---|---|---|---|---|")
    for grid in GRIDS:
        print(_row(f"{grid}x{grid}", [_coded(_with_grid(loaded, grid), sample) for sample in samples]), flush=True)
    print(_row("masks (announced)", [_announced(loaded.codec, sample) for sample in samples]))


def _with_grid(loaded: LoadedCodec, grid: int) -> LoadedCodec:
    codec = SegPic(dataclasses.replace(loaded.codec.config, grid=grid))
    codec.load_state_dict(loaded.codec.state_dict())
    return dataclasses.replace(loaded, codec=codec.eval())


def _coded(loaded: LoadedCodec, sample: Planes) -> tuple[float, ...]:
    encoded = compress_picture(loaded, sample.picture)
    error = (encoded.reconstruction.astype(np.float64) - sample.picture) / 255
    prototypes = (encoded.details.get(f"bytes_{name}", 0.0) for name in ("prototypes_fine", "prototypes"))
    return 8 * len(encoded.data) / sample.label.size, float(np.square(error).mean()), *prototypes


@torch.no_grad()
def _announced(codec: SegPic, sample: Planes) -> tuple[float, ...]:
    assert sample.regions is not None
    x = torch.from_numpy(sample.picture).permute(2, 0, 1)[None].float() / 255
    output = codec(x, torch.from_numpy(sample.regions.astype(np.int32))[None])
    mse = float((output.reconstruction.clamp(0, 1) - x).square().mean())
    prototypes = (
        float(bits({name: output.likelihoods[name]})) / 8 if name in output.likelihoods else 0.0
        for name in ("prototypes_fine", "prototypes")
    )
    return float(bits(output.likelihoods)) / sample.label.size, mse, *prototypes


def _row(name: str, points: list[tuple[float, ...]]) -> str:
    bpp, mse, fine, coarse = np.mean(points, axis=0)
    return f"| {name} | {bpp:.4f} | {psnr(float(mse)):.3f} | {fine:.0f} | {coarse:.0f} |"


if __name__ == "__main__":
    main()
