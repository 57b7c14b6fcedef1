"""A page and its files, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One file that a page shows."""

    data: bytes
    content_type: str
    photo_size: tuple[int, int] | None = None
    """Width and height of a photograph, pixels; None = not a photograph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of our own. Photographs are shown by `<img>` and SVG `<image>` alone, so that they can be exchanged."""

    name: str
    html: str
    resources: Mapping[str, Resource]
    """By path, without a leading slash."""
    zoom: float = 1.0
    """The browser's zoom, on top of the screen's scale."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What was chosen for it, such as `dark`."""
