"""Which scene a sample shows."""

from collections import Counter
from pathlib import Path

import pytest

from datagen.config import CorpusConfig
from datagen.render import synthesize
from datagen.scenes.table import SCENES
from datagen.settings import check_settings, choose_setting
from datagen.sources import find_photos
from pipeline.base.errors import ConfigError
from pipeline.base.seeds import generator
from tests.small_corpus import photo_folder, small_config

WIDE = [name for name, scene in SCENES.items() if scene.fits(1280, 720, 1.0)]


def chosen(weights: dict[str, float], *sizes: str) -> Counter[str]:
    """Return how often each scene is chosen over 40 seeds a scene."""
    config = CorpusConfig(scenes=weights, sizes=sizes or ("1280x720",))
    return Counter(choose_setting(config, generator(seed, "scene")).scene for seed in range(40 * len(SCENES)))


@pytest.mark.parametrize("weights", [{}, dict.fromkeys(SCENES, 2.0)])
def test_scenes_of_equal_weight_all_appear_about_equally_often(weights: dict[str, float]) -> None:
    counts = chosen(weights, "1280x720", "1080x1920")
    assert counts.keys() == SCENES.keys()
    # 40 expected of most, half of it of those that are drawn on one of the two sizes only.
    assert min(counts.values()) > 6


@pytest.mark.parametrize("left_out", WIDE[:5])
def test_a_scene_of_weight_0_never_appears_and_the_others_do(left_out: str) -> None:
    weights = dict.fromkeys(SCENES, 1.0) | {left_out: 0.0}
    assert chosen(weights).keys() == set(WIDE) - {left_out}


def test_a_scene_of_greater_weight_appears_more_often() -> None:
    counts = chosen({"chat": 9.0, "photo_viewer": 1.0})
    assert counts.keys() == {"chat", "photo_viewer"}
    assert 0.75 < counts["chat"] / counts.total() < 1


def test_samples_follow_the_weights_of_their_corpus(tmp_path: Path) -> None:
    photos = find_photos(str(photo_folder(tmp_path))).sources
    for scene in ("chat", "photo_viewer"):
        config = small_config(tmp_path, scenes=dict.fromkeys(SCENES, 0.0) | {scene: 1.0})
        kinds = {synthesize(config, photos, f"train-{index:06d}", {}).info.kind for index in range(4)}
        assert kinds == {scene}


def test_a_size_at_which_nothing_can_be_drawn_is_refused() -> None:
    config = CorpusConfig(scenes={"code_editor": 1.0}, sizes=("1280x720", "360x640"))
    with pytest.raises(ConfigError, match="360x640"):
        check_settings(config)
    with pytest.raises(ConfigError, match="unknown scene 'code_edito'"):
        check_settings(CorpusConfig(scenes={"code_edito": 1.0}))


def test_scales_are_those_at_which_the_scene_fits() -> None:
    config = CorpusConfig(scenes={"chat": 1.0}, sizes=("1280x720", "3840x2160"))
    seen = {
        (setting.size, setting.display.scale) for setting in (choose_setting(config, generator(i)) for i in range(99))
    }
    assert {scale for size, scale in seen if size == (1280, 720)} <= {1.0, 1.25}
    assert {scale for size, scale in seen if size == (3840, 2160)} == {1.5, 2.0}
