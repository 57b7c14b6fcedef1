"""From input files to coded pictures; knows no Ray and no archive folder, only bytes in and entries out.

Pictures are coded one at a time, on one thread, whatever the chunk they come in: their bytes depend on nothing else.
"""

import math
import os
import re
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.base.errors import BitstreamError, CheckpointError, PictureError
from pipeline.codecs import checkpoint
from pipeline.codecs.checkpoint import LoadedCodec
from pipeline.codecs.coding import compress_picture, decompress_picture
from pipeline.codecs.guidance import Exact, Guidance, side_inputs
from pipeline.codecs.threads import torch_threads
from pipeline.formats.archive import CodedPicture
from pipeline.formats.archive_records import Rejection
from pipeline.formats.picture import Pixels, read_picture
from serving.inputs import local_path

_MAX_BYTES_A_PIXEL = 16
"""No picture format of ours takes more; a larger file is not read at all."""
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_ROWS_A_STEP = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One input to code."""

    name: str
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """What a worker needs to know; sent to it once."""

    weights_path: str
    weights_sha256: str
    """Hexadecimal; a worker that finds other weights at the path refuses to work."""
    max_pixels: int
    verify: bool
    exact: Exact = "all"
    background_step: int = 0
    rate: float | None = None
    labeller_path: str = ""
    labeller_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A loaded codec and how to use it."""

    loaded: LoadedCodec
    config: EngineConfig
    guidance: Guidance = field(default_factory=Guidance)


Coded = CodedPicture | Rejection


def open_engine(config: EngineConfig) -> Engine:
    """Load the codec. Raises: CheckpointError: not there, damaged, or not the weights that the job began with."""
    loaded = _load(config.weights_path, config.weights_sha256)
    labeller = _load(config.labeller_path, config.labeller_sha256) if config.labeller_path else None
    guidance = Guidance(exact=config.exact, background_step=config.background_step, rate=config.rate, labeller=labeller)
    return Engine(loaded=loaded, config=config, guidance=guidance)


def _load(path: str, sha256: str) -> LoadedCodec:
    loaded = checkpoint.load(path)
    if loaded.weights_sha256 != sha256:
        raise CheckpointError(f"{path}: sha256 is {loaded.weights_sha256[:16]}..., the job began with {sha256[:16]}...")
    return loaded


def code_chunk(engine: Engine, chunk: Sequence[Task]) -> list[Coded]:
    """Code a chunk's inputs one by one; each gives an entry or a rejection, in order."""
    # How float sums are split over threads must not reach an encoder's bytes.
    with torch_threads(1):
        return [_code(engine, task) for task in chunk]


def measure_psnr(pixels: Pixels, decoded: Pixels) -> float:
    """Return the PSNR in dB of two pictures (H, W, C) over their colour channels; infinite if they are equal."""
    num_colours = 1 if pixels.shape[2] <= 2 else 3
    total = 0
    # In strips, so that a large picture's differences do not need several times its own memory.
    for row in range(0, pixels.shape[0], _ROWS_A_STEP):
        strip = (slice(row, row + _ROWS_A_STEP), slice(None), slice(0, num_colours))
        difference = pixels[strip].astype(np.int32) - decoded[strip].astype(np.int32)
        total += int(np.sum(difference * difference, dtype=np.int64))
    if total == 0:
        return math.inf
    num_values = pixels.shape[0] * pixels.shape[1] * num_colours
    return 10.0 * math.log10(255.0 * 255.0 * num_values / total)


def read_input(location: str, *, name: str, max_bytes: int) -> bytes:
    """Return a file's bytes. Raises: PictureError: reasons `vanished`, `unreadable`, `too_large`."""
    try:
        # Without O_NONBLOCK a pipe with a picture's name would block for ever.
        descriptor = os.open(local_path(location), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise PictureError("unreadable", f"{name}: not a regular file")
            if status.st_size > max_bytes:
                raise PictureError("too_large", f"{name}: {status.st_size} bytes, over the limit of {max_bytes}")
            return file.read()
    except FileNotFoundError as error:
        raise PictureError("vanished", f"{name}: the file is gone") from error
    except OSError as error:
        raise PictureError("unreadable", f"{name}: {error.strerror}") from error


def _code(engine: Engine, task: Task) -> Coded:
    try:
        max_bytes = engine.config.max_pixels * _MAX_BYTES_A_PIXEL
        data = read_input(task.location, name=task.name, max_bytes=max_bytes)
        return code_picture(engine, task.name, data)
    except PictureError as error:
        return Rejection(name=task.name, reason=error.reason, message=_stable(str(error)))


def code_picture(
    engine: Engine, name: str, data: bytes, *, decode: Callable[..., Pixels] = decompress_picture
) -> CodedPicture:
    """Code one picture file's bytes and prove that they decode. Raises: PictureError: reason `verify_failed`, too."""
    picture = read_picture(data, where=name, max_pixels=engine.config.max_pixels)
    encoded = compress_picture(engine.loaded, picture.pixels, side_inputs(engine.guidance, picture.pixels))
    if engine.config.verify:
        try:
            decoded = decode(engine.loaded, encoded.data, where=name)
        except BitstreamError as error:
            raise PictureError("verify_failed", str(error)) from error
        if not np.array_equal(decoded, encoded.reconstruction):
            raise PictureError("verify_failed", f"{name}: decodes to another picture than its encoder promised")
    return CodedPicture(
        name=name,
        data=encoded.data,
        pixels_sha256=bytes.fromhex(picture.pixels_sha256),
        file_sha256=bytes.fromhex(picture.file_sha256),
        source_mode=picture.source_mode,
        codec=engine.loaded.spec.name,
        weights_sha256=bytes.fromhex(engine.loaded.weights_sha256),
        psnr_db=measure_psnr(picture.pixels, encoded.reconstruction),
        num_input_bytes=len(data),
    )


def _stable(message: str) -> str:
    # Commit records hold messages; an object's address in one would make two runs' bytes differ.
    return _ADDRESS.sub("", message)
