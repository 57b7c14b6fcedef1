"""Small real archives for the archive tests; their bitstreams are well-formed but belong to no codec."""

import hashlib

from pipeline.base.store import Store
from pipeline.formats.archive import CodedPicture, write_shard
from pipeline.formats.archive_index import PLAN, PlanRow, write_plan
from pipeline.formats.archive_records import CommitRecord, Rejection, weights_name, write_info
from pipeline.formats.bitstream import Bitstream, pack

WEIGHTS = b"weights"
WEIGHTS_SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


def bitstream(payload: bytes, *, width: int = 7, height: int = 5) -> bytes:
    """Return a well-formed bitstream around `payload`."""
    return pack(
        Bitstream(
            codec_wire_id=1,
            weights_digest=bytes.fromhex(WEIGHTS_SHA256)[:8],
            width=width,
            height=height,
            num_channels=3,
            pixels_crc32=0x12345678,
            segments={1: payload},
        )
    )


def coded(name: str, payload: bytes = b"", *, psnr_db: float = 33.123) -> CodedPicture:
    """Return a picture ready to be stored, with digests made from its name."""
    return CodedPicture(
        name=name,
        data=bitstream(payload or name.encode() * 20),
        pixels_sha256=hashlib.sha256(b"pixels" + name.encode()).digest(),
        file_sha256=hashlib.sha256(b"file" + name.encode()).digest(),
        source_mode="RGB",
        codec="mtl_sci",
        weights_sha256=bytes.fromhex(WEIGHTS_SHA256),
        psnr_db=psnr_db,
        num_input_bytes=1000,
    )


def write_archive(store: Store, *, num_shards: int = 2, pictures_per_shard: int = 10) -> list[CommitRecord]:
    """Write a whole archive; each shard also has a rejected input."""
    write_info(store, {"codecs": [{"name": "mtl_sci", "wire_id": 1, "weights_sha256": WEIGHTS_SHA256}]})
    store.write_bytes(weights_name(WEIGHTS_SHA256), WEIGHTS)
    names = [f"s{shard}/p{i:03d}.png" for shard in range(num_shards) for i in range(pictures_per_shard)]
    rows = [
        PlanRow(name=name, root="/pictures", path=None, num_bytes=1000, mtime=1, shard=i // pictures_per_shard)
        for i, name in enumerate(names)
    ]
    with store.writing(PLAN) as path:
        write_plan(path, rows)
    commits = []
    for shard in range(num_shards):
        items = [coded(name) for name in names[shard * pictures_per_shard :][:pictures_per_shard]]
        rejection = Rejection(name=f"s{shard}/bad.png", reason="truncated", message="cut short")
        plan_sha256 = hashlib.sha256(store.read_bytes(PLAN)).hexdigest()
        commits.append(write_shard(store, shard, [*items, rejection], plan_sha256=plan_sha256))
    return commits
