"""The arms of benchmarks/training.py, each a process of its own: `python -m benchmarks.training_arms ARM JOB`.

JOB is JSON: the fields of `Job`. Prints one JSON object.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from training.config import TrainConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What an arm trains."""

    corpus: str
    out: str
    pictures: str
    """Folder of the same pictures, as CompressAI's ImageFolder takes them."""
    steps: int
    warmup: int
    """Steps before the clock starts, where there is no report to measure from."""
    batch_size: int
    crop: int
    crops_per_picture: int
    num_channels: int
    num_latents: int
    num_workers: int = 1
    decode_workers: int = 0


def config(job: Job) -> TrainConfig:
    """Return the run's config: rate and distortion alone, as CompressAI's example has it."""
    return TrainConfig(
        codec="mtl_sci",
        codec_preset="tiny",
        codec_set=(
            f"num_channels={job.num_channels}",
            f"num_latents={job.num_latents}",
            "segmentation_head=false",
        ),
        lambda_rd=0.01,
        gamma=0.0,
        steps=job.steps,
        batch_size=job.batch_size,
        crop=job.crop,
        crops_per_picture=job.crops_per_picture,
        flip_probability=0.0,
        learning_rate=1e-4,
        decay_share=0.0,
        validate_every=0,
        checkpoint_every=job.steps,
        report_every=10,
        num_workers=job.num_workers,
        decode_workers=job.decode_workers,
        max_failures=0,
    )


def step_times(out: Path) -> dict[str, float]:
    """Return the milliseconds a step of a run, from its first report to its last one.

    Of wall time (waiting for data, model, writing), and of rank 0's CPU, all threads of its process together. What Ray
    adds where a checkpoint is due, a report that waits for its next look, is not in it.
    """
    rows = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    steps = rows[-1]["step"] - rows[0]["step"]

    def mean(*names: str) -> float:
        each = [_span(rows, number) * sum(row[name] for name in names) for number, row in enumerate(rows) if number]
        return float(sum(each)) / steps

    return {"ms": mean("read_ms", "model_ms", "write_ms"), "cpu_ms": mean("cpu_ms")}


def _span(rows: list[dict[str, Any]], number: int) -> int:
    return int(rows[number]["step"] - rows[number - 1]["step"])


def torchrun(job: Job) -> dict[str, Any]:
    """One rank of the same loop under torchrun, which gave it its place by environment."""
    import torch
    from torch import distributed

    from training.rank import Job as RankJob
    from training.rank import run_rank
    from training.ranks import Together

    torch.set_num_threads(1)
    distributed.init_process_group("gloo")
    together = Together(rank=distributed.get_rank(), num_ranks=distributed.get_world_size(), device=torch.device("cpu"))
    out = Path(job.out)
    out.mkdir(parents=True, exist_ok=True)
    told = RankJob(config=config(job), corpus=job.corpus, corpus_sha256="0" * 64, out=out)
    for _ in run_rank(told, together, together.device):
        pass
    distributed.destroy_process_group()
    return step_times(out) if together.rank == 0 else {}


def ray(job: Job) -> dict[str, Any]:
    """The same loop under Ray Train, as `diptych train` starts it."""
    from dataclasses import replace

    from pipeline.base.progress import Tally
    from training.launch import run

    settings = replace(config(job), ray_address="local")
    began = time.perf_counter()
    run(settings, corpus=job.corpus, out=job.out, resume=False, progress=Tally())
    return {**step_times(Path(job.out)), "seconds": time.perf_counter() - began}


@contextmanager
def clock(job: Job, told: dict[str, Any]) -> Iterator[None]:
    """Measure crops a second of wall time and CPU milliseconds a crop, children's included, of the block."""
    before, began = _cpu_seconds(), time.perf_counter()
    yield
    crops = (job.steps - job.warmup) * job.batch_size
    told["crops_per_second"] = crops / (time.perf_counter() - began)
    told["cpu_ms"] = 1000 * (_cpu_seconds() - before) / crops


