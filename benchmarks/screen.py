"""Bytes and speed of the screen codec beside PNG, WebP lossless and JPEG XL, by kind of picture.

    python -m benchmarks.screen FOLDER... [--index index.csv] [--measure default,fast,png,webp,jxl7,jxl9]
        [--keep FILE] [--threads]

Pictures are RGB; bytes are those of the whole file, for the screen codec of the whole bitstream. Kinds come from an
index (columns `path` and `content`), else there is one. `--keep` holds every figure as JSON lines: what stands there is
not measured again. Speeds are CPU time of one thread; `--threads` gives wall times of one and two threads for the
largest picture, repeated until it has two strips.
"""

import argparse
import csv
import io
import json
import math
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.codecs.interface import SideInputs
from pipeline.codecs.screen.codec import STRIP_PIXELS, ScreenCodec
from pipeline.codecs.screen.config import EFFORTS, ScreenConfig
from pipeline.codecs.threads import torch_threads
from pipeline.formats.bitstream import Bitstream, pack

Pixels = NDArray[np.uint8]
Figures = dict[str, float]

_NAMES = "default,fast,png,webp,jxl7,jxl9"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--measure", default=_NAMES)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--threads", action="store_true")
    arguments = parser.parse_args()
    names = arguments.measure.split(",")
    kinds = _kinds(arguments.index) if arguments.index else {}
    kept = _kept(arguments.keep) if arguments.keep else {}
    rows: list[tuple[str, Figures]] = []
    files = sorted(
        file for folder in arguments.folders for file in folder.rglob("*") if file.suffix in (".png", ".jpg")
    )
    for file in files:
        figures = kept.get(file.name, {})
        missing = [name for name in names if name not in figures]
        if missing:
            pixels = np.array(Image.open(file).convert("RGB"))
            figures["pixels"] = float(pixels.shape[0] * pixels.shape[1])
            for name in missing:
                figures |= _measured(name, pixels)
            if arguments.keep:
                with arguments.keep.open("a") as out:
                    out.write(json.dumps({"file": file.name, **figures}) + "\n")
        rows.append((kinds.get(file.name, "pictures"), figures))
    _print(rows, names)
    if arguments.threads:
        _print_threads(max(files, key=lambda file: math.prod(Image.open(file).size)))


def _measured(name: str, pixels: Pixels) -> Figures:
    """Return the bytes, and for the screen codec the CPU seconds of both ways."""
    if name not in EFFORTS:
        return {name: float(len(_PEERS[name](pixels)))}
    codec = ScreenCodec(ScreenConfig(effort=name))
    height, width, _ = pixels.shape
    with torch_threads(1):
        began = time.process_time()
        segments = codec.compress(pixels, SideInputs()).segments
        between = time.process_time()
        decoded = codec.decompress(segments, height=height, width=width)
        ended = time.process_time()
    if not np.array_equal(decoded, pixels):
        raise SystemExit("a picture did not come back")
    whole = pack(
        Bitstream(
            codec_wire_id=5,
            weights_digest=bytes(8),
            width=width,
            height=height,
            num_channels=3,
            pixels_crc32=zlib.crc32(pixels.tobytes()),
            segments=segments,
        )
    )
    return {name: float(len(whole)), f"{name} encode": between - began, f"{name} decode": ended - between}


def _print_threads(file: Path) -> None:
    """Print the wall seconds of one and of two threads, the best of three."""
    pixels = np.array(Image.open(file).convert("RGB"))
    pixels = np.concatenate([pixels] * -(-2 * STRIP_PIXELS // (pixels.shape[0] * pixels.shape[1])))
    codec = ScreenCodec(ScreenConfig())
    height, width, _ = pixels.shape
    print(f"{file.name}, {width}x{height}")
    for threads in (1, 2):
        encode = decode = math.inf
        with torch_threads(threads):
            for _ in range(3):
                began = time.perf_counter()
                segments = codec.compress(pixels, SideInputs()).segments
                between = time.perf_counter()
                codec.decompress(segments, height=height, width=width)
                encode = min(encode, between - began)
                decode = min(decode, time.perf_counter() - between)
        print(f"  {threads} threads: encode {encode:.2f} s, decode {decode:.2f} s")


def _png(pixels: Pixels) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", optimize=True)
    return out.getvalue()


def _webp(pixels: Pixels) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "WEBP", lossless=True, quality=100, method=6)
    return out.getvalue()


def _jxl(effort: int) -> Callable[[Pixels], bytes]:
    return lambda pixels: bytes(imagecodecs.jpegxl_encode(pixels, lossless=True, effort=effort))


_PEERS: dict[str, Callable[[Pixels], bytes]] = {"png": _png, "webp": _webp, "jxl7": _jxl(7), "jxl9": _jxl(9)}


def _kinds(index: Path) -> dict[str, str]:
    with index.open(newline="") as rows:
        return {Path(row["path"]).name: row["content"] for row in csv.DictReader(rows)}


def _kept(path: Path) -> dict[str, Figures]:
    kept: dict[str, Figures] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        row = json.loads(line)
        kept.setdefault(row.pop("file"), {}).update(row)
    return kept


def _print(rows: list[tuple[str, Figures]], names: list[str]) -> None:
    """Print, by kind: bits per pixel, the ratio to the better of WebP and JPEG XL 9 a picture, and speeds."""
    for kind in sorted({kind for kind, _ in rows}):
        chosen = [figures for of_kind, figures in rows if of_kind == kind]
        pixels = sum(figures["pixels"] for figures in chosen)
        print(f"{kind}: {len(chosen)} pictures, {pixels / 1e6:.1f} MPix")
        for name in names:
            line = f"  {name:8} {8 * sum(figures[name] for figures in chosen) / pixels:7.4f} bpp"
            if {"webp", "jxl9"} <= set(names):
                best = [min(figures["webp"], figures["jxl9"]) for figures in chosen]
                logs = [np.log(figures[name] / one) for figures, one in zip(chosen, best, strict=True)]
                total = sum(figures[name] for figures in chosen) / sum(best)
                line += f"  {100 * (np.exp(np.mean(logs)) - 1):+6.1f} % a picture, {100 * (total - 1):+6.1f} % in all"
            if name in EFFORTS:
                seconds = [sum(figures[f"{name} {way}"] for figures in chosen) for way in ("encode", "decode")]
                line += "  " + ", ".join(f"{pixels / 1e6 / s:.2f} MPix/s" for s in seconds)
            print(line)


if __name__ == "__main__":
    main()
