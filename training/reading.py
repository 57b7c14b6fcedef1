"""A rank's stream of batches: who computes it, what it cost, and what a run waits for."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from training.config import TrainConfig
from training.data import Batch, read_ahead, train_batches
from training.decoders import decoders_for
from training.samples import SampleReader, Spent

_WAITING_SHARE = 0.1
"""Of a step: a model that waits for less is not held up by its data."""


class BatchStream(Iterator[Batch]):
    """Batches, and the sum of what they cost since somebody asked."""

    def __init__(self, batches: Iterator[Batch]) -> None:
        self._batches = batches
        self._spent = Spent()

    def __next__(self) -> Batch:
        batch = next(self._batches)
        self._spent += batch.spent
        return batch

    def take_costs(self) -> dict[str, float]:
        """Return this rank's milliseconds a sample of fetching and decoding, and fallbacks, since the last call."""
        spent, self._spent = self._spent, Spent()
        per_sample = 1000 / max(1, spent.num_samples)
        return {
            "fetch_ms": per_sample * spent.fetch_seconds,
            "decode_ms": per_sample * spent.decode_seconds,
            "read_mib": spent.num_bytes / (1 << 20),
            "num_fallbacks": spent.num_fallbacks,
        }


@contextmanager
def open_batches(
    reader: SampleReader, config: TrainConfig, *, samples_seen: int, rank: int, num_ranks: int
) -> Iterator[BatchStream]:
    """Give one rank's endless batches from the position `samples_seen` on, computed ahead by a thread or processes.

    They have ended when the block ends. Raises: TrainingError: processes cannot be started.
    """
    with ExitStack() as stack:
        decoders = None
        if config.decode_workers:
            decoders = stack.enter_context(
                decoders_for(
                    reader.split.store.absolute_url,
                    config,
                    visits_per_batch=-(-config.samples_per_batch // num_ranks),
                    with_regions=reader.with_regions,
                    class_names=reader.class_names,
                )
            )
        batches = train_batches(
            reader, config, samples_seen=samples_seen, rank=rank, num_ranks=num_ranks, decoders=decoders
        )
        stop = decoders.stop if decoders is not None else lambda: None
        yield BatchStream(stack.enter_context(read_ahead(batches, stop=stop)))


def bottleneck(rows: Sequence[Mapping[str, Any]], config: TrainConfig) -> str:
    """Return what a sample cost, from the lines of metrics.jsonl, and what the run waited for most.

    Such as `ms a sample: read 0.4, decode 2.9, wait 0.1, model 41.0, write 0.2; slowest: model`. Wait is what the model
    waited for data; reading and decoding go on beside it, in `decode_workers` processes if there are any.
    """
    timed = [row for row in rows if row.get("split") == "train" and "fetch_ms" in row]
    # The first report holds the workers' warm-up.
    timed = timed[1:] or timed
    if not timed:
        return ""

    def mean(name: str) -> float:
        return sum(float(row.get(name) or 0.0) for row in timed) / len(timed)

    samples_a_step = -(-config.samples_per_batch // config.num_workers)
    wait, model, write = (mean(name) / samples_a_step for name in ("read_ms", "model_ms", "write_ms"))
    read, decode = mean("fetch_ms"), mean("decode_ms")
    if wait > _WAITING_SHARE * (wait + model + write):
        slowest = "read" if read > decode else "decode"
        knob = "set decode_workers" if not config.decode_workers else "raise decode_workers or crops_per_picture"
    else:
        slowest, knob = ("write", "raise checkpoint_every") if write > model else ("model", "")
    line = f"ms a sample: read {read:.2f}, decode {decode:.2f}, wait {wait:.2f}, model {model:.2f}, write {write:.2f}"
    return f"{line}; slowest: {slowest}" + (f" ({knob})" if knob else "")
