"""A corpus whose region maps are made anew: everything else keeps its bytes, with any engine and number of workers."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from datagen import build, remask
from datagen.config import Counts, MasksConfig
from datagen.dataset import merge
from datagen.dataset.check import CheckConfig, check
from datagen.dataset.stats import measure
from pipeline.base.errors import ShardError, UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from tests.small_corpus import photo_folder, small_config
from tests.test_cli import assert_one_line, diptych
from tests.tiny_sam import save_tiny_sam

SEGMENTED = MasksConfig(engine="felzenszwalb", felzenszwalb_min_size=8)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_sam(tmp_path_factory.mktemp("sam") / "tiny.pth")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five drawn samples, and three captured ones whose regions are of another engine."""
    folder = tmp_path_factory.mktemp("mixed")
    config = small_config(
        photo_folder(folder / "photos"),
        num_samples=Counts(train=5),
        samples_per_shard=2,
        captured=str(photo_folder(folder / "captured", 3, first=40)),
        masks=MasksConfig(felzenszwalb_scale=50, felzenszwalb_min_size=8),
    )
    build.run(config, str(folder / "corpus"), workers=1, progress=Tally())
    return folder / "corpus"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_pictures_and_labels_keep_their_bytes_and_the_corpus_is_whole(corpus: Path, tmp_path: Path) -> None:
    before, progress = contents(corpus), Tally()
    summary = remask.run(str(corpus), str(tmp_path / "out"), config=SEGMENTED, workers=1, progress=progress)
    assert (summary.num_samples, summary.num_masked, summary.num_kept) == (8, 8, 0) == (progress.num_done, 8, 0)
    assert summary.engines == {"felzenszwalb": 8} and not summary.rejected
    assert contents(corpus) == before
    old, new = (open_split(Store(folder), "train") for folder in (corpus, tmp_path / "out"))
    for index in range(old.num_samples):
        was, now = old.members(index), new.members(index)
        assert was["png"] == now["png"] and was["label.png"] == now["label.png"]
        sample = new.sample(index)
        assert sample.info.how_masked.startswith("felzenszwalb scale=") and sample.regions.any()
        assert new.row(index)["num_regions"] == sample.regions.max()
    checked = check(Store(tmp_path / "out"), CheckConfig(regenerate=1.0), progress=Tally())
    assert (checked.findings, checked.num_drawn_again) == ((), 5)
    (group,) = measure(Store(tmp_path / "out"), progress=Tally()).how_masked
    assert (group.name, group.num_samples) == (sample.info.how_masked, 8)


def test_the_whole_stage_through_segment_anything_twice_gives_the_same_bytes(
    corpus: Path, checkpoint: Path, tmp_path: Path
) -> None:
    config = MasksConfig(sam_checkpoint=str(checkpoint), sam_points_per_side=3, sam_device="cpu")
    for name, batch in (("one", 1), ("two", 5)):
        config = MasksConfig(
            sam_checkpoint=str(checkpoint), sam_points_per_side=3, sam_device="cpu", sam_batch_pictures=4
        )
        workers = batch if batch == 1 else 2
        summary = remask.run(str(corpus), str(tmp_path / name), config=config, workers=workers, progress=Tally())
        assert summary.engines == {"sam": 8}
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    sample = open_split(Store(tmp_path / "one"), "train").sample(0)
    assert len(sample.info.details["regions"]["predicted_iou"]) == sample.regions.max()
    checked = check(Store(tmp_path / "one"), CheckConfig(regenerate=1.0), progress=Tally())
    assert (checked.findings, checked.num_drawn_again) == ((), 5)
    assert json.loads((tmp_path / "one" / "manifest.json").read_bytes())["versions"]["sam_checkpoint_sha256"]
    assert str(checkpoint) not in (tmp_path / "one" / "manifest.json").read_text()


def test_auto_keeps_the_layout_and_layout_keeps_what_has_none(corpus: Path, tmp_path: Path) -> None:
    auto = remask.run(str(corpus), str(tmp_path / "auto"), config=MasksConfig(), workers=1, progress=Tally())
    assert (auto.num_masked, auto.num_kept, auto.num_without_layout) == (3, 5, 0)
    assert auto.engines == {"layout": 5, "felzenszwalb": 3}
    layout = remask.run(
        str(corpus), str(tmp_path / "layout"), config=MasksConfig(engine="layout"), workers=1, progress=Tally()
    )
    assert (layout.num_masked, layout.num_kept, layout.num_without_layout) == (0, 8, 3)
    split, old = (open_split(Store(folder), "train") for folder in (tmp_path / "layout", corpus))
    assert all(split.members(index) == old.members(index) for index in range(old.num_samples))
    plan = remask.describe(str(corpus), MasksConfig())
    assert (plan.num_samples, plan.engines, plan.expected_seconds) == (8, {"kept": 5, "felzenszwalb": 3}, None)


