"""Archives: what is written, what other tools can read, and what damage is found."""

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from pipeline.base.errors import ArchiveError, BitstreamError
from pipeline.base.store import Store, canonical_json, sha256_hex
from pipeline.formats import pack
from pipeline.formats.archive import check_files, find_entry, open_archive, read_bitstream, tar_name, write_shard
from pipeline.formats.archive_index import PLAN, index_name, iter_plan, read_index, write_index
from pipeline.formats.archive_records import (
    ARCHIVE,
    commit_name,
    read_commit,
    read_info,
    write_info,
    write_rejected,
)
from tests.archive_samples import bitstream, coded, write_archive


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "archive")
    write_archive(store)
    return store


def all_files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_picture_comes_back_by_name(store):
    archive = open_archive(store)
    assert archive.num_pictures == 20
    for entry in archive.entries():
        assert find_entry(archive, entry.name) == entry
        assert read_bitstream(store, entry) == bitstream(entry.name.encode() * 20)
    with pytest.raises(ArchiveError, match="no picture named"):
        find_entry(archive, "s0/p999.png")


def test_entry_holds_what_the_picture_was(store):
    entry = find_entry(open_archive(store), "s1/p003.png")
    assert entry.file_sha256 == hashlib.sha256(b"files1/p003.png").digest()
    assert (entry.width, entry.height, entry.num_channels, entry.source_mode) == (7, 5, 3, "RGB")
    assert entry.codec == "mtl_sci" and entry.psnr_db == pytest.approx(33.12)
    assert entry.summary()["bpp"] == pytest.approx(8 * entry.length / 35, abs=1e-4)


def test_exact_picture_has_infinite_psnr_in_the_index_and_none_in_a_list(tmp_path):
    store = Store(tmp_path)
    write_shard(store, 0, [coded("a.png", psnr_db=float("inf"))], plan_sha256="")
    (entry,) = read_index(store, 0)
    assert entry.psnr_db == float("inf") and entry.summary()["psnr_db"] is None


def test_same_items_give_the_same_bytes(tmp_path):
    for name in "ab":
        write_archive(Store(tmp_path / name))
    assert all_files(tmp_path / "a") == all_files(tmp_path / "b")


def test_plain_tar_tools_open_a_shard(store):
    with tarfile.open(store.local_path(tar_name(1))) as tar:
        (member,) = tar.getmembers()
        data = tar.extractfile(member).read()
    assert member.name == "000001-0000.pack" and member.mtime == 0
    slots = pack.read_directory(data, where="member")
    assert [slot.name for slot in slots] == [f"s1/p{i:03d}.png" for i in range(10)]
    if shutil.which("tar"):
        listed = subprocess.run(["tar", "tf", store.local_path(tar_name(1))], capture_output=True, check=True)
        assert listed.stdout == b"000001-0000.pack\n" and not listed.stderr


def test_plain_parquet_tools_and_dd_cut_a_picture_out(store):
    row = pq.read_table(store.local_path(index_name(1))).to_pylist()[4]
    tar = store.local_path(tar_name(row["shard"])).read_bytes()
    assert tar[row["offset"] : row["offset"] + row["length"]] == bitstream(row["name"].encode() * 20)


