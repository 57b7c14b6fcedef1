"""The README's sheet of scenes: `python -m benchmarks.scenes_figure docs/images/scenes.png`."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from datagen.canvas import Display
from datagen.materials import Materials
from datagen.render import draw
from datagen.settings import Setting
from datagen.sources import Shelf, find_photos
from datagen.texts import words_of
from pipeline.base.seeds import generator

PHOTOS = ("brick", "chelsea", "clock_motion", "coffee", "grass", "gravel", "hubble_deep_field", "moon", "rocket")
SCENES = (
    ("raster", "desktop", 3),
    ("raster", "web_article", 5),
    ("raster", "map_dashboard", 1),
    ("browser", "page_shop", 2),
    ("raster", "terminal", 4),
    ("raster", "spreadsheet", 2),
    ("raster", "photo_editor", 1),
    ("browser", "page_dashboard", 3),
    ("raster", "file_manager", 2),
    ("raster", "chat", 3),
    ("raster", "slides", 4),
    ("browser", "page_video", 1),
)
SIZE, COLUMNS, WIDTH, GAP = (1280, 720), 4, 400, 6


def main(out: Path) -> None:
    """Draw each scene once, beside and below one another."""
    tiles = [_tile(renderer, scene, seed) for renderer, scene, seed in SCENES]
    height = tiles[0].height
    num_rows = -(-len(tiles) // COLUMNS)
    size = (COLUMNS * (WIDTH + GAP) - GAP, num_rows * (height + GAP) - GAP)
    sheet = Image.new("RGB", size, (255, 255, 255))
    for number, tile in enumerate(tiles):
        sheet.paste(tile, (number % COLUMNS * (WIDTH + GAP), number // COLUMNS * (height + GAP)))
    sheet.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(out, optimize=True)


def _tile(renderer: str, scene: str, seed: int) -> Image.Image:
    photos = [photo for photo in find_photos(None).sources if Path(photo.source.name).stem in PHOTOS]
    rng = generator(seed, "scenes figure", scene)
    materials = Materials(photos, words_of("train"), load=Shelf(), rng=rng)
    setting = Setting(renderer=renderer, scene=scene, size=SIZE, display=Display())
    picture = draw(setting, materials, rng).picture
    return Image.fromarray(np.asarray(picture)).resize((WIDTH, WIDTH * SIZE[1] // SIZE[0]), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
