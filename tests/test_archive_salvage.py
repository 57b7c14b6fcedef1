"""Salvage: rows rebuilt from tars alone, whatever else is lost."""

import random
from dataclasses import replace

import pytest

from pipeline.base.store import Store
from pipeline.formats.archive import find_entry, open_archive, read_bitstream, tar_name
from pipeline.formats.archive_index import index_name, read_index, write_index
from pipeline.formats.archive_salvage import committed_entries, salvage, salvage_shard
from pipeline.formats.pack import read_directory
from tests.archive_samples import write_archive


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.formats.archive.MAX_ENTRIES", 4)
    store = Store(tmp_path / "archive")
    write_archive(store)
    return store


def known_to_a_tar(entry):
    return replace(entry, pixels_sha256=None, file_sha256=None, source_mode=None, psnr_db=None)


def edit_tar(store, change):
    path = store.local_path(tar_name(0))
    path.write_bytes(change(bytearray(path.read_bytes())))


def test_all_rows_come_back_from_tars_alone(store):
    expected = [known_to_a_tar(entry) for entry in open_archive(store).entries()]
    for folder in ("index", "commits"):
        for name in store.names(folder):
            store.remove(name)
    found = salvage(store)
    assert list(found.entries) == expected and not found.problems


def test_archive_json_and_weights_lost_cost_no_picture(store):
    store.remove("archive.json")
    for name in store.names("weights"):
        store.remove(name)
    found = salvage(store)
    assert len(found.entries) == 20 and found.entries[0].codec is None and found.entries[0].weights_sha256 is None


def test_damaged_index_is_replaced_by_the_tar(store):
    path = store.local_path(index_name(0))
    path.write_bytes(path.read_bytes()[:-40])
    archive = open_archive(store)
    found = committed_entries(archive, archive.commits[0])
    assert [entry.name for entry in found.entries] == [f"s0/p{i:03d}.png" for i in range(10)]
    assert [problem.reason for problem in found.problems] == ["index_unreadable"]


@pytest.mark.parametrize("changes", [{"name": "other.png"}, {"length": 1 << 45}, {"width": 0}])
def test_intact_index_that_was_not_committed_is_replaced_by_the_tar(store, changes):
    archive = open_archive(store)
    entries = read_index(store, 0)
    with store.writing(index_name(0)) as path:
        write_index(path, [replace(entry, **changes) for entry in entries])
    found = committed_entries(archive, archive.commits[0])
    assert list(found.entries) == [known_to_a_tar(entry) for entry in entries]
    assert [problem.reason for problem in found.problems] == ["index_unreadable"]


def test_truncated_tar_loses_its_tail_and_nothing_else(store):
    entries = read_index(store, 0)
    tar = store.local_path(tar_name(0)).read_bytes()
    for size in range(0, len(tar) - 1024, 97):
        store.local_path(tar_name(0)).write_bytes(tar[:size])
        found = salvage_shard(store, 0)
        whole = [entry.name for entry in entries if entry.offset + entry.length <= size]
        assert [entry.name for entry in found.entries] == whole
        assert "truncated_tar" in {problem.reason for problem in found.problems}


def test_damaged_directory_costs_names_and_no_pictures(store):
    first = read_index(store, 0)[0]
    edit_tar(store, lambda tar: tar[:520] + b"\xff" + tar[521:])
    found = salvage_shard(store, 0)
    assert found.entries[0].name == f"recovered-000000-{first.offset:010d}"
    assert all(entry.name.startswith("recovered-000000-") for entry in found.entries[:4])
    assert [entry.name for entry in found.entries[4:]] == [f"s0/p{i:03d}.png" for i in range(4, 10)]
    reasons = [problem.reason for problem in found.problems]
    assert reasons.count("damaged_directory") == 1 and reasons.count("name_lost") == 4
    for entry in found.entries:
        read_bitstream(store, entry)


def test_damaged_bitstream_loses_that_picture_alone(store):
    entry = find_entry(open_archive(store), "s0/p005.png")
    for position in (entry.offset, entry.offset + 20, entry.offset + entry.length - 1):
        tar = store.local_path(tar_name(0)).read_bytes()
        edit_tar(store, lambda tar, at=position: tar[:at] + bytes([tar[at] ^ 1]) + tar[at + 1 :])
        found = salvage_shard(store, 0)
        assert {entry.name for entry in found.entries} == {f"s0/p{i:03d}.png" for i in range(10)} - {entry.name}
        assert [(problem.where, problem.reason) for problem in found.problems] == [(entry.name, "lost_bitstream")]
        store.local_path(tar_name(0)).write_bytes(tar)


def test_tar_headers_are_not_needed(store):
    tar = store.local_path(tar_name(0)).read_bytes()
    starts = [position for position in range(0, len(tar), 512) if tar[position + 257 : position + 262] == b"ustar"]
    assert len(starts) == 3

    def blank(tar):
        for start in starts:
            tar[start : start + 512] = bytes(512)
        return tar

    edit_tar(store, blank)
    assert len(salvage_shard(store, 0).entries) == 10


def test_bytes_lost_inside_a_pack_cost_only_the_pictures_they_hit(store):
    entry = find_entry(open_archive(store), "s0/p001.png")
    # The rest of the pack moves forward by 10 bytes; only what the directory says of it is wrong then.
    edit_tar(store, lambda tar: tar[: entry.offset + 30] + tar[entry.offset + 40 : 2048 * 4])
    found = salvage_shard(store, 0)
    intact = [entry for entry in found.entries if entry.offset < 2048]
    assert len(intact) == 3 and intact[0].name == "s0/p000.png"
    assert [entry.name.startswith("recovered-") for entry in intact] == [False, True, True]


def test_no_damage_makes_salvage_fail_or_return_an_unreadable_row(store):
    tar = store.local_path(tar_name(0)).read_bytes()
    rng = random.Random(0)
    for _ in range(200):
        damaged = bytearray(tar)
        for _ in range(rng.randrange(1, 12)):
            start = rng.randrange(len(tar))
            damaged[start : start + rng.randrange(1, 60)] = rng.randbytes(rng.randrange(1, 60))
        store.local_path(tar_name(0)).write_bytes(damaged[: rng.randrange(len(damaged))])
        for entry in salvage_shard(store, 0).entries:
            read_bitstream(store, entry)


def test_forged_directory_with_a_valid_checksum_is_refused_or_harmless(store):
    # A name that leaves the folder, under a correct checksum: the directory is refused, the pictures stay.
    import zlib

    tar = store.local_path(tar_name(0)).read_bytes()
    slots = read_directory(tar[512:], where="pack")
    head_size = slots[0].start
    lengths = b"".join(bytes([slot.length & 0x7F | 0x80, slot.length >> 7]) for slot in slots)
    names = b"\x00" * 4 + b"\n".join([b"../../evil.png", b"b", b"c", b"d"])
    for level in range(10):
        directory = lengths + zlib.compress(names, level)
        head = tar[512:520] + len(directory).to_bytes(4, "little") + directory
        head += zlib.crc32(head).to_bytes(4, "little")
        if len(head) <= head_size:
            break
    store.local_path(tar_name(0)).write_bytes(tar[:512] + head + bytes(head_size - len(head)) + tar[512 + head_size :])
    found = salvage_shard(store, 0)
    assert not any(".." in entry.name for entry in found.entries) and len(found.entries) == 10
