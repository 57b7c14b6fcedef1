"""Every scene: labels proved by drawing it twice with other photographs, regions, sources, sizes."""

from collections.abc import Callable

import numpy as np
import pytest

from datagen.canvas import Antialiasing, Display
from datagen.config import CorpusConfig
from datagen.drawing import Drawing
from datagen.geometry import box
from datagen.materials import Materials
from datagen.region_map import flatten
from datagen.render import draw
from datagen.scenes.table import SCENES
from datagen.settings import Setting, choose_setting
from datagen.sources import PlannedSource, find_photos, load_pixels
from datagen.texts import words_of
from pipeline.base.seeds import generator
from pipeline.formats.picture import Pixels
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC
from tests.small_corpus import noise

PHOTOS = find_photos(None).sources
Loader = Callable[[PlannedSource], Pixels]


def filling(low: int, high: int) -> Loader:
    """Return a loader of noise in low..high-1; shapes differ from photograph to photograph, as real ones do."""

    def load(planned: PlannedSource) -> Pixels:
        number = int(planned.source.sha256[:4], 16)
        return noise(number, height=200 + number % 90, width=300 + number % 130, low=low, high=high)

    return load


def drawn(
    scene: str,
    size: tuple[int, int],
    seed: int,
    load: Loader,
    *,
    scale: float = 1.0,
    antialiasing: Antialiasing = "grey",
) -> tuple[Drawing, Materials]:
    rng = generator(seed, scene)
    materials = Materials(PHOTOS, words_of("train"), load=load, rng=rng)
    display = Display(scale=scale, antialiasing=antialiasing)
    setting = Setting(renderer="raster", scene=scene, size=size, display=display)
    return draw(setting, materials, rng), materials


def screens(scene: str) -> list[tuple[tuple[int, int], float]]:
    """Return sizes and scales that a scene promises to fill: its smallest, a usual one, an upright one."""
    width, height = SCENES[scene].smallest
    found = [((round(width * 0.75), round(height * 0.75)), 0.75)]
    if SCENES[scene].fits(1280, 720, 1.0):
        found.append(((1280, 720), 1.0))
    if SCENES[scene].portrait:
        found.append(((max(360, width), max(640, height)), 1.0))
    return found


@pytest.mark.parametrize("antialiasing", ["grey", "rgb"])
@pytest.mark.parametrize("scene", SCENES)
def test_labels_say_exactly_which_pixels_follow_the_photographs(scene: str, antialiasing: Antialiasing) -> None:
    for seed, (size, scale) in enumerate(screens(scene)):
        dark, _ = drawn(scene, size, seed, filling(0, 60), scale=scale, antialiasing=antialiasing)
        light, _ = drawn(scene, size, seed, filling(195, 256), scale=scale, antialiasing=antialiasing)
        changed = (dark.picture != light.picture).any(axis=2)
        assert np.array_equal(dark.label, light.label)
        assert set(np.unique(dark.label)) <= {SYNTHETIC, NATURAL, IGNORE}
        # Both fillings are noise without a value in common, so a photographed pixel cannot stay the same.
        assert not changed[dark.label == SYNTHETIC].any()
        assert changed[dark.label == NATURAL].all()


@pytest.mark.parametrize("scene", SCENES)
def test_high_resolution_screens_are_drawn_to_their_lower_end(scene: str) -> None:
    size = (2160, 3840) if SCENES[scene].portrait else (3840, 2160)
    drawing, _ = drawn(scene, size, 0, filling(0, 256), scale=2.0)
    assert drawing.regions is not None
    last_quarter = drawing.picture[size[1] * 3 // 4 :]
    assert (last_quarter != last_quarter[:, :1]).any()
    assert max(region.area.bottom for region in drawing.regions) > size[1] * 3 // 4


@pytest.mark.parametrize("scene", SCENES)
def test_ignored_pixels_are_the_lesser_part(scene: str) -> None:
    size, scale = screens(scene)[-1]
    for seed in range(3):
        drawing, _ = drawn(scene, size, seed, filling(0, 256), scale=scale)
        assert (drawing.label == IGNORE).mean() < 0.25


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_shows_photographs_sooner_or_later_and_text_always(scene: str) -> None:
    size, scale = screens(scene)[0]
    drawings = [drawn(scene, size, seed, filling(0, 256), scale=scale)[0] for seed in range(6)]
    shares = [(drawing.label == NATURAL).mean() for drawing in drawings]
    assert max(shares) > 0.002
    assert max(shares) < 0.99
    assert all(drawing.num_letters for drawing in drawings)


@pytest.mark.parametrize("scene", SCENES)
def test_regions_lie_on_the_screen_and_separate_things(scene: str) -> None:
    (width, height), scale = screens(scene)[-1]
    drawing, _ = drawn(scene, (width, height), 3, filling(0, 256), scale=scale)
    assert drawing.regions is not None
    for region in drawing.regions:
        assert region.area.intersection(box(0, 0, width, height)) == region.area
        assert region.mask is None or region.mask.shape == (region.area.height, region.area.width)
    assert flatten(drawing.regions, height, width)[0].max() >= 12


@pytest.mark.parametrize("scene", SCENES)
def test_the_same_seed_draws_the_same_screen_and_another_seed_another(scene: str) -> None:
    size, scale = screens(scene)[0]
    first, again, other = (drawn(scene, size, seed, filling(0, 256), scale=scale)[0].picture for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert (first != other).any(axis=2).mean() > 0.05


def test_the_sources_name_every_photograph_that_is_seen() -> None:
    loaded: set[str] = set()

    def load(planned: PlannedSource) -> Pixels:
        loaded.add(planned.source.sha256)
        return load_pixels(planned)

    _, materials = drawn("photo_viewer", (1280, 720), 4, load)
    assert {source.sha256 for source in materials.sources if source.kind == "photo"} == loaded != set()
    assert [source.name for source in materials.sources if source.kind == "text"] == ["words-train"]


def test_the_default_corpus_draws_every_scene() -> None:
    config = CorpusConfig(sizes=("1280x720", "1080x1920"))
    assert {choose_setting(config, generator(seed, "setting")).scene for seed in range(600)} == SCENES.keys()
