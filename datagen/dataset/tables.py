"""A corpus's statistics as tables for people: shares in percent, sizes in MB and kB."""

from collections.abc import Sequence
from typing import Any

from datagen.dataset.stats import Group, Spread, Statistics

_QUANTILES = ("least", *(f"{percent} %" for percent in range(10, 100, 10)), "most")
_UNITS = {"regions": ("regions", 1.0), "bytes": ("kB", 1e-3)}


def to_tables(statistics: Statistics) -> dict[str, Any]:
    """Return fields and tables for the terminal; `to_plain` of the statistics themselves is for machines."""
    groups = ("splits", "scenes", "renderers", "sizes", "how_labelled")
    return {
        "corpus": statistics.corpus,
        "samples": f"{statistics.num_samples:,} in {statistics.num_shards:,} shards",
        "tars": f"{statistics.tar_bytes / 1e6:,.1f} MB",
        "pixels": f"{statistics.megapixels:,.1f} million: "
        + ", ".join(f"{share:.1%} {name}" for name, share in statistics.pixel_shares.items()),
        "rejected": statistics.rejected,
        "redrawn": statistics.redrawn,
        **{name: [_group_row(name, group) for group in getattr(statistics, name)] for name in groups},
        "spread": _spread_rows(statistics.spreads),
        "sources": [
            {"kind": group.kind, "licence": group.licence, "sources": group.num_sources, "uses": group.num_uses}
            for group in statistics.sources
        ],
    }


def _group_row(what: str, group: Group) -> dict[str, Any]:
    return {
        what.removesuffix("s"): group.name,
        "samples": group.num_samples,
        "%": round(100 * group.share, 1),
        "megapixels": round(group.megapixels, 1),
        "MB": round(group.num_bytes / 1e6, 1),
    }


def _spread_rows(spreads: Sequence[Spread]) -> list[dict[str, Any]]:
    """Return one row a quantile: as columns they would not fit a terminal."""
    columns = {}
    for spread in spreads:
        name, factor = _UNITS.get(spread.name, (spread.name.replace("share", "%"), 100))
        columns[name] = [round(factor * value, 1) for value in (spread.mean, *spread.deciles)]
    return [
        {"of a sample": quantile, **{name: values[place] for name, values in columns.items() if place < len(values)}}
        for place, quantile in enumerate(("mean", *_QUANTILES))
    ]
