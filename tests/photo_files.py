"""Photographs in every container that people keep them in: tars, parquet files, tables beside them."""

import csv
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageFilter

from pipeline.formats.picture import Pixels


def scenery(seed: int, *, width: int = 320, height: int = 240) -> Pixels:
    """Return a picture (height, width, 3) with structure at all sizes and fine grain, as photographs have."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3))
    for cells in (3, 6, 12, 24):
        coarse = rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8)
        picture += np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), float) / cells
    picture *= 255 / picture.max()
    grained = np.clip(picture + rng.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)
    return np.asarray(Image.fromarray(grained).filter(ImageFilter.GaussianBlur(0.5)))


def encoded(pixels: Pixels, kind: str = "PNG", **options: Any) -> bytes:
    """Return a picture file's bytes."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format=kind, **options)
    return buffer.getvalue()


def write_tar(path: Path, members: Mapping[str, bytes | dict[str, Any]]) -> Path:
    """Write a tar of files; dictionaries become JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            data = json.dumps(content).encode() if isinstance(content, dict) else content
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def write_parquet(path: Path, columns: Mapping[str, Sequence[Any]], *, row_group_size: int = 2) -> Path:
    """Write a parquet file in several row groups."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(dict(columns)), path, row_group_size=row_group_size)
    return path


def write_csv(path: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    """Write a table with a header."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
