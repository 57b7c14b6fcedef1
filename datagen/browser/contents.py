"""What a recorded page shows: which of its pictures are photographs, and its bytes with those photographs exchanged."""

import base64
import binascii
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageOps

from datagen.browser.fillings import filling, transparent_filling
from datagen.browser.photo_or_drawn import Verdict, classify
from datagen.browser.recording import Recording, Response
from pipeline.base.store import sha256_hex
from pipeline.formats.picture import FORMATS, PILLOW_ERRORS, Pixels

_DATA_URL = re.compile(rb"data:image/(?:jpeg|jpg|png|webp|gif|bmp|avif);base64,([A-Za-z0-9+/=%]{100,})")
_TEXTS = ("text/", "javascript", "json", "xml", "svg")
_FORMATS = (*FORMATS, "AVIF")
_MAX_PIXELS = 1 << 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The pictures of one page. Pictures are known by the SHA-256 of their bytes."""

    verdicts: Mapping[str, Verdict]
    addresses: Mapping[str, str]
    """Picture by address; pictures inside `data:` addresses have the whole of it."""

    def showing(self, verdict: Verdict) -> list[str]:
        """Return the addresses of the pictures with this verdict."""
        return [address for address, digest in self.addresses.items() if self.verdicts[digest] == verdict]

    def doubts(self) -> "Contents":
        """Return the same pictures, where those that nobody is sure of are the photographs, and no others."""
        swapped: dict[str, Verdict] = {
            digest: "photo" if verdict == "unsure" else "drawn" for digest, verdict in self.verdicts.items()
        }
        return replace(self, verdicts=swapped)


def examine(recording: Recording, wishes: Sequence[tuple[str, str]]) -> Contents:
    """Judge every picture of a page; `wishes` are (address, `photo` or `drawn`) from the page's own attributes."""
    verdicts: dict[str, Verdict] = {}
    addresses: dict[str, str] = {}
    for url, response in recording.responses.items():
        pictures = {url: response.data} if _is_picture(response) else {}
        if _is_text(response):
            pictures = {found.group(0).decode(): _decoded(found) for found in _DATA_URL.finditer(response.data)}
        for address, data in pictures.items():
            digest = sha256_hex(data)
            addresses[address] = digest
            if digest not in verdicts:
                pixels = _pixels(data)
                verdicts[digest] = "unsure" if pixels is None else classify(pixels)
    for address, wish in wishes:
        if address in addresses and wish in ("photo", "drawn"):
            verdicts[addresses[address]] = "photo" if wish == "photo" else "drawn"
    return Contents(verdicts=verdicts, addresses=addresses)


def filled(response: Response, contents: Contents, grey: int) -> Response:
    """Return the response with each photograph in it replaced by a filling of its size and transparency."""
    if _is_picture(response):
        stand_in = _filling(response.data, contents, grey)
        return (
            response if stand_in is None else Response(status=response.status, content_type="image/png", data=stand_in)
        )
    if not _is_text(response):
        return response

    def exchange(found: re.Match[bytes]) -> bytes:
        stand_in = _filling(_decoded(found), contents, grey)
        return found.group(0) if stand_in is None else b"data:image/png;base64," + base64.b64encode(stand_in)

    return Response(
        status=response.status, content_type=response.content_type, data=_DATA_URL.sub(exchange, response.data)
    )


def _filling(data: bytes, contents: Contents, grey: int) -> bytes | None:
    if contents.verdicts.get(sha256_hex(data)) != "photo":
        return None
    pixels = _pixels(data)
    if pixels is None:
        return None
    if pixels.shape[2] in (2, 4):
        return transparent_filling(np.ascontiguousarray(pixels[:, :, -1]), grey)
    return filling(pixels.shape[1], pixels.shape[0], grey)


def _pixels(data: bytes) -> Pixels | None:
    """Return the first frame, upright, as RGB or RGBA; None if it cannot be decoded."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            if image.width * image.height > _MAX_PIXELS:
                return None
            upright = ImageOps.exif_transpose(image)
            see_through = "A" in upright.mode or "transparency" in upright.info
            pixels = np.array(upright.convert("RGBA" if see_through else "RGB"))
    except (*PILLOW_ERRORS, Image.DecompressionBombError):
        return None
    return pixels[:, :, :3] if see_through and bool((pixels[:, :, 3] == 255).all()) else pixels


def _is_picture(response: Response) -> bool:
    # Servers mislabel pictures, and browsers look at the bytes; so does this.
    head = response.data[:16]
    known = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"BM")
    named = response.content_type.startswith("image/") and "svg" not in response.content_type
    other = _is_text(response) or response.content_type.startswith(("video/", "audio/", "font/"))
    return named or (head.startswith(known) and not other)


def _is_text(response: Response) -> bool:
    return any(part in response.content_type for part in _TEXTS)


def _decoded(found: re.Match[bytes]) -> bytes:
    try:
        return base64.b64decode(found.group(1).replace(b"%2B", b"+").replace(b"%2F", b"/").replace(b"%3D", b"="))
    except binascii.Error:
        return b""
