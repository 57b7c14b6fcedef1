"""A corpus is a function of its config: any number of workers, before a crash and after it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from datagen import build, plan, planning
from datagen.config import SPLITS, CorpusConfig, Counts, LabelsConfig, MasksConfig
from datagen.sources import SEEN
from pipeline.base.config import to_toml
from pipeline.base.errors import UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.formats.corpus import classes_of, open_split
from pipeline.formats.picture import write_png
from pipeline.formats.sample import IGNORE, NATURAL
from pipeline.formats.shards import check_shard, read_manifest, read_record
from tests.small_corpus import noise, photo_folder, small_config

LIMITED = """
import resource, signal, sys
from pathlib import Path
from datagen import build
from datagen.config import CorpusConfig, LabelsConfig
from pipeline.base.config import load
from pipeline.base.errors import StorageError
from pipeline.base.progress import Tally

if __name__ == "__main__":
    config, out, workers, limit = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    loaded = load(CorpusConfig, config, presets=Path("."))
    if limit:
        # Without the handler the system would kill the process; the write then fails as on a full disk.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        build.run(loaded, out, workers=workers, progress=Tally())
    except StorageError as error:
        sys.exit(f"StorageError: {error}")
"""


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_folder(tmp_path_factory.mktemp("photos"), 5)


@pytest.fixture(scope="module")
def reference(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small corpus, made in one go by one worker."""
    out = tmp_path_factory.mktemp("reference")
    build.run(small_config(photos), str(out), workers=1, progress=Tally())
    return out


def contents(folder: Path) -> dict[str, bytes]:
    # What was found out of sources is kept only where that took long.
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != SEEN}


def start(folder: Path, config: CorpusConfig, out: Path, *, workers: int, limit: int = 0) -> subprocess.Popen[str]:
    """Build in a process of its own."""
    script, settings = folder / "build_once.py", folder / "config.toml"
    script.write_text(LIMITED)
    settings.write_text(to_toml(config))
    command = [sys.executable, str(script), str(settings), str(out), str(workers), str(limit)]
    root = Path(build.__file__).parents[1]
    return subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(root)}, cwd=folder
    )


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.005)


