"""training/reading.py: a rank's stream, with and without decoders, and the line that says what a run waits for."""

from itertools import islice
from pathlib import Path

import pytest

from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from tests.training_corpus import small_config, write_corpus
from training.reading import bottleneck, open_batches
from training.samples import SampleReader


@pytest.mark.parametrize("decode_workers", [0, 2])
def test_a_stream_counts_what_reading_costs(tmp_path: Path, decode_workers: int):
    config = small_config(decode_workers=decode_workers, batch_size=8, cache_mib=1, crop_shares=(0.5, 0.0, 0.0))
    reader = SampleReader(open_split(Store(write_corpus(tmp_path)), "train"), cache_bytes=1 << 20)
    with open_batches(reader, config, samples_seen=0, rank=0, num_ranks=1) as stream:
        first = list(islice(stream, 2))
        costs = stream.take_costs()
        assert costs["fetch_ms"] > 0
        assert costs["decode_ms"] > 0
        assert costs["read_mib"] * (1 << 20) == sum(batch.spent.num_bytes for batch in first)
        assert costs["num_fallbacks"] == 0
        assert stream.take_costs() == {"fetch_ms": 0, "decode_ms": 0, "read_mib": 0, "num_fallbacks": 0}


def row(**changes: float) -> dict[str, object]:
    return {"split": "train", "fetch_ms": 0.5, "decode_ms": 3.0, "read_ms": 0.0, "model_ms": 80.0} | changes


@pytest.mark.parametrize(
    ("changes", "decode_workers", "words"),
    [
        ({}, 0, "slowest: model"),
        ({"read_ms": 100.0}, 0, "slowest: decode (set decode_workers)"),
        ({"read_ms": 100.0}, 2, "slowest: decode (raise decode_workers or crops_per_picture)"),
        ({"read_ms": 100.0, "fetch_ms": 40.0}, 2, "slowest: read"),
        ({"write_ms": 200.0}, 0, "slowest: write (raise checkpoint_every)"),
    ],
)
def test_the_line_names_what_a_run_waits_for(changes: dict[str, float], decode_workers: int, words: str):
    config = small_config(batch_size=16, crops_per_picture=2, num_workers=2, decode_workers=decode_workers)
    warm_up = row(read_ms=9999.0)
    line = bottleneck([warm_up, row(**changes), row(split="val"), row(**changes)], config)
    assert line.startswith("ms a sample: read ")
    assert words in line
    # 4 samples a step on each worker.
    assert "model 20.00" in line


def test_rows_of_an_earlier_release_give_no_line():
    assert bottleneck([{"split": "train", "read_ms": 1.0, "model_ms": 1.0}], small_config()) == ""
