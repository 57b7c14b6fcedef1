"""Class maps: exact round trips, the shortest way, and typed errors or a map of the right kind on any bytes at all."""

import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from benchmarks.memory import peak_mib
from pipeline.base.errors import BitstreamError, CorruptBitstream, TruncatedBitstream
from pipeline.codecs.seec.class_map import METHODS, decode_class_map, encode_class_map
from pipeline.codecs.seec.class_map_coder import OK, decode_contexts, encode_contexts

Classes = NDArray[np.uint8]
SIZES = ((1, 1), (1, 2), (1, 77), (77, 1), (2, 2), (3, 5), (33, 31), (300, 200))
COUNTS = (2, 3, 16)
SECONDS_A_MAP = 60.0  # a guard against loops without end; a map takes milliseconds


def blocks(height: int, width: int, num_classes: int, seed: int = 0) -> Classes:
    """Return a map of overlapping rectangles and ellipses."""
    rng = np.random.default_rng(seed)
    classes = np.zeros((height, width), dtype=np.uint8)
    y, x = np.indices((height, width))
    for number in range(1, 8):
        top, left = rng.integers(0, height), rng.integers(0, width)
        tall, wide = rng.integers(1, height + 1), rng.integers(1, width + 1)
        inside = (abs(y - top) < tall / 2) & (abs(x - left) < wide / 2)
        if number % 2:
            inside = ((y - top) / tall) ** 2 + ((x - left) / wide) ** 2 < 0.2
        classes[inside] = number % num_classes
    return classes


def kinds(height: int, width: int, num_classes: int) -> dict[str, Classes]:
    rng = np.random.default_rng(height * width)
    noise = rng.integers(0, num_classes, (height, width), dtype=np.uint8)
    y, x = np.indices((height, width))
    return {
        "zeros": np.zeros_like(noise),
        "last class": np.full_like(noise, num_classes - 1),
        "blocks": blocks(height, width, num_classes),
        "inverted blocks": (num_classes - 1 - blocks(height, width, num_classes)).astype(np.uint8),
        "checkerboard": ((x + y) % num_classes).astype(np.uint8),
        "lines": (y % num_classes).astype(np.uint8),
        "columns": (x % num_classes).astype(np.uint8),
        "noise": noise,
        "rare": np.where(rng.random((height, width)) < 0.02, noise, 0).astype(np.uint8),
    }


def decode(data: bytes, like: Classes, num_classes: int) -> Classes:
    return decode_class_map(data, height=like.shape[0], width=like.shape[1], num_classes=num_classes)


@pytest.mark.parametrize("num_classes", COUNTS)
@pytest.mark.parametrize("size", SIZES)
def test_round_trip(size: tuple[int, int], num_classes: int) -> None:
    for kind, classes in kinds(*size, num_classes).items():
        before = classes.copy()
        data = encode_class_map(classes, num_classes)
        assert np.array_equal(classes, before)
        decoded = decode(data, classes, num_classes)
        assert decoded.dtype == np.uint8 and np.array_equal(decoded, classes), kind
        assert len(data) <= max(2, 1 + (classes.size * (num_classes - 1).bit_length() + 7) // 8), kind
        assert data == encode_class_map(classes, num_classes), kind


@settings(max_examples=100, deadline=None)
@given(
    st.integers(2, 16).flatmap(
        lambda num: st.tuples(
            st.just(num),
            arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, num - 1)),
        )
    )
)
def test_any_map_comes_back(case: tuple[int, Classes]) -> None:
    num_classes, classes = case
    assert np.array_equal(decode(encode_class_map(classes, num_classes), classes, num_classes), classes)


@pytest.mark.parametrize("num_classes", range(2, 17))
def test_the_coder_takes_noise_of_any_number_of_classes(num_classes: int) -> None:
    # In packed form it would be shorter, so the format does not let the coder see most of these.
    classes = kinds(40, 50, num_classes)["noise"]
    data = encode_contexts(classes, num_classes, max_size=1 << 14)
    assert data is not None
    assert len(data) < 1.15 * classes.size * np.log2(num_classes) / 8
    out = np.full_like(classes, 99)
    assert decode_contexts(data, out, num_classes) == OK and np.array_equal(out, classes)


def test_views_and_read_only_maps_are_taken() -> None:
    classes = blocks(60, 80, 2)
    classes.setflags(write=False)
    data = encode_class_map(classes, 2)
    assert np.array_equal(decode_class_map(memoryview(data), height=60, width=80, num_classes=2), classes)
    assert encode_class_map(classes[::2, ::-3], 2) == encode_class_map(classes[::2, ::-3].copy(), 2)
    assert encode_class_map(np.asfortranarray(classes), 2) == data


