"""Screen: lossless, for any picture, without weights: everything is learnt from the pixels before.

    pixel -> as its flat surroundings? -> one of the proposed colours? -> new colour: bits, or residuals

Each arrow is a binary decision whose probability is mixed from counters; integers only. Large pictures are cut into
strips of rows that know nothing of each other, so that several threads can work at once.
"""

import itertools
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.base.errors import CorruptBitstream, TruncatedBitstream, UnsupportedBitstream
from pipeline.codecs.interface import AbstractCodec, CodecOutput, Coded, SideInputs
from pipeline.codecs.screen.config import EFFORTS, ScreenConfig
from pipeline.codecs.screen.stream import decode_strip, encode_strip
from pipeline.codecs.threads import on_threads

SEGMENT_PIXELS = 1
STRIP_PIXELS = 1 << 21
"""A picture has as many strips as it has these, rounded down, but at least one and at most MAX_STRIPS."""
MAX_STRIPS = 16
_LENGTH_BYTES = 4
_STORED = 255
"""In place of an effort: the pixels as they are, for noise."""


def build(config: ScreenConfig) -> "ScreenCodec":
    """Build the codec."""
    return ScreenCodec(config)


class ScreenCodec(AbstractCodec):
    """A codec that has no parameters."""

    def __init__(self, config: ScreenConfig) -> None:
        super().__init__()
        self._config = config

    @property
    def config(self) -> ScreenConfig:
        return self._config

    @property
    def device(self) -> torch.device:
        """The CPU: there are no parameters."""
        return torch.device("cpu")

    def forward(
        self,
        pictures_N3HW: Tensor,
        regions_NHW: Tensor | None = None,
        labels_NHW: Tensor | None = None,
    ) -> CodecOutput:
        """Return the pictures themselves: there is nothing to train."""
        del regions_NHW, labels_NHW
        return CodecOutput(reconstruction=pictures_N3HW, likelihoods={})

    def aux_loss(self) -> Tensor:
        return torch.zeros(())

    def aux_parameters(self) -> list[nn.Parameter]:
        return []

    def freeze(self) -> None:
        """Do nothing: there are no weights."""

    def compress(self, picture: NDArray[np.uint8], side: SideInputs) -> Coded:
        del side
        height, width, _ = picture.shape
        effort = EFFORTS.index(self._config.effort)
        colours = np.zeros((height, width), dtype=np.int32)
        for channel in range(3):
            colours = (colours << 8) | picture[:, :, channel]
        tops = strip_tops(height, width)
        streams = on_threads(lambda rows: encode_strip(colours[rows[0] : rows[1]], effort), itertools.pairwise(tops))
        lengths = b"".join(len(stream).to_bytes(_LENGTH_BYTES, "little") for stream in streams[:-1])
        data = bytes([effort]) + lengths + b"".join(streams)
        if len(data) > picture.size:
            data = bytes([_STORED]) + np.ascontiguousarray(picture).tobytes()
        return Coded(segments={SEGMENT_PIXELS: data}, reconstruct=picture.copy)

    def decompress(self, segments: Mapping[int, bytes], *, height: int, width: int) -> NDArray[np.uint8]:
        if set(segments) != {SEGMENT_PIXELS}:
            raise CorruptBitstream(f"screen needs the segment {SEGMENT_PIXELS} alone, got {sorted(segments)}")
        data = memoryview(segments[SEGMENT_PIXELS])
        tops = strip_tops(height, width)
        if len(data) and data[0] == _STORED:
            return _stored(data[1:], height, width)
        effort, streams = _split(data, len(tops) - 1)
        picture = np.empty((height, width, 3), dtype=np.uint8)

        def decode(number: int) -> None:
            top, bottom = tops[number], tops[number + 1]
            colours = decode_strip(streams[number], bottom - top, width, effort)
            for channel in range(3):
                picture[top:bottom, :, channel] = (colours >> (16 - 8 * channel)) & 255

        on_threads(decode, range(len(streams)))
        return picture


def strip_tops(height: int, width: int) -> list[int]:
    """Return the first row of each strip, and the height: a function of the size alone."""
    count = min(max(height * width // STRIP_PIXELS, 1), MAX_STRIPS, height)
    return [height * number // count for number in range(count + 1)]


def _stored(data: memoryview, height: int, width: int) -> NDArray[np.uint8]:
    size = height * width * 3
    if len(data) < size:
        raise TruncatedBitstream(f"stored picture needs {size} bytes, got {len(data)}")
    if len(data) > size:
        raise CorruptBitstream(f"stored picture needs {size} bytes, got {len(data)}")
    return np.array(np.frombuffer(data, dtype=np.uint8)).reshape(height, width, 3)


def _split(data: memoryview, count: int) -> tuple[int, list[memoryview]]:
    """Return the effort and the strips' streams."""
    first = 1 + _LENGTH_BYTES * (count - 1)
    if len(data) < first:
        raise TruncatedBitstream(f"screen stream of {len(data)} bytes ends before its {count} strips")
    effort = data[0]
    if effort >= len(EFFORTS):
        raise UnsupportedBitstream(f"screen stream has effort {effort}, unknown to this release")
    streams = []
    for number in range(count - 1):
        place = 1 + _LENGTH_BYTES * number
        end = first + int.from_bytes(data[place : place + _LENGTH_BYTES], "little")
        if end > len(data):
            raise TruncatedBitstream(f"screen stream of {len(data)} bytes ends within strip {number}")
        streams.append(data[first:end])
        first = end
    return effort, [*streams, data[first:]]
