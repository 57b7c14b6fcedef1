"""A pack: several bitstreams behind a directory of their names; one member of an archive's tar shard.

The byte table is in docs/archive.md. One tar member a picture would cost 5 % at 10 kB a picture; a pack costs a few
bytes. The directory makes a shard readable without its index, the bitstreams are self-delimiting and checksummed, so
they can be found even where the directory is damaged.
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.base.errors import ArchiveError

MAGIC = b"\x8fDPK"
VERSION = 1
MAX_ENTRIES = 1024
"""A pack is closed at this many bitstreams."""
TARGET_BYTES = 4 << 20
"""A pack is closed as soon as its bitstreams together reach this size."""
MAX_NAME_BYTES = 4096

_HEADER_SIZE = 12
_CRC_SIZE = 4
_MAX_NAMES_BYTES = MAX_ENTRIES * (MAX_NAME_BYTES + 2)
_MAX_SHIFT = 35
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """Where one bitstream of a pack stands, as the directory says."""

    name: str
    start: int
    """Offset of the bitstream's first byte from the pack's first byte."""
    length: int


def check_name(name: str, *, where: str) -> None:
    """Refuse names that are no relative path or that could leave the folder they are extracted to.

    Raises: ArchiveError: empty, absolute, too long, `.` or `..` or empty between slashes, backslash, control character,
    not encodable as UTF-8.
    """
    try:
        size = len(name.encode())
    except UnicodeEncodeError as error:
        raise ArchiveError(f"{where}: name {name!r} is not valid text") from error
    if not 1 <= size <= MAX_NAME_BYTES:
        raise ArchiveError(f"{where}: a name of {size} bytes; expected 1 to {MAX_NAME_BYTES}")
    if "\\" in name or _CONTROL.search(name):
        raise ArchiveError(f"{where}: name {name!r} holds a backslash or a control character")
    if any(part in ("", ".", "..") for part in name.split("/")):
        raise ArchiveError(f"{where}: name {name!r} is not a plain relative path")


def build_pack(entries: Sequence[tuple[str, bytes]]) -> tuple[bytes, list[Slot]]:
    """Return a pack's bytes and where each bitstream stands in it; `entries` are (name, bitstream).

    Raises: ArchiveError: a name is not allowed; ValueError: no entries or too many.
    """
    if not 1 <= len(entries) <= MAX_ENTRIES:
        raise ValueError(f"{len(entries)} entries; a pack holds 1 to {MAX_ENTRIES}")
    for name, _ in entries:
        check_name(name, where="pack")
    lengths = b"".join(_varint(len(data)) for _, data in entries)
    directory = lengths + zlib.compress(_front_code([name.encode() for name, _ in entries]), 9)
    head = MAGIC + bytes([VERSION, 0]) + len(entries).to_bytes(2, "little") + len(directory).to_bytes(4, "little")
    head += directory
    head += zlib.crc32(head).to_bytes(_CRC_SIZE, "little")
    slots, start = [], len(head)
    for name, data in entries:
        slots.append(Slot(name=name, start=start, length=len(data)))
        start += len(data)
    return head + b"".join(data for _, data in entries), slots


def read_directory(data: bytes | memoryview, *, where: str) -> list[Slot]:
    """Return the directory of the pack that starts at `data[0]`; the bitstreams need not be there whole.

    Raises: ArchiveError: not a pack, another version, cut short or changed.
    """
    view = memoryview(data)
    if len(view) < _HEADER_SIZE or bytes(view[:4]) != MAGIC:
        raise ArchiveError(f"{where}: not a pack")
    num_entries = int.from_bytes(view[6:8], "little")
    end = _HEADER_SIZE + int.from_bytes(view[8:12], "little")
    if len(view) < end + _CRC_SIZE:
        raise ArchiveError(f"{where}: the pack's directory is cut short")
    if zlib.crc32(view[:end]) != int.from_bytes(view[end : end + _CRC_SIZE], "little"):
        raise ArchiveError(f"{where}: checksum of the pack's directory differs")
    if view[4] != VERSION:
        raise ArchiveError(f"{where}: pack version {view[4]}, this release reads version {VERSION}")
    return _parse_directory(view[_HEADER_SIZE:end], num_entries, end + _CRC_SIZE, where)


def _parse_directory(view: memoryview, num_entries: int, start: int, where: str) -> list[Slot]:
    lengths: list[int] = []
    position = value = shift = 0
    while len(lengths) < num_entries:
        if position >= len(view) or shift > _MAX_SHIFT:
            raise ArchiveError(f"{where}: the pack's directory does not hold {num_entries} lengths")
        value |= (view[position] & 0x7F) << shift
        shift += 7
        if view[position] < 0x80:
            lengths.append(value)
            value = shift = 0
        position += 1
    names = _front_decode(_inflate(view[position:], where), num_entries, where)
    slots = []
    for name, length in zip(names, lengths, strict=True):
        slots.append(Slot(name=name, start=start, length=length))
        start += length
    return slots


def _inflate(data: memoryview, where: str) -> bytes:
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(data, _MAX_NAMES_BYTES)
    except zlib.error as error:
        raise ArchiveError(f"{where}: the pack's directory: {error}") from error
    if not inflater.eof:
        raise ArchiveError(f"{where}: the names are cut short, or longer than {_MAX_NAMES_BYTES} bytes")
    return raw


def _front_code(names: Sequence[bytes]) -> bytes:
    """Return a byte a name (how many bytes it shares with the one before, at most 255), then the rests by line."""
    shared, rests, previous = bytearray(), list[bytes](), b""
    for name in names:
        limit = min(len(previous), len(name), 255)
        common = next((i for i in range(limit) if previous[i] != name[i]), limit)
        shared.append(common)
        rests.append(name[common:])
        previous = name
    return bytes(shared) + b"\n".join(rests)


def _front_decode(raw: bytes, num_entries: int, where: str) -> list[str]:
    rests = raw[num_entries:].split(b"\n")
    if len(rests) != num_entries:
        raise ArchiveError(f"{where}: the pack's directory holds {len(rests)} names for {num_entries} bitstreams")
    names, previous = list[str](), b""
    for common, rest in zip(raw, rests, strict=False):
        previous = previous[:common] + rest
        try:
            name = previous.decode()
        except UnicodeDecodeError as error:
            raise ArchiveError(f"{where}: name {previous!r} is not UTF-8") from error
        check_name(name, where=where)
        names.append(name)
    return names


def _varint(value: int) -> bytes:
    """Return `value` as LEB128: 7 bits a byte, low bits first, the high bit set on all but the last."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