def test_the_shortest_way_is_taken() -> None:
    maps = kinds(300, 200, 2)
    chosen = {kind: encode_class_map(classes, 2)[0] for kind, classes in maps.items()}
    assert chosen.pop("zeros") == chosen.pop("last class") == METHODS["constant"]
    assert chosen.pop("noise") == METHODS["packed"]
    assert set(chosen.values()) == {METHODS["contexts"]}
    assert encode_class_map(maps["last class"], 2) == bytes([METHODS["constant"], 1])
    for kind in chosen:
        stream = encode_contexts(maps[kind], 2, max_size=7500)
        assert stream is not None
        assert encode_class_map(maps[kind], 2) == bytes([METHODS["contexts"]]) + stream
        assert encode_contexts(maps[kind], 2, max_size=len(stream)) == stream
        assert encode_contexts(maps[kind], 2, max_size=len(stream) - 1) is None


def test_maps_of_screens_are_small() -> None:
    classes = np.zeros((720, 1280), dtype=np.uint8)
    classes[100:400, 64:640] = 1
    classes[300:600, 700:1200] = 1
    assert len(encode_class_map(classes, 2)) < 40
    assert len(encode_class_map((1 - classes).astype(np.uint8), 2)) < 40


GOLDEN = {
    2: (
        "01b8a15d67ead1f54b730c83aa89f0447b26effea8a0a478bc7b8720f37c2d0de930dad38a187005b372d4ea9af87ad1"
        "cb79103bb63ed48be30e2e07b3"
    ),
    3: (
        "01bc87b0b319eb7557c88bf7db385a6a8f873f148a16ddfa3e3b2a316b96585d38ddc04576d9b76e33cf69933500c9a8"
        "797609fdb91d98bec7c888040291dbf0e191aaf3f6db2222"
    ),
    16: (
        "01d8d69d490ba6393e78ea046873ae2e54917cd71d1235eb331c1b483043add466079d42352540cdf299ad7d17cbaf55"
        "390d46bfd4f7b96f0eca6c057df656c77e61a9932cd15402416d7a54b8c42f6d0a8a131b"
    ),
}


@pytest.mark.parametrize("num_classes", COUNTS)
def test_the_stream_is_pinned(num_classes: int) -> None:
    # Drawn by whole numbers: a random generator may change.
    y, x = np.indices((24, 40))
    classes = (((x - 20) ** 2 + 2 * (y - 9) ** 2) // 90 % num_classes).astype(np.uint8)
    golden = bytes.fromhex(GOLDEN[num_classes])
    assert encode_class_map(classes, num_classes).hex() == golden.hex()
    assert np.array_equal(decode(golden, classes, num_classes), classes)


def test_the_packed_form_is_pinned() -> None:
    classes = np.array([[0, 0, 1], [1, 0, 1]], dtype=np.uint8)
    assert np.array_equal(decode(bytes.fromhex("0234"), classes, 2), classes)
    classes = np.array([[0, 4, 2], [3, 0, 1]], dtype=np.uint8)
    assert np.array_equal(decode(bytes.fromhex("02113040"), classes, 5), classes)


def streams() -> list[tuple[bytes, Classes, int]]:
    """Return streams of every way, their maps and numbers of classes."""
    found = []
    for num_classes in COUNTS:
        for kind in ("zeros", "blocks", "checkerboard", "noise", "rare"):
            classes = kinds(20, 24, num_classes)[kind]
            found.append((encode_class_map(classes, num_classes), classes, num_classes))
    packed = np.random.default_rng(3).integers(0, 3, (6, 7), dtype=np.uint8)
    found.append((b"\2" + np.packbits(packed.reshape(-1, 1) >> np.array([1, 0]) & 1).tobytes(), packed, 3))
    return found


def test_prefixes_and_flipped_bits_end_in_an_error_or_a_map() -> None:
    num_errors = num_streams = 0  # of the coder's streams; in the packed form most bytes are a map
    for data, classes, num_classes in streams():
        assert np.array_equal(decode(data, classes, num_classes), classes)
        changed = [data[:size] for size in range(len(data))]
        for at in range(len(data)):
            changed += [data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :] for bit in range(8)]
        changed += [data + b"\0", data + b"\xff", data + data]
        for one in changed:
            started = time.monotonic()
            num_streams += data[0] == METHODS["contexts"]
            try:
                decoded = decode(one, classes, num_classes)
            except (CorruptBitstream, TruncatedBitstream):
                num_errors += data[0] == METHODS["contexts"]
            else:
                assert decoded.shape == classes.shape and int(decoded.max()) < num_classes
                # What is taken for a stream is what the encoder would have written.
                if one[0] == METHODS["contexts"]:
                    assert int(decoded.max()) > 0
                    assert encode_contexts(decoded, num_classes, max_size=1 << 14) == one[1:]
            assert time.monotonic() - started < SECONDS_A_MAP
    assert num_errors > 0.9 * num_streams


