"""Licence, origin and class names of a source: from a table beside the files, its container, else the config.

Tables: `sources`, `index` or `metadata` as .csv, .parquet or .jsonl, in any of the folders; and beside a tar a parquet
file of the same name (img2dataset). A row is found by its file's path relative to the table, or by its name.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from datagen.sources.containers import picture_column
from datagen.sources.places import File, open_file, without_secrets
from datagen.sources.stated import Stated, class_names
from pipeline.base.errors import UsageError

_TABLES = frozenset({"sources", "index", "metadata"})
_FILE_COLUMNS = ("file", "path", "file_name", "filename", "name", "key")
_LICENCE_COLUMNS = ("licence", "license", "license_name", "rights", "usage_terms")
_ORIGIN_COLUMNS = ("origin", "source", "url", "original_url", "image_url", "source_url", "link")
_AUTHOR_COLUMNS = ("author", "artist", "photographer", "creator", "credit")
_MAX_CHARACTERS = 500

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What is known about where a source came from and what it shows; "" = not known."""

    licence: str
    origin: str
    stated: Stated


class Tables:
    """The rows of all tables of a place, by the file they are about."""

    def __init__(self, files: Iterable[File]) -> None:
        files = list(files)
        tars = {file.name.removesuffix(".tar") for file in files if file.name.endswith(".tar")}
        self._rows: dict[str, Row] = {}
        for file in files:
            stem = file.name.rpartition(".")[0]
            if PurePosixPath(stem).name in _TABLES and file.name.endswith((".csv", ".parquet", ".jsonl")):
                folder = file.name.rpartition("/")[0]
                self._add(f"{folder}/" if folder else "", _read_table(file))
            elif stem in tars and file.name.endswith(".parquet"):
                self._add(f"{stem}.tar/", _read_table(file))

    def about(self, name: str) -> Provenance:
        """Return what the tables say about the file `name`."""
        return of_row(self._rows.get(name) or self._rows.get(name.rpartition(".")[0]) or {})

    def _add(self, prefix: str, rows: Iterable[Row]) -> None:
        for row in rows:
            lowered = {str(name).strip().lower(): value for name, value in row.items()}
            named = next((str(lowered[column]) for column in _FILE_COLUMNS if lowered.get(column)), "")
            if named:
                self._rows.setdefault(prefix + named.removeprefix("./"), lowered)


def of_row(row: Row) -> Provenance:
    """Return the licence, origin and class names that a row of any table states.

    Keys and passwords in URLs are left out.
    """
    lowered = {str(name).strip().lower(): value for name, value in row.items()}
    author = _first(lowered, _AUTHOR_COLUMNS)
    origin = without_secrets(_first(lowered, _ORIGIN_COLUMNS))
    if author and author not in origin:
        origin = f"{origin} (by {author})" if origin else f"by {author}"
    return Provenance(licence=_first(lowered, _LICENCE_COLUMNS), origin=origin, stated=class_names(lowered))


def _first(row: Row, columns: Iterable[str]) -> str:
    for column in columns:
        value = row.get(column)
        if isinstance(value, str | int) and str(value).strip():
            return " ".join(str(value).split())[:_MAX_CHARACTERS]
    return ""


def _read_table(file: File) -> list[dict[str, Any]]:
    with open_file(file.path) as opened:
        try:
            if file.name.endswith(".parquet"):
                table = pq.ParquetFile(opened)
                if picture_column(table.schema_arrow) is not None:
                    return []
                return list(table.read().to_pylist())
            text = opened.read().decode("utf-8-sig")
            if file.name.endswith(".jsonl"):
                return [row for line in text.splitlines() if line.strip() and isinstance(row := json.loads(line), dict)]
            return [dict(row) for row in csv.DictReader(io.StringIO(text))]
        except (ValueError, csv.Error, pa.ArrowException) as error:
            raise UsageError(f"{file.name}: not a table of sources ({error})") from error
