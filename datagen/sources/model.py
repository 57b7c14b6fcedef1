"""What every search for sources gives: sources with the place they are read from, and what was refused."""

from dataclasses import dataclass

from pipeline.formats.sample import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSource:
    """A source, the split that owns it, and where this machine finds it."""

    source: Source
    split: str
    """`train`, `val`, `test`, or "" for what all splits share (fonts)."""
    path: str
    """File or container to read it from, a local path or a URL; "" if it is built in. Not part of the provenance."""
    part: str = ""
    """Where in a container: `bytes OFFSET SIZE` of a tar, `row GROUP ROW COLUMN` of a parquet file; "" = all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedSource:
    """A file that was found and cannot be used, or what of it cannot: a class label, lines with keys."""

    name: str
    reason: str
    message: str
    is_picture: bool = False
    """Whether a sample was to show it: a captured screen, a page; else it is one of many that samples are made from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search for sources gave."""

    sources: tuple[PlannedSource, ...]
    refused: tuple[RefusedSource, ...]
