"""A picture as fields that are coded one after another, and their pixels step by step.

With patches, a set is a group of patches that go together, each on rows of the canvas of its own; with the picture as
context, it is a band of rows. Which pixels are in which set and step is part of the format.

Shapes: P pixels of a step.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.codecs.seec.config import PATCH
from pipeline.codecs.seec.neighbours import Canvas
from pipeline.codecs.seec.wavefront import REACH, steps

GROUP = 64
"""Patches that are coded together."""
BAND_PIXELS = 1 << 22
"""Pixels of a band, at most, unless 64 rows have more."""

Places = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Pixels that are predicted together."""

    places: Places
    """(2, P) rows and columns of the canvas."""
    rows: Places
    """(P,) of the picture."""
    columns: Places


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSet:
    """Fields that go together."""

    canvas: Canvas
    limits: tuple[int, int]
    """First canvas row of the set's own, and their end."""
    first_patch: int
    """Of the patches that cover the set, in raster order."""
    num_patches: int
    steps: Iterator[Step]


def patch_counts(height: int, width: int) -> tuple[int, int]:
    """Return how many patches cover a picture, down and across."""
    return -(-height // PATCH), -(-width // PATCH)


def band_rows(width: int) -> int:
    """Return the rows of a band: as many patches' as have at most BAND_PIXELS pixels."""
    return max(1, BAND_PIXELS // width // PATCH) * PATCH


def bands(height: int, width: int, *, copies: bool) -> Iterator[FieldSet]:
    """Yield the bands of a picture, on one canvas."""
    canvas = Canvas(height, width, copies=copies)
    _, across = patch_counts(height, width)
    for top in range(0, height, band_rows(width)):
        bottom = min(height, top + band_rows(width))
        yield FieldSet(
            canvas=canvas,
            limits=(top + REACH, bottom + REACH),
            first_patch=top // PATCH * across,
            num_patches=-(-(bottom - top) // PATCH) * across,
            steps=_band_steps(top, bottom, width),
        )


def _band_steps(top: int, bottom: int, width: int) -> Iterator[Step]:
    for rows_in_band, columns in steps(bottom - top, width):
        rows = rows_in_band + np.int32(top)
        yield Step(places=np.stack([rows, columns]) + np.int32(REACH), rows=rows, columns=columns)


def groups(height: int, width: int) -> Iterator[FieldSet]:
    """Yield groups of patches, each group on a canvas of its own."""
    down, across = patch_counts(height, width)
    for first in range(0, down * across, GROUP):
        patches = np.arange(first, min(first + GROUP, down * across), dtype=np.int32)
        canvas_height = len(patches) * (PATCH + REACH)
        yield FieldSet(
            canvas=Canvas(canvas_height, PATCH, copies=False),
            limits=(0, canvas_height),
            first_patch=first,
            num_patches=len(patches),
            steps=_group_steps(patches, height, width),
        )


def _group_steps(patches: Places, height: int, width: int) -> Iterator[Step]:
    _, across = patch_counts(height, width)
    tops, lefts = patches // across * PATCH, patches % across * PATCH
    firsts = np.arange(len(patches), dtype=np.int32) * (PATCH + REACH) + REACH
    for rows_in_patch, columns_in_patch in steps(PATCH, PATCH):
        rows = (tops[:, None] + rows_in_patch).ravel()
        columns = (lefts[:, None] + columns_in_patch).ravel()
        at_rows = (firsts[:, None] + rows_in_patch).ravel()
        at_columns = np.tile(columns_in_patch + np.int32(REACH), len(patches))
        inside = (rows < height) & (columns < width)
        if inside.any():
            places = np.stack([at_rows[inside], at_columns[inside]])
            yield Step(places=places, rows=rows[inside], columns=columns[inside])
