"""training/decoders.py and decoder.py: the same crops from other processes, and no hang whoever dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from itertools import islice
from pathlib import Path

import pytest
import torch

from pipeline.base.errors import ShardError, TrainingError
from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from tests.training_corpus import small_config, write_corpus
from training.config import TrainConfig
from training.data import Batch, read_ahead, train_batches
from training.decode_task import DecodeTask
from training.decoders import Decoders, decoders_for
from training.samples import SampleReader

pytestmark = pytest.mark.timeout(120)
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def make_decoders(corpus: str, config: TrainConfig, **inputs: object) -> Decoders:
    given = {"with_regions": True, "class_names": ("bars", "waves")} | inputs
    return decoders_for(corpus, config, visits_per_batch=config.samples_per_batch, **given)


def make_batches(corpus: str, config: TrainConfig, decoders: Decoders | None):
    split = open_split(Store(corpus), "train")
    reader = SampleReader(split, cache_bytes=0, with_regions=True, class_names=("bars", "waves"))
    return train_batches(reader, config, samples_seen=3, rank=0, num_ranks=1, decoders=decoders)


def assert_equal(one: Batch, other: Batch) -> None:
    for name in ("pictures", "labels", "regions", "classes"):
        assert torch.equal(getattr(one, name), getattr(other, name)), name


@pytest.mark.parametrize("decode_workers", [1, 3])
def test_decoders_give_the_batches_that_a_thread_gives(corpus: str, decode_workers: int):
    config = small_config(decode_workers=decode_workers, batch_size=8, cache_mib=1)
    with make_decoders(corpus, config) as decoders:
        batches = list(islice(make_batches(corpus, config, decoders), 12))
        pids = decoders.pids
    for got, expected in zip(batches, make_batches(corpus, config, None), strict=False):
        assert_equal(got, expected)
    assert all(batch.spent.num_samples == 4 for batch in batches)
    assert batches[0].spent.num_bytes > 0
    assert batches[0].spent.decode_seconds > 0
    assert not any(is_running(pid) for pid in pids)


def test_a_killed_decoder_is_replaced_and_nothing_is_lost(corpus: str):
    config = small_config(decode_workers=2, batch_size=8, cache_mib=0)
    plain = make_batches(corpus, config, None)
    with make_decoders(corpus, config) as decoders:
        batches = make_batches(corpus, config, decoders)
        for number in range(12):
            if number in (0, 4, 8):
                os.kill(decoders.pids[number // 4 % 2], signal.SIGKILL)
            assert_equal(next(batches), next(plain))
        assert decoders.num_replaced == 3


def test_decoders_that_die_again_and_again_end_the_run_with_one_error(corpus: str, monkeypatch: pytest.MonkeyPatch):
    config = small_config(decode_workers=1)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with make_decoders(corpus, config) as decoders, pytest.raises(TrainingError, match="3 decoders died at sample"):
        next(make_batches(corpus, config, decoders))


def test_a_decoder_that_says_nothing_is_no_endless_wait(corpus: str, monkeypatch: pytest.MonkeyPatch):
    config = small_config(decode_workers=1)
    with make_decoders(corpus, config) as decoders:
        batches = make_batches(corpus, config, decoders)
        next(batches)
        monkeypatch.setattr("training.decoders._SILENT_SECONDS", 0.5)
        os.kill(decoders.pids[0], signal.SIGSTOP)
        with pytest.raises(TrainingError, match="said nothing"):
            list(islice(batches, 30))


def test_errors_of_a_decoder_are_raised_as_they_were(tmp_path: Path):
    corpus = write_corpus(tmp_path)
    split = open_split(Store(corpus), "train")
    row = split.row(4)
    tar = tmp_path / row["tar"]
    data = bytearray(tar.read_bytes())
    data[row["picture_offset"] + row["picture_size"] // 2] ^= 0xFF
    tar.write_bytes(data)
    config = small_config(decode_workers=2, batch_size=14)
    with make_decoders(corpus, config) as decoders, pytest.raises(ShardError, match="train-0004"):
        # A batch goes from one epoch into the next: the damaged sample need not be in the first.
        list(islice(make_batches(corpus, config, decoders), 3))


def test_reading_ahead_ends_soon_though_decoders_are_at_work(corpus: str):
    config = small_config(decode_workers=1)
    began = time.monotonic()
    with make_decoders(corpus, config) as decoders:
        os.kill(decoders.pids[0], signal.SIGSTOP)
        with read_ahead(make_batches(corpus, config, decoders), stop=decoders.stop):
            time.sleep(0.1)
        pids = decoders.pids
    assert time.monotonic() - began < 10
    assert not any(is_running(pid) for pid in pids)
    assert not [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


_SCRIPT = """
import sys, time
from tests.test_decoders import make_batches, make_decoders
from tests.training_corpus import small_config
from training.data import read_ahead

config = small_config(decode_workers=2)
with make_decoders(sys.argv[1], config) as decoders:
    with read_ahead(make_batches(sys.argv[1], config, decoders), stop=decoders.stop) as batches:
        next(batches)
        print(*decoders.pids, flush=True)
        for batch in batches:
            time.sleep(0.01)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGKILL"])
def test_no_decoder_outlives_a_rank_that_is_interrupted_or_killed(corpus: str, name: str):
    rank = subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, corpus],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    assert rank.stdout is not None
    with rank.stdout:
        pids = [int(pid) for pid in rank.stdout.readline().split()]
        assert len(pids) == 2
        # As a terminal does it: to the whole process group.
        os.killpg(rank.pid, getattr(signal, name))
        rank.wait(timeout=30)
    deadline = time.monotonic() + 10
    while any(is_running(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(is_running(pid) for pid in pids)


def test_memory_of_all_decoders_together_is_what_the_config_allows(corpus: str):
    task = DecodeTask(
        corpus=corpus,
        config=small_config(cache_mib=10, decode_workers=4),
        with_regions=False,
        class_names=(),
        num_slots=1,
    )
    assert 4 * task.cache_bytes == 10 << 20


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    # One that its new parent has not waited for yet runs no more.
    return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
