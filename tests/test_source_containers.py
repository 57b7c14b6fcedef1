"""Photographs in folders, tars and parquet files, on a disk, in memory and over HTTP; read again by place."""

import functools
import http.server
import importlib.util
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import fsspec
import numpy as np
import pytest

from datagen.sources import find_photos, load_bytes, load_pixels
from datagen.sources.places import absolute, base_of, check_place, list_files, relative, without_secrets
from pipeline.base.errors import MissingDependency, PictureError, StorageError, UsageError
from tests.photo_files import encoded, scenery, write_csv, write_parquet, write_tar

A, B, C = (encoded(scenery(seed)) for seed in (1, 2, 3))


class _Ranges(http.server.SimpleHTTPRequestHandler):
    """Serves a folder with byte ranges, which Python's own handler does not."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        data, wanted = path.read_bytes(), self.headers.get("Range")
        self.asked.append(f"{self.path} {wanted}")
        first, last = 0, len(data) - 1
        if wanted:
            start, _, end = wanted.removeprefix("bytes=").partition("-")
            first, last = int(start), min(int(end or last), last)
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Accept-Ranges", "bytes")
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.end_headers()
        self.wfile.write(data[first : last + 1])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A real HTTP server on loopback over `tmp_path`."""
    pytest.importorskip("aiohttp")
    _Ranges.asked.clear()
    handler = functools.partial(_Ranges, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def names(place: Path | str) -> list[str]:
    return [photo.source.name for photo in find_photos(str(place)).sources]


def test_a_tar_gives_its_pictures_with_the_licence_of_the_json_beside_them(tmp_path: Path) -> None:
    members = {
        "x/1.jpg": encoded(scenery(1), "JPEG", quality=95),
        "x/1.json": {"license": "CC-BY-4.0", "url": "https://u:p@a.org/1.jpg?X-Amz-Signature=s", "author": "Ada"},
        "x/1.txt": b"a caption",
        "2.png": B,
        "2.label.png": C,
        "3.webp": encoded(scenery(3), "WEBP", lossless=True),
    }
    found = find_photos(str(write_tar(tmp_path / "a.tar", members)), licence="house")
    assert [photo.source.name for photo in found.sources] == ["a.tar/x/1.jpg", "a.tar/2.png", "a.tar/3.webp"]
    first, second, _ = found.sources
    assert (first.source.licence, first.source.origin) == ("CC-BY-4.0", "https://a.org/1.jpg (by Ada)")
    assert (second.source.licence, second.source.origin) == ("house", "local folder")
    assert load_bytes(second) == B and np.array_equal(load_pixels(second), scenery(2))
    offset, size = map(int, second.part.split()[1:])
    assert Path(second.path).read_bytes()[offset : offset + size] == B


@pytest.mark.parametrize("layout", ["struct", "bytes"])
def test_a_parquet_file_gives_its_pictures_and_each_is_read_again_by_its_row(tmp_path: Path, layout: str) -> None:
    plain = [A, B, C]
    images = plain if layout == "bytes" else [{"bytes": data, "path": f"p{i}.png"} for i, data in enumerate(plain)]
    columns = {"image": images, "license": ["CC0-1.0", None, "MIT"], "key": ["k0", "k1", "k2"]}
    found = find_photos(str(write_parquet(tmp_path / "t.parquet", columns)))
    stem = "k" if layout == "bytes" else "p"
    ending = "" if layout == "bytes" else ".png"
    assert [photo.source.name for photo in found.sources] == [f"t.parquet/{stem}{i}{ending}" for i in range(3)]
    assert [photo.source.licence for photo in found.sources] == ["CC0-1.0", "unknown", "MIT"]
    assert [load_bytes(photo) for photo in found.sources] == plain
    assert [photo.part for photo in found.sources] == ["row 0 0 image", "row 0 1 image", "row 1 0 image"]


def test_braces_and_globs_name_many_tars_and_a_missing_one_is_told(tmp_path: Path) -> None:
    for number, data in enumerate((A, B)):
        write_tar(tmp_path / f"s-{number:03d}.tar", {"p.png": data})
    (tmp_path / "other.tar").write_bytes(b"")
    assert (
        names(f"{tmp_path}/s-{{000..001}}.tar")
        == names(f"{tmp_path}/s-*.tar")
        == ["s-000.tar/p.png", "s-001.tar/p.png"]
    )
    assert names(f"{tmp_path}/{{s-001,s-000}}.tar") == names(f"{tmp_path}/s-*.tar")
    with pytest.raises(UsageError, match=r"s-002\.tar: no such file"):
        find_photos(f"{tmp_path}/s-{{000..002}}.tar")


def test_damaged_containers_are_counted_and_the_rest_is_used(tmp_path: Path) -> None:
    whole = write_tar(tmp_path / "a.tar", {"1.png": A, "2.png": B}).read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 nothing PAR1")
    (tmp_path / "b.tar.gz").write_bytes(b"\x1f\x8b")
    found = find_photos(str(tmp_path))
    assert [photo.source.name for photo in found.sources] == ["a.tar/1.png", "a.tar/2.png"]
    reasons = {refused.name: refused.reason for refused in found.refused}
    assert reasons.pop("cut.tar/1.png", "duplicate") == "duplicate"
    assert reasons == {"cut.tar": "truncated", "broken.parquet": "truncated", "b.tar.gz": "compressed"}


def test_tables_beside_the_files_say_licence_and_origin(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.png").write_bytes(A)
    (tmp_path / "b.png").write_bytes(B)
    write_csv(tmp_path / "sources.csv", [{"File": "deep/a.png", "Licence": "CC0-1.0", "source": "https://a.org"}])
    write_parquet(tmp_path / "index.parquet", {"path": ["b.png"], "license": ["MIT"], "creator": ["Bo"]})
    write_tar(tmp_path / "00000.tar", {"000007.png": C})
    write_parquet(tmp_path / "00000.parquet", {"key": ["000007"], "url": ["https://c.org/7"], "status": ["success"]})
    told = {
        photo.source.name: (photo.source.licence, photo.source.origin) for photo in find_photos(str(tmp_path)).sources
    }
    assert told == {
        "deep/a.png": ("CC0-1.0", "https://a.org"),
        "b.png": ("MIT", "by Bo"),
        "00000.tar/000007.png": ("unknown", "https://c.org/7"),
    }


def test_a_place_in_memory_is_as_good_as_a_folder() -> None:
    system = fsspec.filesystem("memory")
    system.pipe_file("/memory-photos/in/a.png", A)
    system.pipe_file("/memory-photos/b.png", B)
    found = find_photos("memory://memory-photos")
    assert [photo.source.name for photo in found.sources] == ["b.png", "in/a.png"]
    assert [load_bytes(photo) for photo in found.sources] == [B, A]
    assert {photo.source.origin for photo in found.sources} == {"memory://memory-photos"}


def test_tars_over_http_are_read_in_ranges_and_secrets_stay_in_the_environment(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, data in enumerate((A, B)):
        write_tar(tmp_path / f"{number}.tar", {"p.png": data, "q.png": C})
    monkeypatch.setenv("PHOTO_TOKEN", "hush")
    found = find_photos(f"{server}/{{0..1}}.tar?token=${{PHOTO_TOKEN}}")
    assert [photo.source.name for photo in found.sources] == ["0.tar/p.png", "0.tar/q.png", "1.tar/p.png"]
    assert "hush" not in repr(found) and all("token" not in photo.source.origin for photo in found.sources)
    assert any("token=hush" in asked for asked in _Ranges.asked)
    _Ranges.asked.clear()
    assert load_bytes(found.sources[2]) == B
    offset, size = map(int, found.sources[2].part.split()[1:])
    assert any(f"bytes={offset}-{offset + size - 1}" in asked for asked in _Ranges.asked)
    monkeypatch.delenv("PHOTO_TOKEN")
    with pytest.raises(UsageError, match="the environment has no PHOTO_TOKEN"):
        load_bytes(found.sources[0])


def test_what_the_network_refuses_is_one_clear_line(tmp_path: Path, server: str) -> None:
    with pytest.raises(UsageError, match=r"missing\.tar: holds no files"):
        find_photos(f"{server}/missing.tar")
    dead = server.rpartition(":")[0] + ":9/a.tar"
    with pytest.raises(StorageError, match=r"127\.0\.0\.1:9/a\.tar: "):
        find_photos(dead)
    with pytest.raises(UsageError, match="nosuch"):
        find_photos("nosuch://somewhere/a.tar")


@pytest.mark.skipif(importlib.util.find_spec("s3fs") is not None, reason="s3fs is installed")
def test_a_missing_backend_is_named() -> None:
    with pytest.raises(MissingDependency, match="s3fs"):
        find_photos("s3://bucket/photos")


@pytest.mark.parametrize(
    "place", ["https://ann:hunter2@a.org/x.tar", "https://a.org/x.tar?sig=abc", "s3://b/x?X-Amz-Signature=1"]
)
def test_keys_in_the_open_are_refused_and_not_repeated(place: str) -> None:
    with pytest.raises(UsageError, match="environment") as caught:
        check_place(place, "photos")
    assert "hunter2" not in str(caught.value) and "abc" not in str(caught.value)


def test_addresses_lose_their_secrets_and_nothing_else() -> None:
    assert without_secrets("https://u:p@a.org/b?id=4#x") == "https://a.org/b?id=4"
    assert without_secrets("https://a.org/b?id=4&token=x") == "https://a.org/b"
    assert without_secrets("a/plain path?x") == "a/plain path?x"


@pytest.mark.parametrize(
    ("place", "base"),
    [
        ("s3://bucket/photos", "s3://bucket/photos"),
        ("s3://bucket/photos/{00..12}.tar", "s3://bucket/photos"),
        ("https://a.org/d/x.tar?sig=${S}", "https://a.org/d"),
        ("/none/at/*/all.tar", "/none/at"),
        ("some.tar", "."),
    ],
)
def test_paths_are_stored_relative_to_a_base(place: str, base: str) -> None:
    assert base_of(place) == base
    assert absolute(relative(f"{base}/sub/x.png", base), base) == f"{base}/sub/x.png"
    assert relative(f"{base}/sub/x.png", base) == "sub/x.png"


def test_a_file_that_was_cut_or_changed_is_refused_when_it_is_read_again(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tar", {"1.png": A})
    (photo,) = find_photos(str(path)).sources
    data = bytearray(path.read_bytes())
    data[int(photo.part.split()[1]) + 40] ^= 1
    path.write_bytes(data)
    with pytest.raises(PictureError) as caught:
        load_bytes(photo)
    assert caught.value.reason == "source_changed"
    table = write_parquet(tmp_path / "t.parquet", {"image": [A, B]})
    (_, second) = find_photos(str(table)).sources
    write_parquet(tmp_path / "t.parquet", {"image": [A]})
    with pytest.raises(PictureError) as caught:
        load_bytes(second)
    assert caught.value.reason == "unreadable"


def test_a_listing_is_in_the_order_of_names_and_stamps_change_with_the_file(tmp_path: Path) -> None:
    for name in ("b.png", "a/z.png", "a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(A)
    before = list_files(str(tmp_path), "photos")
    assert [file.name for file in before] == ["a.png", "a/z.png", "b.png"]
    (tmp_path / "b.png").write_bytes(A + b"x")
    assert [old.stamp == new.stamp for old, new in zip(before, list_files(str(tmp_path), "photos"), strict=True)] == [
        True,
        True,
        False,
    ]
