"""The plan: written, read back, refused when damaged."""

from pathlib import Path

import pytest

from datagen import plan, planning
from datagen.config import PRESETS, CorpusConfig, Counts
from datagen.scenes.table import SCENES
from pipeline.base.config import from_table, load, to_table
from pipeline.base.errors import ConfigError, ShardError, UsageError
from pipeline.base.store import Store
from pipeline.formats.shards import read_parquet
from tests.small_corpus import photo_folder, small_config


@pytest.mark.parametrize("preset", sorted(path.stem for path in PRESETS.glob("*.toml")))
def test_presets_load_and_survive_a_round_trip(preset: str) -> None:
    given = ["captured=screens"] if preset == "import" else []
    config = load(CorpusConfig, preset, presets=PRESETS, overrides=given)
    assert from_table(CorpusConfig, to_table(config), where=preset) == config
    counts = config.num_samples
    assert preset == "import" or (counts.train > counts.val > 0 and counts.test > 0)


def test_a_written_plan_reads_back_equal(tmp_path: Path) -> None:
    made = planning.make(small_config(photo_folder(tmp_path / "photos")))
    store = Store(tmp_path / "out")
    digest = plan.write(store, made)
    assert plan.read(store) == (made, digest)
    assert digest == plan.digest(made)
    kinds = {planned.source.kind: planned.split for planned in made.sources}
    assert kinds.keys() == {"photo", "text", "font"} and kinds["font"] == ""


@pytest.mark.parametrize("name", [plan.PLAN, plan.SOURCES])
def test_a_damaged_plan_is_refused(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / "out")
    plan.write(store, planning.make(small_config(photo_folder(tmp_path / "photos"))))
    data = store.read_bytes(name)
    store.write_bytes(name, data[: len(data) // 2])
    with pytest.raises(ShardError, match=name):
        plan.read(store)


def test_shards_cover_every_sample_once(tmp_path: Path) -> None:
    counts = Counts(train=11, val=4, test=1)
    made = planning.make(small_config(photo_folder(tmp_path / "photos"), num_samples=counts, samples_per_shard=4))
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
        planning.make(small_config(photos, scenes={"chatt": 1.0}))
    with pytest.raises(UsageError, match="3 splits"):
        planning.make(small_config(photos))
    assert planning.make(small_config(photos, num_samples=Counts(train=1), scenes={next(iter(SCENES)): 1.0}))


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


def test_a_folder_of_photographs_may_move_and_the_plan_stays(tmp_path: Path) -> None:
    given = {"texts": None, "code": None}
    first = planning.make(small_config(photo_folder(tmp_path / "here" / "photos"), **given))
    store = Store(tmp_path / "out")
    digest = plan.write(store, first)
    (tmp_path / "here").rename(tmp_path / "there")
    moved = planning.make(small_config(tmp_path / "there" / "photos", **given))
    assert plan.digest(moved) == digest and moved != first
    files = {name: store.read_bytes(name) for name in (plan.PLAN, plan.SOURCES)}
    assert not any(str(tmp_path).encode() in data for data in files.values())
    plan.write_config(store, moved)
    found, found_digest = plan.read(store)
    assert (found, found_digest) == (moved, digest)
    assert all(Path(photo.path).is_file() for split in ("train", "val", "test") for photo in found.photos(split))


def test_bundled_photographs_are_found_wherever_their_package_is(tmp_path: Path) -> None:
    made = planning.make(CorpusConfig())
    store = Store(tmp_path / "out")
    plan.write(store, made)
    assert plan.read(store)[0] == made
    stored = read_parquet(store, plan.SOURCES).to_pylist()
    assert {row["path"].partition("/")[0] for row in stored if row["kind"] == "photo"} == {
        "package:skimage",
        "package:matplotlib",
    }


def test_texts_and_code_are_dealt_like_photographs(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "code").mkdir()
    for number in range(6):
        (tmp_path / "texts" / f"{number}.txt").write_text(f"This is text {number}. It goes on. " * 4)
        (tmp_path / "code" / f"{number}.py").write_text(f"value = {number}\n" * 9)
    config = small_config(
        photo_folder(tmp_path / "photos"),
        texts=str(tmp_path / "texts"),
        code=str(tmp_path / "code"),
        photo_licence="mine",
    )
    made = planning.make(config)
    libraries = [made.writings(split) for split in ("train", "val", "test")]
    assert all(library.texts and library.code for library in libraries)
    assert sum(len(library.texts) for library in libraries) == 6 == sum(len(library.code) for library in libraries)
    assert {photo.source.licence for photo in made.photos("train")} == {"mine"}
    (tmp_path / "texts" / "0.txt").write_text("This one is another. It changed. " * 4)
    assert plan.digest(planning.make(config)) != plan.digest(made)
