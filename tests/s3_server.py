"""An S3 server on loopback, by moto, and a folder put into a bucket of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
import pytest


@contextmanager
def serve_bucket(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the URL `s3://corpora` of a bucket that holds `folder`; the environment says where its server is."""
    server_module = pytest.importorskip("moto.server")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        files = fsspec.filesystem("s3", skip_instance_cache=True)
        files.mkdir("corpora")
        files.put(f"{folder}/", "corpora/bars/", recursive=True)
        yield "s3://corpora/bars"
    finally:
        server.stop()
