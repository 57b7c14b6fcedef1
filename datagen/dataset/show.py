"""One sample of a corpus: its metadata, and its members as files."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from datagen.dataset.listing import ShardRow, read_shard_table, read_sidecar
from pipeline.base.errors import ShardError, UsageError
from pipeline.base.store import Store
from pipeline.formats.encoded import COLUMN, digest_members
from pipeline.formats.sample import FIELDS, decode_info


def show_sample(store: Store, key: str, *, out: Path | None = None) -> dict[str, Any]:
    """Return a sample's metadata and side-car row; write its four members to the folder `out` if one is given.

    Raises: UsageError: no such key; ShardError: its bytes are not those that the side-car's digest was taken of.
    """
    shard, row = find(store, key)
    tar = f"{shard.stem}.tar"
    members = {
        ending: store.read_bytes(tar, start=row[f"{COLUMN[ending]}_offset"], size=row[f"{COLUMN[ending]}_size"])
        for ending in FIELDS
    }
    if digest_members(members) != row["members_sha256"]:
        raise ShardError(f"{store.where(tar)}: {key}: bytes differ from the side-car's digest")
    info = asdict(decode_info(members["json"], where=f"{store.where(tar)}: {key}"))
    shares = {name: row[f"{name}_fraction"] for name in ("synthetic", "natural", "ignore")}
    shown = {"key": key, "split": shard.split, "tar": store.where(tar), **info, "shares": shares}
    shown |= {"num_regions": row["num_regions"], "pixels_sha256": row["pixels_sha256"].hex()}
    shown["members"] = [
        {"member": f"{key}.{ending}", "offset": row[f"{COLUMN[ending]}_offset"], "bytes": len(members[ending])}
        for ending in FIELDS
    ]
    if out is not None:
        target = Store(out)
        for ending, data in members.items():
            target.write_bytes(f"{key}.{ending}", data)
        shown["written_to"] = str(out)
    return shown


def find(store: Store, key: str) -> tuple[ShardRow, dict[str, Any]]:
    """Return the shard that holds a key, and its side-car row. Raises: UsageError: none does; ShardError."""
    shards = read_shard_table(store)
    # Keys mostly begin with their split; its shards are looked at first.
    for shard in sorted(shards, key=lambda row: not key.startswith(f"{row.split}-")):
        table = read_sidecar(store, shard.stem)
        place = pc.index(table.column("key"), key).as_py()
        if place >= 0:
            row: dict[str, Any] = table.slice(place, 1).to_pylist()[0]
            return shard, row
    example = read_sidecar(store, shards[0].stem).column("key").to_pylist()[:1] if shards else []
    hint = f"; keys look like {example[0]!r}" if example else ""
    raise UsageError(f"{store.url}: no sample {key!r}{hint}")
