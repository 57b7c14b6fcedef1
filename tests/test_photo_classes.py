"""What photographs show travels into the samples that show them, and stays there whatever is made of the corpus."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from datagen import build, relabel, remask
from datagen.config import CorpusConfig, Counts, LabelsConfig, MasksConfig, QualityConfig
from datagen.dataset.check import CheckConfig, check
from datagen.dataset.merge import MergeConfig
from datagen.dataset.merge import run as merge
from datagen.dataset.split import SplitConfig
from datagen.dataset.split import run as split
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.formats.corpus import classes_of, open_split
from pipeline.formats.sample import SampleInfo, decode_info
from pipeline.formats.shards import read_manifest
from tests.given_corpus import contents
from tests.photo_files import encoded, scenery, write_tar
from tests.test_labeller import save_codec

NAMES = ("cat", "dog", "owl")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine photographs of three classes, the last of each with a sofa, and one of which nothing is known."""
    members: dict[str, bytes | dict[str, Any]] = {}
    for number in range(10):
        members[f"{number}.png"] = encoded(scenery(300 + number, width=128, height=96))
        name = NAMES[number % 3].encode()
        if number < 9:
            members[f"{number}.cls"] = name if number < 6 else name + b"\nsofa"
    return write_tar(tmp_path_factory.mktemp("photos") / "photos.tar", members)


def config(photos: Path, **changes: Any) -> CorpusConfig:
    settings: dict[str, Any] = {
        "name": "small",
        "seed": 5,
        "sizes": ("480x320",),
        "scales": (0.6,),
        "num_samples": Counts(train=5, val=2, test=2),
        "samples_per_shard": 2,
        "scenes": {"chat": 1.0, "photo_viewer": 1.0, "terminal": 1.0},
        "photos": str(photos),
        "png_compress_level": 1,
        "quality": QualityConfig(near_duplicate_bits=0),
        "photo_classes": "source",
    }
    return CorpusConfig(**(settings | changes))


def make(out: Path, settings: CorpusConfig, workers: int = 1) -> Path:
    build.run(settings, str(out), workers=workers, progress=Tally())
    return out


@pytest.fixture(scope="module")
def corpus(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("classes") / "corpus", config(photos))


def infos(corpus: Path) -> dict[str, SampleInfo]:
    """Return the metadata of all samples by key; side-cars must say the same of their classes."""
    found = {}
    for name in read_manifest(Store(corpus))["splits"]:
        opened = open_split(Store(corpus), name)
        for index in range(opened.num_samples):
            info = decode_info(opened.members(index, ["json"])["json"], where=str(index))
            assert classes_of(opened.row(index)) == (info.classes or (info.kind,))
            found[info.key] = info
    return found


def shown(corpus: Path) -> dict[str, tuple[str, ...]]:
    return {key: info.classes for key, info in infos(corpus).items()}


def check_all(corpus: Path) -> tuple[Any, ...]:
    return check(Store(corpus), CheckConfig(regenerate=1.0), progress=Tally()).findings


def test_a_sample_shows_its_scene_and_what_its_photographs_show(corpus: Path) -> None:
    some, none = 0, 0
    for info in infos(corpus).values():
        photos = [source for source in info.sources if source.kind == "photo"]
        names = list(dict.fromkeys(name for photo in photos for name in photo.classes))
        assert info.classes == ((info.kind, *names) if names else ())
        some, none = some + bool(names), none + (not names)
    assert some >= 3 and none >= 1, "both kinds must occur for this to say anything"
    table = pq.read_table(corpus / "sources.parquet").to_pylist()
    told = {row["name"]: row["classes"] for row in table if row["kind"] == "photo"}
    assert told["photos.tar/0.png"] == ["cat"] and told["photos.tar/7.png"] == ["dog", "sofa"]
    assert told["photos.tar/9.png"] is None


def test_the_same_bytes_with_many_workers_and_again_from_the_plan(corpus: Path, photos: Path, tmp_path: Path) -> None:
    again = make(tmp_path / "many", config(photos), workers=2)
    ours, theirs = contents(corpus), contents(again)
    assert {name: data for name, data in ours.items() if "seen" not in name} == {
        name: data for name, data in theirs.items() if "seen" not in name
    }
    assert check_all(corpus) == ()