def test_two_workers_give_the_bytes_of_one(photos: Path, reference: Path, tmp_path: Path) -> None:
    progress = Tally()
    summary = build.run(small_config(photos), str(tmp_path), workers=2, progress=progress)
    assert (summary.num_samples, summary.num_shards, summary.num_skipped_shards) == (7, 4, 0)
    assert progress.num_done == progress.num_total == 7
    assert contents(tmp_path) == contents(reference)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_build_goes_on_to_the_same_bytes(photos: Path, tmp_path: Path, workers: int) -> None:
    config = small_config(
        photos,
        sizes=("1280x720",),
        scales=(1.0,),
        samples_per_shard=1,
        num_samples=Counts(train=10),
        scenes={"chat": 1.0},
    )
    out, whole = tmp_path / "out", tmp_path / "whole"
    process = start(tmp_path, config, out, workers=workers)
    wait_for(lambda: len(list(out.glob("*.done.json"))) >= 2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    # Workers end with their parent; a file that still grew would be written twice.
    wait_for(lambda: not orphans(out), 20)
    (out / ".tmp-left").write_bytes(b"half a shard")
    num_done = len(list(out.glob("*.done.json")))
    assert num_done < 10, "the build was over before it was killed"
    summary = build.run(config, str(out), workers=workers, progress=Tally())
    assert summary.num_samples == 10 and summary.num_skipped_shards == num_done
    build.run(config, str(whole), workers=1, progress=Tally())
    assert contents(out) == contents(whole)


def orphans(out: Path) -> list[int]:
    """Return the processes whose command line came from a build, and which hold a file below `out` open."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                targets = [link.readlink() for link in (entry / "fd").iterdir()]
            except OSError:
                continue
            if int(entry.name) != os.getpid() and any(target.is_relative_to(out) for target in targets):
                found.append(int(entry.name))
    return found


def test_a_finished_build_run_again_makes_nothing_new(photos: Path, reference: Path) -> None:
    before = contents(reference)
    progress = Tally()
    summary = build.run(small_config(photos), str(reference), workers=2, progress=progress)
    assert summary.num_skipped_shards == summary.num_shards == 4 and progress.num_done == 7
    assert contents(reference) == before


def test_a_shard_that_lost_a_file_is_made_again(photos: Path, reference: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(reference, out)
    tars = sorted(out.glob("*.tar"))
    tars[0].unlink()
    tars[1].write_bytes(tars[1].read_bytes()[:5000])
    tars[2].with_suffix(".parquet").unlink()
    summary = build.run(small_config(photos), str(out), workers=1, progress=Tally())
    assert summary.num_skipped_shards == 1 and contents(out) == contents(reference)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_is_one_clear_line_and_the_build_can_go_on(
    photos: Path, reference: Path, tmp_path: Path, workers: int
) -> None:
    out = tmp_path / "out"
    process = start(tmp_path, small_config(photos), out, workers=workers, limit=60_000)
    _, message = process.communicate(timeout=120)
    assert process.returncode == 1
    assert message.splitlines()[-1].startswith("StorageError: ") and "File too large" in message
    assert "Traceback" not in message
    assert not list(out.glob("*.done.json")) and not list(out.glob("manifest.json"))
    build.run(small_config(photos), str(out), workers=1, progress=Tally())
    assert contents(out) == contents(reference)


def test_a_folder_with_anything_else_is_left_alone(photos: Path, reference: Path, tmp_path: Path) -> None:
    before = contents(reference)
    with pytest.raises(UsageError, match="another corpus"):
        build.run(small_config(photos, seed=6), str(reference), workers=1, progress=Tally())
    assert contents(reference) == before
    (tmp_path / "holiday.txt").write_text("mine")
    (tmp_path / ".tmp-mine").write_text("mine too")
    with pytest.raises(UsageError, match=r"holiday\.txt"):
        build.run(small_config(photos), str(tmp_path), workers=1, progress=Tally())
    assert {path.name for path in tmp_path.iterdir()} == {"holiday.txt", ".tmp-mine"}


def test_two_builds_at_once_in_one_folder_are_refused(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    config = small_config(photos, sizes=("1280x720",), scales=(1.0,), num_samples=Counts(train=40), samples_per_shard=1)
    process = start(tmp_path, config, out, workers=1)
    try:
        wait_for(lambda: bool(list(out.glob("*.done.json"))))
        with pytest.raises(UsageError, match="another process is writing here"):
            build.run(config, str(out), workers=1, progress=Tally())
    finally:
        process.kill()
        process.communicate()


def test_the_corpus_reads_back_and_its_splits_share_no_source(reference: Path) -> None:
    store = Store(reference)
    used: dict[str, set[str]] = {}
    for split in SPLITS:
        opened = open_split(store, split)
        samples = [opened.sample(index) for index in range(opened.num_samples)]
        assert [sample.info.key for sample in samples] == [f"{split}-{index:06d}" for index in range(len(samples))]
        assert {sample.info.how_labelled for sample in samples} == {"compositor"}
        assert {sample.info.how_masked for sample in samples} == {"layout"}
        assert all(sample.regions.max() > 10 for sample in samples)
        used[split] = {source.sha256 for sample in samples for source in sample.info.sources}
    assert not used["train"] & used["val"] and not used["train"] & used["test"] and not used["val"] & used["test"]
    assert {split: row["num_samples"] for split, row in read_manifest(store)["splits"].items()} == {
        "train": 4,
        "val": 1,
        "test": 2,
    }
    for stem in ("small-train-000000", "small-train-000001", "small-val-000000", "small-test-000000"):
        record = read_record(store, stem)
        assert record is not None
        check_shard(store, record)


def test_a_remote_store_gets_the_same_bytes(photos: Path, reference: Path) -> None:
    url = "memory://corpus-of-test-build"
    build.run(small_config(photos), url, workers=1, progress=Tally())
    assert {name: Store(url).read_bytes(name) for name in Store(url).names()} == contents(reference)


def test_sources_that_cannot_be_used_are_counted(tmp_path: Path) -> None:
    folder = photo_folder(tmp_path / "photos", 3)
    (folder / "text.png").write_text("not a picture")
    progress = Tally()
    summary = build.run(small_config(folder), str(tmp_path / "out"), workers=1, progress=progress)
    assert summary.num_samples == 7 and summary.refused_sources == {"not_a_picture": 1} and len(summary.examples) == 1
    # No sample is missing for it.
    assert not summary.rejected and not progress.rejected and progress.num_total == 7


def test_samples_whose_photographs_vanished_are_rejected_and_the_others_kept(tmp_path: Path) -> None:
    folder = photo_folder(tmp_path / "photos", 3)
    config = small_config(folder, scenes={"photo_viewer": 1.0})
    made = planning.make(config)
    store = Store(tmp_path / "out")
    digest = plan.write(store, made)
    for path in folder.iterdir():
        path.unlink()
    (first, *_) = made.shards()
    record = build.make_shard(store, made, first, digest)
    assert record.num_samples == 0
    assert [(rejection.key, rejection.reason) for rejection in record.rejected] == [
        ("train-000000", "unreadable"),
        ("train-000001", "unreadable"),
    ]


def test_captured_screens_join_with_unknown_labels(photos: Path, tmp_path: Path) -> None:
    captured = tmp_path / "captured"
    captured.mkdir()
    screens = [noise(50 + number, height=90, width=120 + number) for number in range(5)]
    for number, screen in enumerate(screens):
        (captured / f"{number}.png").write_bytes(write_png(screen))
    masks = MasksConfig(felzenszwalb_min_size=8, downscale=2)
    config = small_config(photos, captured=str(captured), masks=masks)
    summary = build.run(config, str(tmp_path / "out"), workers=1, progress=Tally())
    assert summary.num_samples == 12
    found = []
    for split in SPLITS:
        opened = open_split(Store(tmp_path / "out"), split)
        samples = [opened.sample(index) for index in range(opened.num_samples)]
        found += [sample for sample in samples if sample.info.kind == "capture"]
    assert len(found) == 5 and all((sample.label == IGNORE).all() for sample in found)
    assert {sample.info.how_labelled for sample in found} == {"none"}
    assert all(sample.info.how_masked.startswith("felzenszwalb scale=400") for sample in found)
    assert all(any(np.array_equal(sample.picture, screen) for screen in screens) for sample in found)


def test_a_corpus_of_captured_screens_alone_needs_no_photographs(tmp_path: Path) -> None:
    captured = photo_folder(tmp_path / "captured", 1)
    config = CorpusConfig(num_samples=Counts(), captured=str(captured), masks=MasksConfig(engine="none"))
    summary = build.run(config, str(tmp_path / "out"), workers=1, progress=Tally())
    assert summary.num_samples == 1
    assert open_split(Store(tmp_path / "out"), "train").sample(0).info.how_masked == "none"


def test_a_folder_of_photographs_alone_can_be_said_to_be_natural(tmp_path: Path) -> None:
    captured = photo_folder(tmp_path / "captured", 1)
    labels = LabelsConfig(everything="natural")
    config = CorpusConfig(num_samples=Counts(), captured=str(captured), masks=MasksConfig(engine="none"), labels=labels)
    build.run(config, str(tmp_path / "out"), workers=1, progress=Tally())
    sample = open_split(Store(tmp_path / "out"), "train").sample(0)
    assert (sample.label == NATURAL).all() and sample.info.how_labelled == "given"
    with pytest.raises(ValueError, match="either a checkpoint or everything"):
        LabelsConfig(everything="natural", checkpoint="run/final")


def test_folders_can_be_classes_and_are_then_not_dealt_in_runs(tmp_path: Path) -> None:
    captured = tmp_path / "captured"
    for number in range(40):
        folder = captured / "all" / ("cat", "dog")[number % 2] if number < 36 else captured
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.png").write_bytes(write_png(noise(70 + number, height=40, width=40)))
    labels = LabelsConfig(classes="folder")
    config = CorpusConfig(num_samples=Counts(), captured=str(captured), masks=MasksConfig(engine="none"), labels=labels)
    build.run(config, str(tmp_path / "out"), workers=1, progress=Tally())
    shown: dict[str, tuple[str, ...]] = {}
    in_train = []
    for split in SPLITS:
        opened = open_split(Store(tmp_path / "out"), split)
        for index in range(opened.num_samples):
            info = opened.sample(index).info
            shown[info.sources[0].name] = info.classes
            in_train += [info.sources[0].name] if split == "train" else []
            assert classes_of(opened.row(index)) == (info.classes or ("capture",))
    expected = {f"all/{('cat', 'dog')[n % 2]}/{n}.png": (("cat", "dog")[n % 2],) for n in range(36)}
    assert shown == expected | {f"{number}.png": () for number in range(36, 40)}
    assert sorted(in_train) != sorted(shown)[: len(in_train)], "classes would lie in one split each"


def test_describe_tells_what_run_makes_and_writes_nothing(photos: Path, reference: Path, tmp_path: Path) -> None:
    described = build.describe(small_config(photos))
    assert described.num_samples == {"train": 4, "val": 1, "test": 2}
    assert described.num_shards == {"train": 2, "val": 1, "test": 1}
    assert sum(described.num_photos.values()) == 5 and min(described.num_photos.values()) >= 1
    assert described.plan_sha256 == read_manifest(Store(reference))["plan_sha256"]
