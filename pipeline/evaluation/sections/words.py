"""Numbers and settings as a reader of the report sees them."""

import math
from collections.abc import Mapping
from typing import Any

import tomli_w

from pipeline.evaluation.page import code, facts, folded


def count(number: int, noun: str) -> str:
    """Return such as `1 picture` or `12,000 pictures`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def size(num_bytes: float) -> str:
    """Return bytes in powers of 1000: `512 B`, `12.3 kB`, `4.6 MB`."""
    if num_bytes < 1000:
        return f"{num_bytes:.0f} B"
    for unit in ("kB", "MB", "GB"):
        num_bytes /= 1000
        if num_bytes < 999.95:
            return f"{num_bytes:.1f} {unit}"
    return f"{num_bytes / 1000:.1f} TB"


def duration(seconds: float) -> str:
    """Return such as `4.2 s`, `12 min 5 s`, `3 h 20 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def decibels(value: float | str | None) -> str:
    """Return a PSNR with two digits; `exact` where it is infinite, a dash where there is nothing to measure."""
    if value is None:
        return "-"
    if value == "inf" or (isinstance(value, float) and math.isinf(value)):
        return "exact"
    return f"{float(value):.2f}"


def share(value: float) -> str:
    """Return a share of 1 in per cent."""
    return f"{100 * value:.1f} %"


def settings(title: str, table: Mapping[str, Any] | str) -> str:
    """Return a config, as a table or as TOML text, that opens on demand."""
    words = table if isinstance(table, str) else tomli_w.dumps(_without_null(table))
    return folded(title, code(words.strip() or "(empty)"))


def library_versions(table: Mapping[str, Any]) -> str:
    """Return versions by name that open on demand."""
    return folded("Versions", facts(dict(sorted(table.items()))))


def _without_null(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_null(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_null(item) for item in value if item is not None]
    return value
