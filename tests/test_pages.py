"""Corpora drawn by a real Chromium: page scenes beside raster scenes, and pages that people have."""

import os
from pathlib import Path

import numpy as np
import pytest

from datagen import build, work
from datagen import plan as plans
from datagen.browser.chromium import installed
from datagen.config import CorpusConfig, Counts, QualityConfig
from datagen.dataset.check import CheckConfig, check
from pipeline.base.errors import UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from pipeline.formats.encoded import EncodedSample
from pipeline.formats.picture import write_png
from pipeline.formats.sample import NATURAL, SYNTHETIC
from tests.small_corpus import noise, photo_folder, small_config

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not installed() and not os.environ.get("CI"), reason="no Chromium"),
]

ALIKE = CheckConfig(near_bits=0)
"""The pages below look nearly alike, and are dealt to three splits."""

PAGE = """<!doctype html><meta charset=utf-8><title>{title}</title><body style="margin:0;font:20px sans-serif">
<img src="photo.png" style="position:absolute;left:100px;top:80px;width:300px;height:200px">
<p style="position:absolute;left:120px;top:100px;margin:0;background:#fff">{title}</p>
<p style="position:absolute;left:20px;top:300px">Words below it. {title}</p>"""


def test_a_corpus_of_both_renderers_has_the_same_bytes_with_any_number_of_workers(tmp_path: Path) -> None:
    config = small_config(
        photo_folder(tmp_path / "photos", 5),
        sizes=("840x640",),
        scales=(1.0,),
        scenes={"page_article": 1.0, "page_shop": 1.0, "page_mail": 1.0, "search_results": 1.0, "terminal": 1.0},
        renderers={"raster": 1.0, "browser": 2.0},
        num_samples=Counts(train=6),
        samples_per_shard=3,
        quality=QualityConfig(natural_fraction=(0.0, 1.0)),
    )
    folders = [tmp_path / "one", tmp_path / "two"]
    for workers, folder in enumerate(folders, start=1):
        summary = build.run(config, str(folder), workers=workers, progress=Tally())
        assert summary.num_samples == 6 and not summary.rejected, summary
    one, two = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
    assert one == two
    split = open_split(Store(folders[0]), "train")
    infos = [split.sample(index).info for index in range(6)]
    assert {info.details["renderer"] for info in infos} == {"raster", "browser"}
    assert {info.how_labelled for info in infos if info.details["renderer"] == "browser"} == {"differential"}
    assert all(info.versions["chromium"] for info in infos)
    assert all(split.sample(index).regions.max() >= 3 for index in range(6))
    assert check(Store(folders[0]), CheckConfig(regenerate=1.0), progress=Tally()).findings == ()


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> tuple[CorpusConfig, Path]:
    """A corpus of three pages in two sizes, the pages' folder gone since."""
    folder = tmp_path_factory.mktemp("visited")
    site = folder / "site"
    site.mkdir()
    (site / "photo.png").write_bytes(write_png(_photograph()))
    for title in ("first", "second", "third"):
        (site / f"{title}.html").write_text(PAGE.format(title=title * 3))
    config = CorpusConfig(
        num_samples=Counts(),
        pages=str(site),
        sizes=("640x400", "800x600"),
        scales=(1.0,),
        quality=QualityConfig(text=False, near_duplicate_bits=0),
    )
    build.run(config, str(folder / "corpus"), workers=1, progress=Tally())
    return config, folder / "corpus"


def _photograph() -> np.ndarray:
    """Return smooth noise, as photographs are."""
    from PIL import Image

    coarse = Image.fromarray(noise(4, height=24, width=36))
    fine = np.asarray(coarse.resize((360, 240), Image.Resampling.BICUBIC)).astype(int)
    return np.clip(fine + noise(5, height=240, width=360, high=12), 0, 255).astype(np.uint8)


def test_each_page_is_labelled_at_each_size(visited: tuple[CorpusConfig, Path]) -> None:
    _, corpus = visited
    store = Store(corpus)
    samples = [
        split.sample(index)
        for split in (open_split(store, name) for name in ("train", "val", "test"))
        for index in range(split.num_samples)
    ]
    assert len(samples) == 6 and {sample.picture.shape[:2] for sample in samples} == {(400, 640), (600, 800)}
    for sample in samples:
        assert sample.info.kind == "page" and sample.info.how_labelled == "differential"
        assert (sample.label[130:278, 100:400] == NATURAL).all()
        assert (sample.label[:80] == SYNTHETIC).all() and (sample.label[300:] == SYNTHETIC).all()
        assert (sample.label[102:118, 122:160] == SYNTHETIC).all(), "a caption over the photograph is drawn"
        (source,) = sample.info.sources
        assert source.kind == "page" and source.name.endswith(".html")


def test_pages_are_drawn_again_from_their_recordings(visited: tuple[CorpusConfig, Path]) -> None:
    config, corpus = visited
    store = Store(corpus)
    plan, _ = plans.read(store)
    split = open_split(store, "train")
    for index in range(split.num_samples):
        made = work.make_sample(plan, split.row(index)["key"], store=store)
        assert isinstance(made, EncodedSample) and made.members == split.members(index)
    assert check(store, ALIKE, progress=Tally()).findings == ()
    before = {path: path.read_bytes() for path in corpus.rglob("*") if path.is_file()}
    assert build.run(config, str(corpus), workers=1, progress=Tally()).num_skipped_shards == 3
    assert {path: path.read_bytes() for path in corpus.rglob("*") if path.is_file()} == before


def test_a_flipped_byte_in_a_recording_is_found(visited: tuple[CorpusConfig, Path]) -> None:
    _, corpus = visited
    path = next((corpus / "pages").glob("*.zip"))
    whole = path.read_bytes()
    path.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    try:
        kinds = {finding.kind for finding in check(Store(corpus), ALIKE, progress=Tally()).findings}
        assert kinds == {"file_digest"}
    finally:
        path.write_bytes(whole)


def test_other_pages_into_the_same_folder_are_refused(visited: tuple[CorpusConfig, Path], tmp_path: Path) -> None:
    from dataclasses import replace

    config, corpus = visited
    (tmp_path / "other.html").write_text("<p>other</p>")
    with pytest.raises(UsageError, match="other pages were recorded"):
        build.run(replace(config, pages=str(tmp_path)), str(corpus), workers=1, progress=Tally())


def test_pages_are_counted_before_anything_is_drawn(visited: tuple[CorpusConfig, Path], tmp_path: Path) -> None:
    from dataclasses import replace

    for number in range(3):
        (tmp_path / f"{number}.html").write_text("<p>page")
    described = build.describe(replace(visited[0], pages=str(tmp_path), samples_per_shard=1))
    assert (described.num_pages, described.plan_sha256) == (3, "")
    assert described.num_samples == described.num_shards == {"train": 2, "val": 2, "test": 2}


def test_a_page_with_little_on_it_is_labelled_and_an_empty_one_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.html").write_text("<body style='background:#123'>")
    (tmp_path / "sparse.html").write_text("<p>Hi")
    config = CorpusConfig(num_samples=Counts(), pages=str(tmp_path), sizes=("640x400",), scales=(1.0,))
    summary = build.run(config, str(tmp_path / "corpus"), workers=1, progress=Tally())
    assert (summary.num_samples, summary.rejected) == (1, {"blank": 1})
