"""Which scene a sample shows."""

from collections import Counter
from pathlib import Path

import pytest

from datagen.render import choose_scene, synthesize
from datagen.scenes.table import SCENES
from datagen.sources import find_photos
from pipeline.base.seeds import generator
from tests.small_corpus import photo_folder, small_config


def chosen(weights: dict[str, float]) -> Counter[str]:
    """Return how often each scene is chosen over 200 seeds."""
    return Counter(choose_scene(weights, generator(seed, "scene")) for seed in range(200))


@pytest.mark.parametrize("weights", [{}, dict.fromkeys(SCENES, 2.0)])
def test_scenes_of_equal_weight_all_appear_about_equally_often(weights: dict[str, float]) -> None:
    counts = chosen(weights)
    assert counts.keys() == SCENES.keys()
    # 40 expected of each; 15 is more than four standard deviations away.
    assert min(counts.values()) > 15


@pytest.mark.parametrize("left_out", SCENES)
def test_a_scene_of_weight_0_never_appears_and_the_others_do(left_out: str) -> None:
    weights = dict.fromkeys(SCENES, 1.0) | {left_out: 0.0}
    assert chosen(weights).keys() == SCENES.keys() - {left_out}


def test_a_scene_of_greater_weight_appears_more_often() -> None:
    counts = chosen({"chat": 9.0, "photo_viewer": 1.0})
    assert counts.keys() == {"chat", "photo_viewer"}
    assert 150 < counts["chat"] < 200


def test_samples_follow_the_weights_of_their_corpus(tmp_path: Path) -> None:
    photos = find_photos(str(photo_folder(tmp_path))).sources
    for scene in ("chat", "photo_viewer"):
        config = small_config(tmp_path, scenes=dict.fromkeys(SCENES, 0.0) | {scene: 1.0})
        kinds = {synthesize(config, photos, f"train-{index:06d}", {}).info.kind for index in range(4)}
        assert kinds == {scene}
