"""Files that appear whole or not at all."""

import os
import stat
import uuid
from pathlib import Path

import pytest

from pipeline.base.errors import StorageError
from pipeline.base.store import Store, sha256_file, sha256_hex


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(tmp_path if request.param == "local" else f"memory://{uuid.uuid4().hex}")


def test_a_file_is_read_back_whole_and_by_range(store: Store) -> None:
    store.write_bytes("a/b.bin", b"0123456789")
    assert store.exists("a/b.bin")
    assert not store.exists("a")
    assert store.size("a/b.bin") == 10
    assert store.read_bytes("a/b.bin") == b"0123456789"
    assert store.read_bytes("a/b.bin", start=2, size=3) == b"234"
    assert store.names("a") == ["a/b.bin"]
    assert store.names("nowhere") == []
    store.remove("a/b.bin")
    store.remove("a/b.bin")
    assert store.names("a") == []


def test_an_exception_while_writing_leaves_the_old_file(store: Store) -> None:
    store.write_bytes("a.bin", b"old")
    with pytest.raises(ZeroDivisionError), store.writing("a.bin") as path:
        path.write_bytes(b"half")
        _ = 1 / 0
    assert store.read_bytes("a.bin") == b"old"
    assert store.names() == ["a.bin"]


def test_a_file_url_is_the_local_folder(tmp_path: Path) -> None:
    Store(f"file://{tmp_path}").write_bytes("a.bin", b"x")
    assert (tmp_path / "a.bin").read_bytes() == b"x"
    assert Store(f"file://{tmp_path}").local_path("a.bin") == tmp_path / "a.bin"


def test_data_is_on_disk_before_its_name_is_and_the_name_before_the_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def seen_fsync(descriptor: int) -> None:
        calls.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def seen_replace(path: Path, target: Path) -> Path:
        calls.append("rename")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", seen_fsync)
    monkeypatch.setattr(Path, "replace", seen_replace)
    Store(tmp_path).write_bytes("a/b/c.bin", b"x")
    # Two new folders, each an entry of its parent; then the file, its name, and the folder that holds the name.
    assert calls == ["folder", "folder", "file", "rename", "folder"]


def test_what_a_killed_writer_left_is_invisible_and_swept(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / ".tmp-abc").write_bytes(b"half")
    (tmp_path / ".tmp-folder").mkdir()
    store = Store(tmp_path)
    assert store.names("deep") == []
    assert store.sweep() == 1
    assert not (tmp_path / "deep" / ".tmp-abc").exists()


def test_the_systems_refusals_are_storage_errors_that_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="nothing"):
        Store(tmp_path).read_bytes("nothing")
    with pytest.raises(StorageError, match="file"):
        Store(tmp_path / "file").write_bytes("a", b"")
    with pytest.raises(StorageError, match="nosuchprotocol"):
        Store("nosuchprotocol://x")


def test_published_files_are_readable_by_others_as_the_umask_says(tmp_path: Path) -> None:
    Store(tmp_path).write_bytes("a", b"")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o666 & ~_umask_seen(tmp_path)


def _umask_seen(folder: Path) -> int:
    probe = folder / "probe"
    probe.touch()
    return 0o666 & ~(probe.stat().st_mode & 0o777)


def test_digests_of_files_and_bytes_agree(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100_000)
    assert sha256_file(tmp_path / "a") == sha256_hex(b"x" * 100_000)