def test_a_killed_run_goes_on_and_ends_in_the_same_bytes(corpus: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipeline.cli", "masks", str(corpus), "--out", str(tmp_path / "killed")]
    command += ["--engine", "felzenszwalb", "--set", "felzenszwalb_min_size=8"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    while process.poll() is None and not list((tmp_path / "killed").glob("*.done.json")):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    summary = remask.run(str(corpus), str(tmp_path / "killed"), config=SEGMENTED, workers=1, progress=Tally())
    assert summary.num_skipped_shards >= 1 and summary.num_samples == 8
    remask.run(str(corpus), str(tmp_path / "whole"), config=SEGMENTED, workers=2, progress=Tally())
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    again = remask.run(str(corpus), str(tmp_path / "whole"), config=SEGMENTED, workers=1, progress=Tally())
    assert again.num_skipped_shards == 4


def test_corpora_of_several_stages_can_be_masked_too(corpus: Path, tmp_path: Path) -> None:
    merge.run([str(corpus)], merge.MergeConfig(), str(tmp_path / "merged"), progress=Tally())
    remask.run(str(tmp_path / "merged"), str(tmp_path / "masked"), config=SEGMENTED, workers=1, progress=Tally())
    merge.run([str(tmp_path / "masked")], merge.MergeConfig(), str(tmp_path / "again"), progress=Tally())
    for name in ("masked", "again"):
        checked = check(Store(tmp_path / name), CheckConfig(regenerate=1.0), progress=Tally())
        assert (checked.findings, checked.num_drawn_again) == ((), 5), name


def test_mistakes_are_told_in_one_line_and_leave_nothing(corpus: Path, checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert_one_line(diptych("masks", tmp_path / "nothing", "--out", out), "manifest.json")
    told = diptych("masks", corpus, "--out", out, "--engine", "sam")
    assert told.returncode == 2 and "needs sam_checkpoint" in told.stderr
    for arguments, part in (
        (["--checkpoint", tmp_path / "missing.pth"], "no such file"),
        (["--checkpoint", corpus / "plan.json"], "not a checkpoint of tensors"),
        (["--checkpoint", checkpoint, "--set", "masks.sam_model=vit_h"], "holds vit-32x3"),
        (["--set", "masks.sam_point_per_side=3"], "did you mean 'sam_points_per_side'"),
        (["--set", "felzenszwalb_closing=[0,1]"], "felzenszwalb_closing"),
    ):
        told = diptych("masks", corpus, "--out", out, *arguments)
        assert told.returncode == 2 and part in told.stderr.splitlines()[-1], told.stderr
    assert not out.exists() or not list(out.iterdir())
    with pytest.raises(UsageError, match="the corpus itself"):
        remask.run(str(corpus), str(corpus), config=SEGMENTED, workers=1, progress=Tally())
    remask.run(str(corpus), str(out), config=SEGMENTED, workers=1, progress=Tally())
    with pytest.raises(UsageError, match="choose another folder"):
        remask.run(str(corpus), str(out), config=MasksConfig(), workers=1, progress=Tally())


def test_the_command_line_says_which_engine_it_takes(corpus: Path, tmp_path: Path) -> None:
    told = diptych("masks", corpus, "--out", tmp_path / "out", "--plan", "--json")
    plan = json.loads(told.stdout)
    assert told.returncode == 0 and plan["engine"] == "layout (synthesized), felzenszwalb (captured)"
    assert plan["engines"] == {"kept": 5, "felzenszwalb": 3}
    told = diptych("masks", corpus, "--out", tmp_path / "out", "--engine", "layout", "--json")
    assert told.returncode == 1 and json.loads(told.stdout)["num_without_layout"] == 3
    assert told.stderr.splitlines()[0] == "region maps: layout (synthesized), none (captured)"


def test_a_damaged_shard_is_named_and_what_was_made_stays(corpus: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(corpus, tmp_path / "damaged")
    path = tmp_path / "damaged" / "small-train-000001.tar"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ShardError, match="train-00000"):
        remask.run(str(tmp_path / "damaged"), str(tmp_path / "out"), config=SEGMENTED, workers=1, progress=Tally())
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert "small-train-000000.done.json" in names and "small-train-000001.tar" not in names
