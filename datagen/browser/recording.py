"""Somebody's page with everything it loaded, as bytes: what a corpus keeps of it, and what it is drawn from.

A recording is a ZIP of `page.json` and one file for each address. Drawing it needs no network and no folder, so any
worker makes the same picture from it, today and in a year.
"""

import io
import json
import mimetypes
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import APIResponse, Route
from playwright.sync_api import Error as PlaywrightError

from pipeline.base.errors import PictureError
from pipeline.base.store import canonical_json, sha256_hex

ORIGIN = "http://pages.invalid"
"""Where pages of a folder are served from, out of memory; the name can never exist (RFC 2606)."""
MAX_RESOURCE_BYTES = 64 << 20

_EPOCH = (1980, 1, 1, 0, 0, 0)
_EXTRA_TYPES = {
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".woff2": "font/woff2",
    ".woff": "font/woff",
    ".mjs": "text/javascript",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What an address answered."""

    status: int
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One page."""

    name: str
    """Path in its folder, or URL."""
    address: str
    """What is opened."""
    responses: Mapping[str, Response]
    """By address."""

    @property
    def sha256(self) -> str:
        """SHA-256 over addresses and bytes of the page and its files, hexadecimal."""
        lines = [
            f"{url} {answer.status} {answer.content_type} {sha256_hex(answer.data)}"
            for url, answer in sorted(self.responses.items())
        ]
        return sha256_hex("\n".join([self.address, *lines]).encode())

    def to_bytes(self) -> bytes:
        """Return it as a ZIP; same recording, same bytes."""
        urls = sorted(self.responses)
        table = {
            "format": "diptych-page",
            "format_version": 1,
            "name": self.name,
            "address": self.address,
            "responses": [
                {"url": url, "status": self.responses[url].status, "content_type": self.responses[url].content_type}
                for url in urls
            ],
        }
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(zipfile.ZipInfo("page.json", _EPOCH), canonical_json(table), zipfile.ZIP_DEFLATED)
            for index, url in enumerate(urls):
                archive.writestr(
                    zipfile.ZipInfo(f"{index:06d}", _EPOCH), self.responses[url].data, zipfile.ZIP_DEFLATED
                )
        return buffer.getvalue()


def read_recording(data: bytes, *, where: str) -> Recording:
    """Return what `to_bytes` wrote. Raises: PictureError: `page_damaged`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            table = json.loads(archive.read("page.json"))
            if (table["format"], table["format_version"]) != ("diptych-page", 1):
                raise ValueError(f"format is {table['format']} {table['format_version']}")
            responses = {
                str(row["url"]): Response(
                    status=int(row["status"]), content_type=str(row["content_type"]), data=archive.read(f"{index:06d}")
                )
                for index, row in enumerate(table["responses"])
            }
        return Recording(name=str(table["name"]), address=str(table["address"]), responses=responses)
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError, NotImplementedError) as error:
        raise PictureError("page_damaged", f"{where}: not a recorded page ({error})") from error


class Folder:
    """Answers from the files of a folder; nothing else can be reached."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def answer(self, route: Route) -> Response | None:
        """Return the file that is asked for, None for what lies elsewhere or is not there."""
        parts = urlsplit(route.request.url)
        if f"{parts.scheme}://{parts.netloc}" != ORIGIN:
            return None
        path = (self._folder / unquote(parts.path).lstrip("/")).resolve()
        if path.is_dir():
            path /= "index.html"
        if not path.is_relative_to(self._folder) or not path.is_file() or path.stat().st_size > MAX_RESOURCE_BYTES:
            return None
        kind = _EXTRA_TYPES.get(path.suffix.lower()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return Response(status=200, content_type=kind, data=path.read_bytes())


class Network:
    """Answers from the network, for a page whose URL was given; only GET, only http and https."""

    def answer(self, route: Route) -> Response | None:
        """Return what the server answers, None where it does not."""
        request = route.request
        if request.method != "GET" or urlsplit(request.url).scheme not in ("http", "https"):
            return None
        try:
            found: APIResponse = route.fetch(max_redirects=20)
            data = found.body()
        except PlaywrightError:
            return None
        if len(data) > MAX_RESOURCE_BYTES:
            return None
        return Response(status=found.status, content_type=found.headers.get("content-type", ""), data=data)
