"""A corpus whose captured screens get labels; everything else keeps its bytes."""

from pathlib import Path

import numpy as np
import pytest

from datagen import build, relabel
from datagen.config import Counts, LabelsConfig, MasksConfig, QualityConfig
from datagen.dataset import merge
from datagen.dataset.check import CheckConfig, check
from pipeline.base.errors import UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store, sha256_file
from pipeline.formats.corpus import CorpusSplit, open_split
from pipeline.formats.sample import IGNORE
from tests.small_corpus import photo_folder, small_config
from tests.test_labeller import save_codec


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("checkpoint")
    save_codec(folder)
    return str(folder)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two drawn samples and three captured ones."""
    folder = tmp_path_factory.mktemp("mixed")
    config = small_config(
        photo_folder(folder / "photos"),
        num_samples=Counts(train=2),
        captured=str(photo_folder(folder / "captured", 3, first=40)),
        masks=MasksConfig(felzenszwalb_min_size=8, downscale=2),
    )
    build.run(config, str(folder / "corpus"), workers=1, progress=Tally())
    return folder / "corpus"


def rows(split: CorpusSplit) -> dict[str, str]:
    return {split.row(index)["key"]: split.row(index)["how_labelled"] for index in range(split.num_samples)}


def test_only_samples_without_labels_are_labelled(mixed: Path, checkpoint: str, tmp_path: Path) -> None:
    labels, progress = LabelsConfig(checkpoint=checkpoint, min_confidence=0.6), Tally()
    summary = relabel.run(str(mixed), str(tmp_path), labels=labels, progress=progress)
    assert (summary.num_samples, summary.num_labelled, progress.num_done) == (5, 3, 5)
    assert summary.mean_confidence is not None and 0.5 <= summary.mean_confidence <= 1
    before, after = (open_split(Store(folder), "train") for folder in (mixed, tmp_path))
    digest = sha256_file(Path(checkpoint) / "weights.safetensors")[:12]
    named = f"mtl_sci {digest} confidence>=0.6"
    assert list(rows(after).values()) == [named if how == "none" else how for how in rows(before).values()]
    for index in range(before.num_samples):
        old, new = before.sample(index), after.sample(index)
        assert np.array_equal(old.picture, new.picture) and np.array_equal(old.regions, new.regions)
        if old.info.how_labelled == "compositor":
            assert before.members(index) == after.members(index)
        else:
            assert (old.label == IGNORE).all() and (new.label != IGNORE).any()
            assert after.row(index)["confidence"] == new.info.details["confidence"] > 0.5


def test_the_labelled_corpus_passes_its_check_and_tells_of_flipped_bytes(
    mixed: Path, checkpoint: str, tmp_path: Path
) -> None:
    relabel.run(str(mixed), str(tmp_path), labels=LabelsConfig(checkpoint=checkpoint), progress=Tally())
    assert check(Store(tmp_path), CheckConfig(), progress=Tally()).findings == ()
    path = tmp_path / "sources.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    found = {finding.kind for finding in check(Store(tmp_path), CheckConfig(), progress=Tally()).findings}
    assert "file_digest" in found


def test_drawn_samples_of_a_labelled_corpus_are_drawn_again_through_any_number_of_stages(
    mixed: Path, checkpoint: str, tmp_path: Path
) -> None:
    labels, every = LabelsConfig(checkpoint=checkpoint), CheckConfig(regenerate=1.0)
    relabel.run(str(mixed), str(tmp_path / "once"), labels=labels, progress=Tally())
    relabel.run(str(tmp_path / "once"), str(tmp_path / "twice"), labels=labels, progress=Tally())
    merge.run([str(tmp_path / "twice")], merge.MergeConfig(), str(tmp_path / "merged"), progress=Tally())
    relabel.run(str(tmp_path / "merged"), str(tmp_path / "last"), labels=labels, progress=Tally())
    for name in ("once", "twice", "merged", "last"):
        checked = check(Store(tmp_path / name), every, progress=Tally())
        assert (checked.findings, checked.num_drawn_again) == ((), 2), name


def test_labelling_goes_on_where_it_was_stopped_and_refuses_another_folder(
    mixed: Path, checkpoint: str, tmp_path: Path
) -> None:
    labels = LabelsConfig(checkpoint=checkpoint, min_confidence=0.6)
    relabel.run(str(mixed), str(tmp_path / "out"), labels=labels, progress=Tally())
    whole = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    for path in (tmp_path / "out").glob("*000001*"):
        path.unlink()
    (tmp_path / "out" / "manifest.json").unlink()
    relabel.run(str(mixed), str(tmp_path / "out"), labels=labels, progress=Tally())
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == whole
    with pytest.raises(UsageError, match="something else"):
        other = LabelsConfig(checkpoint=checkpoint, min_confidence=0.9)
        relabel.run(str(mixed), str(tmp_path / "out"), labels=other, progress=Tally())
    with pytest.raises(UsageError, match="something else"):
        relabel.run(str(mixed), str(mixed), labels=labels, progress=Tally())


def test_a_corpus_of_screens_is_labelled_while_it_is_made(checkpoint: str, tmp_path: Path) -> None:
    captured = photo_folder(tmp_path / "captured", 3)
    config = small_config(
        tmp_path,
        num_samples=Counts(),
        captured=str(captured),
        labels=LabelsConfig(checkpoint=checkpoint, min_confidence=0.5),
        masks=MasksConfig(engine="none"),
        quality=QualityConfig(natural_fraction=(0.0, 1.0)),
    )
    summary = build.run(config, str(tmp_path / "out"), workers=1, progress=Tally())
    assert summary.num_samples == 3
    sample = open_split(Store(tmp_path / "out"), "train").sample(0)
    assert sample.info.how_labelled.startswith("mtl_sci ") and not (sample.label == IGNORE).any()
