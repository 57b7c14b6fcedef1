"""Re-reading one shard: tar, side-car and every member are compared with one another."""

import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

import pyarrow as pa

from datagen.dataset.check_sample import check_members
from datagen.dataset.findings import Finding
from datagen.dataset.groups import binds
from datagen.dataset.listing import MAY_BE_NULL, ShardRow, read_sidecar
from pipeline.base.errors import FormatError, StorageError
from pipeline.base.store import Store, sha256_hex
from pipeline.formats.encoded import COLUMN
from pipeline.formats.sample import FIELDS, Source

_BLOCK = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the whole corpus has to know of one shard, beside the findings in it."""

    stem: str
    split: str
    keys: tuple[str, ...]
    pixels_sha256: bytes
    """32 bytes a sample."""
    perceptual_hashes: tuple[bytes, ...]
    """32 bytes a sample, or none if the hash is not known."""
    sources: Mapping[str, tuple[str, str]]
    """Name and a key that shows it, by digest; of the sources that bind samples to one split."""
    num_bytes: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    offset: int
    size: int


def check_shard(store: Store, shard: ShardRow, *, decode: bool) -> Facts:
    """Re-read a shard. Nothing about its content raises; a file that cannot be read is a finding."""
    name = f"{shard.stem}.tar"
    findings: list[Finding] = []
    table = _sidecar(store, shard, findings)
    rows = table.to_pylist() if table is not None else []
    hashes: list[bytes] = [row["perceptual_hash"] or b"" for row in rows]
    sources: dict[str, tuple[str, str]] = {}
    num_bytes = 0
    try:
        with _open(store, name) as file:
            num_bytes = file.seek(0, io.SEEK_END)
            findings += _check_digest(file, shard)
            listed = _walk(file, findings, name) if table is not None else {}
            for place, row in enumerate(rows):
                where = f"{name}: {row['key']}"
                members = _read_members(file, row, listed, where, findings)
                if members is None:
                    continue
                checked = check_members(members, row, where=where, decode=decode)
                findings += checked.findings
                hashes[place] = checked.perceptual_hash or hashes[place]
                sources |= _binding(checked.sources, row["key"])
            expected = {f"{row['key']}.{ending}" for row in rows for ending in FIELDS}
            findings += [
                Finding(kind="unlisted_member", where=f"{name}: {member}", message="the side-car does not list it")
                for member in listed
                if table is not None and member not in expected
            ]
    except StorageError as error:
        kind = "file_digest" if store.exists(name) else "missing_file"
        findings.append(Finding(kind=kind, where=name, message=str(error)))
    return Facts(
        stem=shard.stem,
        split=shard.split,
        keys=tuple(row["key"] for row in rows),
        pixels_sha256=b"".join(row["pixels_sha256"] for row in rows),
        perceptual_hashes=tuple(hashes),
        sources=sources,
        num_bytes=num_bytes,
        findings=tuple(findings),
    )


def _sidecar(store: Store, shard: ShardRow, findings: list[Finding]) -> pa.Table | None:
    name = f"{shard.stem}.parquet"
    if not store.exists(name):
        findings.append(Finding(kind="missing_file", where=name, message="listed, but not there"))
        return None
    found = sha256_hex(store.read_bytes(name))
    if found != shard.parquet_sha256:
        findings.append(_digest_finding(name, found, shard.parquet_sha256))
    try:
        table = read_sidecar(store, shard.stem)
    except (FormatError, StorageError) as error:
        findings.append(Finding(kind="side_car", where=name, message=str(error)))
        return None
    essential = [column for column in table.column_names if column not in MAY_BE_NULL]
    empty = [column for column in essential if table.column(column).null_count]
    if empty:
        findings.append(Finding(kind="side_car", where=name, message=f"column {empty[0]!r} has empty places"))
        return None
    if len(table) != shard.num_samples:
        message = f"has {len(table)} rows, its commit record says {shard.num_samples}"
        findings.append(Finding(kind="side_car", where=name, message=message))
    return table


def _open(store: Store, name: str) -> IO[bytes]:
    path = store.local_path(name)
    if path is None:
        return io.BytesIO(store.read_bytes(name))
    try:
        return open(path, "rb")
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}") from error


def _check_digest(file: IO[bytes], shard: ShardRow) -> Iterator[Finding]:
    name = f"{shard.stem}.tar"
    size = file.seek(0, io.SEEK_END)
    if size != shard.tar_bytes:
        message = f"has {size} bytes, its commit record says {shard.tar_bytes}"
        yield Finding(kind="file_digest", where=name, message=message)
        return
    file.seek(0)
    found = hashlib.sha256()
    while chunk := file.read(1 << 20):
        found.update(chunk)
    if found.hexdigest() != shard.tar_sha256:
        yield _digest_finding(name, found.hexdigest(), shard.tar_sha256)


def _digest_finding(name: str, found: str, expected: str) -> Finding:
    message = f"sha256 is {found[:16]}..., its commit record says {expected[:16]}..."
    return Finding(kind="file_digest", where=name, message=message)


def _walk(file: IO[bytes], findings: list[Finding], name: str) -> dict[str, _Place]:
    """Return the members as any reader of tars finds them; it stops at the first header that is damaged."""
    listed: dict[str, _Place] = {}
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for member in tar:
                if member.name in listed:
                    message = "stands twice in the tar"
                    findings.append(Finding(kind="unlisted_member", where=f"{name}: {member.name}", message=message))
                listed.setdefault(member.name, _Place(offset=member.offset_data, size=member.size))
    except (tarfile.TarError, OSError, EOFError, ValueError):
        # The members behind are looked for where the side-car says.
        pass
    return listed


def _read_members(
    file: IO[bytes], row: Mapping[str, Any], listed: Mapping[str, _Place], where: str, findings: list[Finding]
) -> dict[str, bytes] | None:
    """Return a sample's members, or None if they cannot be found."""
    members: dict[str, bytes] = {}
    damaged: list[str] = []
    for ending in FIELDS:
        name = f"{row['key']}.{ending}"
        place = _Place(offset=row[f"{COLUMN[ending]}_offset"], size=row[f"{COLUMN[ending]}_size"])
        found = listed.get(name)
        if found is not None and found != place:
            message = f".{ending} is at {found.offset}+{found.size}, the side-car says {place.offset}+{place.size}"
            findings.append(Finding(kind="wrong_place", where=where, message=message))
            place = found
        elif found is None and not _header_fits(file, name, place):
            damaged.append(ending)
        file.seek(max(place.offset, 0))
        members[ending] = file.read(max(place.size, 0))
    if damaged:
        whole = hashlib.sha256(b"".join(members.values())).digest() == row["members_sha256"]
        kind = "tar_header" if whole else "missing_member"
        said = "data is whole, but no tar reader would find it" if whole else "not in the tar"
        findings += [Finding(kind=kind, where=where, message=f".{ending}: {said}") for ending in damaged]
        return members if whole else None
    return members


def _header_fits(file: IO[bytes], name: str, place: _Place) -> bool:
    """Return whether the header before the place is that of the member."""
    if place.offset < _BLOCK:
        return False
    file.seek(place.offset - _BLOCK)
    try:
        header = tarfile.TarInfo.frombuf(file.read(_BLOCK), tarfile.ENCODING, "surrogateescape")
    except tarfile.TarError:
        return False
    return header.name == name and header.size == place.size


def _binding(sources: tuple[Source, ...], key: str) -> dict[str, tuple[str, str]]:
    return {source.sha256: (f"{source.kind} {source.name}", key) for source in sources if binds(source)}
