"""pipeline/base/remote.py: pieces of files over HTTP and object stores, what is tried again and what is not."""

import logging
import uuid
from pathlib import Path

import pytest

from pipeline.base import remote
from pipeline.base.errors import MissingDependency, StorageError
from pipeline.base.remote import Remote
from pipeline.base.store import Store
from tests.http_folder import Served, serve

DATA = bytes(range(256)) * 400


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.bin").write_bytes(DATA)
    with serve(tmp_path) as server:
        yield server


def quick(served: Served) -> Remote:
    return Remote(served.url, delays=(0.01, 0.01))


@pytest.mark.parametrize("head", [True, False])
def test_files_over_http_are_there_or_not_and_have_a_size(served: Served, head: bool):
    served.head = head
    files = quick(served)
    assert files.is_file("a/b.bin")
    assert not files.is_file("a/c.bin")
    assert files.size("a/b.bin") == len(DATA)


def test_a_range_over_http_transfers_that_range_alone(served: Served):
    files = quick(served)
    assert files.read("a/b.bin", start=1000, size=50) == DATA[1000:1050]
    assert files.read("a/b.bin", start=len(DATA) - 3) == DATA[-3:]
    assert files.read("a/b.bin", start=len(DATA) - 3, size=50) == DATA[-3:]
    assert files.read("a/b.bin", start=len(DATA), size=50) == b""
    assert files.read("a/b.bin", start=5, size=0) == b""
    assert served.num_bytes["a/b.bin"] == 56
    assert files.read("a/b.bin") == DATA


def test_a_server_without_ranges_is_refused_before_it_sends_the_file(served: Served):
    served.ranges = False
    with pytest.raises(StorageError, match=r"a/b\.bin: the server does not serve ranges"):
        quick(served).read("a/b.bin", start=10, size=5)
    assert served.num_requests["a/b.bin"] == 1
    assert quick(served).read("a/b.bin") == DATA, "whole files are no matter"


@pytest.mark.parametrize("failure", [500, 502, 503, 504, 429, 408, "drop"])
def test_what_may_pass_is_tried_again(served: Served, failure: int | str, caplog: pytest.LogCaptureFixture):
    served.failures = [failure, failure]
    with caplog.at_level(logging.WARNING):
        assert quick(served).read("a/b.bin", start=7, size=100) == DATA[7:107]
    assert served.num_requests["a/b.bin"] == 3
    assert caplog.text.count("trying again") == 2


def test_what_does_not_pass_is_told_with_the_number_of_tries(served: Served):
    served.failures = [503] * 3
    with pytest.raises(StorageError, match=r"a/b\.bin: HTTP 503 .*\(3 tries\)"):
        quick(served).read("a/b.bin")


@pytest.mark.parametrize(("failure", "words"), [(404, "not found"), (403, "HTTP 403"), (401, "HTTP 401")])
def test_what_cannot_pass_is_not_tried_again(served: Served, failure: int, words: str):
    served.failures = [failure]
    with pytest.raises(StorageError, match=words):
        quick(served).read("a/b.bin", size=5)
    assert served.num_requests["a/b.bin"] == 1


def test_a_server_that_fails_does_not_make_files_absent(served: Served):
    served.failures = [503] * 3
    with pytest.raises(StorageError, match="HTTP 503"):
        quick(served).is_file("a/b.bin")


def test_a_server_is_waited_for_as_long_as_it_asks(served: Served, monkeypatch: pytest.MonkeyPatch):
    waits: list[float] = []
    monkeypatch.setattr(remote.time, "sleep", waits.append)
    served.failures, served.retry_after = [429, 503], "7"
    assert quick(served).read("a/b.bin", size=1) == DATA[:1]
    assert waits == [7, 7]
    served.failures, served.retry_after = [429], "100000"
    quick(served).read("a/b.bin", size=1)
    assert waits[2:] == [60]


def test_waits_grow_and_differ(served: Served, monkeypatch: pytest.MonkeyPatch):
    waits: list[float] = []
    monkeypatch.setattr(remote.time, "sleep", waits.append)
    for _ in range(2):
        served.failures = [503] * 8
        with pytest.raises(StorageError, match="8 tries"):
            Remote(served.url).read("a/b.bin", size=1)
    for run in (waits[:7], waits[7:]):
        assert all(0.5 * delay <= wait <= 1.5 * delay for wait, delay in zip(run, remote.DELAYS, strict=True))
    assert waits[:7] != waits[7:]


def test_nobody_listening_is_tried_again_and_then_told(monkeypatch: pytest.MonkeyPatch):
    waits: list[float] = []
    monkeypatch.setattr(remote.time, "sleep", waits.append)
    with pytest.raises(StorageError, match=r"http://127\.0\.0\.1:9/x: .*3 tries"):
        Remote("http://127.0.0.1:9", delays=(1, 1)).read("x")
    assert len(waits) == 2


def test_what_is_written_over_http_is_refused(served: Served):
    with pytest.raises(StorageError):
        Store(served.url).write_bytes("new.bin", b"x")


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch):
    def missing(url: str) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(remote.fsspec.core, "url_to_fs", missing)
    with pytest.raises(MissingDependency, match=r"s3://bucket/corpus: needs s3fs.*diptych\[remote\]"):
        Store("s3://bucket/corpus")


def test_object_stores_fail_and_are_tried_again_like_http(monkeypatch: pytest.MonkeyPatch):
    files = Remote(f"memory://{uuid.uuid4().hex}", delays=(0.001, 0.001))
    files.write("a/b.bin", DATA)
    errors = [ConnectionResetError("reset"), OSError(16, "Please reduce your request rate")]
    cat_file = files._files.cat_file

    def failing(*arguments: object, **options: object) -> bytes:
        if errors:
            raise errors.pop()
        found: bytes = cat_file(*arguments, **options)
        return found

    monkeypatch.setattr(files._files, "cat_file", failing)
    assert files.read("a/b.bin", start=3, size=4) == DATA[3:7]
    errors = [PermissionError(13, "Access Denied")]
    with pytest.raises(StorageError, match="Access Denied"):
        files.read("a/b.bin")
    assert not errors
