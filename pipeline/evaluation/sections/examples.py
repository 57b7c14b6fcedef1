"""One picture of an evaluation: whole, its error, and exact pixels beside the peers'."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from pipeline.base.errors import FormatError
from pipeline.base.store import Store
from pipeline.evaluation.figures import (
    ERROR_GAIN,
    OVERVIEW_SIDE,
    Crop,
    busiest_crop,
    error_picture,
    exact_uri,
    overview_uri,
)
from pipeline.evaluation.metrics import measure
from pipeline.evaluation.page import figure, grid, image, paragraph, table, text
from pipeline.evaluation.results import CLASSES
from pipeline.evaluation.sections.words import decibels
from pipeline.formats.picture import Pixels
from pipeline.formats.sample import NATURAL, SYNTHETIC

Row = Mapping[str, Any]


def example(store: Store, entry: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """Return the HTML of one example of the summary; `rows` are all rows of the evaluation. Raises: FormatError."""
    mine = [row for row in rows if row["picture"] == entry["picture"]]
    files = {file["shows"]: file["file"] for file in entry["files"]}
    original = _read(store, files.pop("original"))
    label = _read(store, files.pop("label"))[:, :, 0] if "label" in files else None
    decoded = {coder: _read(store, name) for coder, name in files.items()}
    parts = [
        f"<h3>{text(entry['picture'])}</h3>",
        _table(mine),
        _overviews(original, decoded),
        *_crops(original, decoded, label),
    ]
    return "".join(parts)


def _table(rows: Sequence[Row]) -> str:
    head = ("Codec", "Quality", "Bytes", "bpp", "PSNR", "Synthetic", "Natural")
    cells = [
        (
            row["coder"] + (" (over budget)" if row["over_budget"] else ""),
            "-" if row["quality"] is None else row["quality"],
            f"{row['num_bytes']:,}",
            f"{row['bpp']:.3f}",
            *(decibels(row[f"psnr_{name}"]) for name in CLASSES),
        )
        for row in rows
    ]
    return table(head, cells)


def _overviews(original: Pixels, decoded: Mapping[str, Pixels]) -> str:
    """The first checkpoint's picture beside the original, and their difference."""
    coder, first = next(iter(decoded.items()))
    error = error_picture(original, first)
    pictures = (
        ("Original", f"{original.shape[1]}x{original.shape[0]}", original),
        (f"Decoded by {coder}", f"{decibels(measure(original, first).psnr)} dB", first),
        ("Error", f"|decoded - original|, {ERROR_GAIN} times as bright", error),
    )
    figures = [
        figure(image(overview_uri(pixels), alt=caption, size=_shown(pixels)), caption=caption, detail=detail)
        for caption, detail, pixels in pictures
    ]
    note = f"Scaled to at most {OVERVIEW_SIDE} pixels and lossily coded for this page; the crops below are exact."
    return grid(figures, kind="wide") + paragraph(note, kind="note")


def _crops(original: Pixels, decoded: Mapping[str, Pixels], label: NDArray[np.uint8] | None) -> list[str]:
    """Exact pixels at the busiest place of each class, or of the whole picture if the classes are not known."""
    if label is None:
        return _crop_row("Most detail", original, decoded, busiest_crop(original))
    synthetic = busiest_crop(original, label == SYNTHETIC)
    natural = busiest_crop(original, label == NATURAL)
    return [
        *_crop_row("Busiest synthetic pixels", original, decoded, synthetic),
        *_crop_row("Busiest natural pixels", original, decoded, natural),
    ]


def _crop_row(title: str, original: Pixels, decoded: Mapping[str, Pixels], crop: Crop | None) -> list[str]:
    if crop is None:
        return []
    true = crop.of(original)
    place = f"{crop.width}x{crop.height} at ({crop.left}, {crop.top})"
    figures = [_exact(true, "Original", place)]
    for coder, pixels in decoded.items():
        window = crop.of(pixels)
        psnr = measure(np.ascontiguousarray(true), np.ascontiguousarray(window)).psnr
        figures.append(_exact(window, coder, f"{decibels(psnr)} dB in this crop"))
    coder, first = next(iter(decoded.items()))
    figures.append(_exact(error_picture(true, crop.of(first)), f"Error of {coder}", f"{ERROR_GAIN} times as bright"))
    return [f"<h4>{text(title)}, pixel for pixel</h4>", grid(figures, kind="crops scroll")]


def _exact(pixels: Pixels, caption: str, detail: str) -> str:
    size = (pixels.shape[1], pixels.shape[0])
    return figure(image(exact_uri(pixels), alt=f"{caption}, crop", size=size), caption=caption, detail=detail)


def _shown(pixels: Pixels) -> tuple[int, int]:
    height, width = pixels.shape[:2]
    scale = min(1.0, OVERVIEW_SIDE / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _read(store: Store, name: str) -> Pixels:
    try:
        with Image.open(io.BytesIO(store.read_bytes(name))) as picture:
            array = np.array(picture, dtype=np.uint8)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise FormatError(f"{store.where(name)}: not the PNG that the evaluation kept ({error})") from error
    return array[:, :, None] if array.ndim == 2 else array
