"""Results on stdout: a table for people, tab-separated lines for pipes, JSON for machines."""

import dataclasses
import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


def show(result: Any, *, as_json: bool) -> None:
    """Print a dataclass, a mapping, or a sequence of either."""
    plain = to_plain(result)
    if as_json:
        print(json.dumps(plain, indent=1, ensure_ascii=False))
    elif isinstance(plain, list):
        _show_rows(plain)
    else:
        _show_fields(plain)


def to_plain(value: Any) -> Any:
    """Return dataclasses, tuples and paths as what JSON holds; NaN and infinities become strings."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [to_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _show_rows(rows: list[Any], *, titled: bool = False) -> None:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if not sys.stdout.isatty():
        if titled:
            print("\t".join(columns))
        for row in rows:
            print("\t".join(_text(row.get(column)) for column in columns))
        return
    table = Table()
    for column in columns:
        numeric = all(isinstance(row.get(column), int | float) for row in rows)
        table.add_column(column.replace("_", " "), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_text(row.get(column))) for column in columns))
    Console().print(table)


def _show_fields(fields: Mapping[str, Any]) -> None:
    tables = {key: value for key, value in fields.items() if _is_rows(value)}
    for key, value in fields.items():
        if key not in tables:
            print(f"{key.replace('_', ' ')}: {_text(value)}")
    for key, rows in tables.items():
        print(f"{key.replace('_', ' ')}:")
        _show_rows(rows, titled=True)


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _text(value: Any) -> str:
    if value is None or value == {} or value == []:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    # A name in an archive may hold anything that a file system allows: control characters must not reach a terminal.
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in str(value))