def test_what_follows_a_map_is_refused_and_what_lacks_a_part_nearly_always() -> None:
    num_cuts = num_taken = 0
    for data, classes, num_classes in streams():
        with pytest.raises(CorruptBitstream):
            decode(data + b"\0", classes, num_classes)
        for size in range(len(data)):
            num_cuts += 1
            try:
                decode(data[:size], classes, num_classes)
            except BitstreamError:
                continue
            # By chance a part is what the encoder writes for another map: no byte of a stream is spent on a checksum.
            assert data[0] == METHODS["contexts"]
            num_taken += 1
    assert num_taken < 0.03 * num_cuts


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40), st.sampled_from(COUNTS), st.integers(0, 2))
def test_random_bytes_end_in_an_error_or_a_map(body: bytes, num_classes: int, way: int) -> None:
    try:
        decoded = decode_class_map(bytes([way]) + body, height=9, width=30, num_classes=num_classes)
    except (CorruptBitstream, TruncatedBitstream):
        return
    assert decoded.shape == (9, 30) and int(decoded.max()) < num_classes


def test_a_line_as_above_is_never_spelled_out() -> None:
    # Without that rule 80 would be it: no yes to "as the line above?", then every pixel the same.
    for only in range(256):
        out = np.zeros((1, 3), dtype=np.uint8)
        assert decode_contexts(bytes([only]), out, 2) != OK or out.any()


@pytest.mark.parametrize("way", range(3))
def test_forged_sizes_take_no_memory(way: int) -> None:
    data = encode_class_map(blocks(64, 64, 2), 2)
    data = bytes([way]) + data[1:]
    before = peak_mib()
    for height, width in ((1 << 24, 1 << 24), (1 << 24, 1), (1, 1 << 24), (1 << 16, 1 << 16), (0, 5), (5, -1), (0, 0)):
        with pytest.raises(CorruptBitstream):
            decode_class_map(data, height=height, width=width, num_classes=2)
    if way:
        with pytest.raises(TruncatedBitstream):
            decode_class_map(data, height=4096, width=4096, num_classes=2)
    assert peak_mib() - before < 100


@pytest.mark.parametrize("num_classes", [-1, 0, 1, 17, 256, 1 << 40])
def test_impossible_numbers_of_classes(num_classes: int) -> None:
    with pytest.raises(CorruptBitstream):
        decode_class_map(b"\0\0", height=2, width=2, num_classes=num_classes)
    with pytest.raises(ValueError, match="classes"):
        encode_class_map(np.zeros((2, 2), dtype=np.uint8), num_classes)


@pytest.mark.parametrize(
    ("data", "num_classes", "error"),
    [
        (b"", 2, TruncatedBitstream),
        (b"\0", 2, TruncatedBitstream),
        (b"\0\2", 2, CorruptBitstream),
        (b"\0\0\0", 2, CorruptBitstream),
        (b"\1", 2, TruncatedBitstream),
        (b"\1\0\0\0\0\0\0\0\0", 2, CorruptBitstream),
        (b"\2", 2, TruncatedBitstream),
        (b"\2\xff", 2, CorruptBitstream),
        (b"\2\xf0\0", 2, CorruptBitstream),
        (b"\2\xff", 3, CorruptBitstream),
        (b"\3\0", 2, CorruptBitstream),
        (b"\xff\0", 2, CorruptBitstream),
    ],
)
def test_damaged_maps_of_four_pixels(data: bytes, num_classes: int, error: type[BitstreamError]) -> None:
    with pytest.raises(error):
        decode_class_map(data, height=2, width=2, num_classes=num_classes)


@pytest.mark.parametrize(
    "classes",
    [
        np.zeros((2, 2), dtype=np.int32),
        np.zeros((2, 2, 1), dtype=np.uint8),
        np.zeros((0, 2), dtype=np.uint8),
        np.full((2, 2), 2, dtype=np.uint8),
    ],
)
def test_what_is_no_map_is_refused(classes: Classes) -> None:
    with pytest.raises(ValueError, match="class"):
        encode_class_map(classes, 2)


def test_numbers_on_the_wire() -> None:
    assert METHODS == {"constant": 0, "contexts": 1, "packed": 2}


def test_another_process_gives_the_same_bytes() -> None:
    script = (
        "from tests.test_class_map import blocks\n"
        "from pipeline.codecs.seec.class_map import encode_class_map\n"
        "print(encode_class_map(blocks(90, 70, 3), 3).hex())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == encode_class_map(blocks(90, 70, 3), 3).hex()
