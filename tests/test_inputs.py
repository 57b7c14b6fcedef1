"""Which files are listed, and under which names."""

import os
import time

import pytest

from pipeline.base.errors import StorageError, UsageError
from pipeline.formats.pack import check_name
from serving.inputs import list_inputs, local_path


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode(errors="surrogateescape"))


def names_of(*sources):
    return [item.name for item in list_inputs([str(source) for source in sources]).inputs]


def read_back(item):
    with open(local_path(f"{item.root}/{item.path}"), "rb") as file:
        return file.read()


def test_folder_is_searched_recursively_and_sorted(tmp_path):
    touch(tmp_path, "b.png", "a/z.JPG", "a/b/c.webp", "a.tiff", "notes.txt", "a/data.json")
    listing = list_inputs([str(tmp_path)])
    assert [item.name for item in listing.inputs] == ["a.tiff", "a/b/c.webp", "a/z.JPG", "b.png"]
    assert listing.num_not_listed == 2
    assert [item.num_bytes for item in listing.inputs] == [6, 10, 7, 5]


def test_hidden_and_temporary_files_are_counted_only(tmp_path):
    touch(tmp_path, "a.png", ".b.png", ".cache/c.png", "~lock.png", "old~/d.png", "e.png~")
    listing = list_inputs([str(tmp_path)])
    assert [item.name for item in listing.inputs] == ["a.png"] and listing.num_not_listed == 5


def test_single_files_go_by_their_own_name(tmp_path):
    touch(tmp_path, "deep/a.png", "b.png")
    assert names_of(tmp_path / "deep" / "a.png", tmp_path / "b.png") == ["a.png", "b.png"]


def test_globs_go_by_the_part_after_the_fixed_folder(tmp_path):
    touch(tmp_path, "x/1/a.png", "x/2/a.png", "x/2/b.txt", "x/y/3.png")
    assert names_of(tmp_path / "x" / "?" / "*.png") == ["1/a.png", "2/a.png", "y/3.png"]
    assert names_of(tmp_path / "x" / "[12]") == ["1/a.png", "2/a.png"]
    assert names_of(tmp_path / "**" / "*.png") == ["x/1/a.png", "x/2/a.png", "x/y/3.png"]


def test_later_source_with_a_clash_gets_its_folder_in_front(tmp_path):
    touch(tmp_path, "one/a.png", "two/a.png", "two/b.png", "three/c.png", "else/two/a.png")
    assert names_of(tmp_path / "one", tmp_path / "two", tmp_path / "three", tmp_path / "else" / "two") == [
        "a.png",
        "c.png",
        "two-2/a.png",
        "two/a.png",
        "two/b.png",
    ]


def test_a_file_and_a_folder_of_one_name_do_not_meet(tmp_path):
    touch(tmp_path, "one/a.png", "two/a.png/b.png")
    assert names_of(tmp_path / "one", tmp_path / "two") == ["a.png", "two/a.png/b.png"]
    assert names_of(tmp_path / "two", tmp_path / "one") == ["a.png/b.png", "one/a.png"]


def test_a_file_reached_twice_is_listed_once(tmp_path):
    touch(tmp_path, "a/b.png", "c.png")
    assert names_of(tmp_path, tmp_path / "a", tmp_path / "c.png") == ["a/b.png", "c.png"]


def test_a_named_file_that_clashes_gets_its_folder_in_front(tmp_path):
    touch(tmp_path, "one/a.png", "one/b.png", "two/a.png", "two/b.png", "x/two/a.png")
    sources = [tmp_path / name for name in ("one/a.png", "one/b.png", "two/a.png", "two/b.png", "x/two/a.png")]
    assert names_of(*sources) == ["a.png", "b.png", "two-2/a.png", "two/a.png", "two/b.png"]


def test_many_named_files_do_not_take_quadratic_time(tmp_path):
    names = [f"{i}/same/a.png" for i in range(3000)]
    touch(tmp_path, *names)
    started = time.process_time()
    found = names_of(*(tmp_path / name for name in names))
    # All of one name is the worst case; looking through all names for each of them took several seconds.
    assert time.process_time() - started < 1.5
    assert len(set(found)) == 3000 and "same-2999/a.png" in found


def test_a_named_file_is_listed_whatever_its_suffix(tmp_path):
    touch(tmp_path, "scan", ".hidden.txt", "b.png")
    listing = list_inputs([str(tmp_path / "scan"), str(tmp_path / ".hidden.txt"), str(tmp_path)])
    assert [item.name for item in listing.inputs] == [".hidden.txt", "b.png", "scan"]


def test_links_to_folders_are_followed_once_by_the_links_path(tmp_path):
    touch(tmp_path, "in/b/c.png", "far/away/d.png", "far/.e.png")
    (tmp_path / "in" / "a").symlink_to(tmp_path / "in" / "b")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "far").symlink_to(tmp_path / "far")
    (tmp_path / "in" / ".root").symlink_to(tmp_path)
    (tmp_path / "far" / "back").symlink_to(tmp_path / "in")
    listing = list_inputs([str(tmp_path / "in")])
    assert [item.name for item in listing.inputs] == ["b/c.png", "far/away/d.png"]
    assert names_of(tmp_path / "in", tmp_path / "far") == ["b/c.png", "far/away/d.png"]
    assert listing.num_not_listed == 1


def test_names_that_an_archive_may_not_hold_are_encoded_and_still_open(tmp_path):
    odd = ["new\nline.png", "back\\slash.png", "100%.png", os.fsdecode(b"latin-\xe9.png"), "grün/é.png"]
    touch(tmp_path, *odd)
    inputs = {item.name: item for item in list_inputs([str(tmp_path)]).inputs}
    assert sorted(inputs) == sorted(["new%0Aline.png", "back%5Cslash.png", "100%.png", "latin-%E9.png", "grün/é.png"])
    for item in inputs.values():
        check_name(item.name, where="test")
        (item.root + item.path).encode()
    assert {read_back(item) for item in inputs.values()} == {name.encode(errors="surrogateescape") for name in odd}


def test_encoded_name_that_meets_a_real_one_is_numbered(tmp_path):
    touch(tmp_path, "a\nb.png", "a%0Ab.png")
    inputs = list_inputs([str(tmp_path)]).inputs
    assert [(item.name, read_back(item)) for item in inputs] == [
        ("a%0Ab.png", b"a\nb.png"),
        ("a%0Ab~2.png", b"a%0Ab.png"),
    ]


def test_broken_link_with_a_picture_suffix_is_listed(tmp_path):
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (item,) = list_inputs([str(tmp_path)]).inputs
    assert (item.name, item.num_bytes) == ("gone.png", 0)


@pytest.mark.parametrize(
    ("source", "message"),
    [("missing", "no such file"), ("*.png", "no file matches"), ("", "no pictures"), ("x" * 300, "too long")],
)
def test_nothing_to_list_is_a_usage_error(tmp_path, source, message):
    with pytest.raises(UsageError, match=message):
        list_inputs([str(tmp_path / source)])


def test_folder_that_cannot_be_read_is_not_left_out_silently(tmp_path, monkeypatch):
    touch(tmp_path, "a.png", "locked/b.png")
    real = os.scandir

    def scandir(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    # Tests may run as root, whom no permission stops.
    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(StorageError, match="Permission denied"):
        list_inputs([str(tmp_path)])
