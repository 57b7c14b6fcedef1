"""Files behind a URL that fsspec opens: ranged reads, tries again what may pass, one kind of error.

Over HTTP a range is asked for here rather than by fsspec, which takes a whole file for a piece of it where a server
knows no ranges, and takes any error for a file that is not there.
"""

import errno
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import fsspec
import fsspec.asyn

from pipeline.base.errors import MissingDependency, StorageError

T = TypeVar("T")

logger = logging.getLogger(__name__)

DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds before each further try, about a minute in all."""

_PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "http": "aiohttp", "https": "aiohttp"}
_TRANSIENT_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_TRANSIENT_ERRNO = frozenset({errno.EBUSY, errno.EIO, errno.EAGAIN, errno.ETIMEDOUT})
_MAX_WAIT = 60.0
"""Seconds that a server may ask for by Retry-After."""
_CONNECT_SECONDS, _READ_SECONDS = 20.0, 60.0
"""How long a server may say nothing, over HTTP; a large file may take any time."""


class HttpStatus(OSError):
    """A server refused with a status other than "not found"."""

    def __init__(self, status: int, reason: str, *, wait: float = 0.0) -> None:
        super().__init__(f"HTTP {status} {reason}".strip())
        self.status = status
        self.wait = wait
        """Seconds that it asks to wait, 0 if it does not say."""


class Remote:
    """The files below one URL. All methods raise StorageError, naming the file."""

    def __init__(self, url: str, *, delays: tuple[float, ...] | None = None) -> None:
        self.url = url
        self._delays = DELAYS if delays is None else delays
        protocol = url.partition("://")[0]
        self._is_http = protocol in ("http", "https")
        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except ImportError as error:
            package = _PACKAGES.get(protocol, str(error))
            raise MissingDependency(
                f"{url}: needs {package}, which is not installed; pip install 'diptych[remote]'"
            ) from error
        except Exception as error:
            # Each protocol's package has errors of its own, and no common base.
            raise StorageError(f"{url}: {error}") from error

    def is_file(self, name: str) -> bool:
        """Return whether `name` is there; a server that cannot tell is an error, not an absent file."""

        def look() -> bool:
            if self._is_http:
                return bool(fsspec.asyn.sync(self._files.loop, self._http_size, name) is not None)
            return bool(self._files.info(self.path(name))["type"] == "file")

        try:
            return self._try(name, look)
        except StorageError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return False
            raise

    def size(self, name: str) -> int:
        """Return the size of `name` in bytes."""

        def ask() -> int:
            if self._is_http:
                return int(fsspec.asyn.sync(self._files.loop, self._http_size, name))
            return int(self._files.size(self.path(name)))

        return self._try(name, ask)

    def names(self, folder: str) -> list[str]:
        """Return the names of the files directly in `folder`, without it; none if there is no such folder."""

        def ask() -> list[str]:
            path = self.path(folder)
            entries = self._files.ls(path, detail=True) if self._files.isdir(path) else []
            return [str(entry["name"]).rsplit("/", 1)[-1] for entry in entries if entry["type"] == "file"]

        return self._try(folder, ask)

    def read(self, name: str, *, start: int = 0, size: int | None = None) -> bytes:
        """Return `size` bytes of `name` from offset `start`; a part is transferred alone."""

        def ask() -> bytes:
            if self._is_http:
                return bytes(fsspec.asyn.sync(self._files.loop, self._http_read, name, start, size))
            end = None if size is None else start + size
            return bytes(self._files.cat_file(self.path(name), start=start, end=end))

        return b"" if size == 0 else self._try(name, ask)

    def write(self, name: str, data: bytes) -> None:
        """Write `name`, whole."""

        def put() -> None:
            self._files.makedirs(self.path(name).rsplit("/", 1)[0], exist_ok=True)
            self._files.pipe_file(self.path(name), data)

        self._try(name, put)

    def upload(self, path: Path, name: str) -> None:
        """Write a local file as `name`."""

        def put() -> None:
            self._files.makedirs(self.path(name).rsplit("/", 1)[0], exist_ok=True)
            self._files.put_file(str(path), self.path(name))

        self._try(name, put)

    def remove(self, name: str) -> None:
        """Remove `name`; it need not exist."""
        if self.is_file(name):
            self._try(name, lambda: self._files.rm_file(self.path(name)))

    def path(self, name: str) -> str:
        """Return `name` as fsspec's file system knows it."""
        return f"{str(self._root).rstrip('/')}/{name}".rstrip("/")

    def _try(self, name: str, action: Callable[[], T]) -> T:
        """Return what `action` returns, which is tried again while its errors are of a kind that passes."""
        where = f"{self.url.rstrip('/')}/{name}"
        for delay in (*self._delays, None):
            try:
                return action()
            except Exception as error:
                if delay is None or not _passes(error):
                    tries = f" ({len(self._delays) + 1} tries)" if delay is None and self._delays else ""
                    raise StorageError(f"{where}: {_describe(error)}{tries}") from error
                # Ranks that failed together must not come back together.
                wait = max(delay * (0.5 + int.from_bytes(os.urandom(2), "little") / 65536), _asked_wait(error))
                logger.warning("%s: %s; trying again in %.1f s", where, _describe(error), wait)
                time.sleep(wait)
        raise AssertionError("unreachable")

    async def _http_size(self, name: str) -> int:
        session = await self._files.set_session()
        url = self._files.encode_url(self.path(name))
        async with session.head(url, headers=_PLAIN, timeout=_timeout(), allow_redirects=True) as response:
            if response.status not in (403, 405, 501):
                _check_status(response)
                return int(response.headers.get("Content-Length", 0))
        # Signed URLs and simple servers know GET alone.
        async with session.get(url, headers=_PLAIN | {"Range": "bytes=0-0"}, timeout=_timeout()) as response:
            _check_status(response)
            total = response.headers.get("Content-Range", "").rpartition("/")[2]
            return int(total) if total.isdigit() else int(response.headers.get("Content-Length", 0))

    async def _http_read(self, name: str, start: int, size: int | None) -> bytes:
        session = await self._files.set_session()
        url = self._files.encode_url(self.path(name))
        whole = start == 0 and size is None
        wanted = {} if whole else {"Range": f"bytes={start}-{'' if size is None else start + size - 1}"}
        async with session.get(url, headers=_PLAIN | wanted, timeout=_timeout()) as response:
            if response.status == 416:
                # Nothing lies beyond the end.
                return b""
            _check_status(response)
            if not whole and response.status != 206:
                # Left before its body comes: it may be a shard of gigabytes.
                response.close()
                raise StorageError("the server does not serve ranges of a file (HTTP 200 instead of 206)")
            found = response.headers.get("Content-Range", f"bytes {start}-")
            if not whole and not found.startswith(f"bytes {start}-"):
                response.close()
                raise StorageError(f"the server sent {found!r} for {wanted['Range']!r}")
            return bytes(await response.read())


