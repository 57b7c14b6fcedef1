"""What an archive costs beyond its bitstreams, and how fast one picture is found: `python -m benchmarks.container`.

2,000 bitstreams of about 10 kB under names as screenshot tools give them; the names and the two digests a picture are
what a container cannot get rid of. Asserts that everything except bitstreams and weights stays under 1 %.
"""

import datetime
import hashlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.base.store import Store
from pipeline.formats.archive import CodedPicture, find_entry, open_archive, read_bitstream, write_shard
from pipeline.formats.archive_index import PLAN, PlanRow, write_plan
from pipeline.formats.archive_records import write_info, write_rejected
from pipeline.formats.archive_salvage import salvage
from pipeline.formats.bitstream import Bitstream, pack
from serving.plan import plan_sha256

NUM_PICTURES = 2000
MEAN_BYTES = 10_000
WEIGHTS = hashlib.sha256(b"weights").digest()


def main() -> None:
    """Write an archive, measure it, and print a table."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        store = Store(folder / "archive")
        bitstream_bytes = _write(store)
        total = 0
        print(f"{NUM_PICTURES} pictures, {bitstream_bytes / NUM_PICTURES:,.0f} bytes each")
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                size = path.stat().st_size
                total += size
                beyond = size - bitstream_bytes if path.suffix == ".tar" else size
                name = path.relative_to(folder / "archive")
                print(f"  {name!s:<28}{size:>12,}  {beyond / NUM_PICTURES:6.1f} bytes a picture beyond bitstreams")
        overhead = (total - bitstream_bytes) / bitstream_bytes
        print(f"container overhead {100 * overhead:.3f} % (limit 1 %)")
        _time_reading(store)
        assert overhead < 0.01, f"container overhead is {100 * overhead:.3f} %"


def _write(store: Store) -> int:
    write_info(store, {"codecs": [{"name": "mtl_sci", "wire_id": 1, "weights_sha256": WEIGHTS.hex()}]})
    rng = np.random.default_rng(0)
    pictures = list(_pictures(rng))
    with store.writing(PLAN) as path:
        write_plan(path, _plan_rows(pictures, rng))
    commit = write_shard(store, 0, pictures, plan_sha256=plan_sha256(store))
    write_rejected(store, [commit])
    return commit.bitstream_bytes


def _pictures(rng: np.random.Generator) -> Iterator[CodedPicture]:
    # Lognormal sizes: a few pictures take many times the median, as real ones do.
    sizes = rng.lognormal(np.log(MEAN_BYTES) - 0.125, 0.5, NUM_PICTURES).astype(int)
    for time_s, size in zip(_times(np.random.default_rng(1)), sizes, strict=True):
        taken = datetime.datetime.fromtimestamp(time_s, datetime.UTC)
        yield CodedPicture(
            name=f"{taken:%Y/%m}/Screenshot from {taken:%Y-%m-%d %H-%M-%S}.png",
            data=_bitstream(rng.bytes(int(size)), rng),
            pixels_sha256=rng.bytes(32),
            file_sha256=rng.bytes(32),
            source_mode=str(rng.choice(["RGB", "RGBA"], p=[0.7, 0.3])),
            codec="mtl_sci",
            weights_sha256=WEIGHTS,
            psnr_db=float(rng.normal(36, 3)),
            num_input_bytes=0,
        )


def _bitstream(payload: bytes, rng: np.random.Generator) -> bytes:
    width, height = ((1920, 1080), (2560, 1440), (1366, 768), (int(rng.integers(200, 1900)), 700))[rng.integers(4)]
    return pack(
        Bitstream(
            codec_wire_id=1,
            weights_digest=WEIGHTS[:8],
            width=width,
            height=height,
            num_channels=3,
            pixels_crc32=int(rng.integers(2**32)),
            segments={1: payload},
        )
    )


def _plan_rows(pictures: list[CodedPicture], rng: np.random.Generator) -> Iterator[PlanRow]:
    for picture, time_s in zip(pictures, _times(np.random.default_rng(1)), strict=True):
        num_bytes = int(rng.lognormal(np.log(300_000), 0.7))
        yield PlanRow(
            name=picture.name, root="/home/anna/Pictures", path=None, num_bytes=num_bytes, mtime=time_s, shard=0
        )


def _times(rng: np.random.Generator) -> list[int]:
    return [1_700_000_000 + int(gap) for gap in np.cumsum(rng.exponential(5000, NUM_PICTURES))]


def _time_reading(store: Store) -> None:
    started = time.perf_counter()
    entries = list(open_archive(store).entries())
    print(f"open and list: {1000 * (time.perf_counter() - started):.0f} ms")
    started = time.perf_counter()
    for entry in entries:
        read_bitstream(store, entry)
    print(f"read one bitstream by its entry, checksum verified: {1000 * (time.perf_counter() - started) / 2000:.3f} ms")
    started = time.perf_counter()
    find_entry(open_archive(store), entries[777].name)
    print(f"find one by name in a cold archive: {1000 * (time.perf_counter() - started):.0f} ms")
    started = time.perf_counter()
    assert len(salvage(store).entries) == NUM_PICTURES
    print(f"rebuild all rows from the tar alone: {1000 * (time.perf_counter() - started):.0f} ms")


if __name__ == "__main__":
    main()
