"""Re-reading one sample: its four members against each other and against its side-car row."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from datagen.dataset.findings import Finding
from datagen.quality import perceptual_hash
from pipeline.base.errors import ShardError
from pipeline.formats.encoded import CLASSES, digest_members
from pipeline.formats.picture import PILLOW_ERRORS, digest_pixels
from pipeline.formats.sample import (
    FIELDS,
    IGNORE,
    NATURAL,
    SYNTHETIC,
    SampleInfo,
    Source,
    check_key,
    decode_info,
    decode_plane,
    label_fractions,
)

_TOLERANCE = 1e-9
_NUM_IDS = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a sample's members told."""

    findings: tuple[Finding, ...]
    sources: tuple[Source, ...]
    """As its metadata names them; none if that cannot be read."""
    perceptual_hash: bytes
    """32 bytes; none if neither row nor metadata hold it and nothing was decoded."""


def check_members(members: Mapping[str, bytes], row: Mapping[str, Any], *, where: str, decode: bool) -> Checked:
    """Compare a sample's members (bytes by ending) with its side-car row; `decode` looks at the pixels too."""
    findings = list(_check_key(row["key"], where))
    if digest_members(members) != row["members_sha256"]:
        findings.append(Finding(kind="member_digest", where=where, message="bytes differ from the side-car's digest"))
    known = row["perceptual_hash"] or b""
    info = _info(members["json"], where, findings)
    if info is not None:
        findings += _compare(_row_of_info(info), row, where)
        findings += _compare_classes(info, row, where)
        known = known or bytes.fromhex(info.perceptual_hash)
    if decode:
        planes: dict[str, np.ndarray[Any, Any]] = {}
        for ending in FIELDS[:3]:
            try:
                planes[ending] = decode_plane(members[ending])
            except (*PILLOW_ERRORS, Image.DecompressionBombError) as error:
                findings.append(Finding(kind="undecodable", where=where, message=f".{ending}: {error}"))
        findings += _check_planes(planes, row, where)
        picture = planes.get("png")
        if not known and picture is not None and picture.ndim == 3:
            known = bytes.fromhex(perceptual_hash(picture))
    return Checked(findings=tuple(findings), sources=info.sources if info else (), perceptual_hash=known)


def _check_key(key: str, where: str) -> Iterator[Finding]:
    try:
        check_key(key)
    except ValueError as error:
        yield Finding(kind="bad_key", where=where, message=str(error))


def _info(data: bytes, where: str, findings: list[Finding]) -> SampleInfo | None:
    try:
        info = decode_info(data, where=".json")
        _row_of_info(info)
    except (ShardError, ValueError, TypeError, AttributeError) as error:
        findings.append(Finding(kind="undecodable", where=where, message=str(error)))
        return None
    return info


def _row_of_info(info: SampleInfo) -> dict[str, Any]:
    """Return the columns of a side-car row that repeat the metadata."""
    return {
        "key": info.key,
        "width": info.width,
        "height": info.height,
        "kind": info.kind,
        "how_labelled": info.how_labelled,
        "how_masked": info.how_masked,
        "sources": [source.sha256 for source in info.sources],
        "seed": info.seed,
        "perceptual_hash": bytes.fromhex(info.perceptual_hash) or None,
        "confidence": info.details.get("confidence"),
    }


def _compare_classes(info: SampleInfo, row: Mapping[str, Any], where: str) -> Iterator[Finding]:
    # A column that is not there, null and an empty list say the same: the scene kind stands for the classes.
    said = row[CLASSES.name] or []
    if list(info.classes) != said:
        message = f"classes are {_brief(list(info.classes))}, the side-car says {_brief(said)}"
        yield Finding(kind="classes", where=where, message=message)


def _check_planes(planes: Mapping[str, np.ndarray[Any, Any]], row: Mapping[str, Any], where: str) -> Iterator[Finding]:
    size = (row["height"], row["width"])
    expected = {"png": (*size, 3), "label.png": size, "regions.png": size}
    fitting = {}
    for ending, plane in planes.items():
        if plane.shape == expected[ending]:
            fitting[ending] = plane
        else:
            message = f".{ending}: shape is {plane.shape}, the side-car says {expected[ending]}"
            yield Finding(kind="row", where=where, message=message)
    if "png" in fitting:
        found = {"pixels_sha256": bytes.fromhex(digest_pixels(fitting["png"].astype(np.uint8, copy=False)))}
        yield from _compare(found, row, where)
    if "label.png" in fitting:
        yield from _check_label(fitting["label.png"], row, where)
    if "regions.png" in fitting:
        yield from _check_regions(fitting["regions.png"], row, where)


def _check_label(label: np.ndarray[Any, Any], row: Mapping[str, Any], where: str) -> Iterator[Finding]:
    values = np.flatnonzero(np.bincount(label.reshape(-1).astype(np.int64)))
    strange = [value for value in values.tolist() if value not in (SYNTHETIC, NATURAL, IGNORE)]
    if strange:
        text = ", ".join(map(str, strange[:5]))
        yield Finding(kind="label_values", where=where, message=f"label map holds {text}; expected 0, 1, 255")
    if label.dtype == np.uint8:
        yield from _compare(label_fractions(label), row, where)


def _check_regions(regions: np.ndarray[Any, Any], row: Mapping[str, Any], where: str) -> Iterator[Finding]:
    if regions.min(initial=0) < 0 or regions.max(initial=0) >= _NUM_IDS:
        yield Finding(kind="region_ids", where=where, message=f"ids go up to {regions.max()}, at most 65535 may")
        return
    ids = np.flatnonzero(np.bincount(regions.reshape(-1).astype(np.int64), minlength=1)[1:]) + 1
    if len(ids) and int(ids[-1]) != len(ids):
        message = f"{len(ids)} regions, but the largest id is {int(ids[-1])}"
        yield Finding(kind="region_ids", where=where, message=message)
    yield from _compare({"num_regions": len(ids)}, row, where)


def _compare(found: Mapping[str, Any], row: Mapping[str, Any], where: str) -> Iterator[Finding]:
    for column, value in found.items():
        if not _same(value, row[column]):
            message = f"{column} is {_brief(value)}, the side-car says {_brief(row[column])}"
            yield Finding(kind="row", where=where, message=message)


def _same(first: Any, second: Any) -> bool:
    if isinstance(first, float) and isinstance(second, float):
        return math.isclose(first, second, abs_tol=_TOLERANCE)
    return bool(first == second)


def _brief(value: Any) -> str:
    text = value.hex() if isinstance(value, bytes) else json.dumps(value, default=str)
    return text if len(text) <= 40 else f"{text[:37]}..."
