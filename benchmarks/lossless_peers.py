"""Pictures, what they cost by our codecs and by lossless peers, and tables of that: for benchmarks/lossless.py."""

import importlib
import lzma
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from pipeline.codecs.checkpoint import LoadedCodec, load
from pipeline.codecs.coding import Encoded, compress_picture, decompress_picture
from pipeline.codecs.interface import SideInputs
from pipeline.codecs.seec.class_map import decode_class_map
from pipeline.codecs.seec.codec import SEGMENT_CLASSES
from pipeline.evaluation.peers import PillowPeer, find_peer
from pipeline.formats.bitstream import unpack
from pipeline.formats.picture import SUFFIXES, Pixels, read_picture, to_rgb

T = TypeVar("T")
Classes = NDArray[np.uint8]
CHANNELS = 3
FLAT_LEVEL = 128
"""What stands for the pixels of other classes when a peer codes a class alone."""
_WEBP = PillowPeer(
    name="webp",
    qualities=None,
    pillow_format="WEBP",
    options={"lossless": True, "method": 6, "quality": 100},
    feature="webp",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LosslessPeer:
    """A codec of somebody else's, on one thread."""

    name: str
    encode: Callable[[Pixels], bytes]
    decode: Callable[[bytes, tuple[int, ...]], Any]
    """(file, shape) -> the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A picture to be coded."""

    folder: str
    group: str
    """The sub-folder that it is in; "": in none."""
    name: str
    pixels: Pixels
    label: Classes | None

    @property
    def num_pixels(self) -> int:
        return self.pixels.shape[0] * self.pixels.shape[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What one picture took by one codec."""

    folder: str
    group: str
    picture: str
    codec: str
    num_bytes: int
    pixels: int
    encode_s: float
    decode_s: float | None = None
    """CPU seconds; None: not decoded."""
    class_bytes: Mapping[int, float] = field(default_factory=dict)
    class_pixels: Mapping[int, int] = field(default_factory=dict)


def shown_in(folders: Sequence[Path], labels: Sequence[Path], limit: int) -> Iterator[Shown]:
    """Yield the pictures of each folder, and what the label folder of the same place says of them.

    A label map has its picture's name, or ends in `.label.png`. With a limit, as many of a folder's pictures, evenly.
    Raises: ValueError: a label map has another size than its picture.
    """
    for number, folder in enumerate(folders):
        files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
        files = [file for file in files if not file.name.endswith((".label.png", ".regions.png"))]
        count = min(limit, len(files)) if limit else len(files)
        for file in [files[place * len(files) // count] for place in range(count)]:
            pixels = to_rgb(read_picture(file.read_bytes(), where=str(file)).pixels)
            inside = file.relative_to(folder)
            label = None
            stems = [labels[number] / inside.with_suffix(end) for end in (".label.png", ".png")] if labels else []
            for found in [stem for stem in stems if stem.is_file()][:1]:
                label = np.ascontiguousarray(read_picture(found.read_bytes(), where=str(found)).pixels[:, :, 0])
                if label.shape != pixels.shape[:2]:
                    raise ValueError(f"{found}: {label.shape} labels of a picture {pixels.shape[:2]}")
            group = inside.parts[0] if len(inside.parts) > 1 else ""
            yield Shown(folder=str(folder), group=group, name=str(inside), pixels=pixels, label=label)


def peers() -> tuple[list[LosslessPeer], list[str]]:
    """Return the peers that run here, and the names of those that are not installed."""
    png = find_peer("png")
    found = [
        _pillow("PNG, Pillow, optimised", png),
        _pillow("WebP lossless, method 6, quality 100", _WEBP),
        _jpeg_xl(7),
        _jpeg_xl(9),
        LosslessPeer(
            name="zstd -19 of raw RGB",
            encode=lambda picture: bytes(imagecodecs.zstd_encode(picture.tobytes(), level=19)),
            decode=lambda data, shape: _raw(imagecodecs.zstd_decode(data), shape),
        ),
        LosslessPeer(
            name="xz -9 of raw RGB",
            encode=lambda picture: lzma.compress(picture.tobytes(), preset=9),
            decode=lambda data, shape: _raw(lzma.decompress(data), shape),
        ),
    ]
    oxipng = _oxipng()
    if oxipng is None:
        return found, ["oxipng"]
    optimise = oxipng
    found.insert(
        1,
        LosslessPeer(
            name="oxipng -o4",
            encode=lambda picture: optimise(png.encode(picture, 0)),
            decode=lambda data, _: png.decode(data),
        ),
    )
    return found, []


def _pillow(name: str, peer: PillowPeer) -> LosslessPeer:
    return LosslessPeer(
        name=name, encode=lambda picture: peer.encode(picture, 0), decode=lambda data, _: peer.decode(data)
    )


def _jpeg_xl(effort: int) -> LosslessPeer:
    def encode(picture: Pixels) -> bytes:
        return bytes(imagecodecs.jpegxl_encode(picture, lossless=True, effort=effort, numthreads=1))

    def decode(data: bytes, shape: tuple[int, ...]) -> Any:
        del shape
        return imagecodecs.jpegxl_decode(data, numthreads=1)

    return LosslessPeer(name=f"JPEG XL, effort {effort}", encode=encode, decode=decode)


def _raw(data: bytes, shape: tuple[int, ...]) -> Pixels:
    return np.frombuffer(data, dtype=np.uint8).reshape(shape)


def _oxipng() -> Callable[[bytes], bytes] | None:
    """Return what makes a PNG smaller, by the Python package or the program, if either is there."""
    try:
        package: Any = importlib.import_module("oxipng")
    except ImportError:
        program = shutil.which("oxipng")
        return None if program is None else lambda data: _by_program(program, data)
    return lambda data: bytes(package.optimize_from_memory(data, level=4))


def _by_program(program: str, data: bytes) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "picture.png"
        file.write_bytes(data)
        command = [program, "-o", "4", "--threads", "1", "--quiet", str(file)]
        subprocess.run(command, check=True)
        return file.read_bytes()


def cpu_seconds() -> float:
    """Return what this process and its ended children have spent: other processes' load does not show in it."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def timed(work: Callable[..., T], *arguments: Any) -> tuple[T, float]:
    """Return what `work` returns and its CPU seconds."""
    began = cpu_seconds()
    result = work(*arguments)
    return result, cpu_seconds() - began


def measured(peer: LosslessPeer, shown: Shown, classes: Classes | None) -> Rate:
    """Code a picture, and each of its classes alone. Raises: SystemExit: it does not come back as it was."""
    picture = shown.pixels
    data, encode_s = timed(peer.encode, picture)
    decoded, decode_s = timed(peer.decode, data, picture.shape)
    if not np.array_equal(decoded, picture):
        raise SystemExit(f"{shown.name}: {peer.name} does not give the picture back")
    class_bytes: dict[int, float] = {}
    class_pixels: dict[int, int] = {}
    for of_class in [] if classes is None else np.unique(classes):
        inside = classes == of_class
        alone = np.where(inside[:, :, None], picture, np.uint8(FLAT_LEVEL))
        class_bytes[int(of_class)] = len(data) if inside.all() else len(peer.encode(alone))
        class_pixels[int(of_class)] = int(inside.sum())
    return Rate(
        folder=shown.folder,
        group=shown.group,
        picture=shown.name,
        codec=peer.name,
        num_bytes=len(data),
        pixels=shown.num_pixels,
        encode_s=encode_s,
        decode_s=decode_s,
        class_bytes=class_bytes,
        class_pixels=class_pixels,
    )


def rate_of_ours(path: str, loaded: LoadedCodec, shown: Shown, *, verify: bool) -> tuple[Rate, Encoded]:
    encoded, encode_s = timed(compress_picture, loaded, shown.pixels, SideInputs(label=shown.label))
    decode_s = checked(loaded, encoded, shown.pixels, where=f"{shown.name} by {path}") if verify else None
    details = encoded.details
    found = [each for each in range(256) if details.get(f"pixels_class_{each}")]
    rate = Rate(
        folder=shown.folder,
        group=shown.group,
        picture=shown.name,
        codec=path,
        num_bytes=len(encoded.data),
        pixels=shown.num_pixels,
        encode_s=encode_s,
        decode_s=decode_s,
        class_bytes={each: details[f"bytes_class_{each}"] for each in found},
        class_pixels={each: int(details[f"pixels_class_{each}"]) for each in found},
    )
    return rate, encoded


def checked(loaded: LoadedCodec, encoded: Encoded, pixels: Pixels, *, where: str) -> float:
    """Return the seconds of decoding. Raises: SystemExit: something else comes out."""
    decoded, seconds = timed(decompress_picture, loaded, encoded.data)
    if not np.array_equal(decoded, pixels):
        raise SystemExit(f"{where}: does not decode to the picture")
    return seconds


def warm(path: str) -> LoadedCodec:
    """Return a checkpoint whose kernels are compiled."""
    loaded = load(path)
    # Copies and noise: every branch.
    pixels = np.random.default_rng(0).integers(0, 2, (64, 64, 3), dtype=np.uint8) * np.uint8(200)
    decompress_picture(loaded, compress_picture(loaded, pixels).data)
    return loaded


def classes_in(loaded: LoadedCodec, data: bytes) -> Classes:
    """Return the classes that a bitstream says; all 0 where it says none."""
    parsed = unpack(data)
    if SEGMENT_CLASSES not in parsed.segments:
        return np.zeros((parsed.height, parsed.width), dtype=np.uint8)
    count = loaded.codec.config.num_classes
    return decode_class_map(
        parsed.segments[SEGMENT_CLASSES], height=parsed.height, width=parsed.width, num_classes=count
    )


def print_table(title: str, rates: Iterable[Rate], missing: Iterable[str]) -> None:
    """Print one table: a line for each codec, sums over the pictures."""
    of_codec: dict[str, list[Rate]] = {}
    for rate in rates:
        of_codec.setdefault(rate.codec, []).append(rate)
    if not of_codec:
        return
    num_classes = 1 + max((each for rows in of_codec.values() for row in rows for each in row.class_pixels), default=-1)
    some = next(iter(of_codec.values()))
    print(f"\n{title}: {len(some)} pictures, {sum(row.pixels for row in some) / 1e6:.2f} MPix\n")
    of_classes = "".join(f" class {each} |" for each in range(num_classes))
    print(f"| codec | bits per sub-pixel |{of_classes} encode, MPix/s | decode, MPix/s |")
    print("| --- |" + " ---: |" * (3 + num_classes))
    for codec, rows in of_codec.items():
        pixels = sum(row.pixels for row in rows)
        cells = [_bits_a_sub_pixel(sum(row.num_bytes for row in rows), pixels)]
        for each in range(num_classes):
            of_class = sum(row.class_bytes.get(each, 0.0) for row in rows)
            cells.append(_bits_a_sub_pixel(of_class, sum(row.class_pixels.get(each, 0) for row in rows)))
        cells.append(_speed(pixels, [row.encode_s for row in rows]))
        cells.append(_speed(pixels, [row.decode_s for row in rows]))
        print(f"| {codec} | {' | '.join(cells)} |")
    for name in missing:
        print(f"| {name} | not installed |" + " |" * (2 + num_classes))


def _bits_a_sub_pixel(num_bytes: float, pixels: int) -> str:
    return f"{8 * num_bytes / (CHANNELS * pixels):.4f}" if pixels else "-"


def _speed(pixels: int, seconds: list[float | None]) -> str:
    known = [each for each in seconds if each is not None]
    return f"{pixels / sum(known) / 1e6:.3f}" if len(known) == len(seconds) and sum(known) > 0 else "-"
