"""Sample i of a split: a screen drawn from the sample's own seed, or a captured screen taken as it is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from datagen.canvas import Canvas
from datagen.config import CorpusConfig, LabelsConfig
from datagen.drawing import Drawing
from datagen.masks import make_regions
from datagen.materials import Materials
from datagen.quality import perceptual_hash, refusal
from datagen.scenes.table import SCENES
from datagen.scripts import choose_language, words_in
from datagen.settings import Setting, choose_setting
from datagen.sources import PlannedSource, Shelf, load_pixels, neighbourhood
from datagen.texts import Words
from datagen.writings import Library
from pipeline.base.errors import PictureError
from pipeline.base.seeds import derive_seed
from pipeline.base.store import Store
from pipeline.formats.picture import Pixels
from pipeline.formats.sample import IGNORE, NATURAL, REGION_DETAILS, SYNTHETIC, Sample, SampleInfo

if TYPE_CHECKING:
    from datagen.labeller import Labeller


_OF_PAGES: dict[str, Any] = {"min_colours": 0, "max_flat": 1.0, "natural_fraction": (0.0, 1.0), "text": False}
"""What is asked of people's own pages."""


def draw(setting: Setting, materials: Materials, rng: np.random.Generator) -> Drawing:
    """Draw one screen.

    Raises: PictureError: a photograph cannot be read any more, or a page cannot be drawn; UsageError: no Chromium.
    """
    if setting.renderer == "browser":
        # Imported here: only this renderer needs playwright.
        from datagen import pages

        return pages.draw_scene(setting.scene, setting.size, setting.display, materials, rng)
    canvas = Canvas(*setting.size, (255, 255, 255), display=setting.display)
    SCENES[setting.scene].draw(canvas, materials, rng)
    display = setting.display
    return Drawing(
        kind=setting.scene,
        picture=canvas.picture,
        label=canvas.label,
        how_labelled="compositor",
        regions=canvas.regions,
        num_letters=canvas.num_letters,
        sources=materials.sources,
        details={"renderer": "raster", "scale": display.scale, "antialiasing": display.antialiasing},
    )


def synthesize(
    config: CorpusConfig,
    photos: tuple[PlannedSource, ...],
    key: str,
    versions: Mapping[str, str],
    *,
    library: Library | None = None,
    attempt: int = 0,
) -> Sample:
    """Return the synthesized sample named `key` (`{split}-{index:06d}`): a function of these arguments alone.

    `photos` and `library` are those of its split. Raises: PictureError: a photograph cannot be read any more, or the
    drawing is not worth having (reasons of datagen.quality).
    """
    seed = _seed(config, key, attempt)
    rng = np.random.Generator(np.random.PCG64(seed))
    setting = choose_setting(config, rng)
    split, _, index = key.rpartition("-")
    near = neighbourhood(photos, seed=config.seed, index=int(index))
    words = _words(choose_language(config.scripts, rng), split)
    # Sentences of somebody's texts are in whatever language those are in.
    language = {} if library is not None and library.texts else {"language": words.language}
    materials = Materials(near, words, load=_shelf(), rng=rng, library=library)
    drawing = draw(setting, materials, rng)
    details = drawing.details | language | ({"attempt": attempt} if attempt else {})
    drawing = replace(drawing, details=details)
    return _sample(config, key, drawing, seed=seed, versions=versions, classes=_shown(config, drawing))


def _shown(config: CorpusConfig, drawing: Drawing) -> tuple[str, ...]:
    """Return the scene and what the photographs in it show; nothing where no classes are known or asked for."""
    photos = [source for source in drawing.sources if source.kind == "photo"]
    names = [name for photo in photos for name in photo.classes] if config.photo_classes is not None else []
    return tuple(dict.fromkeys((drawing.kind, *names))) if names else ()


def visit(
    config: CorpusConfig, store: Store, page: PlannedSource, view: int, key: str, versions: Mapping[str, str]
) -> Sample:
    """Return the `view`-th picture of a page recorded in the corpus folder `store` as the sample `key`.

    Raises: PictureError: the page cannot be drawn, or is not worth having; UsageError: no Chromium.
    """
    from datagen import pages

    seed = _seed(config, key, 0)
    size, scale, scroll = pages.choose_window(config, view, np.random.Generator(np.random.PCG64(seed)))
    drawing = pages.draw_recording(store, page, size, scale, scroll=scroll)
    # Whoever gives a page wants it labelled, however little there is on it.
    wanted = replace(config, quality=replace(config.quality, **_OF_PAGES))
    if bool((drawing.picture == drawing.picture[0, 0]).all()):
        raise PictureError("blank", f"{key}: {drawing.kind}: all of it has one colour")
    return _sample(wanted, key, drawing, seed=seed, versions=versions)


