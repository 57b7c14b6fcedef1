"""What was counted and found in a corpus as tables for people: shares in percent, sizes in MB and kB."""

from collections.abc import Sequence
from typing import Any

from datagen.dataset.check import CheckSummary
from datagen.dataset.findings import KINDS
from datagen.dataset.stats import MOST_CLASSES, Group, Spread, Statistics

_QUANTILES = ("least", *(f"{percent} %" for percent in range(10, 100, 10)), "most")
_UNITS = {"regions": ("regions", 1.0), "bytes": ("kB", 1e-3)}


def to_tables(statistics: Statistics) -> dict[str, Any]:
    """Return fields and tables for the terminal; `to_plain` of the statistics themselves is for machines."""
    groups = ("splits", "scenes", "renderers", "sizes", "how_labelled", "how_masked")
    return {
        "corpus": statistics.corpus,
        "samples": f"{statistics.num_samples:,} in {statistics.num_shards:,} shards",
        "tars": f"{statistics.tar_bytes / 1e6:,.1f} MB",
        "pixels": f"{statistics.megapixels:,.1f} million: "
        + ", ".join(f"{share:.1%} {name}" for name, share in statistics.pixel_shares.items()),
        "rejected": statistics.rejected,
        "redrawn": statistics.redrawn,
        **{name: [_group_row(name.removesuffix("s"), group) for group in getattr(statistics, name)] for name in groups},
        **_class_rows(statistics.classes),
        "spread": _spread_rows(statistics.spreads),
        "sources": [
            {"kind": group.kind, "licence": group.licence, "sources": group.num_sources, "uses": group.num_uses}
            for group in statistics.sources
        ],
    }


def to_report(summary: CheckSummary) -> dict[str, Any]:
    """Return what a check found, the kinds with what they mean."""
    report: dict[str, Any] = {
        "corpus": summary.corpus,
        "read": f"{summary.num_samples:,} samples in {summary.num_shards:,} shards, {summary.num_bytes / 1e6:,.1f} MB, "
        f"{summary.seconds:.1f} s",
    }
    if summary.num_drawn_again:
        report["drawn_again"] = f"{summary.num_drawn_again:,} samples"
    report |= {f"note_{place}": note for place, note in enumerate(summary.notes, start=1)}
    if not summary.findings:
        return report | {"found": "nothing wrong"}
    return report | {
        "found": f"{len(summary.findings):,} things wrong",
        "kinds": [{"kind": kind, "times": times, "what": KINDS[kind]} for kind, times in summary.counts.items()],
        "findings": [
            {"kind": finding.kind, "where": finding.where, "message": finding.message} for finding in summary.findings
        ],
    }


def _class_rows(classes: Sequence[Group]) -> dict[str, Any]:
    """Return the table of classes, the commonest; nothing for a corpus that names none."""
    if not classes:
        return {}
    rows = [_group_row("class", group) for group in classes[:MOST_CLASSES]]
    left = len(classes) - len(rows)
    return {"classes": rows} | ({"more_classes": f"{left:,}"} if left else {})


def _group_row(what: str, group: Group) -> dict[str, Any]:
    return {
        what: group.name,
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