def test_a_shard_of_many_packs_keeps_offsets_right(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.formats.archive.MAX_ENTRIES", 3)
    store = Store(tmp_path)
    write_archive(store, num_shards=1)
    with tarfile.open(store.local_path(tar_name(0))) as tar:
        assert tar.getnames() == [f"000000-{i:04d}.pack" for i in range(4)]
    for entry in open_archive(store).entries():
        assert read_bitstream(store, entry) == bitstream(entry.name.encode() * 20)


def test_shard_without_pictures_is_whole(tmp_path):
    store = Store(tmp_path)
    write_info(store, {})
    commit = write_shard(store, 0, [], plan_sha256="")
    assert (commit.num_pictures, commit.first_name, commit.last_name) == (0, "", "")
    assert list(open_archive(store).entries()) == [] and check_files(store, commit) == []


def test_shard_without_a_commit_record_is_not_read(store):
    store.remove(commit_name(0))
    assert {entry.shard for entry in open_archive(store).entries()} == {1}


@pytest.mark.parametrize("name", [commit_name(0), ARCHIVE])
def test_every_flipped_byte_of_a_record_is_found(store, name):
    data = store.read_bytes(name)
    for position in range(len(data) - 1):
        damaged = data[:position] + bytes([data[position] ^ 0x01]) + data[position + 1 :]
        store.local_path(name).write_bytes(damaged)
        with pytest.raises(ArchiveError):
            read_info(store) if name == ARCHIVE else read_commit(store, 0)


def test_damaged_commit_record_hides_its_shard_alone(store):
    store.write_bytes(commit_name(0), b"{}")
    archive = open_archive(store)
    assert [commit.shard for commit in archive.commits] == [1]
    assert [problem.reason for problem in archive.problems] == ["damaged_commit"]


def reseal(store, name, **changes):
    """Change fields of a record and seal it again, as a writer with a fault would."""
    table = json.loads(store.read_bytes(name))
    del table["record_sha256"]
    table |= changes
    store.write_bytes(name, canonical_json({**table, "record_sha256": sha256_hex(canonical_json(table))}))


@pytest.mark.parametrize(
    "changes",
    [
        {"num_pictures": "7"},
        {"num_pictures": True},
        {"tar_bytes": -1},
        {"first_name": None},
        {"rejected": {}},
        {"rejected": ["a.png"]},
        {"rejected": [{"name": "a.png", "reason": 3, "message": ""}]},
        {"rejected": [{"name": "a.png"}]},
        {"shard": 1},
    ],
)
def test_sealed_commit_record_of_wrong_types_is_refused(store, changes):
    reseal(store, commit_name(0), **changes)
    with pytest.raises(ArchiveError, match=r"000000\.json"):
        read_commit(store, 0)
    assert [problem.reason for problem in open_archive(store).problems] == ["damaged_commit"]


CODEC = {"name": "mtl_sci", "wire_id": 1, "weights_sha256": "0" * 64}


@pytest.mark.parametrize(
    "codecs", [{}, [{}], ["mtl_sci"], [CODEC | {"wire_id": "1"}], [CODEC | {"weights_sha256": "../../passwd"}], None]
)
def test_sealed_description_of_wrong_types_is_refused(store, codecs):
    reseal(store, ARCHIVE, codecs=codecs)
    with pytest.raises(ArchiveError, match="codecs are"):
        open_archive(store)


def test_fields_of_a_later_release_are_ignored(store):
    expected = read_commit(store, 0)
    rejected = [{"name": row.name, "reason": row.reason, "message": row.message, "x": 1} for row in expected.rejected]
    reseal(store, commit_name(0), rejected=rejected, colour="red")
    reseal(store, ARCHIVE, codecs=[CODEC | {"x": 1}], colour="red")
    assert read_commit(store, 0) == expected and read_info(store)["colour"] == "red"


@pytest.mark.parametrize("changes", [{"width": 0}, {"height": -5}, {"length": 0}, {"offset": -1}, {"num_channels": 0}])
def test_index_with_impossible_places_and_sizes_is_refused(store, changes):
    entries = read_index(store, 0)
    with store.writing(index_name(0)) as path:
        write_index(path, [entries[0], replace(entries[1], **changes)])
    with pytest.raises(ArchiveError, match="is impossible"):
        read_index(store, 0)


def test_length_beyond_the_tar_is_refused_before_it_is_read(store):
    entry = find_entry(open_archive(store), "s0/p004.png")
    with pytest.raises(BitstreamError, match="the tar has"):
        read_bitstream(store, replace(entry, length=1 << 45))
    with pytest.raises(BitstreamError, match="the tar has"):
        read_bitstream(store, replace(entry, offset=(1 << 63) - 1))


def test_every_flipped_byte_of_a_bitstream_is_found(store):
    entry = find_entry(open_archive(store), "s0/p004.png")
    path = store.local_path(tar_name(0))
    tar = path.read_bytes()
    for position in range(entry.offset, entry.offset + entry.length):
        path.write_bytes(tar[:position] + bytes([tar[position] ^ 0x10]) + tar[position + 1 :])
        with pytest.raises((BitstreamError, ArchiveError)):
            read_bitstream(store, entry)


def test_intact_bitstream_of_another_picture_is_not_taken(store):
    first, second = list(open_archive(store).entries())[:2]
    path = store.local_path(tar_name(0))
    tar = bytearray(path.read_bytes())
    assert first.length == second.length
    tar[first.offset : first.offset + first.length] = tar[second.offset : second.offset + second.length]
    path.write_bytes(tar)
    with pytest.raises(ArchiveError, match="another picture"):
        read_bitstream(store, first)


def test_flipped_bytes_of_tar_and_index_differ_from_the_commit_record(store):
    commit = read_commit(store, 0)
    for name in (tar_name(0), index_name(0)):
        path = store.local_path(name)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    assert [problem.reason for problem in check_files(store, commit)] == ["digest_differs"] * 2
    store.remove(tar_name(0))
    assert [problem.reason for problem in check_files(store, commit)] == ["missing_file", "digest_differs"]


def test_index_cut_anywhere_is_an_archive_error(store):
    path = store.local_path(index_name(0))
    data = path.read_bytes()
    for size in range(0, len(data), 101):
        path.write_bytes(data[:size])
        with pytest.raises(ArchiveError):
            read_index(store, 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"format": "diptych-archive", "format_version": 1}', "digest"),
        ("[]", "not JSON of ours"),
        ("{", "not JSON of ours"),
        ('{"a": NaN}', "not JSON of ours"),
    ],
)
def test_archive_json_that_is_not_ours_is_refused(tmp_path, text, message):
    store = Store(tmp_path)
    store.write_bytes(ARCHIVE, text.encode())
    with pytest.raises(ArchiveError, match=message):
        open_archive(store)


