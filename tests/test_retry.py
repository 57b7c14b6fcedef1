"""What was quarantined is made again, everything else keeps its bytes."""

from pathlib import Path

import pytest

from datagen import build, plan, planning, retry
from datagen.build import Workers
from datagen.scenes.table import SCENES
from pipeline.base.errors import UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from pipeline.formats.shards import read_manifest, read_record
from tests import failing_makes
from tests.small_corpus import photo_folder, small_config

ALONE = Workers()


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_folder(tmp_path_factory.mktemp("photos"), 5)


@pytest.fixture(scope="module")
def whole(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole")
    build.run(small_config(photos), str(out), workers=1, progress=Tally())
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def quarantined(photos: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> build.BuildSummary:
    """Build while one shard keeps failing."""
    with monkeypatch.context() as patch:
        patch.setattr(build, "make_shard", failing_makes.raises)
        return build.run(small_config(photos), str(out), workers=1, progress=Tally())


def test_a_shard_that_keeps_failing_is_quarantined_and_the_corpus_is_usable(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = quarantined(photos, tmp_path, monkeypatch)
    assert summary.num_samples == 5
    assert summary.quarantined == (f"{failing_makes.VICTIM}: ZeroDivisionError: of all things",)
    store = Store(tmp_path)
    assert read_manifest(store)["quarantined"] == {failing_makes.VICTIM: summary.quarantined[0]}
    assert open_split(store, "train").num_samples == 2
    # The same command again leaves it in quarantine, and says so again.
    again = build.run(small_config(photos), str(tmp_path), workers=1, progress=Tally())
    assert again.quarantined == summary.quarantined and again.num_samples == 5


def test_a_quarantined_shard_is_made_again(
    photos: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarantined(photos, tmp_path, monkeypatch)
    progress = Tally()
    summary = retry.run(str(tmp_path), workers=ALONE, progress=progress)
    assert (summary.num_samples, summary.num_skipped_shards, summary.quarantined) == (7, 3, ())
    assert progress.num_done == progress.num_total == 2
    assert contents(tmp_path) == contents(whole)


def test_samples_that_crashed_or_lost_their_photograph_are_made_again_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, hidden = photo_folder(tmp_path / "photos", 5, first=70), tmp_path / "hidden"
    # Photographs that this process cannot hold decoded from another test.
    config = small_config(photos, scenes={"photo_viewer": 1.0})
    store = Store(tmp_path / "out")
    plan.write(store, planning.make(config))
    photos.rename(hidden)
    for shard in plan.read(store)[0].shards():
        build.make_shard(store, *_plan_and(store, shard))
    record = read_record(store, "small-train-000000")
    assert record is not None and record.num_samples == 0 and len(record.rejected) == 2
    hidden.rename(photos)
    before = retry.run(str(tmp_path / "out"), workers=ALONE, progress=Tally())
    assert before.num_samples == 7 and before.rejected == {}
    build.run(config, str(tmp_path / "whole"), workers=1, progress=Tally())
    made, expected = contents(tmp_path / "out"), contents(tmp_path / "whole")
    assert {name: made[name] for name in expected if name.endswith((".tar", ".parquet"))} == {
        name: data for name, data in expected.items() if name.endswith((".tar", ".parquet"))
    }


def _plan_and(store: Store, shard: plan.Shard) -> tuple[plan.Plan, plan.Shard, str]:
    made, digest = plan.read(store)
    return made, shard, digest


def test_a_drawing_that_crashes_costs_its_sample_alone_and_can_be_tried_again(
    photos: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = open_split(Store(whole), "train").sample(0).info.kind
    affected = {
        sample.info.key
        for split in ("train", "val", "test")
        for sample in (
            open_split(Store(whole), split).sample(i) for i in range(open_split(Store(whole), split).num_samples)
        )
        if sample.info.kind == broken
    }

    def crash(*_: object) -> None:
        raise IndexError("a scene with a mistake")

    with monkeypatch.context() as patch:
        patch.setitem(SCENES, broken, _with_draw(broken, crash))
        summary = build.run(small_config(photos), str(tmp_path), workers=1, progress=Tally())
    assert summary.rejected == {"crashed": len(affected)} and summary.num_samples == 7 - len(affected)
    summary = retry.run(str(tmp_path), workers=ALONE, progress=Tally())
    assert summary.num_samples == 7
    assert contents(tmp_path) == contents(whole)


def _with_draw(scene: str, draw):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(SCENES[scene], draw=draw)


def test_only_a_corpus_with_a_plan_can_be_tried_again(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"plan\.json: not there"):
        retry.run(str(tmp_path), workers=ALONE, progress=Tally())