def test_without_the_setting_only_the_sources_know(corpus: Path, photos: Path, tmp_path: Path) -> None:
    plain = make(tmp_path / "plain", config(photos, photo_classes=None))
    assert set(shown(plain).values()) == {()}
    for key, info in infos(plain).items():
        assert info.sources == infos(corpus)[key].sources
    assert b"photo_classes" not in (plain / "plan.json").read_bytes()
    assert check_all(plain) == ()


def test_folders_name_classes_and_sources_that_know_none_leave_every_byte(photos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    for number in range(6):
        inside = folder / NAMES[number % 3]
        inside.mkdir(parents=True, exist_ok=True)
        (inside / f"{number}.png").write_bytes(encoded(scenery(300 + number, width=128, height=96)))
    plain = make(tmp_path / "plain", config(folder, photo_classes=None))
    assert "classes" not in pq.read_schema(plain / "sources.parquet").names
    assert not any(b'"classes"' in data for name, data in contents(plain).items() if name.endswith((".tar", ".json")))
    named = make(tmp_path / "named", config(folder, photo_classes="folder"))
    for key, info in infos(named).items():
        kinds = {source.name.partition("/")[0] for source in info.sources if source.kind == "photo"}
        assert set(info.classes) == ({info.kind, *kinds} if kinds else set())
        assert info.sources[0].name == infos(plain)[key].sources[0].name
    assert check_all(named) == ()


def test_derived_corpora_keep_them_and_can_be_drawn_again(corpus: Path, tmp_path: Path) -> None:
    expected, masks = shown(corpus), tmp_path / "masks"
    remask.run(str(corpus), str(masks), config=MasksConfig(engine="felzenszwalb"), workers=1, progress=Tally())
    assert shown(masks) == expected and check_all(masks) == ()

    merged = tmp_path / "merged"
    merge([str(corpus)], MergeConfig(), str(merged), progress=Tally())
    assert shown(merged) == expected and check_all(merged) == ()
    for made in (merged, masks):
        rows = pq.read_table(made / "sources.parquet").to_pylist()
        assert {tuple(row["classes"] or ()) for row in rows} >= {(), ("cat",)}


def test_pictures_that_were_taken_keep_theirs_through_splits_and_new_labels(tmp_path: Path) -> None:
    members: dict[str, bytes | dict[str, Any]] = {}
    for number in range(8):
        members[f"{number}.png"] = encoded(scenery(number, width=64, height=48))
        members[f"{number}.json"] = {"label": [NAMES[number % 3], number]}
    taken = CorpusConfig(
        num_samples=Counts(),
        captured=str(write_tar(tmp_path / "a.tar", members)),
        labels=LabelsConfig(classes="source"),
        masks=MasksConfig(engine="none"),
    )
    corpus = make(tmp_path / "corpus", taken)
    expected = {f"a.tar/{number}.png": (NAMES[number % 3], str(number)) for number in range(8)}
    assert {info.sources[0].name: info.classes for info in infos(corpus).values()} == expected
    checkpoint = tmp_path / "checkpoint"
    checkpoint.mkdir()
    save_codec(checkpoint)
    labels = LabelsConfig(checkpoint=str(checkpoint), min_confidence=0.5)
    relabel.run(str(corpus), str(tmp_path / "labelled"), labels=labels, progress=Tally())
    split(str(corpus), SplitConfig(train=0.5, val=0.25, test=0.25), str(tmp_path / "dealt"), progress=Tally())
    for name in ("labelled", "dealt"):
        found = infos(tmp_path / name).values()
        assert {info.sources[0].name: info.classes for info in found} == expected
        assert all(info.sources[0].classes == info.classes for info in found)
        listed = pq.read_table(tmp_path / name / "sources.parquet").to_pylist()
        assert {row["name"]: tuple(row["classes"]) for row in listed} == expected
    assert {info.how_labelled[:7] for info in infos(tmp_path / "labelled").values()} == {"mtl_sci"}
