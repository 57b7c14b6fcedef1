"""Copies in other encodings, drawings, and what need not be looked at twice."""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from datagen.canvas import Canvas
from datagen.geometry import box
from datagen.sources import SEEN, Seen, find_captured, find_photos, gather
from datagen.sources.examine import drawn, examine_photo
from datagen.sources.gather import Search
from pipeline.base.errors import UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from tests.photo_files import encoded, scenery


def reduced(seed: int, width: int, height: int) -> Any:
    return np.asarray(Image.fromarray(scenery(seed, width=640, height=480)).resize((width, height)))


def age(folder: Path) -> None:
    """Make all files a minute old: one that may still change is not taken as seen."""
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - 60, time.time() - 60))


def test_a_photograph_that_was_scaled_or_compressed_again_counts_once_and_the_largest_is_kept(tmp_path: Path) -> None:
    original = scenery(5, width=640, height=480)
    (tmp_path / "a half.jpg").write_bytes(encoded(reduced(5, 320, 240), "JPEG", quality=50))
    (tmp_path / "b.png").write_bytes(encoded(original))
    (tmp_path / "c q50.jpg").write_bytes(encoded(original, "JPEG", quality=50))
    (tmp_path / "d grey.png").write_bytes(encoded(np.asarray(Image.fromarray(original).convert("L"))))
    (tmp_path / "e other.png").write_bytes(encoded(scenery(6, width=640, height=480)))
    found = find_photos(str(tmp_path))
    assert [photo.source.name for photo in found.sources] == ["b.png", "e other.png"]
    assert {refused.name: refused.reason for refused in found.refused} == dict.fromkeys(
        ("a half.jpg", "c q50.jpg", "d grey.png"), "near_duplicate"
    )
    assert all("shows the same as b.png" in refused.message for refused in found.refused)


def test_drawings_are_no_photographs_and_photographs_on_white_are() -> None:
    canvas = Canvas(400, 300, (240, 240, 245))
    for number in range(6):
        canvas.fill(box(20 + 60 * number, 40, 40, 200 - 20 * number), (30 * number, 120, 200))
    assert "equal their neighbours" in (drawn(canvas.picture) or "")
    on_white = np.full((480, 640, 3), 255, np.uint8)
    on_white[60:420, 140:520] = scenery(7, width=380, height=360)
    assert drawn(on_white) is None and drawn(scenery(8)) is None
    assert drawn(np.repeat(scenery(9)[:, :, :1], 3, axis=2)) is None
    examined = examine_photo(encoded(canvas.picture), sha256="", where="bars.png")
    assert (examined.reason, examined.message[:9]) == ("not_a_photograph", "bars.png:")


def test_going_on_decodes_only_what_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for seed in range(4):
        (photos / f"{seed}.png").write_bytes(encoded(scenery(seed)))
    (photos / "none.png").write_bytes(b"nothing")
    age(photos)
    store = Store(tmp_path / "out")
    first = find_photos(str(photos), seen=Seen(store, worth_s=0))
    assert store.names() == [SEEN]
    looked: list[str] = []
    look = gather._examine

    def counted(search: Any, item: Any) -> Any:
        looked.append(item.name)
        return look(search, item)

    monkeypatch.setattr(gather, "_examine", counted)
    assert find_photos(str(photos), seen=Seen(store, worth_s=0)) == first and looked == []
    (photos / "2.png").write_bytes(encoded(scenery(20)))
    again = find_photos(str(photos), seen=Seen(store, worth_s=0))
    assert looked == ["2.png"] and len(again.sources) == 4 and again != first
    assert find_photos(str(photos)) == again
    looked.clear()
    # The file is young: another change could keep size and time.
    find_photos(str(photos), seen=Seen(store, worth_s=0))
    assert looked == ["2.png"]


def test_what_was_seen_as_a_photograph_is_not_taken_for_a_screen(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "small.png").write_bytes(encoded(scenery(1, width=60, height=60)))
    (tmp_path / "in" / "large.png").write_bytes(encoded(scenery(2)))
    age(tmp_path / "in")
    store = Store(tmp_path / "out")
    assert len(find_photos(str(tmp_path / "in"), seen=Seen(store, worth_s=0)).sources) == 1
    assert len(find_captured(str(tmp_path / "in"), seen=Seen(store, worth_s=0)).sources) == 2
    assert len(find_photos(str(tmp_path / "in"), seen=Seen(store, worth_s=0)).sources) == 1


def test_a_damaged_record_of_what_was_seen_costs_time_only(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(encoded(scenery(1)))
    age(tmp_path / "in")
    store = Store(tmp_path / "out")
    first = find_photos(str(tmp_path / "in"), seen=Seen(store, worth_s=0))
    store.write_bytes(SEEN, store.read_bytes(SEEN)[:100])
    assert find_photos(str(tmp_path / "in"), seen=Seen(store, worth_s=0)) == first


def test_progress_counts_the_files_and_order_does_not_depend_on_threads(tmp_path: Path) -> None:
    for seed in range(9):
        (tmp_path / f"{seed}.png").write_bytes(encoded(scenery(seed, width=200 + 60 * (seed % 3))))
    progress = Tally()
    found = find_photos(str(tmp_path), progress=progress)
    assert [photo.source.name for photo in found.sources] == [f"{seed}.png" for seed in range(9)]
    assert (progress.num_total, progress.num_done) == (9, 9)


def test_a_search_states_its_field_when_nothing_can_be_used(tmp_path: Path) -> None:
    search = Search(kind="photo", key="photos", place=str(tmp_path), licence="", examine=examine_photo)
    with pytest.raises(UsageError, match=r"holds nothing \(photos\)"):
        gather.found(search, gather.gather(search, [], gather.Tables(())))
