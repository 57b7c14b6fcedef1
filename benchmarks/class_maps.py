"""Bytes of class maps, way by way: `python -m benchmarks.class_maps --corpus CORPUS --photos DIR`.

CORPUS is a corpus of `diptych datagen`, DIR a folder of photographs. Kinds of maps, the constant ones left out:

    screens        label maps, unknown pixels as photographed (2 classes), or as a class of their own (3)
    regions        region maps, modulo 16
    blobs          blurred noise, cut into 2 or 5 levels
    segments       Felzenszwalb's segments of photographs, each of 2 classes by chance, or modulo 16
    noise          uniform of 2 or 3 classes; 2 % of class 1; a checkerboard

JPEG XL and WebP run at their greatest effort, without loss; PNG has 1, 2 or 4 bits a pixel and is optimised; G4 is the
bare strip, without a container. Of WebP the class is the green channel. The times are the best of three runs, of the
format as it is (constant, contexts or packed), all on one thread.
"""

import argparse
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.segmentation import felzenszwalb

from pipeline.base.store import Store
from pipeline.codecs.seec.class_map import METHODS, decode_class_map, encode_class_map
from pipeline.formats.corpus import open_split
from pipeline.formats.picture import read_picture, to_rgb
from pipeline.formats.sample import IGNORE
from pipeline.formats.shards import read_manifest

Classes = NDArray[np.uint8]
Maps = list[Classes]
REPEATS = 3
STRIP_OFFSETS = 273
STRIP_SIZES = 279
NUM_DRAWN = 8
SIZE = (512, 768)
ARTIFICIAL = ("noise", "checkerboard")


def main() -> None:
    """Measure and print both tables."""
    arguments = _arguments()
    ways: dict[str, Callable[[Classes, int], int | None]] = {
        "the format": lambda classes, num: len(encode_class_map(classes, num)),
        "JPEG XL": _jpeg_xl,
        "PNG": _png,
        "WebP": _webp,
        "CCITT G4": _g4,
    }
    encode_class_map(np.eye(9, dtype=np.uint8), 3)  # compiles
    print("| maps | classes | number | pixels | " + " | ".join(f"{way}, bytes (bpp)" for way in ways) + " |")
    print("| --- |" + " ---: |" * (3 + len(ways)))
    speeds = []
    num_better = dict.fromkeys(ways, 0)
    for kind, num_classes, maps in _kinds(arguments):
        if not maps:
            continue
        num_pixels = sum(classes.size for classes in maps)
        cells = []
        ours = [len(encode_class_map(classes, num_classes)) for classes in maps]
        for name, way in ways.items():
            sizes = [way(classes, num_classes) for classes in maps]
            known = [size for size in sizes if size is not None]
            if not kind.startswith(ARTIFICIAL):
                num_better[name] += sum(
                    size is not None and size < 0.99 * own for size, own in zip(sizes, ours, strict=True)
                )
            total = sum(known)
            cells.append(f"{total} ({8 * total / num_pixels:.5f})" if len(known) == len(maps) else "-")
        print(f"| {kind} | {num_classes} | {len(maps)} | {num_pixels} | " + " | ".join(cells) + " |", flush=True)
        speeds.append(_speed(kind, num_classes, maps))
    print("\n| maps | classes | encode, MPix/s | decode, MPix/s | ways chosen |\n| --- | ---: | ---: | ---: | --- |")
    print("\n".join(speeds))
    better = ", ".join(f"{name} on {count}" for name, count in num_better.items())
    print(f"\nOver 1 % shorter than the format, noise and checkerboard apart: {better}.")


def _speed(kind: str, num_classes: int, maps: Maps) -> str:
    """Return a line of the second table; checks that every map comes back."""
    streams = [encode_class_map(classes, num_classes) for classes in maps]
    num_pixels = sum(classes.size for classes in maps)

    def encode() -> None:
        for classes in maps:
            encode_class_map(classes, num_classes)

    def decode() -> None:
        for classes, data in zip(maps, streams, strict=True):
            height, width = classes.shape
            decoded = decode_class_map(data, height=height, width=width, num_classes=num_classes)
            if not np.array_equal(decoded, classes):
                raise SystemExit(f"{kind}: the round trip failed")

    there, back = (num_pixels / _seconds(run) / 1e6 for run in (encode, decode))
    chosen = {name: sum(data[0] == number for data in streams) for name, number in METHODS.items()}
    said = ", ".join(f"{count} {name}" for name, count in chosen.items() if count)
    return f"| {kind} | {num_classes} | {there:.1f} | {back:.1f} | {said} |"


