"""Class names as they come with pictures: WebDatasets, parquet files, tables, folders; what is no name is told."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import webdataset

from datagen import planning
from datagen.config import CorpusConfig, Counts, LabelsConfig
from datagen.sources import SEEN, Seen, find_captured, find_photos, load_bytes
from datagen.sources.stated import MAX_CHARACTERS, Stated, class_names, folder_name, read_names
from pipeline.base.errors import ConfigError, UsageError
from pipeline.base.store import Store
from tests.photo_files import encoded, scenery, write_csv, write_parquet, write_tar

JPEGS = tuple(encoded(scenery(seed), "JPEG", quality=95) for seed in range(6))
LONG = "a caption " * 20


def write_webdataset(path: Path, samples: list[dict[str, Any]]) -> Path:
    """Write samples with the writer that others use; each gets the next picture as its `.jpg`."""
    with webdataset.TarWriter(str(path)) as writer:
        for number, sample in enumerate(samples):
            writer.write({"__key__": f"{number:04d}", "jpg": JPEGS[number], **sample})
    return path


def told(place: Path | str, classes: str | None = None) -> dict[str, tuple[str, ...]]:
    """Return the classes of the photographs of a place by the last part of their names."""
    found = find_photos(str(place), classes=classes)  # type: ignore[arg-type]
    return {planned.source.name.rpartition("/")[2]: planned.source.classes for planned in found.sources}


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (7, ("7",)),
        (0, ("0",)),
        (3.0, ("3",)),
        ("dog", ("dog",)),
        (" dog \n", ("dog",)),
        ("golden retriever", ("golden retriever",)),
        (["dog", 4, "dog"], ("dog", "4")),
        ('["dog", "cat"]', ("dog", "cat")),
        ("[dog", ("[dog",)),
        (b"207", ("207",)),
        (b"\xef\xbb\xbfdog\r\nsofa\n", ("dog", "sofa")),
        (b"[1, 2]", ("1", "2")),
        ("狗", ("狗",)),
        (None, ()),
        ("", ()),
        ([], ()),
        (float("nan"), ()),
        ([None, "a"], ("a",)),
    ],
)
def test_text_and_whole_numbers_are_names(value: object, names: tuple[str, ...]) -> None:
    assert read_names(value) == Stated(names=names)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"id": 1}, "label_not_text"),
        ([["a"]], "label_not_text"),
        (True, "label_not_text"),
        (0.5, "label_not_text"),
        (float("inf"), "label_not_text"),
        (b"\xff\xfe\x00", "label_not_text"),
        ("a" * (MAX_CHARACTERS + 1), "label_too_long"),
        ("a\x07b", "label_unprintable"),
        ("a\nb", "label_unprintable"),
        ("\ud800", "label_unprintable"),
    ],
)
def test_what_is_no_name_is_left_out_with_a_reason_and_the_others_stay(value: object, reason: str) -> None:
    found = read_names([*(value if isinstance(value, list) else [value]), "dog"])
    if isinstance(value, bytes):
        # Inside a list bytes are nothing that JSON or a table could hold.
        found = Stated(names=("dog",), faults=read_names(value).faults)
    assert found.names == ("dog",) and [fault.partition(" ")[0] for fault in found.faults] == [reason]
    assert found.faults[0].isprintable() and len(found.faults[0]) < 160
    assert read_names("a" * MAX_CHARACTERS).names == ("a" * MAX_CHARACTERS,)


def test_the_first_field_with_a_name_counts() -> None:
    assert class_names({"label": 3, "class": "dog"}).names == ("dog",)
    assert class_names({"label": 3, "labels": {"box": 1}}) == Stated(
        names=("3",), faults=("label_not_text {'box': 1} is no name and no whole number",)
    )
    assert class_names({"caption": "a dog"}) == Stated()


def test_tars_are_no_folders() -> None:
    assert folder_name("all/dog/7.jpg").names == ("dog",)
    assert folder_name("7.jpg") == folder_name("a.tar/7.jpg", "a.tar") == Stated()
    assert (
        folder_name("a.tar/dog/7.jpg", "a.tar").names == folder_name("dog/a.tar/7.jpg", "dog/a.tar").names == ("dog",)
    )


def test_a_webdataset_s_cls_members_name_classes(tmp_path: Path) -> None:
    samples = [
        {"cls": 207},
        {"cls": "dog"},
        {"class": "sofa", "json": {"label": 9}},
        {"classes": json.dumps(["dog", "sofa"]).encode()},
        {"json": {"labels": ["cat", 3], "license": "MIT"}},
        {"txt": "a caption"},
    ]
    path = write_webdataset(tmp_path / "a.tar", samples)
    expected = [("207",), ("dog",), ("sofa",), ("dog", "sofa"), ("cat", "3"), ()]
    # Remembered whether asked for or not.
    for classes in (None, "source"):
        assert told(path, classes) == {f"{number:04d}.jpg": names for number, names in enumerate(expected)}
    found = find_captured(str(path), classes="source")
    assert [planned.source.classes for planned in found.sources] == expected and found.refused == ()
    assert [load_bytes(planned) for planned in found.sources] == list(JPEGS)


def test_columns_of_parquet_files_name_classes(tmp_path: Path) -> None:
    # As img2dataset writes them: the picture's bytes beside what is known of it.
    keys = [f"{number:05d}" for number in range(3)]
    columns: dict[str, Any] = {"key": keys, "jpg": JPEGS[:3], "caption": ["a", "b", "c"]}
    table = write_parquet(tmp_path / "00000.parquet", columns | {"Label": [3, None, 5]})
    assert list(told(table).values()) == [("3",), (), ("5",)]
    table = write_parquet(tmp_path / "00000.parquet", columns | {"labels": [["dog", "cat"], [], None]})
    assert list(told(table).values()) == [("dog", "cat"), (), ()]
    boxes = {"labels": [[{"x": 1}], [], []], "cls": [b"dog", b"cat", b"7"]}
    assert list(told(write_parquet(tmp_path / "00000.parquet", columns | boxes)).values()) == [
        ("dog",),
        ("cat",),
        ("7",),
    ]


def test_tables_beside_the_files_outweigh_what_lies_in_them(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(JPEGS[number])
    rows = [
        {"file": "0.jpg", "class": "dog"},
        {"file": "1.jpg", "class": '["dog", "cat"]'},
        {"file": "2.jpg", "class": ""},
    ]
    write_csv(tmp_path / "sources.csv", rows)
    write_tar(tmp_path / "a.tar", {"7.jpg": JPEGS[3], "7.cls": b"1", "8.jpg": JPEGS[4], "8.cls": b"2"})
    write_parquet(tmp_path / "a.parquet", {"key": ["7", "8"], "label": ["seven", None]})
    (tmp_path / "metadata.jsonl").write_text(json.dumps({"file_name": "2.jpg", "label": ["owl", 4]}) + "\n")
    assert told(tmp_path) == {
        "0.jpg": ("dog",),
        "1.jpg": ("dog", "cat"),
        # Two tables list this one; metadata comes before sources.
        "2.jpg": ("owl", "4"),
        "7.jpg": ("seven",),
        "8.jpg": ("2",),
    }


def test_labels_that_are_no_names_are_counted_and_their_pictures_stay(tmp_path: Path) -> None:
    samples = [{"cls": "dog"}, {"cls": LONG}, {"json": {"label": {"id": 1}}}, {"json": {"labels": ["a\x07", "cat"]}}]
    path = write_webdataset(tmp_path / "a.tar", samples)
    found = find_photos(str(path), classes="source")
    assert [planned.source.classes for planned in found.sources] == [("dog",), (), (), ("cat",)]
    assert [(refused.name, refused.reason) for refused in found.refused] == [
        ("a.tar/0001.jpg", "label_too_long"),
        ("a.tar/0002.jpg", "label_not_text"),
        ("a.tar/0003.jpg", "label_unprintable"),
    ]
    assert find_photos(str(path)).refused == (), "nobody asked"
    labels = LabelsConfig(classes="source")
    made = planning.make(CorpusConfig(num_samples=Counts(), captured=str(path), labels=labels))
    assert len(made.sources) == 4 and not any(refused.is_picture for refused in made.refused)


def test_pictures_without_any_class_are_told_before_anything_is_made(tmp_path: Path) -> None:
    path = write_webdataset(tmp_path / "a.tar", [{"cls": LONG}, {"txt": "dog"}])
    for find in (find_photos, find_captured):
        with pytest.raises(
            UsageError, match=r"none of the 2 pictures comes with a class name \(first: .* has 199 characters"
        ):
            find(str(path), classes="source")
    with pytest.raises(ConfigError, match="photo_classes"):
        planning.make(CorpusConfig(photo_classes="source"))


def test_what_was_stated_is_remembered_with_the_examination(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_webdataset(tmp_path / "a.tar", [{"cls": "dog"}, {"cls": LONG}, {"classes": b"a\nb"}])
    later = time.time_ns() + 60_000_000_000
    monkeypatch.setattr("datagen.sources.seen.time.time_ns", lambda: later)
    store = Store(tmp_path / "corpus")
    first = find_photos(str(path), classes="source", seen=Seen(store, worth_s=0))
    assert store.exists(SEEN)

    def never(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("datagen.sources.gather.read_items", never)
    assert find_photos(str(path), classes="source", seen=Seen(store)) == first
    assert [planned.source.classes for planned in first.sources] == [("dog",), (), ("a", "b")]
    assert [refused.reason for refused in first.refused] == ["label_too_long"]