def _cpu_seconds() -> float:
    """Return this process's CPU time and that of its children that live, and of those that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    ticks = 0
    for pid in _children(os.getpid()):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return sum(one.ru_utime + one.ru_stime for one in used) + ticks / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *_children(child)]
    return found


def ours(job: Job) -> dict[str, Any]:
    """Our loop in one process, by itself."""
    import torch

    from pipeline.base.store import Store
    from pipeline.formats.corpus import open_split
    from training.loop import Alone, TrainData, fit
    from training.reading import open_batches
    from training.samples import SampleReader
    from training.state import fresh_state

    torch.set_num_threads(1)
    settings = config(job)
    state = fresh_state(settings, torch.device("cpu"))
    reader = SampleReader(
        open_split(Store(job.corpus), "train"), cache_bytes=settings.cache_mib << 20, with_regions=False
    )
    told: dict[str, Any] = {}
    with open_batches(reader, settings, samples_seen=0, rank=0, num_ranks=1) as batches:
        data = TrainData(batches=batches, validation=(), num_samples=reader.split.num_samples)
        loop = fit(state, settings, data, Alone())
        while state.step < job.warmup:
            next(loop)
        with clock(job, told):
            for report in loop:
                told["loss"] = report.figures.loss
    return told


def compressai(job: Job) -> dict[str, Any]:
    """The procedure of CompressAI's published training example, on its own model of the same size.

    Pictures from an ImageFolder by Pillow, a random crop each, its DataLoader with one process; two Adam optimisers,
    the gradient clipped over all parameters, the auxiliary loss by a backward pass of its own; a line every 10 steps.
    """
    import torch
    from compressai.datasets import ImageFolder
    from compressai.losses import RateDistortionLoss
    from compressai.models import ScaleHyperprior
    from compressai.optimizers import net_aux_optimizer
    from torch.utils.data import DataLoader
    from torchvision import transforms

    torch.set_num_threads(1)
    torch.manual_seed(0)
    cut = transforms.Compose([transforms.RandomCrop((job.crop, job.crop)), transforms.ToTensor()])
    loader = DataLoader(
        ImageFolder(job.pictures, split="train", transform=cut), batch_size=job.batch_size, shuffle=True, num_workers=1
    )
    codec = ScaleHyperprior(job.num_channels, job.num_latents).train()
    adam = {"net": {"type": "Adam", "lr": 1e-4}, "aux": {"type": "Adam", "lr": 1e-3}}
    optimisers = net_aux_optimizer(codec, adam)
    criterion = RateDistortionLoss(lmbda=0.01)
    told: dict[str, Any] = {}

    def batches() -> Iterator[torch.Tensor]:
        while True:
            yield from (batch for batch in loader if len(batch) == job.batch_size)

    def step(number: int, pictures: torch.Tensor) -> None:
        for optimiser in optimisers.values():
            optimiser.zero_grad()
        found = criterion(codec(pictures), pictures)
        found["loss"].backward()
        torch.nn.utils.clip_grad_norm_(codec.parameters(), 1.0)
        optimisers["net"].step()
        auxiliary = codec.aux_loss()
        auxiliary.backward()
        optimisers["aux"].step()
        if number % 10 == 0:
            told["loss"] = found["loss"].item()

    stream = enumerate(batches())
    for _ in range(job.warmup):
        step(*next(stream))
    with clock(job, told):
        for _ in range(job.steps - job.warmup):
            step(*next(stream))
    return told


def command(arm: str, job: Job) -> list[str]:
    """Return the command line of an arm."""
    tail = ["-m", "benchmarks.training_arms", arm, json.dumps(asdict(job))]
    if arm != "torchrun":
        return [sys.executable, *tail]
    run = ["-m", "torch.distributed.run", "--master-addr", "127.0.0.1", "--master-port", "29531"]
    return [sys.executable, *run, "--nproc-per-node", str(job.num_workers), *tail]


if __name__ == "__main__":
    result = {"torchrun": torchrun, "ray": ray, "ours": ours, "compressai": compressai}[sys.argv[1]](
        Job(**json.loads(sys.argv[2]))
    )
    if result:
        print(json.dumps(result))
