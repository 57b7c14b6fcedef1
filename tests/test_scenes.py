"""Every scene: labels proved by drawing it twice with other photographs, regions, sources, sizes."""

from collections.abc import Callable

import numpy as np
import pytest

from datagen.canvas import Canvas
from datagen.config import CorpusConfig
from datagen.masks import flatten
from datagen.materials import Materials
from datagen.plan import make
from datagen.render import draw
from datagen.scenes.table import SCENES
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


def drawn(scene: str, size: tuple[int, int], seed: int, load: Loader) -> tuple[Canvas, Materials]:
    rng = generator(seed, scene)
    materials = Materials(PHOTOS, words_of("train"), load=load, rng=rng)
    return draw(scene, size, materials, rng).canvas, materials


@pytest.mark.parametrize("size", [(480, 320), (1280, 720), (1000, 1400)])
@pytest.mark.parametrize("scene", SCENES)
def test_labels_say_exactly_which_pixels_follow_the_photographs(scene: str, size: tuple[int, int]) -> None:
    for seed in range(3):
        dark, _ = drawn(scene, size, seed, filling(0, 60))
        light, _ = drawn(scene, size, seed, filling(195, 256))
        changed = (dark.picture != light.picture).any(axis=2)
        assert np.array_equal(dark.label, light.label)
        assert set(np.unique(dark.label)) <= {SYNTHETIC, NATURAL, IGNORE}
        # Both fillings are noise without a value in common, so a photographed pixel cannot stay the same.
        assert not changed[dark.label == SYNTHETIC].any()
        assert changed[dark.label == NATURAL].all()


@pytest.mark.parametrize("size", [(1080, 1920), (2160, 3840), (480, 4320)])
@pytest.mark.parametrize("scene", SCENES)
def test_tall_screens_are_drawn_to_their_lower_end(scene: str, size: tuple[int, int]) -> None:
    for seed in range(6 if scene == "code_editor" else 1):
        canvas, _ = drawn(scene, size, seed, filling(0, 256))
        last_quarter = canvas.picture[size[1] * 3 // 4 :]
        assert (last_quarter != last_quarter[:, :1]).any()
        assert max(region.area.bottom for region in canvas.regions) > size[1] * 3 // 4


@pytest.mark.parametrize("scene", SCENES)
def test_ignored_pixels_are_few(scene: str) -> None:
    canvas, _ = drawn(scene, (1280, 720), 7, filling(0, 256))
    assert (canvas.label == IGNORE).mean() < 0.01


def test_every_scene_shows_photographs_sooner_or_later_and_some_drawing_always() -> None:
    for scene in SCENES:
        shares = [(drawn(scene, (640, 400), seed, filling(0, 256))[0].label == NATURAL).mean() for seed in range(6)]
        assert max(shares) > 0.005, scene
        assert max(shares) < 0.95, scene


@pytest.mark.parametrize("scene", SCENES)
def test_regions_lie_on_the_screen_and_separate_things(scene: str) -> None:
    canvas, _ = drawn(scene, (1280, 720), 3, filling(0, 256))
    for region in canvas.regions:
        assert region.area.intersection(canvas.area) == region.area
        assert region.mask is None or region.mask.shape == (region.area.height, region.area.width)
    regions = flatten(canvas.regions, 720, 1280)
    assert regions.max() >= 20


@pytest.mark.parametrize("scene", SCENES)
def test_the_same_seed_draws_the_same_screen_and_another_seed_another(scene: str) -> None:
    first, again, other = (drawn(scene, (640, 400), seed, filling(0, 256))[0].picture for seed in (1, 1, 2))
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


def test_the_default_corpus_uses_every_scene() -> None:
    assert make(CorpusConfig(scenes=dict.fromkeys(SCENES, 1.0))).config.scenes.keys() == SCENES.keys()
    assert {"code_editor", "web_article", "chat", "chart_dashboard", "photo_viewer"} <= SCENES.keys()
