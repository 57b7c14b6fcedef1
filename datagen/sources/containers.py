"""What lies inside files: each picture of a WebDataset tar or of a parquet table, with the place to read it again.

Containers are read once from front to back, so a remote one is streamed and never stored.
"""

import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.sources.places import File, is_remote, open_file, read_range, without_secrets
from datagen.sources.stated import FIELDS, MEMBERS
from pipeline.base.errors import PictureError, StorageError
from pipeline.formats.picture import SUFFIXES

TAR, PARQUET = ".tar", ".parquet"
COMPRESSED = (".tar.gz", ".tgz", ".tar.zst", ".tar.bz2", ".tar.xz")
_PICTURE_COLUMNS = ("image", "jpg", "jpeg", "png", "webp", "bytes", "img", "picture", "photo", "content")
_NAME_COLUMNS = ("path", "file", "file_name", "filename", "name", "key", "__key__", "id")
_BATCH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One picture file, wherever it lies."""

    name: str
    """`folder/photo.jpg`, `shard.tar/photo.jpg`, `table.parquet/photo.jpg`."""
    path: str
    part: str
    """As in PlannedSource."""
    read: Callable[[], bytes]
    notes: Mapping[str, Any] = field(default_factory=dict)
    """What its container says about it: a tar's sibling JSON and class names, a parquet row's other columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A container, or what is left of it, that cannot be read."""

    name: str
    reason: str
    message: str


def read_items(file: File) -> Iterator[Item | Damage]:
    """Give the pictures of one file: itself, or those inside. Raises: StorageError: the network or disk gave up."""
    lower = file.name.lower()
    if lower.endswith(COMPRESSED):
        message = f"{file.name}: a compressed tar cannot be read in parts; unpack it to a plain .tar"
        yield Damage(name=file.name, reason="compressed", message=message)
    elif lower.endswith(TAR):
        yield from _tar_items(file)
    elif lower.endswith(PARQUET):
        yield from _parquet_items(file)
    else:
        yield Item(name=file.name, path=file.path, part="", read=lambda: read_range(file.path))


def read_part(path: str, part: str) -> bytes:
    """Return the bytes that `Item.part` names. Raises: PictureError: `unreadable`; StorageError: no network."""
    try:
        if part.startswith("row "):
            return _parquet_value(path, part)
        if part:
            offset, size = map(int, part.split()[1:])
            return read_range(path, offset, size)
        return read_range(path)
    except (OSError, pa.ArrowException, LookupError) as error:
        said = getattr(error, "strerror", None) or error
        raise PictureError("unreadable", f"{path}: {said}") from error


def picture_column(schema: pa.Schema) -> str | None:
    """Return the name of the column that holds picture files: bytes, or a struct with `bytes`; None = there is none."""
    holding = [column.name for column in schema if _holds_bytes(column.type)]
    named = [name for name in _PICTURE_COLUMNS if name in holding]
    return named[0] if named else holding[0] if len(holding) == 1 else None


def _tar_items(file: File) -> Iterator[Item | Damage]:
    try:
        with _in_parts(file), open_file(file.path) as opened, tarfile.open(fileobj=opened, mode="r:") as tar:
            yield from _samples(file, tar)
    except tarfile.TarError as error:
        yield Damage(name=file.name, reason="truncated", message=f"{file.name}: not a whole tar ({error})")


@contextmanager
def _in_parts(file: File) -> Iterator[None]:
    """Say which file it was that a server sends only whole. Raises: StorageError."""
    try:
        yield
    except ValueError as error:
        if isinstance(error, pa.ArrowException) or not is_remote(file.path):
            raise
        said = str(error).partition(". ")[0]
        raise StorageError(f"{without_secrets(file.path)}: cannot be read in parts ({said}); copy it first") from error


def _samples(file: File, tar: tarfile.TarFile) -> Iterator[Item]:
    """Give the pictures of each run of members with one key, with the JSON and class names that stand beside them."""
    held: list[tuple[tarfile.TarInfo, bytes]] = []
    beside: dict[str, bytes] = {}
    current = ""
    for member in tar:
        if not member.isfile():
            continue
        folder, _, base = member.name.rpartition("/")
        stem, _, ending = base.partition(".")
        if f"{folder}/{stem}" != current:
            yield from _run(file, held, beside)
            held, beside, current = [], {}, f"{folder}/{stem}"
        # Of our own corpora the label maps end in `.label.png`: they are no pictures of anything.
        if f".{ending.lower()}" in SUFFIXES:
            held.append((member, _read_member(tar, member)))
        elif ending.lower() in ("json", *MEMBERS):
            beside[ending.lower()] = _read_member(tar, member)
    yield from _run(file, held, beside)


def _run(file: File, held: list[tuple[tarfile.TarInfo, bytes]], beside: Mapping[str, bytes]) -> Iterator[Item]:
    notes = _json_notes(beside["json"]) if "json" in beside else {}
    named = next((beside[ending] for ending in MEMBERS if ending in beside), None)
    if named is not None:
        # A member of its own outweighs a key of the JSON: under the name that is looked for first.
        notes = {**notes, MEMBERS[0]: named}
    for info, data in held:
        yield _member(file, info, data, notes)


def _member(file: File, info: tarfile.TarInfo, data: bytes, notes: Mapping[str, Any]) -> Item:
    part = f"bytes {info.offset_data} {info.size}"
    return Item(name=f"{file.name}/{info.name}", path=file.path, part=part, read=lambda: data, notes=notes)


def _read_member(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    opened: IO[bytes] | None = tar.extractfile(member)
    data = opened.read() if opened else b""
    if len(data) != member.size:
        raise tarfile.ReadError(f"{member.name} ends early")
    return data


def _json_notes(data: bytes) -> Mapping[str, Any]:
    try:
        notes = json.loads(data)
    except ValueError:
        # Metadata that cannot be read is as good as none; the picture itself may be fine.
        return {}
    return notes if isinstance(notes, dict) else {}


def _parquet_items(file: File) -> Iterator[Item | Damage]:
    try:
        with _in_parts(file), open_file(file.path) as opened:
            table = pq.ParquetFile(opened)
            column = picture_column(table.schema_arrow)
            if column is None:
                return
            names = [field.name for field in table.schema_arrow if _is_note(field)]
            wanted = [column, *(name for name in names if name != column)]
            for group in range(table.num_row_groups):
                row = 0
                for batch in table.iter_batches(batch_size=_BATCH, row_groups=[group], columns=wanted):
                    for record in batch.to_pylist():
                        yield _row(file, f"row {group} {row} {column}", record, column)
                        row += 1
    except pa.ArrowException as error:
        yield Damage(name=file.name, reason="truncated", message=f"{file.name}: not a whole parquet file ({error})")


def _row(file: File, part: str, record: dict[str, Any], column: str) -> Item:
    value = record.pop(column)
    inner = value.get("path") if isinstance(value, dict) else None
    named = inner or next((str(record[name]) for name in _NAME_COLUMNS if record.get(name) is not None), "")
    base = PurePosixPath(named).name or "-".join(part.split()[1:3])
    data = bytes((value.get("bytes") if isinstance(value, dict) else value) or b"")
    return Item(name=f"{file.name}/{base}", path=file.path, part=part, read=lambda: data, notes=record)


def _parquet_value(path: str, part: str) -> bytes:
    _, group, row, column = part.split(maxsplit=3)
    left = int(row)
    try:
        with open_file(path) as opened:
            # Pages are read and decoded as far as the row, not the whole group.
            table = pq.ParquetFile(opened, pre_buffer=False, buffer_size=1 << 16)
            for batch in table.iter_batches(batch_size=_BATCH, row_groups=[int(group)], columns=[column]):
                if left < len(batch):
                    value = batch.column(0)[left].as_py()
                    return bytes((value.get("bytes") if isinstance(value, dict) else value) or b"")
                left -= len(batch)
    except StorageError as error:
        raise PictureError("unreadable", str(error)) from error
    raise LookupError(f"row {row} of row group {group} is not there")


def _is_note(field: pa.Field) -> bool:
    """Return whether a column may say something about a picture: single values, and lists of class names."""
    if not pa.types.is_nested(field.type):
        return True
    is_list = pa.types.is_list(field.type) or pa.types.is_large_list(field.type)
    return is_list and field.name.strip().lower() in FIELDS and not pa.types.is_nested(field.type.value_type)


def _holds_bytes(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        fields = [kind.field(index) for index in range(kind.num_fields)]
        return any(field.name == "bytes" and _holds_bytes(field.type) for field in fields)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))
