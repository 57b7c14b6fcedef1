"""Sample i of a split: a scene drawn from the sample's own seed, or a captured screen taken as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from datagen.canvas import Canvas
from datagen.config import CorpusConfig
from datagen.masks import make_regions
from datagen.materials import Materials
from datagen.scenes.table import SCENES
from datagen.sources import PlannedSource, load_pixels
from datagen.texts import Words, words_of
from pipeline.base.seeds import derive_seed, generator
from pipeline.formats.picture import Pixels
from pipeline.formats.sample import IGNORE, Sample, SampleInfo

_PHOTOS_HELD = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A drawn screen: the canvas and the materials that went into it."""

    scene: str
    canvas: Canvas
    materials: Materials


def choose_scene(weights: Mapping[str, float], rng: np.random.Generator) -> str:
    """Return a scene's name, with probability proportional to its weight; no weights = all alike."""
    names = [name for name in SCENES if not weights or weights.get(name, 0.0) > 0]
    shares = np.asarray([weights.get(name, 0.0) if weights else 1.0 for name in names])
    return names[int(rng.choice(len(names), p=shares / shares.sum()))]


def draw(scene: str, size: tuple[int, int], materials: Materials, rng: np.random.Generator) -> Drawing:
    """Draw `scene` at (width, height). Raises: PictureError: a photograph cannot be read any more."""
    canvas = Canvas(*size, (255, 255, 255))
    SCENES[scene](canvas, materials, rng)
    return Drawing(scene=scene, canvas=canvas, materials=materials)


def synthesize(
    config: CorpusConfig, photos: tuple[PlannedSource, ...], key: str, versions: Mapping[str, str]
) -> Sample:
    """Return the synthesized sample named `key` (`{split}-{index:06d}`): a function of these arguments alone.

    `photos` are those of its split. Raises: PictureError: a photograph cannot be read any more.
    """
    split, _, index = key.rpartition("-")
    rng = generator(config.seed, "sample", split, int(index))
    scene = choose_scene(config.scenes, rng)
    materials = Materials(photos, _words(split), load=_load_held, rng=rng)
    drawing = draw(scene, (config.width, config.height), materials, rng)
    canvas = drawing.canvas
    made = make_regions(config.masks, canvas.picture, canvas.regions)
    info = SampleInfo(
        key=key,
        width=config.width,
        height=config.height,
        kind=scene,
        how_labelled="compositor",
        how_masked=made.how_masked,
        sources=materials.sources,
        seed=derive_seed(config.seed, "sample", split, int(index)),
        versions=dict(versions),
    )
    return Sample(info=info, picture=canvas.picture, label=canvas.label, regions=made.regions)


def adopt(config: CorpusConfig, screen: PlannedSource, key: str, versions: Mapping[str, str]) -> Sample:
    """Return a captured screen as the sample `key`; nobody knows its labels, so all are IGNORE.

    Raises: PictureError: the file cannot be read any more, or has changed.
    """
    picture = load_pixels(screen)
    height, width = picture.shape[:2]
    made = make_regions(config.masks, picture, None)
    split, _, index = key.rpartition("-")
    info = SampleInfo(
        key=key,
        width=width,
        height=height,
        kind="capture",
        how_labelled="none",
        how_masked=made.how_masked,
        sources=(screen.source,),
        seed=derive_seed(config.seed, "sample", split, int(index)),
        versions=dict(versions),
    )
    label = np.full((height, width), IGNORE, dtype=np.uint8)
    return Sample(info=info, picture=picture, label=label, regions=made.regions)


@lru_cache(maxsize=_PHOTOS_HELD)
def _load_held(planned: PlannedSource) -> Pixels:
    pixels = load_pixels(planned)
    pixels.setflags(write=False)
    return pixels


@lru_cache(maxsize=4)
def _words(split: str) -> Words:
    return words_of(split)
