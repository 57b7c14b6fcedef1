"""The usual codecs that a checkpoint is measured beside, and how they meet a byte budget.

Pictures are RGB, (H, W, 3), uint8. `jpeg` and `mozjpeg` keep the full colour resolution (4:4:4), which coloured text
needs; names ending in 420 halve it, as most writers do. Lossy WebP has 4:2:0 only. PNG and lossless WebP are references
for size: no budget.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import PIL
from PIL import Image, features

from pipeline.base.errors import ConfigError, PictureError
from pipeline.evaluation.jpeg_peers import JpegliPeer, MozjpegPeer
from pipeline.formats.picture import Pixels


class Peer(Protocol):
    """A codec with one dial."""

    @property
    def name(self) -> str:
        """Stable name in results."""

    @property
    def qualities(self) -> range | None:
        """Qualities from the smallest file upwards; None for a lossless codec, whose `encode` ignores quality."""

    @property
    def settings(self) -> str:
        """What was asked of the encoder, beside the quality, for people and for results."""

    @property
    def version(self) -> str:
        """The library that does the work, with its version. Raises: MissingDependency: it is not installed."""

    def encode(self, picture: Pixels, quality: int) -> bytes:
        """Return a whole file. Raises: PictureError: `refused_by_peer`, such as a side that the format cannot state."""

    def decode(self, data: bytes) -> Pixels:
        """Return the picture in a file that `encode` made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PillowPeer:
    """A format that Pillow writes."""

    name: str
    qualities: range | None
    pillow_format: str
    options: Mapping[str, Any]
    feature: str
    """Pillow's name of the library behind the format."""

    @property
    def settings(self) -> str:
        return " ".join(f"{key}={value}" for key, value in sorted(self.options.items()))

    @property
    def version(self) -> str:
        return f"{self.feature} {features.version(self.feature)} (Pillow {PIL.__version__})"

    def encode(self, picture: Pixels, quality: int) -> bytes:
        options = dict(self.options) if self.qualities is None else {**self.options, "quality": quality}
        buffer = io.BytesIO()
        try:
            Image.fromarray(picture).save(buffer, format=self.pillow_format, **options)
        except (OSError, ValueError) as error:
            height, width = picture.shape[:2]
            raise PictureError("refused_by_peer", f"{self.name}: does not take {width}x{height}: {error}") from error
        return buffer.getvalue()

    def decode(self, data: bytes) -> Pixels:
        with Image.open(io.BytesIO(data)) as image:
            return np.array(image.convert("RGB"), dtype=np.uint8)


_JPEG = {"optimize": True, "progressive": True}

PEERS: tuple[Peer, ...] = (
    PillowPeer(
        name="jpeg",
        qualities=range(1, 101),
        pillow_format="JPEG",
        options={**_JPEG, "subsampling": "4:4:4"},
        feature="libjpeg_turbo",
    ),
    PillowPeer(
        name="jpeg420",
        qualities=range(1, 101),
        pillow_format="JPEG",
        options={**_JPEG, "subsampling": "4:2:0"},
        feature="libjpeg_turbo",
    ),
    MozjpegPeer(name="mozjpeg", subsampling="4:4:4"),
    MozjpegPeer(name="mozjpeg420", subsampling="4:2:0"),
    JpegliPeer(name="jpegli420"),
    PillowPeer(name="webp", qualities=range(101), pillow_format="WEBP", options={"method": 6}, feature="webp"),
    PillowPeer(name="png", qualities=None, pillow_format="PNG", options={"optimize": True}, feature="zlib"),
    PillowPeer(
        name="webp_lossless",
        qualities=None,
        pillow_format="WEBP",
        options={"lossless": True, "method": 4, "quality": 80},
        feature="webp",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """A peer's file that was made to meet a budget."""

    data: bytes
    quality: int
    over_budget: bool
    """True if even the lowest quality needs more bytes than allowed; `data` is then the lowest quality's."""


def find_peer(name: str) -> Peer:
    """Return the peer called `name`. Raises: ConfigError: there is none."""
    for peer in PEERS:
        if peer.name == name:
            return peer
    raise ConfigError(f"peer {name!r} is unknown; known: {', '.join(peer.name for peer in PEERS)}")


def at_most(peer: Peer, picture: Pixels, num_bytes: int) -> Matched:
    """Return the peer's file of the highest quality, found by bisection, that has at most `num_bytes` bytes.

    Sizes grow with quality but for rare small steps down, so where such a step lies at the budget a slightly higher
    quality may fit, too. Raises: ValueError: the peer is lossless; PictureError: it refuses the picture.
    """
    if peer.qualities is None:
        raise ValueError(f"{peer.name} has no quality to search over")
    low, high = 0, len(peer.qualities) - 1
    best = _encoded(peer, picture, peer.qualities[low])
    if len(best.data) > num_bytes:
        return Matched(data=best.data, quality=best.quality, over_budget=True)
    while low < high:
        middle = (low + high + 1) // 2
        trial = _encoded(peer, picture, peer.qualities[middle])
        if len(trial.data) <= num_bytes:
            low, best = middle, trial
        else:
            high = middle - 1
    return best


def _encoded(peer: Peer, picture: Pixels, quality: int) -> Matched:
    return Matched(data=peer.encode(picture, quality), quality=quality, over_budget=False)
