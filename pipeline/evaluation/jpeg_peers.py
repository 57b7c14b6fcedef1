"""JPEG by encoders that spend time on it: mozjpeg through jpeglib, jpegli through pyjpegli. Pillow decodes it.

Neither library is imported before it is used, and `version` says which one is missing.
"""

import importlib
import io
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pipeline.base.errors import MissingDependency, PictureError
from pipeline.formats.picture import Pixels

MAX_SIDE = 65500
"""libjpeg's own limit, which all of its descendants keep."""
QUALITIES = range(1, 101)
_MOZJPEG = "mozjpeg403"


@dataclass(frozen=True, slots=True, kw_only=True)
class MozjpegPeer:
    """mozjpeg 4.0.3 by its defaults: own tables, trellis quantisation, deringing, the best of several progressions."""

    name: str
    subsampling: str
    """`4:4:4` or `4:2:0`."""

    @property
    def qualities(self) -> range:
        return QUALITIES

    @property
    def settings(self) -> str:
        return f"defaults=trellis,progressive subsampling={self.subsampling}"

    @property
    def version(self) -> str:
        return f"mozjpeg 4.0.3 (jpeglib {_installed('jpeglib')})"

    def encode(self, picture: Pixels, quality: int) -> bytes:
        """Return a JPEG file. Raises: PictureError: `refused_by_peer`; MissingDependency.

        The library writes files only, so the seconds of a call include a small file's way to disk and back.
        """
        _refuse_large(self.name, picture)
        jpeglib = _load("jpeglib")
        jpeg = jpeglib.from_spatial(np.ascontiguousarray(picture))
        jpeg.samp_factor = self.subsampling
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "peer.jpg"
            # The library in use is one for the whole process; others expect their own.
            with jpeglib.version(_MOZJPEG):
                try:
                    jpeg.write_spatial(str(path), qt=quality)
                except OSError as error:
                    raise _refused(self.name, picture, error) from error
            return path.read_bytes()

    def decode(self, data: bytes) -> Pixels:
        return _decode(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class JpegliPeer:
    """jpegli by pyjpegli, which leaves no choice but the quality: 4:2:0, one sequential scan."""

    name: str

    @property
    def qualities(self) -> range:
        return QUALITIES

    @property
    def settings(self) -> str:
        return "progressive=False subsampling=4:2:0"

    @property
    def version(self) -> str:
        return f"jpegli (pyjpegli {_installed('pyjpegli')})"

    def encode(self, picture: Pixels, quality: int) -> bytes:
        """Return a JPEG file. Raises: PictureError: `refused_by_peer`; MissingDependency."""
        _refuse_large(self.name, picture)
        height, width = picture.shape[:2]
        try:
            data: bytes = _load("pyjpegli").encode(np.ascontiguousarray(picture), width, height, quality=quality)
        except RuntimeError as error:
            raise _refused(self.name, picture, error) from error
        return data

    def decode(self, data: bytes) -> Pixels:
        return _decode(data)


def _decode(data: bytes) -> Pixels:
    with Image.open(io.BytesIO(data)) as image:
        return np.array(image.convert("RGB"), dtype=np.uint8)


def _refuse_large(name: str, picture: Pixels) -> None:
    if max(picture.shape[:2]) > MAX_SIDE:
        raise _refused(name, picture, f"a side is above {MAX_SIDE}")


def _refused(name: str, picture: Pixels, reason: object) -> PictureError:
    height, width = picture.shape[:2]
    return PictureError("refused_by_peer", f"{name}: does not take {width}x{height}: {reason}")


def _load(package: str) -> Any:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise _missing(package) from error


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError as error:
        raise _missing(package) from error


def _missing(package: str) -> MissingDependency:
    return MissingDependency(f"{package} is not installed; pip install 'diptych[evaluate]'")
