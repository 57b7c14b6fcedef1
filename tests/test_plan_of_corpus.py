"""The plan: written, read back, refused when damaged."""

from pathlib import Path

import pytest

from datagen import plan
from datagen.config import PRESETS, CorpusConfig, Counts
from datagen.scenes.table import SCENES
from pipeline.base.config import from_table, load, to_table
from pipeline.base.errors import ConfigError, ShardError, UsageError
from pipeline.base.store import Store
from tests.small_corpus import photo_folder, small_config


@pytest.mark.parametrize("preset", sorted(path.stem for path in PRESETS.glob("*.toml")))
def test_presets_load_and_survive_a_round_trip(preset: str) -> None:
    config = load(CorpusConfig, preset, presets=PRESETS)
    assert from_table(CorpusConfig, to_table(config), where=preset) == config
    assert config.num_samples.train > config.num_samples.val > 0 and config.num_samples.test > 0


def test_a_written_plan_reads_back_equal(tmp_path: Path) -> None:
    made = plan.make(small_config(photo_folder(tmp_path / "photos")))
    store = Store(tmp_path / "out")
    digest = plan.write(store, made)
    assert plan.read(store) == (made, digest)
    assert digest == plan.digest(made)
    kinds = {planned.source.kind: planned.split for planned in made.sources}
    assert kinds.keys() == {"photo", "text", "font"} and kinds["font"] == ""


@pytest.mark.parametrize("name", [plan.PLAN, plan.SOURCES])
def test_a_damaged_plan_is_refused(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / "out")
    plan.write(store, plan.make(small_config(photo_folder(tmp_path / "photos"))))
    data = store.read_bytes(name)
    store.write_bytes(name, data[: len(data) // 2])
    with pytest.raises(ShardError, match=name):
        plan.read(store)


def test_shards_cover_every_sample_once(tmp_path: Path) -> None:
    counts = Counts(train=11, val=4, test=1)
    made = plan.make(small_config(photo_folder(tmp_path / "photos"), num_samples=counts, samples_per_shard=4))
    shards = made.shards()
    assert [(shard.name.stem, shard.first, shard.num_samples) for shard in shards] == [
        ("small-train-000000", 0, 4),
        ("small-train-000001", 4, 4),
        ("small-train-000002", 8, 3),
        ("small-val-000000", 0, 4),
        ("small-test-000000", 0, 1),
    ]


def test_a_scene_that_does_not_exist_and_too_few_photographs_are_refused(tmp_path: Path) -> None:
    photos = photo_folder(tmp_path / "photos", 2)
    with pytest.raises(ConfigError, match="unknown scene 'chatt'"):
        plan.make(small_config(photos, scenes={"chatt": 1.0}))
    with pytest.raises(UsageError, match="3 splits"):
        plan.make(small_config(photos))
    assert plan.make(small_config(photos, num_samples=Counts(train=1), scenes={next(iter(SCENES)): 1.0}))


@pytest.mark.parametrize(
    "table",
    [
        {"name": "with.dot"},
        {"width": 100},
        {"samples_per_shard": 0},
        {"num_samples": {"train": 0, "val": 0, "test": 0}},
        {"num_samples": {"train": -1}},
        {"scenes": {"chat": 0.0}},
        {"png_compress_level": 10},
        {"masks": {"engine": "sam"}},
        {"masks": {"engine": "slic"}},
        {"masks": {"downscale": 0}},
        {"photo": "somewhere"},
    ],
)
def test_impossible_configs_are_refused(table: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        from_table(CorpusConfig, table, where="test")
