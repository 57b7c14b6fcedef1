"""Packs: names, directory, damage."""

import pytest

from pipeline.base.errors import ArchiveError
from pipeline.formats.pack import MAGIC, MAX_ENTRIES, build_pack, check_name, read_directory

ENTRIES = [
    ("2024/03/Screenshot 1.png", b"first"),
    ("2024/03/Screenshot 2.png", b""),
    ("2024/04/grün — ☃.png", b"third" * 100),
    ("z", b"last"),
]
PACK, SLOTS = build_pack(ENTRIES)


def test_directory_says_where_each_bitstream_stands():
    assert read_directory(PACK, where="pack") == SLOTS
    assert [(slot.name, PACK[slot.start : slot.start + slot.length]) for slot in SLOTS] == ENTRIES


def test_directory_is_read_without_the_bitstreams():
    assert read_directory(PACK[: SLOTS[0].start], where="pack") == SLOTS


@pytest.mark.parametrize("size", range(SLOTS[0].start))
def test_every_truncation_of_the_directory_is_reported(size):
    with pytest.raises(ArchiveError):
        read_directory(PACK[:size], where="pack")


@pytest.mark.parametrize("position", range(SLOTS[0].start))
def test_every_flipped_byte_of_the_directory_is_reported(position):
    for flip in (0x01, 0x80, 0xFF):
        damaged = bytearray(PACK)
        damaged[position] ^= flip
        with pytest.raises(ArchiveError):
            read_directory(bytes(damaged), where="pack")


def test_names_that_split_a_letter_between_front_and_rest_come_back():
    names = ["a/é.png", "a/è.png", "x" * 400, "x" * 399 + "y"]
    pack, slots = build_pack([(name, b"1") for name in names])
    assert [slot.name for slot in read_directory(pack, where="pack")] == names
    assert slots[0].start == len(pack) - 4


def test_a_full_pack_of_like_names_costs_a_few_bytes_each():
    entries = [(f"screens/2024/{i:06d}.png", b"x" * 9000) for i in range(MAX_ENTRIES)]
    pack, _ = build_pack(entries)
    assert len(pack) - 9000 * MAX_ENTRIES < 6 * MAX_ENTRIES
    assert pack.startswith(MAGIC)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "a/../b",
        "../a",
        "a/.",
        "a\\b",
        "a\0b",
        "a\nb",
        "a\x7fb",
        "\ud800",
        "x" * 4097,
    ],
)
def test_names_that_are_no_plain_relative_paths_are_refused(name):
    with pytest.raises(ArchiveError):
        check_name(name, where="test")
    with pytest.raises(ArchiveError):
        build_pack([(name, b"data")])


@pytest.mark.parametrize("name", ["a", "a.b/c d.png", "...", "..a/b..", "ü/☃.png", "a:b", "x" * 4096, "100%.png"])
def test_ordinary_names_are_allowed(name):
    check_name(name, where="test")
