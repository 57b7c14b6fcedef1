"""One picture's bytes: every damage is named, nothing decodes to a wrong header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.base.errors import BitstreamError, CorruptBitstream, TruncatedBitstream, UnsupportedBitstream
from pipeline.formats.bitstream import MAGIC, Bitstream, pack, unpack, unpack_first

SMALL = Bitstream(
    codec_wire_id=1,
    weights_digest=b"12345678",
    width=300,
    height=1,
    num_channels=3,
    pixels_crc32=0xDEADBEEF,
    segments={1: b"latent", 2: b"", 128: b"alpha"},
)
PACKED = pack(SMALL)

bitstreams = st.builds(
    Bitstream,
    codec_wire_id=st.integers(1, 0xFFFF),
    weights_digest=st.binary(min_size=8, max_size=8),
    width=st.integers(1, 1 << 24),
    height=st.integers(1, 1 << 24),
    num_channels=st.integers(1, 4),
    pixels_crc32=st.integers(0, 0xFFFFFFFF),
    segments=st.dictionaries(st.integers(0, 255), st.binary(max_size=300), max_size=32),
)


@given(bitstreams)
def test_unpack_returns_what_was_packed(bitstream: Bitstream) -> None:
    parsed = unpack(pack(bitstream))
    assert parsed == bitstream
    assert list(parsed.segments) == list(bitstream.segments)


def test_the_bytes_of_version_1_are_pinned() -> None:
    assert PACKED.hex() == (
        "8f445054010301003132333435363738efbeaddeac020103010602008005" + b"latentalpha".hex() + PACKED[-4:].hex()
    )


@pytest.mark.parametrize("size", range(len(PACKED)))
def test_every_truncation_is_reported(size: int) -> None:
    with pytest.raises(BitstreamError):
        unpack(PACKED[:size])


@pytest.mark.parametrize("position", range(len(PACKED)))
def test_every_single_byte_change_is_reported(position: int) -> None:
    for value in range(256):
        if value != PACKED[position]:
            with pytest.raises(BitstreamError):
                unpack(PACKED[:position] + bytes([value]) + PACKED[position + 1 :])


@given(st.binary(max_size=200))
def test_any_bytes_give_a_typed_error(data: bytes) -> None:
    for forged in (data, MAGIC + data, MAGIC + b"\x01" + data):
        with pytest.raises(BitstreamError):
            unpack(forged)


def test_errors_say_which_kind_of_damage() -> None:
    with pytest.raises(TruncatedBitstream, match=r"shot\.dpt: needs \d+ bytes, got 40"):
        unpack(PACKED[:40], where="shot.dpt")
    with pytest.raises(CorruptBitstream, match="2 bytes follow"):
        unpack(PACKED + b"xx")
    with pytest.raises(UnsupportedBitstream, match="version 2, this release reads version 1"):
        unpack(PACKED[:4] + b"\x02" + PACKED[5:])
    with pytest.raises(CorruptBitstream, match="magic"):
        unpack(b"\x89PNG" + PACKED[4:])


def test_bitstreams_stand_one_after_another() -> None:
    first, size = unpack_first(PACKED + PACKED)
    assert first == SMALL
    assert size == len(PACKED)


@pytest.mark.parametrize(
    "change", [{"width": 0}, {"height": 1 << 25}, {"codec_wire_id": 0}, {"weights_digest": b"1"}, {"num_channels": 5}]
)
def test_the_writer_refuses_fields_out_of_range(change: dict[str, object]) -> None:
    fields = {name: getattr(SMALL, name) for name in Bitstream.__dataclass_fields__}
    with pytest.raises(ValueError, match=r"must be"):
        pack(Bitstream(**(fields | change)))  # type: ignore[arg-type]
