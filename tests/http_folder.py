"""A local HTTP server of a folder, which knows ranges and fails as told."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass(kw_only=True)
class Served:
    """How the server behaves, and what it did."""

    folder: Path
    url: str = ""
    ranges: bool = True
    head: bool = True
    failures: list[int | str] = field(default_factory=list)
    """What happens to the next requests: a status, or `drop` (the connection breaks off in mid-body)."""
    retry_after: str = ""
    num_requests: Counter[str] = field(default_factory=Counter)
    """By file name, failed ones included."""
    num_bytes: Counter[str] = field(default_factory=Counter)
    """Of bodies, by file name."""


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    """Serve `folder` on loopback while the block runs."""
    served = Served(folder=folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            name = self.path.lstrip("/")
            served.num_requests[name] += 1
            if not with_body and not served.head:
                self._refuse(405)
                return
            failure = served.failures.pop(0) if served.failures else None
            if isinstance(failure, int):
                self._refuse(failure)
                return
            path = served.folder / name
            if not path.is_file():
                self._refuse(404)
                return
            data, status = path.read_bytes(), 200
            asked = self.headers.get("Range", "")
            extra = {}
            if asked and served.ranges:
                first, _, last = asked.removeprefix("bytes=").partition("-")
                start, end = int(first), min(int(last) + 1 if last else len(data), len(data))
                if start >= len(data):
                    self._refuse(416)
                    return
                extra = {"Content-Range": f"bytes {start}-{end - 1}/{len(data)}"}
                data, status = data[start:end], 206
            self.send_response(status)
            for key, value in extra.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if failure == "drop":
                self.wfile.write(data[: len(data) // 2] if with_body else b"")
                self.close_connection = True
                return
            if with_body:
                try:
                    self.wfile.write(data)
                except OSError:
                    # The client left when it saw the header.
                    self.close_connection = True
                    return
                served.num_bytes[name] += len(data)

        def _refuse(self, status: int) -> None:
            self.send_response(status)
            if served.retry_after:
                self.send_header("Retry-After", served.retry_after)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="http", daemon=True)
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
