"""Shards as others read them: tar, webdataset, Hugging Face datasets, parquet beside the tar. Nothing may be lost."""

import gc
import io
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow.parquet as pq
import pytest
import webdataset
from numpy.typing import NDArray
from PIL import Image

from datagen.dataset.card import CardConfig, write_card
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.formats.sample import FIELDS, Sample
from tests.given_corpus import write_given
from tests.test_sample import make_sample

# What `datasets` takes a sample for if nobody tells it: see docs/coco.md.
FEATURES = datasets.Features(
    {
        "png": datasets.Image(),
        "label.png": datasets.Image(),
        "regions.png": datasets.Image(),
        "json": datasets.Json(),
        "__key__": datasets.Value("string"),
        "__url__": datasets.Value("string"),
    }
)
SPLITS = {"train": "*-train-*.tar", "validation": "*-val-*.tar", "test": "*-test-*.tar"}


def details(number: int) -> dict[str, Any]:
    """Return what differs from sample to sample, as it does in a corpus of several renderers."""
    if number % 2:
        return {"renderer": "browser", "agreement": 0.5, "page": f"page{number}"}
    return {"renderer": "raster", "scale": 1 if number == 0 else 1.5} if number % 3 else {}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readers") / "corpus"
    write_given(folder, {split: list(samples(split).values()) for split in ("train", "val", "test")})
    return folder


def samples(split: str) -> dict[str, Sample]:
    """Return samples whose region ids fill 16 bits and whose details differ, by key."""
    made = {}
    for number in range(9 if split == "train" else 3):
        one = make_sample(f"{split}-{number:06d}", height=20, width=30, seed=number)
        info = replace(one.info, details=details(number), sources=one.info.sources if number > 5 else ())
        made[one.info.key] = replace(one, info=info)
    return made


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    yield
    # Both readers leave their tars to the garbage collector.
    gc.collect()


pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::DeprecationWarning"
)


def plane(data: bytes) -> NDArray[Any]:
    return np.asarray(Image.open(io.BytesIO(data)))


def assert_same(row: dict[str, Any], sample: Sample) -> None:
    assert np.array_equal(np.asarray(row["png"]), sample.picture)
    assert np.array_equal(np.asarray(row["label.png"]), sample.label)
    regions = np.asarray(row["regions.png"])
    assert regions.dtype == np.uint16 and np.array_equal(regions, sample.regions) and regions.max() > 60_000
    assert row["json"]["key"] == sample.info.key and row["json"]["details"] == sample.info.details
    assert [source["sha256"] for source in row["json"]["sources"]] == [s.sha256 for s in sample.info.sources]


def test_tar_lists_and_unpacks_a_shard(corpus: Path, tmp_path: Path) -> None:
    tar = corpus / "screens-val-000000.tar"
    run = subprocess.run(["tar", "tf", str(tar)], capture_output=True, text=True, check=True)
    wanted = samples("val")
    assert run.stdout.splitlines() == [f"{key}.{ending}" for key in wanted for ending in FIELDS] and not run.stderr
    subprocess.run(["tar", "xf", str(tar), "-C", str(tmp_path)], check=True)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "val-000001.png")), wanted["val-000001"].picture)
    assert (tmp_path / "val-000001.json").stat().st_mode & 0o777 == 0o644


def test_webdataset_gives_maps_of_16_bits_to_who_decodes_them_as_planes(corpus: Path) -> None:
    tars = sorted(map(str, corpus.glob("*-train-*.tar")))
    decoders = (webdataset.handle_extension("label.png regions.png", plane), "rgb8")
    seen = {row["__key__"]: row for row in webdataset.WebDataset(tars, shardshuffle=False).decode(*decoders)}
    assert seen.keys() == samples("train").keys()
    for key, sample in samples("train").items():
        assert_same(seen[key], sample)


def test_webdatasets_own_decoders_crush_the_region_map(corpus: Path) -> None:
    # The reason for the handler above and in the docs; when this fails, the docs may become simpler.
    (tar,) = map(str, corpus.glob("*-val-*.tar"))
    row = next(iter(webdataset.WebDataset([tar], shardshuffle=False).decode("rgb8")))
    assert np.array_equal(row["png"], samples("val")[row["__key__"]].picture)
    assert row["regions.png"].dtype == np.uint8 and row["label.png"].shape == (20, 30, 3)


@pytest.mark.parametrize("streaming", [True, False])
def test_datasets_gives_every_pixel_and_all_metadata(corpus: Path, tmp_path: Path, streaming: bool) -> None:
    files = {name: str(corpus / pattern) for name, pattern in SPLITS.items()}
    loaded = datasets.load_dataset(
        "webdataset", data_files=files, features=FEATURES, streaming=streaming, cache_dir=str(tmp_path)
    )
    for name, split in (("train", "train"), ("validation", "val"), ("test", "test")):
        rows = {row["__key__"]: row for row in loaded[name]}
        assert rows.keys() == samples(split).keys()
        for key, sample in samples(split).items():
            assert_same(rows[key], sample)


@pytest.mark.parametrize("streaming", [True, False])
def test_without_features_datasets_keeps_the_maps(corpus: Path, tmp_path: Path, streaming: bool) -> None:
    files = str(corpus / "*-val-*.tar")
    rows = datasets.load_dataset(
        "webdataset", data_files=files, split="train", streaming=streaming, cache_dir=str(tmp_path)
    )
    for row, sample in zip(rows, samples("val").values(), strict=True):
        assert np.array_equal(np.asarray(row["regions.png"]), sample.regions)
        assert np.array_equal(np.asarray(row["label.png"]), sample.label)
        assert row["json"]["key"] == sample.info.key


@pytest.mark.parametrize("streaming", [True, False])
def test_with_its_card_the_folder_alone_is_enough(corpus: Path, tmp_path: Path, streaming: bool) -> None:
    folder = shutil.copytree(corpus, tmp_path / "carded")
    write_card(Store(folder), CardConfig(), progress=Tally())
    loaded = datasets.load_dataset(str(folder), streaming=streaming, cache_dir=str(tmp_path / "held"))
    assert list(loaded) == ["train", "val", "test"]
    for split, rows in loaded.items():
        for row, sample in zip(rows, samples(split).values(), strict=True):
            assert_same(row, sample)


def test_what_the_card_says_of_loading_works_as_it_stands(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(corpus, tmp_path / "carded")
    write_card(Store(folder), CardConfig(), progress=Tally())
    code = (folder / "README.md").read_text().split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    exec(compile(code.replace("FOLDER", str(folder)), "README.md", "exec"), names)
    last = samples("train")[names["sample"]["__key__"]]
    assert np.array_equal(names["picture"], last.picture) and np.array_equal(names["regions"], last.regions)
    assert np.array_equal(names["label"], last.label)
    assert [row["__key__"] for row in names["rows"]] == list(samples("train"))


def test_the_side_car_finds_members_as_img2datasets_parquet_does(corpus: Path) -> None:
    for path in sorted(corpus.glob("screens-*.parquet")):
        tar = path.with_suffix(".tar").read_bytes()
        for row in pq.read_table(path).to_pylist():
            sample = samples(path.name.split("-")[1])[row["key"]]
            found = tar[row["picture_offset"] :][: row["picture_size"]]
            assert np.array_equal(plane(found), sample.picture)
            info = json.loads(tar[row["info_offset"] :][: row["info_size"]])
            assert (info["width"], info["height"]) == (row["width"], row["height"]) == (30, 20)
