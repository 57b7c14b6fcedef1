"""Two processes that train together: same weights and entropy tables on both, and a run that stops if they differ."""

import multiprocessing
import os
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.base.errors import TrainingError
from tests.rendezvous import share_through
from tests.training_corpus import small_config, write_corpus
from training.rank import Job, run_rank
from training.ranks import Together, process_group
from training.records import read_rows
from training.state import newest_complete
from training.stop import ask_to_stop

CONFIG = small_config(
    steps=4, batch_size=8, num_workers=2, ema_decay=0.9, validate_crops=5, validate_bitstreams=3, learning_rate=1e-2
)


def rank(number: int, pipe: Connection, corpus: str, out: str, spoil: bool) -> None:
    """Train as one of two ranks; send the state's digest and quantiles, or the error's words."""
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)

    together = Together(rank=number, num_ranks=2, device=torch.device("cpu"))
    job = Job(config=CONFIG, corpus=corpus, corpus_sha256="0" * 64, out=Path(out))
    told: list[Any] = []
    with process_group(together, host="127.0.0.1", share=share_through(pipe, rank=number)):
        try:
            for report in run_rank(job, together, torch.device("cpu")):
                told.append((report.split, report.step, report.figures.loss, report.figures.bpp))
                if spoil and number == 1 and report.step == 1:
                    _spoil()
        except TrainingError as error:
            told.append(str(error))
    pipe.send(told)


def _spoil() -> None:
    """Change one weight of this rank's alone."""
    import gc

    from pipeline.codecs.mtl_sci.codec import MtlSci

    (codec,) = (one for one in gc.get_objects() if isinstance(one, MtlSci))
    with torch.no_grad():
        codec.z_prior.quantiles[0, 0, 1] += 1.0


def train_together(tmp_path: Path, *, spoil: bool = False) -> list[Any]:
    corpus, out = write_corpus(tmp_path / "corpus"), tmp_path / "run"
    out.mkdir(exist_ok=True)
    context: Any = multiprocessing.get_context("spawn")
    ours, theirs = zip(*(context.Pipe() for _ in range(2)), strict=True)
    processes = [
        context.Process(target=rank, args=(number, theirs[number], corpus, str(out), spoil)) for number in range(2)
    ]
    for process in processes:
        process.start()
    ours[1].send(ours[0].recv())
    results = [pipe.recv() for pipe in ours]
    for process in processes:
        process.join()
    return results


def test_ranks_report_the_same_and_their_tables_agree(tmp_path: Path):
    one, two = train_together(tmp_path)
    assert one == two
    assert [(split, step) for split, step, _, _ in one] == [
        ("train", 1),
        ("val", 2),
        ("train", 2),
        ("train", 3),
        ("val", 4),
        ("train", 4),
    ]
    # Three of five crops of 32x32 are coded, two of them by rank 0 and one by rank 1: whole bytes in all.
    bits = one[1][3] * 3 * 32 * 32
    assert bits / 8 == pytest.approx(round(bits / 8))
    assert newest_complete(tmp_path / "run") is not None
    assert [row["bpp"] for row in read_rows(tmp_path / "run") if row["split"] == "val"] == [one[1][3], one[4][3]]


def test_a_rank_whose_tables_differ_ends_the_run_on_all_ranks_before_anything_is_saved(tmp_path: Path):
    one, two = train_together(tmp_path, spoil=True)
    for told in (one, two):
        assert str(told[-1]).startswith("step 2: the ranks' weights or entropy tables differ")
    assert newest_complete(tmp_path / "run") is None


def test_a_wish_to_stop_reaches_all_ranks(tmp_path: Path):
    (tmp_path / "run").mkdir()
    ask_to_stop(tmp_path / "run")
    one, two = train_together(tmp_path)
    assert one == two
    assert [(split, step) for split, step, _, _ in one] == [("train", 1)]
    newest = newest_complete(tmp_path / "run")
    assert newest is not None
    assert newest.name == "step-00000001"
