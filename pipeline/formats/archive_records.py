"""An archive's JSON files: `archive.json`, the commit records and `rejected.jsonl`.

The first two carry a digest of themselves, so that a flipped byte is found. None holds anything that differs between
two runs: no time, no host, no place of the archive.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from pipeline.base.errors import ArchiveError
from pipeline.base.store import Store, canonical_json, sha256_hex

FORMAT = "diptych-archive"
FORMAT_VERSION = 1
ARCHIVE, REJECTED = "archive.json", "rejected.jsonl"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_KINDS: dict[Any, type] = {int: int, str: str}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """An input that was planned and could not be coded."""

    name: str
    reason: str
    """Short stable code, such as `truncated`."""
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitRecord:
    """What says that a shard is done."""

    shard: int
    plan_sha256: str
    num_pictures: int
    num_pixels: int
    input_bytes: int
    """Of the files whose pictures the shard holds."""
    bitstream_bytes: int
    tar_bytes: int
    tar_sha256: str
    index_bytes: int
    index_sha256: str
    first_name: str
    last_name: str
    """Smallest and largest name in the shard; both empty if it holds no picture."""
    rejected: tuple[Rejection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something in an archive that is not as it should be."""

    where: str
    """File of the archive, or name of the picture."""
    reason: str
    message: str


def commit_name(shard: int) -> str:
    """Return the name of a shard's commit record."""
    return f"commits/{shard:06d}.json"


def weights_name(sha256: str) -> str:
    """Return the name of a weights file; `sha256` is hexadecimal."""
    return f"weights/{sha256}.safetensors"


def write_info(store: Store, info: Mapping[str, Any]) -> None:
    """Write `archive.json`; `info` says how the archive is made and holds nothing that differs between two runs."""
    store.write_bytes(ARCHIVE, _sealed({"format": FORMAT, "format_version": FORMAT_VERSION, **info}))


def read_info(store: Store) -> dict[str, Any]:
    """Return `archive.json`; its codecs, if it has any, are of the documented types.

    Raises: ArchiveError: there is none, it is damaged or of another version.
    """
    if not store.exists(ARCHIVE):
        raise ArchiveError(f"{store.url}: no {ARCHIVE}; not an archive")
    info = _unsealed(store, ARCHIVE)
    found = (info.get("format"), info.get("format_version"))
    if found != (FORMAT, FORMAT_VERSION):
        raise ArchiveError(
            f"{store.where(ARCHIVE)}: is {found[0]} version {found[1]}, expected {FORMAT} {FORMAT_VERSION}"
        )
    codecs = info.get("codecs", [])
    if not isinstance(codecs, list) or not all(_is_codec(codec) for codec in codecs):
        raise ArchiveError(
            f"{store.where(ARCHIVE)}: codecs are {codecs!r}, expected name, wire_id, weights_sha256 each"
        )
    return info


def write_commit(store: Store, commit: CommitRecord) -> None:
    """Write a shard's commit record; its tar and index must be there before."""
    store.write_bytes(commit_name(commit.shard), _sealed(asdict(commit)))


def read_commit(store: Store, shard: int) -> CommitRecord | None:
    """Return a shard's commit record, or None if it was never committed. Raises: ArchiveError: it is damaged."""
    name = commit_name(shard)
    if not store.exists(name):
        return None
    table = _unsealed(store, name)
    where = store.where(name)
    rejected = table.get("rejected")
    if not isinstance(rejected, list):
        raise ArchiveError(f"{where}: rejected is {rejected!r}, expected a list")
    rows = tuple(Rejection(**_typed(Rejection, row, where)) for row in rejected)
    commit = CommitRecord(**_typed(CommitRecord, {**table, "rejected": rows}, where))
    if commit.shard != shard:
        raise ArchiveError(f"{store.where(name)}: is the record of shard {commit.shard}")
    return commit


def write_rejected(store: Store, commits: Iterable[CommitRecord]) -> int:
    """Write `rejected.jsonl` from the commit records; return how many inputs it lists."""
    rows = [{**asdict(row), "shard": commit.shard} for commit in commits for row in commit.rejected]
    store.write_bytes(REJECTED, b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows))
    return len(rows)


def _typed(record: type[Rejection] | type[CommitRecord], table: Any, where: str) -> dict[str, Any]:
    """Return the record's fields, all there and of their types; fields that a later release adds are left out."""
    if not isinstance(table, dict):
        raise ArchiveError(f"{where}: found {table!r}, expected an object")
    for field in fields(record):
        value = table.get(field.name)
        kind = _KINDS.get(field.type, tuple)
        # In Python, unlike in JSON, true is an integer.
        if not isinstance(value, kind) or isinstance(value, bool) or (isinstance(value, int) and value < 0):
            raise ArchiveError(f"{where}: {field.name} is {value!r}, expected {field.type}")
    return {field.name: table[field.name] for field in fields(record)}


def _is_codec(codec: Any) -> bool:
    if not isinstance(codec, dict):
        return False
    name, wire_id, digest = (codec.get(key) for key in ("name", "wire_id", "weights_sha256"))
    is_digest = isinstance(digest, str) and _SHA256.fullmatch(digest) is not None
    return isinstance(name, str) and isinstance(wire_id, int) and is_digest


def _sealed(table: Mapping[str, Any]) -> bytes:
    """Return a JSON object with a digest of its other fields, so that a flipped byte in it is found."""
    return canonical_json({**table, "record_sha256": sha256_hex(canonical_json(dict(table)))})


def _unsealed(store: Store, name: str) -> dict[str, Any]:
    where = store.where(name)
    try:
        table = json.loads(store.read_bytes(name))
        if not isinstance(table, dict):
            raise ValueError("expected an object")
        stored = table.pop("record_sha256", None)
        found = sha256_hex(canonical_json(table))
    except (ValueError, RecursionError) as error:
        raise ArchiveError(f"{where}: not JSON of ours ({error})") from error
    if stored != found:
        raise ArchiveError(f"{where}: its own digest differs; the file was changed after writing")
    return table
