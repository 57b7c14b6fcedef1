"""Shards whose making fails: tried again, then given up alone, while the others are made."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from datagen import engines, plan, planning
from datagen.engines import Failure, Make, Outcome
from datagen.plan import Shard
from pipeline.base.errors import StorageError
from pipeline.base.store import Store
from pipeline.formats.shards import ShardRecord
from tests import failing_makes
from tests.small_corpus import photo_folder, small_config


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_folder(tmp_path_factory.mktemp("photos"), 5)


def planned(photos: Path, out: Path) -> tuple[Store, list[Shard]]:
    store, made = Store(out), planning.make(small_config(photos))
    plan.write(store, made)
    return store, made.shards()


def run(engine: str, store: Store, shards: list[Shard], make: Make) -> list[Outcome]:
    started: Iterator[Outcome] = (
        engines.in_process(store, shards, make)
        if engine == "in_process"
        else engines.processes(store, shards, make, workers=2)
    )
    return list(started)


def test_a_shard_that_always_kills_its_process_is_given_up_and_the_others_are_made(
    photos: Path, tmp_path: Path
) -> None:
    store, shards = planned(photos, tmp_path / "out")
    outcomes = run("processes", store, shards, failing_makes.dies)
    (failure,) = (outcome for outcome in outcomes if isinstance(outcome, Failure))
    assert (failure.shard.name.stem, failure.attempts, failure.reason) == (failing_makes.VICTIM, 3, "worker_died")
    stems = {outcome.stem for outcome in outcomes if isinstance(outcome, ShardRecord)}
    assert stems == {shard.name.stem for shard in shards} - {failing_makes.VICTIM}
    assert stems == {name.removesuffix(".done.json") for name in store.names() if name.endswith(".done.json")}


def test_a_process_that_was_killed_once_costs_nothing(photos: Path, tmp_path: Path) -> None:
    store, shards = planned(photos, tmp_path / "out")
    outcomes = run("processes", store, shards, failing_makes.dies_once)
    assert (tmp_path / "died").exists()
    assert sorted(outcome.stem for outcome in outcomes if isinstance(outcome, ShardRecord)) == sorted(
        shard.name.stem for shard in shards
    )


@pytest.mark.parametrize("engine", ["in_process", "processes"])
def test_an_exception_nobody_expected_is_tried_again_then_given_up(photos: Path, tmp_path: Path, engine: str) -> None:
    store, shards = planned(photos, tmp_path / "out")
    outcomes = run(engine, store, shards, failing_makes.raises)
    (failure,) = (outcome for outcome in outcomes if isinstance(outcome, Failure))
    assert (failure.attempts, failure.reason) == (3, "crashed")
    assert failure.message == f"{failing_makes.VICTIM}: ZeroDivisionError: of all things"
    assert len(outcomes) == len(shards)


@pytest.mark.parametrize("engine", ["in_process", "processes"])
def test_an_error_that_concerns_every_shard_ends_the_run(photos: Path, tmp_path: Path, engine: str) -> None:
    store, shards = planned(photos, tmp_path / "out")
    with pytest.raises(StorageError, match="no space left"):
        run(engine, store, shards, failing_makes.disk_full)
    assert not [name for name in store.names() if name.endswith(".done.json")]
