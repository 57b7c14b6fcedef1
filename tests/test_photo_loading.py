"""Photographs decoded no larger than needed: always the same pixels, and no more memory than allowed."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datagen.materials import Materials
from datagen.sources import Photo, PlannedSource, Shelf, find_photos, load_pixels, neighbourhood
from datagen.sources.dealing import POOL, RUN, shuffled_place
from datagen.texts import words_of
from pipeline.base.errors import PictureError
from pipeline.formats.sample import Source
from tests.photo_files import encoded, scenery

LARGE = encoded(scenery(1, width=1600, height=1200), "JPEG", quality=92)


def distance(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.abs(first.astype(float) - second).mean())


def planned(number: int) -> PlannedSource:
    source = Source(kind="photo", name=f"{number}", sha256=f"{number:064x}", licence="CC0-1.0", origin="here")
    return PlannedSource(source=source, split="train", path="")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("size", [(900, 700), (333, 222), (120, 90), (40, 40)])
def test_a_cut_is_what_careful_scaling_gives_whatever_was_cut_before(kind: str, size: tuple[int, int]) -> None:
    data = LARGE if kind == "JPEG" else encoded(scenery(1, width=1600, height=1200))
    area = (100.0, 60.0, 1500.0, 1110.0)
    photo = Photo.from_file(data, where="photo")
    cut = photo.cut(area, *size)
    used = Photo.from_file(data, where="photo")
    for side in (700, 300, 100, 20, 7):
        used.cut((0, 0, 1600, 1200), side, side)
    assert np.array_equal(used.cut(area, *size), cut)
    full = Image.fromarray(Photo.from_file(data, where="photo").cut((0, 0, 1600, 1200), 1600, 1200))
    assert distance(np.asarray(full.resize(size, Image.Resampling.LANCZOS, box=area)), cut) < 1.5


def test_a_small_use_of_a_large_jpeg_decodes_it_small() -> None:
    photo = Photo.from_file(LARGE, where="photo")
    photo.cut((0, 0, 1600, 1200), 200, 150)
    assert photo.num_bytes < len(LARGE) + 3 * (400 * 300 + 200 * 150) + 1
    photo.cut((0, 0, 1600, 1200), 1600, 1200)
    assert photo.num_bytes > 3 * 1600 * 1200


def test_a_photograph_lying_on_its_side_stands_up() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(scenery(3), "JPEG", quality=95, exif=exif)
    photo = Photo.from_file(data, where="photo")
    assert (photo.width, photo.height) == (240, 320)
    upright = np.rot90(np.asarray(Image.open(io.BytesIO(data))), k=-1)
    assert np.array_equal(photo.cut((0, 0, 240, 320), 240, 320), upright)


def test_full_size_pixels_are_those_of_the_whole_file(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(encoded(scenery(4), "JPEG"))
    cmyk = io.BytesIO()
    Image.fromarray(scenery(5)).convert("CMYK").save(cmyk, format="JPEG")
    (tmp_path / "b.jpg").write_bytes(cmyk.getvalue())
    shelf = Shelf()
    for photo in find_photos(str(tmp_path)).sources:
        assert np.array_equal(shelf(photo).cut((0, 0, 320, 240), 320, 240), load_pixels(photo))


def test_a_shelf_keeps_to_its_bytes_and_forgets_the_oldest(tmp_path: Path) -> None:
    for seed in range(6):
        (tmp_path / f"{seed}.png").write_bytes(encoded(scenery(seed)))
    sources = find_photos(str(tmp_path)).sources
    shelf = Shelf(max_bytes=2 * 3 * 320 * 240 + 100)
    held = [shelf(photo) for photo in sources]
    assert shelf(sources[5]) is held[5] and shelf(sources[0]) is not held[0]
    Path(sources[1].path).unlink()
    with pytest.raises(PictureError, match="No such file"):
        shelf(sources[1])


def test_crops_depend_on_the_seed_alone_and_about_half_show_pixels_as_they_are(tmp_path: Path) -> None:
    # Every pixel says where it lies, so that a crop that was not resampled can be told.
    rows, columns = np.mgrid[0:250, 0:250].astype(np.uint8)
    (tmp_path / "a.png").write_bytes(encoded(np.dstack([rows, columns, rows ^ columns])))
    (photo,) = find_photos(str(tmp_path)).sources
    as_they_are = 0
    for seed in range(60):
        crops = [
            Materials((photo,), words_of("train"), load=shelf, rng=np.random.default_rng(seed)).photo(150, 140)
            for shelf in (Shelf(), Shelf())
        ]
        assert np.array_equal(*crops)
        steps = np.diff(crops[0][:, :, 1].astype(int), axis=1)
        as_they_are += bool((np.abs(np.median(steps) - 1) < 0.1) and (steps == 1).mean() > 0.999)
    # A half of them, of which a half is compressed at its shown size.
    assert 6 <= as_they_are <= 26


def test_neighbouring_samples_share_photographs_and_all_are_shown_alike() -> None:
    photos = [planned(number) for number in range(100)]
    pools = [neighbourhood(photos, seed=3, index=index) for index in range(0, 25 * RUN, RUN)]
    assert neighbourhood(photos, seed=3, index=0) == neighbourhood(photos, seed=3, index=RUN - 1) == pools[0]
    assert pools[0] != pools[1] and neighbourhood(photos, seed=4, index=0) != pools[0]
    assert all(POOL - 8 <= len(set(pool)) == len(pool) <= POOL for pool in pools)
    shown = [sum(photo in pool for pool in pools) for photo in photos]
    # 25 runs of 32 make 8 laps of 100.
    assert min(shown) >= 7 and max(shown) <= 8
    assert neighbourhood(photos[:POOL], seed=3, index=99) == tuple(photos[:POOL])


@pytest.mark.parametrize("size", [1, 2, 3, 33, 100, 1000])
def test_shuffled_places_are_a_permutation(size: int) -> None:
    places = [shuffled_place(place, size, 7) for place in range(size)]
    assert sorted(places) == list(range(size))
    assert size < 33 or places != [shuffled_place(place, size, 8) for place in range(size)] != list(range(size))