def adopt(config: CorpusConfig, screen: PlannedSource, key: str, versions: Mapping[str, str]) -> Sample:
    """Return a captured screen as the sample `key`, labelled by the configured checkpoint, else 255 everywhere.

    Raises: PictureError: the file cannot be read any more, has changed, or is not worth having.
    """
    picture = load_pixels(screen)
    labelled = label_unknown(config.labels, picture)
    drawing = Drawing(
        kind="capture",
        picture=picture,
        label=labelled.label,
        how_labelled=labelled.how_labelled,
        regions=None,
        num_letters=None,
        sources=(screen.source,),
        details={"renderer": "capture"} | labelled.details,
    )
    if config.labels.everything is not None:
        config = replace(config, quality=replace(config.quality, natural_fraction=(0.0, 1.0)))
    classes = screen.source.classes if config.labels.classes is not None else ()
    return _sample(config, key, drawing, seed=_seed(config, key, 0), versions=versions, classes=classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guessed:
    """Labels of a picture that nobody drew."""

    label: NDArray[np.uint8]
    """(H, W)."""
    how_labelled: str
    details: dict[str, Any]


def label_unknown(config: LabelsConfig, picture: Pixels) -> Guessed:
    """Return the configured checkpoint's labels of a picture (H, W, 3), the given one, or else 255 everywhere.

    Raises: CheckpointError, MissingDependency: the labeller cannot start.
    """
    if config.everything is not None:
        number = NATURAL if config.everything == "natural" else SYNTHETIC
        label = np.full(picture.shape[:2], number, dtype=np.uint8)
        return Guessed(label=label, how_labelled="given", details={})
    if config.checkpoint is None:
        unknown = np.full(picture.shape[:2], IGNORE, dtype=np.uint8)
        return Guessed(label=unknown, how_labelled="none", details={})
    labelled = _labeller(config.checkpoint).label(picture, min_confidence=config.min_confidence)
    details = {"confidence": labelled.confidence}
    return Guessed(label=labelled.label, how_labelled=labelled.how_labelled, details=details)


@lru_cache(maxsize=1)
def _labeller(checkpoint: str) -> "Labeller":
    # Imported here: torch takes seconds to load and only captured screens need it.
    from datagen.labeller import Labeller

    return Labeller(checkpoint)


def _sample(
    config: CorpusConfig,
    key: str,
    drawing: Drawing,
    *,
    seed: int,
    versions: Mapping[str, str],
    classes: tuple[str, ...] = (),
) -> Sample:
    """Return the sample with its region map and hash. Raises: PictureError: it is not worth having."""
    refused = refusal(config.quality, drawing.picture, drawing.label, drawing.num_letters)
    if refused is not None:
        raise PictureError(refused[0], f"{key}: {drawing.kind}: {refused[1]}")
    made = make_regions(config.masks, drawing.picture, drawing.regions)
    height, width = drawing.label.shape
    info = SampleInfo(
        key=key,
        width=width,
        height=height,
        kind=drawing.kind,
        how_labelled=drawing.how_labelled,
        how_masked=made.how_masked,
        sources=drawing.sources,
        seed=seed,
        versions=dict(versions),
        perceptual_hash=perceptual_hash(drawing.picture),
        details=drawing.details | ({REGION_DETAILS: made.quality} if made.quality else {}),
        classes=classes,
    )
    return Sample(info=info, picture=drawing.picture, label=drawing.label, regions=made.regions)


def _seed(config: CorpusConfig, key: str, attempt: int) -> int:
    split, _, index = key.rpartition("-")
    again = [f"attempt {attempt}"] if attempt else []
    return derive_seed(config.seed, "sample", split, int(index), *again)


@lru_cache(maxsize=1)
def _shelf() -> Shelf:
    """The photographs this process holds."""
    return Shelf()


@lru_cache(maxsize=32)
def _words(language: str, split: str) -> Words:
    return words_in(language, split)
