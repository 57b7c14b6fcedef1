"""Saliency-steered JPEG beside plain JPEG of the same size: `benchmarks.semantic_jpeg quality|tables|speed`.

`quality`: for every picture the map and the region are fixed first. A budget is what libjpeg-turbo needs at a quality
(4:2:0, as it comes). `paper` and `rdo` search for it: at most that, at most 1 % below. Encoders of whole qualities are
measured at the two beside it and read off between them, on the line over the logarithm of bytes. Printed are mean
differences to plain JPEG, in dB or as they are.

`tables`: what the shape of the quantisation tables is worth.

`speed`: map by the network and `rdo` of a 12-megapixel photograph (a mosaic of the given pictures), CPU seconds of the
whole process, beside mozjpeg and libjpeg-turbo. One run, one process, the least of three.
"""

import argparse
import shutil
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pipeline.codecs import checkpoint
from pipeline.codecs.guidance import Segmenter
from pipeline.codecs.msroi_jpeg import rdo
from pipeline.codecs.msroi_jpeg.codec import MsRoiJpegCodec
from pipeline.codecs.msroi_jpeg.composition import decode, jpeg_scale, plain_jpeg
from pipeline.codecs.msroi_jpeg.encode import Request, encode_jpeg
from pipeline.evaluation.peers import find_peer
from pipeline.evaluation.perceptual import PerceptualScores, measure_perceptual

