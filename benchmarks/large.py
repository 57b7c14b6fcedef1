"""SegPIC's large pictures: `python -m benchmarks.large --checkpoint DIR --pictures DIR [--sizes 3840x2160 7680x4320]`.

Codes a mosaic of the pictures at each size in a process of its own: seconds, peak memory above that of a 256x256
picture, and the PSNR within 8 pixels of the tiles' seams beside the PSNR elsewhere. Where `--whole` allows, the picture
is coded once more as one tile: the PSNR where the seams were, and how much of the two results is equal.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.memory import peak_mib
from pipeline.codecs import checkpoint
from pipeline.codecs.interface import SideInputs
from pipeline.codecs.segpic import codec as codec_module
from pipeline.codecs.segpic.codec import SegPic, padded_side
from pipeline.codecs.segpic.tiles import tiles
from pipeline.formats.picture import read_picture

_NEAR = 8


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--sizes", nargs="+", default=["3840x2160", "7680x4320"])
    parser.add_argument("--whole", default="3840x2160", help="largest size that is also coded as one tile")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(_measure(arguments.child, arguments)))
        return
    print("| picture | tiles | encode, s | decode, s | MiB | at seams, dB | elsewhere | as one tile |")
    print("|---|---|---|---|---|---|---|---|")
    for size in arguments.sizes:
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.large", *sys.argv[1:], "--child", size]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        print("| " + " | ".join([size, *json.loads(run.stdout.splitlines()[-1])]) + " |", flush=True)


def _measure(size: str, arguments: argparse.Namespace) -> list[str]:
    width, height = map(int, size.split("x"))
    codec = checkpoint.load(arguments.checkpoint).codec
    assert isinstance(codec, SegPic)
    picture = _mosaic(arguments.pictures, height, width)
    codec.decompress(codec.compress(picture[:256, :256], SideInputs()).segments, height=256, width=256)
    before = peak_mib()
    began = time.perf_counter()
    coded = codec.compress(picture, SideInputs())
    encoded = time.perf_counter()
    decoded = codec.decompress(coded.segments, height=height, width=width)
    done = time.perf_counter()
    mib = peak_mib() - before
    parts = tiles(padded_side(height), padded_side(width))
    seams = _seams(parts, height, width)
    error = (decoded.astype(np.float32) - picture) ** 2
    figures: list[str] = [f"{_psnr(error[seams]):.2f}", f"{_psnr(error[~seams]):.2f}"]
    equal = "-"
    if width * height <= int(np.prod([int(side) for side in arguments.whole.split("x")])):
        equal = _compare(codec, picture, coded.segments, decoded, seams)
    times = [f"{encoded - began:.1f}", f"{done - encoded:.1f}", f"{mib:.0f}"]
    return [str(len(parts)), *times, *figures, equal]


def _compare(
    codec: SegPic,
    picture: NDArray[np.uint8],
    segments: dict[int, bytes],
    decoded: NDArray[np.uint8],
    seams: NDArray[np.bool_],
) -> str:
    height, width, _ = picture.shape
    original: Any = codec_module.tiles
    codec_module.tiles = lambda h, w: original(h, w, max_pixels=h * w)
    try:
        whole = codec.compress(picture, SideInputs())
        latents = [codec.decode_latent(one, height=height, width=width)[0] for one in (segments, whole.segments)]
        pixels = np.abs(decoded.astype(np.int16) - whole.reconstruction)
    finally:
        codec_module.tiles = original
    error = (whole.reconstruction.astype(np.float32) - picture) ** 2
    same = float((latents[0] == latents[1]).double().mean()), float((pixels == 0).mean())
    return f"{_psnr(error[seams]):.2f} at seams; equal: latents {100 * same[0]:.4f} %, pixels {100 * same[1]:.4f} %"


def _seams(parts: Any, height: int, width: int) -> NDArray[np.bool_]:
    near = np.zeros((height, width), bool)
    for tile in parts:
        rows, columns = tile.inner
        if rows.start:
            near[max(0, rows.start - _NEAR) : rows.start + _NEAR] = True
        if columns.start:
            near[:, max(0, columns.start - _NEAR) : columns.start + _NEAR] = True
    return near


def _psnr(errors: NDArray[np.float32]) -> float:
    return float("nan") if not errors.size else float(10 * np.log10(255**2 / errors.mean(dtype=np.float64)))


def _mosaic(folder: Path, height: int, width: int) -> NDArray[np.uint8]:
    files = sorted(folder.glob("*.png"))
    picture = np.zeros((height, width, 3), np.uint8)
    number = 0
    # Steps that no tile's border is a multiple of, so that seams do not lie on the mosaic's own.
    for top in range(0, height, 500):
        for left in range(0, width, 500):
            pixels = read_picture(files[number % len(files)].read_bytes(), where="mosaic").pixels[:500, :500, :3]
            target = picture[top : top + pixels.shape[0], left : left + pixels.shape[1]]
            target[:] = pixels[: target.shape[0], : target.shape[1]]
            number += 1
    return picture


if __name__ == "__main__":
    main()