def test_folder_that_is_no_archive_is_refused(tmp_path):
    with pytest.raises(ArchiveError, match="not an archive"):
        open_archive(Store(tmp_path))


def test_a_later_version_is_refused_by_name(tmp_path):
    store = Store(tmp_path)
    write_info(store, {"format_version": 2})
    with pytest.raises(ArchiveError, match="version 2, expected diptych-archive 1"):
        open_archive(store)


def test_names_that_leave_the_folder_are_refused_on_write(tmp_path):
    with pytest.raises(ArchiveError):
        write_shard(Store(tmp_path), 0, [coded("../a.png")], plan_sha256="")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_rejected_inputs_are_listed_from_the_commit_records(store):
    assert write_rejected(store, open_archive(store).commits) == 2
    rows = [json.loads(line) for line in store.read_bytes("rejected.jsonl").splitlines()]
    assert rows[1] == {"name": "s1/bad.png", "reason": "truncated", "message": "cut short", "shard": 1}


def test_plan_comes_back_in_order_from_any_store(store, tmp_path):
    rows = list(iter_plan(store))
    assert [row.shard for row in rows] == [0] * 10 + [1] * 10
    assert rows[3].location == "/pictures/s0/p003.png"
    remote = Store("memory://plan-test")
    remote.write_bytes(PLAN, store.read_bytes(PLAN))
    assert list(iter_plan(remote)) == rows


def test_archive_behind_a_url_reads_the_same(store):
    remote = Store("memory://archive-test")
    for name, data in all_files(store.local_path()).items():
        remote.write_bytes(name, data)
    assert list(open_archive(remote).entries()) == list(open_archive(store).entries())
    entry = find_entry(open_archive(remote), "s1/p009.png")
    assert read_bitstream(remote, entry) == read_bitstream(store, entry)


def test_reading_imports_neither_torch_nor_ray(store):
    code = (
        "import sys; from pipeline.base.store import Store; from pipeline.formats.archive import open_archive\n"
        "from serving import jobs; from pipeline.base.progress import Tally\n"
        f"assert len(list(open_archive(Store({str(store.url)!r})).entries())) == 20\n"
        f"assert jobs.verify({str(store.url)!r}, decode=False, progress=Tally()).num_verified == 20\n"
        "assert not {'torch', 'ray', 'numba'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
