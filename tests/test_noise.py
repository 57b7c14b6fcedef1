"""training/noise.py: a crop's noise is its own, and so 1, 2 and 4 ranks learn along one curve."""

import multiprocessing
import os
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.rendezvous import share_through
from tests.training_corpus import small_config, write_corpus
from training.config import TrainConfig
from training.noise import CropNoise, Share, crop_seeds
from training.order import rank_positions
from training.rank import Job, run_rank
from training.ranks import Together, process_group
from training.records import read_rows

CPU = torch.device("cpu")
# The label map's loss is a mean over a rank's labelled pixels, of which ranks have unlike many.
CONFIG = small_config(steps=6, batch_size=8, gamma=0.0, validate_every=3, checkpoint_every=6, learning_rate=1e-3)


@pytest.mark.parametrize("num_ranks", [1, 2, 3, 4])
def test_every_crop_of_a_batch_has_a_seed_of_its_own_on_whatever_rank(num_ranks: int):
    config = small_config(batch_size=24, crops_per_picture=2)

    def seeds_of(step: int, num_crops: int, rank: int, num_ranks: int, what: str = "noise") -> list[int]:
        share = Share(step=step, num_crops=num_crops, rank=rank, num_ranks=num_ranks)
        return crop_seeds(config, share, what)

    alone = seeds_of(5, 24, 0, 1)
    assert len(set(alone)) == 24
    for rank in range(num_ranks):
        positions = rank_positions(0, config.samples_per_batch, rank=rank, num_ranks=num_ranks)
        crops = [2 * position + cut for position, _ in positions for cut in range(2)]
        assert seeds_of(5, len(crops), rank, num_ranks) == [alone[crop] for crop in crops]
    assert not set(alone) & set(seeds_of(6, 24, 0, 1))
    assert not set(alone) & set(seeds_of(5, 24, 0, 1, "rate"))


def test_noise_of_a_part_is_the_part_of_the_noise():
    seeds = [3, 1, 4, 1]
    whole, parts = torch.empty(4, 2, 3), torch.empty(4, 2, 3)
    with CropNoise(seeds, CPU):
        whole.uniform_(-0.5, 0.5)
    for first in (0, 2):
        with CropNoise(seeds[first : first + 2], CPU):
            parts[first : first + 2].uniform_(-0.5, 0.5)
    assert torch.equal(whole, parts)
    assert torch.equal(whole[1], whole[3]) and not torch.equal(whole[0], whole[1])
    assert whole.abs().max() <= 0.5
    with CropNoise(seeds, CPU):
        assert torch.empty(3).uniform_(2, 3).min() >= 2


def rank(number: int, num_ranks: int, pipe: Connection, config: TrainConfig, folders: tuple[str, str]) -> None:
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)

    together = Together(rank=number, num_ranks=num_ranks, device=CPU)
    corpus, out = folders
    job = Job(config=config, corpus=corpus, corpus_sha256="0" * 64, out=Path(out))
    with process_group(together, host="127.0.0.1", share=share_through(pipe, rank=number)):
        list(run_rank(job, together, CPU))


def curve(corpus: str, out: Path, num_ranks: int, config: TrainConfig = CONFIG) -> dict[str, list[float]]:
    """Train with so many processes; return the losses by split."""
    out.mkdir()
    context: Any = multiprocessing.get_context("spawn")
    ours, theirs = zip(*(context.Pipe() for _ in range(num_ranks)), strict=True)
    processes = [
        context.Process(target=rank, args=(number, num_ranks, theirs[number], config, (corpus, str(out))))
        for number in range(num_ranks)
    ]
    for process in processes:
        process.start()
    address = ours[0].recv()
    for pipe in ours[1:]:
        pipe.send(address)
    for process in processes:
        process.join()
        assert process.exitcode == 0
    rows = read_rows(out)
    return {split: [row["loss"] for row in rows if row["split"] == split] for split in ("train", "val")}


def test_one_two_and_four_ranks_learn_along_one_curve(tmp_path: Path):
    corpus = write_corpus(tmp_path / "corpus", num_train=16)
    alone, *others = (curve(corpus, tmp_path / f"run-{count}", count) for count in (1, 2, 4))
    assert len(alone["train"]) == 6 and len(alone["val"]) == 2
    assert alone["train"][0] != pytest.approx(alone["train"][-1], rel=1e-3), "nothing was learned"
    for found in others:
        for split, losses in alone.items():
            assert found[split] == pytest.approx(losses, rel=1e-5)


def test_a_crops_rate_is_its_own_too(tmp_path: Path):
    changes = {"codec_set": (*CONFIG.codec_set, "num_rates=3"), "rate_lambdas": (0.001, 0.01, 0.1)}
    config = replace(CONFIG, **changes)
    corpus = write_corpus(tmp_path / "corpus", num_train=16)
    alone, other = (curve(corpus, tmp_path / f"run-{count}", count, config) for count in (1, 2))
    assert other["train"] == pytest.approx(alone["train"], rel=1e-5)