# A range of a file that is compressed on the way would be a range of something else.
_PLAIN = {"Accept-Encoding": "identity"}


def _timeout() -> Any:
    import aiohttp

    return aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=_READ_SECONDS)


def _check_status(response: Any) -> None:
    if response.status in (404, 410):
        raise FileNotFoundError(errno.ENOENT, f"not found (HTTP {response.status})")
    if response.status >= 400:
        asked = response.headers.get("Retry-After", "")
        raise HttpStatus(response.status, response.reason or "", wait=float(asked) if asked.isdigit() else 0.0)


def _passes(error: Exception) -> bool:
    """Return whether the same request may well succeed a moment later."""
    if isinstance(error, HttpStatus):
        return error.status in _TRANSIENT_STATUS
    if isinstance(error, FileNotFoundError | PermissionError | NotImplementedError | StorageError):
        return False
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    if isinstance(error, OSError) and error.errno in _TRANSIENT_ERRNO:
        return True
    # Of packages that are imported only where they are used, known by name: a body that broke off, a name server that
    # does not answer.
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(
        names & {"ClientConnectionError", "ClientPayloadError", "EndpointConnectionError", "ConnectionClosedError"}
    )


def _asked_wait(error: Exception) -> float:
    return min(error.wait, _MAX_WAIT) if isinstance(error, HttpStatus) else 0.0


def _describe(error: Exception) -> str:
    if isinstance(error, NotImplementedError):
        return "this kind of URL cannot be written to"
    if isinstance(error, StorageError | HttpStatus):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
