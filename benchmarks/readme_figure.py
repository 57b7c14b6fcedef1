"""The README's picture: a screen of a corpus, its label map, its region map, and the screen after a codec.

python benchmarks/readme_figure.py CORPUS CHECKPOINT SAMPLE OUT.png
"""

import argparse
import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from pipeline.base.store import Store
from pipeline.codecs import checkpoint as checkpoints
from pipeline.codecs.coding import compress_picture
from pipeline.evaluation.figures import label_overlay_uri, regions_overlay_uri
from pipeline.formats.corpus import open_split
from pipeline.formats.picture import Pixels

PANEL = (560, 315)
GAP = 8


def overlaid(picture: Pixels, overlay_uri: str) -> Pixels:
    """Return a picture with the report's overlay half over it."""
    overlay = Image.open(io.BytesIO(base64.b64decode(overlay_uri.partition(",")[2]))).convert("RGBA")
    overlay.putalpha(overlay.getchannel("A").point(lambda alpha: alpha // 2))
    return np.array(Image.alpha_composite(Image.fromarray(picture).convert("RGBA"), overlay).convert("RGB"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus")
    parser.add_argument("checkpoint")
    parser.add_argument("sample", type=int, help="number in the test split")
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    sample = open_split(Store(arguments.corpus), "test").sample(arguments.sample)
    encoded = compress_picture(checkpoints.load(arguments.checkpoint), sample.picture)
    panels = [
        sample.picture,
        overlaid(sample.picture, label_overlay_uri(sample.label, side=sample.info.width)),
        overlaid(sample.picture, regions_overlay_uri(sample.regions, side=sample.info.width)),
        encoded.reconstruction,
    ]
    sheet = Image.new("RGB", (2 * PANEL[0] + GAP, 2 * PANEL[1] + GAP), "white")
    for place, panel in enumerate(panels):
        small = Image.fromarray(panel).resize(PANEL, Image.Resampling.LANCZOS)
        sheet.paste(small, ((place % 2) * (PANEL[0] + GAP), (place // 2) * (PANEL[1] + GAP)))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(arguments.out, optimize=True)
    bpp = 8 * len(encoded.data) / (sample.info.width * sample.info.height)
    error = np.mean((sample.picture.astype(float) - encoded.reconstruction) ** 2)
    print(f"{sample.info.key} ({sample.info.kind}): {bpp:.3f} bpp, {10 * np.log10(255**2 / error):.2f} dB")


if __name__ == "__main__":
    main()
