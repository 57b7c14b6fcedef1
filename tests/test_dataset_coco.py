"""The COCO file: pycocotools reads every mask back as it stands in the map."""

import contextlib
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from pycocotools import mask as reference
from pycocotools.coco import COCO

from datagen.dataset.coco import LABEL_CATEGORIES, What, export, region_masks
from pipeline.base.errors import ShardError, UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from pipeline.formats.sample import NATURAL, Sample
from tests.given_corpus import sample, write_given
from tests.test_sample import make_sample

VALUES = st.sampled_from((0, 1, 2, 300, 65535))


def write_samples(folder: Path) -> dict[str, Sample]:
    """Write a corpus of two splits, one sample of which has region ids all over 16 bits; return it by key."""
    samples = {
        "train": [sample(f"train-{number}") for number in range(5)],
        "val": [make_sample("val-0"), sample("val-1")],
    }
    write_given(folder, samples, shard_size=3)
    return {made.info.key: made for inside in samples.values() for made in inside}


def exported(folder: Path, *, split: str | None = None, what: What = "regions") -> COCO:
    progress = Tally()
    out = folder.with_suffix(".json")
    summary = export(str(folder), out, split=split, what=what, progress=progress)
    table = json.loads(out.read_text())
    assert len(table["images"]) == summary.num_images == progress.num_done
    assert len(table["annotations"]) == summary.num_annotations
    assert out.stat().st_size == summary.bytes
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(out))


def test_pycocotools_reads_every_region_as_it_stands_in_the_map(tmp_path: Path) -> None:
    samples = write_samples(tmp_path / "a")
    coco = exported(tmp_path / "a")
    assert len(coco.imgs) == len(samples) and coco.getCatIds() == [1]
    assert len({annotation["id"] for annotation in coco.dataset["annotations"]}) == len(coco.anns)
    for image in coco.imgs.values():
        made = samples[image["file_name"].removesuffix(".png")]
        assert (image["height"], image["width"]) == made.regions.shape
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))
        assert [annotation["region"] for annotation in annotations] == np.unique(
            made.regions[made.regions > 0]
        ).tolist()
        for annotation in annotations:
            inside = made.regions == annotation["region"]
            assert np.array_equal(coco.annToMask(annotation), inside)
            rows, columns = np.nonzero(inside)
            left, top, width, height = annotation["bbox"]
            assert annotation["area"] == inside.sum() and annotation["iscrowd"] == 0
            assert (left, left + width) == (columns.min(), columns.max() + 1)
            assert (top, top + height) == (rows.min(), rows.max() + 1)
            assert annotation["natural_fraction"] == pytest.approx((made.label[inside] == NATURAL).mean(), abs=1e-6)


def test_pictures_are_found_by_tar_and_offset(tmp_path: Path) -> None:
    write_samples(tmp_path / "a")
    coco = exported(tmp_path / "a")
    for image in coco.imgs.values():
        path = tmp_path / "a" / image["tar"]
        with tarfile.open(path) as tar:
            member = tar.extractfile(image["file_name"])
            assert member is not None
            assert path.read_bytes()[image["offset"] :][: image["size"]] == member.read()
    assert {image["split"] for image in coco.imgs.values()} == {"train", "val"}


def test_label_maps_are_three_categories(tmp_path: Path) -> None:
    samples = write_samples(tmp_path / "a")
    coco = exported(tmp_path / "a", split="val", what="labels")
    assert {image["file_name"] for image in coco.imgs.values()} == {"val-0.png", "val-1.png"}
    assert [category["name"] for category in coco.loadCats(coco.getCatIds())] == ["synthetic", "natural", "ignore"]
    for image in coco.imgs.values():
        label = samples[image["file_name"].removesuffix(".png")].label
        found = {a["category_id"]: coco.annToMask(a) for a in coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))}
        assert found.keys() == {LABEL_CATEGORIES[value] for value in np.unique(label).tolist()}
        assert all(
            np.array_equal(found[LABEL_CATEGORIES[value]], label == value) for value in np.unique(label).tolist()
        )


def test_a_damaged_sample_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    write_samples(tmp_path / "a")
    exported(tmp_path / "a")
    out = tmp_path / "a.json"
    before = out.read_bytes()
    tar = tmp_path / "a" / "screens-val-000000.tar"
    data = bytearray(tar.read_bytes())
    data[open_split(Store(tmp_path / "a"), "val").row(1)["regions_offset"] + 40] ^= 1
    tar.write_bytes(data)
    with pytest.raises(ShardError, match="val-1"):
        exported(tmp_path / "a")
    assert out.read_bytes() == before and not list(tmp_path.glob(".tmp-*"))
    with pytest.raises(UsageError, match="splits: train, val"):
        exported(tmp_path / "a", split="test")


@settings(deadline=None, max_examples=200)
@given(arrays.arrays(np.uint16, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=VALUES))
def test_run_lengths_are_those_of_pycocotools(regions: NDArray[np.uint16]) -> None:
    numbers = np.unique(regions[regions > 0])
    masks = region_masks(regions)
    assert [mask.number for mask in masks] == numbers.tolist()
    for mask in masks:
        expected = reference.encode(np.asfortranarray((regions == mask.number).astype(np.uint8)))
        assert mask.counts == expected["counts"].decode()
        assert mask.area == reference.area(expected) and list(mask.bbox) == reference.toBbox(expected).tolist()
