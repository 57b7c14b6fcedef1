"""How true labels are: `python -m benchmarks.label_truth [--pages 200] [--photos DIR] [--checkpoint DIR] [--out FILE]`.

Pages of every page scene, from seeds that no corpus uses, are drawn by Chromium and labelled twice: by exchanging their
photographs for black and white ones, and by the boxes of the page's own elements. A checkpoint labels the same pictures
as a third opinion. The table says how far any two agree: intersection over union by class, summed over all pages, where
neither says 255.
"""

import argparse
import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datagen.browser.chromium import held_browser
from datagen.browser.make import make_page
from datagen.browser.pages.table import PAGES
from datagen.browser.render import render_page
from datagen.browser.rendered import Rendered
from datagen.labeller import Labeller
from datagen.materials import Materials
from datagen.sources import PlannedSource, Shelf, find_photos
from datagen.texts import words_of
from pipeline.base.errors import PictureError
from pipeline.base.seeds import generator
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC

SEED = "label truth"
WIDE, UPRIGHT = ((1280, 720, 1.0), (1366, 768, 1.0), (1920, 1080, 1.25)), ((720, 1280, 2.0),)
LIMITS = (0.5, 0.8)
"""Confidences at which the checkpoint is heard."""


@dataclass(slots=True)
class Pair:
    """Two opinions, compared over many pictures."""

    union: Counter[int] = field(default_factory=Counter)
    common: Counter[int] = field(default_factory=Counter)
    num_known: int = 0
    num_pixels: int = 0

    def add(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> None:
        """Count two label maps (H, W) of one picture."""
        known = (first != IGNORE) & (second != IGNORE)
        self.num_known += int(known.sum())
        self.num_pixels += known.size
        for value in (SYNTHETIC, NATURAL):
            one, other = (first == value) & known, (second == value) & known
            self.union[value] += int((one | other).sum())
            self.common[value] += int((one & other).sum())

    def row(self) -> dict[str, float]:
        """Return the IoU of each class and the share of pixels compared."""
        iou = {value: self.common[value] / max(1, self.union[value]) for value in (SYNTHETIC, NATURAL)}
        return {"synthetic": iou[SYNTHETIC], "natural": iou[NATURAL], "compared": self.num_known / self.num_pixels}


def main() -> None:
    """Draw the pages, compare, print the table."""
    arguments = _arguments()
    photos = find_photos(arguments.photos).sources
    labeller = Labeller(arguments.checkpoint) if arguments.checkpoint else None
    pairs: dict[tuple[str, str], Pair] = {}
    refused: Counter[str] = Counter()
    num_pages = 0
    for number in range(arguments.pages):
        try:
            rendered = _page(number, photos)
        except PictureError as error:
            refused[error.reason] += 1
            continue
        num_pages += 1
        for (first, one), (second, other) in combinations(_opinions(rendered, labeller).items(), 2):
            pairs.setdefault((first, second), Pair()).add(one, other)
    rows = {f"{first} / {second}": pair.row() for (first, second), pair in pairs.items()}
    rows = {name: row for name, row in rows.items() if name.count("checkpoint") < 2}
    print(f"{num_pages} pages, refused: {dict(refused) or 'none'}\n")
    print("| opinions | IoU synthetic | IoU natural | pixels compared |\n| --- | ---: | ---: | ---: |")
    for name, row in rows.items():
        print(f"| {name} | {row['synthetic']:.4f} | {row['natural']:.4f} | {row['compared']:.1%} |")
    if arguments.out:
        table = {"num_pages": num_pages, "refused": dict(refused), "pairs": rows}
        arguments.out.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def _opinions(rendered: Rendered, labeller: Labeller | None) -> dict[str, NDArray[np.uint8]]:
    found = {"difference": rendered.label, "boxes": rendered.boxes}
    if labeller is not None:
        for limit in LIMITS:
            found[f"checkpoint >= {limit}"] = labeller.label(rendered.picture, min_confidence=limit).label
    return found


def _page(number: int, photos: tuple[PlannedSource, ...]) -> Rendered:
    names = list(PAGES)
    name = names[number % len(names)]
    rng = generator(0, SEED, name, number)
    windows = (*WIDE, *UPRIGHT) if PAGES[name].portrait else WIDE
    width, height, scale = windows[int(rng.integers(len(windows)))]
    materials = Materials(photos, words_of("test"), load=Shelf(), rng=rng)
    page = make_page(name, materials, rng, (width, height), scale)
    return render_page(held_browser(), page, (width, height), scale)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--photos", help="photographs that no training saw; default: those of our libraries")
    parser.add_argument("--checkpoint")
    parser.add_argument("--out", type=Path, help="JSON of the table")
    return parser.parse_args()


if __name__ == "__main__":
    main()