def _seconds(run: Callable[[], None]) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


# --- the other ways -------------------------------------------------------------------------------------------------


def _jpeg_xl(classes: Classes, num_classes: int) -> int:
    del num_classes
    return len(imagecodecs.jpegxl_encode(classes, lossless=True, effort=9))


def _png(classes: Classes, num_classes: int) -> int:
    if num_classes == 2:
        return _saved(Image.fromarray(classes.astype(bool)), "PNG", optimize=True)
    image = Image.frombytes("P", (classes.shape[1], classes.shape[0]), classes.tobytes())
    image.putpalette(list(range(3 * num_classes)))
    return _saved(image, "PNG", optimize=True, bits=2 if num_classes <= 4 else 4)


def _webp(classes: Classes, num_classes: int) -> int:
    del num_classes
    zeros = np.zeros_like(classes)
    return _saved(Image.fromarray(np.dstack([zeros, classes, zeros])), "WEBP", lossless=True, quality=100, method=6)


def _g4(classes: Classes, num_classes: int) -> int | None:
    if num_classes != 2:
        return None
    buffer = io.BytesIO()
    image = Image.fromarray(classes.astype(bool))
    # One strip: each begins anew, as if the line above were white.
    image.save(buffer, "TIFF", compression="group4", strip_size=classes.size)
    tags: Any = getattr(Image.open(buffer), "tag_v2", None)
    assert len(tags[STRIP_OFFSETS]) == 1
    return int(tags[STRIP_SIZES][0])


def _saved(image: Image.Image, kind: str, **options: Any) -> int:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return len(buffer.getvalue())


# --- the maps -------------------------------------------------------------------------------------------------------


def _kinds(arguments: argparse.Namespace) -> Iterator[tuple[str, int, Maps]]:
    """Yield kind, number of classes and maps."""
    labels, regions = _screens(Store(arguments.corpus))
    yield "screens", 2, [(label != 0).astype(np.uint8) for label in labels]
    yield "screens", 3, [np.where(label == IGNORE, np.uint8(2), label) for label in labels if (label == IGNORE).any()]
    yield "regions", 16, regions
    rng = np.random.default_rng(0)
    fields = [gaussian_filter(rng.normal(size=SIZE), rng.uniform(6, 40)) for _ in range(NUM_DRAWN)]
    yield "blobs", 2, [(one > np.quantile(one, rng.uniform(0.3, 0.8))).astype(np.uint8) for one in fields]
    yield "blobs", 5, [np.digitize(one, np.quantile(one, [0.2, 0.4, 0.6, 0.8])).astype(np.uint8) for one in fields]
    segments = list(_segments(Path(arguments.photos)))
    yield "segments", 2, [rng.integers(0, 2, one.max() + 1, dtype=np.uint8)[one] for one in segments]
    yield "segments", 16, [(one % 16).astype(np.uint8) for one in segments]
    yield "noise, uniform", 2, [rng.integers(0, 2, SIZE, dtype=np.uint8)]
    yield "noise, uniform", 3, [rng.integers(0, 3, SIZE, dtype=np.uint8)]
    yield "noise, 2 %", 2, [(rng.random(SIZE) < 0.02).astype(np.uint8)]
    yield "noise, 2 %, inverted", 2, [(rng.random(SIZE) >= 0.02).astype(np.uint8)]
    yield "checkerboard", 2, [(np.indices(SIZE).sum(axis=0) & 1).astype(np.uint8)]


def _screens(store: Store) -> tuple[list[NDArray[np.uint8]], list[Classes]]:
    """Return the label maps that are not constant, and all region maps modulo 16."""
    labels, regions = [], []
    for name in read_manifest(store)["splits"]:
        split = open_split(store, name)
        for index in range(split.num_samples):
            sample = split.sample(index)
            if (sample.label != sample.label[0, 0]).any():
                labels.append(sample.label)
            regions.append((sample.regions % 16).astype(np.uint8))
    return labels, regions


def _segments(folder: Path) -> Iterator[NDArray[np.int64]]:
    for path in sorted(path for path in folder.iterdir() if path.is_file())[:NUM_DRAWN]:
        pixels = to_rgb(read_picture(path.read_bytes(), where=str(path)).pixels)
        yield felzenszwalb(pixels, scale=400, sigma=0.8, min_size=300)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpus", required=True, help="folder of a corpus made by `diptych datagen`")
    parser.add_argument("--photos", required=True, help="folder of photographs")
    return parser.parse_args()


if __name__ == "__main__":
    main()