Pixels = NDArray[np.uint8]
Map = NDArray[np.float32]
SHARE = 0.2
"""Of a picture is salient, where a network says what is: the top of its map."""
PEERS = ("jpeg420", "jpeg", "mozjpeg420", "jpegli420")
OURS = {"paper": Request(encoder="paper", quality=1), "rdo": Request(quality=1), "rdo, no map": Request(quality=1)}
MEGAPIXELS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """What is measured apart, fixed before anything is coded."""

    saliency: Map
    salient: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One JPEG, against its original."""

    salient: float
    """PSNR of R, G and B, dB; the next two as well."""
    outside: float
    whole: float
    luma_salient: float
    """PSNR of luma, dB."""
    luma_outside: float
    scores: PerceptualScores


Found = defaultdict[tuple[str, int], dict[Path, Figures]]
"""By encoder and quality, each picture's figures."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    quality = commands.add_parser("quality")
    quality.add_argument("--pictures", type=Path, required=True)
    quality.add_argument("--checkpoint", help="msroi_jpeg: its maps steer")
    quality.add_argument("--labeller", help="mtl_sci: its drawn pixels steer")
    quality.add_argument("--region", choices=("map", "text"), default="map", help="text: words that tesseract finds")
    quality.add_argument("--qualities", type=int, nargs="+", default=[30, 50, 75, 90])
    quality.add_argument("--every", type=int, default=1)
    quality.add_argument("--side", type=int, default=1280, help="larger pictures are cut to their middle")
    tables = commands.add_parser("tables")
    tables.add_argument("--pictures", type=Path, required=True)
    tables.add_argument("--qualities", type=int, nargs="+", default=[50, 75, 90])
    tables.add_argument("--every", type=int, default=1)
    tables.add_argument("--shapes", type=float, nargs="+", default=[0, 0.2, 0.4, 0.6, 0.75, 0.9])
    speed = commands.add_parser("speed")
    speed.add_argument("--pictures", type=Path, required=True)
    speed.add_argument("--checkpoint", required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    {"speed": _speed, "tables": _tables, "quality": _quality}[arguments.command](arguments)


def _quality(arguments: argparse.Namespace) -> None:
    found: Found = defaultdict(dict)
    ratios: list[float] = []
    num_pictures = 0
    mapped = _map(arguments)
    for path in sorted(arguments.pictures.rglob("*.png"))[:: arguments.every]:
        picture = _cut(path, arguments.side)
        saliency = mapped(picture)
        salient = _words(picture) if arguments.region == "text" else _top(saliency)
        if not salient.any() or salient.all():
            print(f"{path.name}: no region, left out", flush=True)
            continue
        region = Region(saliency=saliency, salient=salient)
        num_pictures += 1
        for quality in arguments.qualities:
            plain = plain_jpeg(picture, jpeg_scale(quality), chroma_scale=2)
            found[("plain", quality)][path] = _figures(picture, decode(plain), region)
            for name, request in OURS.items():
                steering = np.zeros_like(saliency) if name == "rdo, no map" else saliency
                data = encode_jpeg(picture, steering, replace(request, quality=None, num_bytes=len(plain)))
                ratios.append(len(data) / len(plain))
                found[(name, quality)][path] = _figures(picture, decode(data), region)
            for name in PEERS:
                figures = _peer_at(name, picture, region, len(plain))
                if figures is not None:
                    found[(name, quality)][path] = figures
        print(f"{path.name}: salient {salient.mean():.2f}", flush=True)
    print(f"\n{num_pictures} pictures; sizes of ours {min(ratios):.4f} to {max(ratios):.4f} of plain JPEG's\n")
    for line in _table(found, arguments.qualities):
        print(line)


def _map(arguments: argparse.Namespace) -> Callable[[Pixels], Map]:
    codec: object = checkpoint.load(arguments.checkpoint or arguments.labeller).codec
    if isinstance(codec, MsRoiJpegCodec):
        return codec.saliency
    if isinstance(codec, Segmenter):
        return lambda picture: 1 - codec.label_probability(picture)
    raise SystemExit("expected a checkpoint of msroi_jpeg or mtl_sci")


def _top(saliency: Map) -> NDArray[np.bool_]:
    return np.asarray(saliency > np.quantile(saliency, 1 - SHARE))


def _words(picture: Pixels) -> NDArray[np.bool_]:
    """Return where tesseract is sure of words, boxes filled."""
    if shutil.which("tesseract") is None:
        raise SystemExit("--region text needs tesseract (Debian: tesseract-ocr)")
    where = np.zeros(picture.shape[:2], dtype=np.bool_)
    with TemporaryDirectory() as folder:
        Image.fromarray(picture).save(Path(folder) / "shot.png")
        command = ["tesseract", str(Path(folder) / "shot.png"), "-", "--psm", "11", "tsv"]
        rows = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()[1:]
    for row in rows:
        fields = row.split("\t")
        if len(fields) == 12 and float(fields[10]) >= 60 and fields[11].strip():
            left, top, width, height = map(int, fields[6:10])
            where[top : top + height, left : left + width] = True
    return where


def _cut(path: Path, side: int) -> Pixels:
    picture = np.array(Image.open(path).convert("RGB"))
    top, left = (max(0, (extent - side) // 2) for extent in picture.shape[:2])
    return np.ascontiguousarray(picture[top : top + side, left : left + side])


def _figures(picture: Pixels, decoded: Pixels, region: Region) -> Figures:
    error = (picture.astype(np.float64) - decoded) ** 2
    luma = ((picture.astype(np.float64) - decoded) @ np.array([0.299, 0.587, 0.114])) ** 2

    def psnr(squares: NDArray[np.float64]) -> float:
        return float(10 * np.log10(255**2 / max(squares.mean(), 1e-3)))

    return Figures(
        salient=psnr(error[region.salient]),
        outside=psnr(error[~region.salient]) if not region.salient.all() else 0.0,
        whole=psnr(error),
        luma_salient=psnr(luma[region.salient]),
        luma_outside=psnr(luma[~region.salient]) if not region.salient.all() else 0.0,
        scores=measure_perceptual(picture, decoded, np.rint(255 * region.saliency).astype(np.uint8)),
    )


def _peer_at(name: str, picture: Pixels, region: Region, num_bytes: int) -> Figures | None:
    """Return figures read off between the two qualities beside a size; None where it lies beyond all."""
    peer = find_peer(name)
    assert peer.qualities is not None
    low, high = 0, len(peer.qualities) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if len(peer.encode(picture, peer.qualities[middle])) <= num_bytes:
            low = middle
        else:
            high = middle
    pair = [peer.encode(picture, peer.qualities[place]) for place in (low, high)]
    sizes = np.log([len(data) for data in pair])
    if not sizes[0] <= np.log(num_bytes) <= sizes[1]:
        return None
    share = float((np.log(num_bytes) - sizes[0]) / max(sizes[1] - sizes[0], 1e-9))
    below, above = (_figures(picture, peer.decode(data), region) for data in pair)
    return _between(below, above, share)


def _between(below: Figures, above: Figures, share: float) -> Figures:
    def mixed(one: object, other: object) -> object:
        names = one.__dataclass_fields__  # type: ignore[attr-defined]
        values = {}
        for name in names:
            first, second = getattr(one, name), getattr(other, name)
            if hasattr(first, "__dataclass_fields__"):
                values[name] = mixed(first, second)
            else:
                values[name] = None if first is None or second is None else first + share * (second - first)
        return type(one)(**values)

    figures = mixed(below, above)
    assert isinstance(figures, Figures)
    return figures


def _table(found: Found, qualities: list[int]) -> Iterator[str]:
    heads = ["salient", "outside", "whole", "luma salient", "luma outside"]
    scores = ["psnr_s", "psnr_hvs", "psnr_hvs_m", "ssim", "ms_ssim", "vifp"]
    named = [name.upper().replace("_", "-") for name in scores]
    yield f"| like plain JPEG at | encoder | files | {' | '.join(heads + named)} |"
    yield f"|---:|---|---:|{'---:|' * len(heads + scores)}"
    for quality in [*qualities, 0]:
        for name in (*OURS, *PEERS):
            wanted = qualities if not quality else [quality]
            # A peer may have no file of the size: compared is what it has, and how often that was is said.
            mine = [figures for each in wanted for figures in found[(name, each)].values()]
            base = [found[("plain", each)][picture] for each in wanted for picture in found[(name, each)]]
            if not mine:
                continue
            cells = [
                np.mean([getattr(one, head) - getattr(two, head) for one, two in zip(mine, base, strict=True)])
                for head in (name.replace(" ", "_") for name in heads)
            ]
            for score in scores:
                pairs = [(getattr(a.scores, score), getattr(b.scores, score)) for a, b in zip(mine, base, strict=True)]
                known = [
                    one - two for one, two in pairs if one is not None and two is not None and np.isfinite(one - two)
                ]
                cells.append(np.mean(known) if known else np.nan)
            digits = [2] * (len(heads) + 3) + [4] * 3
            row = " | ".join(f"{cell:+.{places}f}" for cell, places in zip(cells, digits, strict=True))
            yield f"| {quality or 'all'} | {name} | {len(mine)} | {row} |"


def _tables(arguments: argparse.Namespace) -> None:
    """Print what the shape of the tables is worth, without a map."""
    print("| exponent | PSNR | PSNR of luma | PSNR-HVS | PSNR-HVS-M |\n|---:|---:|---:|---:|---:|")
    for shape in arguments.shapes:
        rdo.TABLE_SHAPE = shape
        rows = []
        for path in sorted(arguments.pictures.rglob("*.png"))[:: arguments.every]:
            picture = _cut(path, 1 << 16)
            even = np.zeros(picture.shape[:2], dtype=np.float32)
            region = Region(saliency=even, salient=np.ones(even.shape, dtype=np.bool_))
            for quality in arguments.qualities:
                plain = plain_jpeg(picture, jpeg_scale(quality), chroma_scale=2)
                request = Request(num_bytes=len(plain), subsampling="4:2:0")
                pair = [
                    _figures(picture, decode(data), region) for data in (encode_jpeg(picture, even, request), plain)
                ]
                rows.append([_of_eyes(pair[0])[i] - _of_eyes(pair[1])[i] for i in range(4)])
        print(f"| {shape} | {' | '.join(f'{value:+.2f}' for value in np.mean(rows, axis=0))} |", flush=True)


def _of_eyes(figures: Figures) -> list[float]:
    scores = figures.scores
    return [figures.salient, figures.luma_salient, scores.psnr_hvs or 0.0, scores.psnr_hvs_m or 0.0]


def _speed(arguments: argparse.Namespace) -> None:
    picture = _mosaic(sorted(arguments.pictures.rglob("*.png")))
    codec = checkpoint.load(arguments.checkpoint).codec
    assert isinstance(codec, MsRoiJpegCodec)
    saliency = codec.saliency(picture)
    request = Request(quality=75)
    data = encode_jpeg(picture, saliency, request)
    budget = len(data)
    moz = find_peer("mozjpeg420")
    arms: dict[str, Callable[[], object]] = {
        "map": lambda: codec.saliency(picture),
        "rdo, quality 75": lambda: encode_jpeg(picture, saliency, request),
        "map and rdo": lambda: encode_jpeg(picture, codec.saliency(picture), request),
        "rdo, by bytes": lambda: encode_jpeg(picture, saliency, Request(num_bytes=budget)),
        "mozjpeg 4:2:0, quality 75": lambda: moz.encode(picture, 75),
        "libjpeg-turbo 4:2:0, quality 75": lambda: plain_jpeg(picture, jpeg_scale(75), chroma_scale=2),
    }
    height, width = picture.shape[:2]
    print(f"{width}x{height}, {height * width / 1e6:.1f} megapixels, {budget} bytes\n")
    print("| | CPU s | wall s |\n|---|---:|---:|")
    for name, work in arms.items():
        times = [_timed(work) for _ in range(3)]
        print(f"| {name} | {min(cpu for cpu, _ in times):.2f} | {min(wall for _, wall in times):.2f} |", flush=True)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def _mosaic(paths: list[Path]) -> Pixels:
    """Return photographs side by side, 4000x3000: their detail, not an enlargement's."""
    tiles = [np.array(Image.open(path).convert("RGB"))[:500, :500] for path in paths]
    across, down = 8, 6
    rows = [np.hstack([tiles[(row * across + column) % len(tiles)] for column in range(across)]) for row in range(down)]
    return np.ascontiguousarray(np.vstack(rows))


if __name__ == "__main__":
    main()
