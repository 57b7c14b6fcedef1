"""Finding photographs and captured screens, and dealing them to splits."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datagen.sources import (
    BUNDLED,
    CAPTURE_LOG,
    Found,
    PlannedSource,
    deal_by_hash,
    deal_in_order,
    find_captured,
    find_photos,
    load_pixels,
)
from pipeline.base.errors import PictureError, UsageError
from pipeline.formats.picture import write_png
from pipeline.formats.sample import Source
from tests.small_corpus import noise, photo_folder


def planned(number: int) -> PlannedSource:
    source = Source(kind="photo", name=f"{number}", sha256=f"{number:064x}", licence="CC0-1.0", origin="here")
    return PlannedSource(source=source, split="", path="")


def test_the_bundled_photographs_are_all_there_with_licence_and_digest() -> None:
    found = find_photos(None)
    assert {photo.source.name for photo in found.sources} == set(BUNDLED)
    assert all(photo.source.licence and len(photo.source.sha256) == 64 for photo in found.sources)
    assert all(photo.source.origin.startswith(("scikit-image ", "matplotlib ")) for photo in found.sources)
    assert all(min(load_pixels(photo).shape[:2]) > 200 for photo in found.sources)


def test_a_folder_is_searched_with_its_subfolders_and_odd_files_are_refused_with_reasons(tmp_path: Path) -> None:
    photo_folder(tmp_path / "deep" / "er", 2)
    Image.fromarray(noise(9)).save(tmp_path / "nine.JPG", format="JPEG")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "cut.png").write_bytes(write_png(noise(8))[:500])
    (tmp_path / "icon.png").write_bytes(write_png(noise(7, height=32, width=32)))
    clear = np.dstack([noise(6), np.zeros((160, 200), np.uint8)])
    (tmp_path / "clear.png").write_bytes(write_png(clear))
    (tmp_path / "notes.txt").write_text("ignored")
    found = find_photos(str(tmp_path))
    assert [photo.source.name for photo in found.sources] == ["deep/er/photo0.png", "deep/er/photo1.png", "nine.JPG"]
    reasons = {refused.name: refused.reason for refused in found.refused}
    assert reasons == {
        "clear.png": "transparent",
        "cut.png": "truncated",
        "empty.png": "empty_file",
        "icon.png": "too_small",
        "text.png": "not_a_picture",
    }
    assert all(str(tmp_path) not in refused.message for refused in found.refused)


@pytest.mark.parametrize("find", [find_photos, find_captured])
def test_the_same_pixels_count_once_however_they_are_stored(tmp_path: Path, find: Callable[[str], Found]) -> None:
    pixels = np.repeat(noise(3)[:, :, :1], 3, axis=2)
    (tmp_path / "a.png").write_bytes(write_png(pixels, compress_level=1))
    (tmp_path / "b.png").write_bytes(write_png(pixels, compress_level=9))
    Image.fromarray(pixels).save(tmp_path / "c.bmp")
    (tmp_path / "copy.png").write_bytes((tmp_path / "a.png").read_bytes())
    (tmp_path / "grey.png").write_bytes(write_png(pixels[:, :, :1]))
    (tmp_path / "other.png").write_bytes(write_png(noise(4)))
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 5
    found = find(str(tmp_path))
    assert [planned.source.name for planned in found.sources] == ["a.png", "other.png"]
    assert {refused.name: refused.reason for refused in found.refused} == dict.fromkeys(
        ("b.png", "c.bmp", "copy.png", "grey.png"), "duplicate"
    )
    assert all(refused.message == f"{refused.name}: has the same pixels as a.png" for refused in found.refused)


@pytest.mark.parametrize("make", ["missing", "empty", "useless"])
def test_a_folder_without_photographs_is_a_mistake_of_the_person(tmp_path: Path, make: str) -> None:
    folder = tmp_path / make
    if make != "missing":
        folder.mkdir()
    if make == "useless":
        (folder / "text.png").write_text("not a picture")
    with pytest.raises(UsageError, match=make):
        find_photos(str(folder))


def test_every_source_goes_to_one_split_and_every_used_split_gets_one() -> None:
    for num_sources in (3, 4, 17, 100):
        dealt = deal_by_hash([planned(n) for n in range(num_sources)], {"train": 90, "val": 1, "test": 9}, seed=1)
        assert len({photo.source.sha256 for photo in dealt}) == len(dealt) == num_sources
        assert {photo.split for photo in dealt} == {"train", "val", "test"}
    counts = [sum(photo.split == split for photo in dealt) for split in ("train", "val", "test")]
    assert counts == [90, 1, 9]


def test_dealing_depends_on_digests_and_seed_alone_never_on_order() -> None:
    weights = {"train": 5, "val": 3, "test": 2}
    sources = [planned(n) for n in range(20)]
    forward = {p.source.name: p.split for p in deal_by_hash(sources, weights, seed=1)}
    backward = {p.source.name: p.split for p in deal_by_hash(sources[::-1], weights, seed=1)}
    other = {p.source.name: p.split for p in deal_by_hash(sources, weights, seed=2)}
    assert forward == backward != other


def test_a_split_without_samples_gets_no_source_and_too_few_sources_are_refused() -> None:
    dealt = deal_in_order([planned(n) for n in range(5)], {"train": 8, "val": 0, "test": 2})
    assert [photo.split for photo in dealt] == ["train"] * 4 + ["test"]
    with pytest.raises(UsageError, match="2 photo source"):
        deal_in_order([planned(0), planned(1)], {"train": 1, "val": 1, "test": 1})


def test_a_photograph_that_changed_since_the_plan_is_refused(tmp_path: Path) -> None:
    (photo,) = find_photos(str(photo_folder(tmp_path, 1))).sources
    Path(photo.path).write_bytes(write_png(noise(99)))
    with pytest.raises(PictureError) as caught:
        load_pixels(photo)
    assert caught.value.reason == "source_changed"
    Path(photo.path).unlink()
    with pytest.raises(PictureError) as caught:
        load_pixels(photo)
    assert caught.value.reason == "unreadable"


def test_captured_screens_come_in_the_order_of_their_log(tmp_path: Path) -> None:
    photo_folder(tmp_path, 3)
    names = ["photo2.png", "photo0.png", "photo1.png", "photo2.png"]
    lines = [json.dumps({"file": name}) for name in names]
    (tmp_path / CAPTURE_LOG).write_text("\n".join([*lines, '{"file": "phot']))
    assert [screen.source.name for screen in find_captured(str(tmp_path)).sources] == names[:3]
    (tmp_path / CAPTURE_LOG).unlink()
    assert [screen.source.name for screen in find_captured(str(tmp_path)).sources] == sorted(names[:3])
    assert {screen.source.kind for screen in find_captured(str(tmp_path)).sources} == {"screen"}


def test_a_captured_screen_that_looks_like_an_earlier_one_is_refused(tmp_path: Path) -> None:
    coarse = Image.fromarray(noise(8, height=9, width=16)).resize((640, 360), Image.Resampling.BICUBIC)
    changed = np.array(coarse)
    changed[300:308, 600:606] = 0
    other = Image.fromarray(noise(9, height=9, width=16)).resize((640, 360), Image.Resampling.BICUBIC)
    for name, picture in (("a", np.array(coarse)), ("b", np.array(other)), ("c", changed)):
        (tmp_path / f"{name}.png").write_bytes(write_png(picture))
    found = find_captured(str(tmp_path), near_bits=10)
    assert [screen.source.name for screen in found.sources] == ["a.png", "b.png"]
    assert [(refused.name, refused.reason) for refused in found.refused] == [("c.png", "near_duplicate")]
    assert len(find_captured(str(tmp_path)).sources) == 3
