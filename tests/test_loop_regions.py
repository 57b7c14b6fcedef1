"""Region maps on their way from the corpus to the codecs that train with them."""

import dataclasses
from pathlib import Path

import pytest
from torch import Tensor

from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from tests.test_loop import CPU, make_data
from tests.training_corpus import small_config, write_corpus
from training.config import needs_regions
from training.data import SampleReader, train_batches
from training.loop import Alone, fit
from training.state import fresh_state


@pytest.mark.parametrize(("codec", "regions"), [("segpic", "corpus"), ("segpic", "grid"), ("mtl_sci", "corpus")])
def test_region_maps_reach_the_codecs_that_train_with_them_and_no_validation(
    tmp_path: Path, codec: str, regions: str
) -> None:
    corpus = write_corpus(tmp_path)
    widths = ("num_channels=8", "num_latents=8") + (("num_attention_heads=2",) if codec == "segpic" else ())
    config = small_config(codec=codec, regions=regions, steps=2, crop=64, codec_set=widths)
    state = fresh_state(config, CPU)
    seen: list[tuple[bool, Tensor | None]] = []
    state.codec.register_forward_pre_hook(
        lambda module, inputs: seen.append((module.training, inputs[1] if len(inputs) > 1 else None))
    )
    data = make_data(corpus, config)
    reader = SampleReader(open_split(Store(corpus), "train"), cache_bytes=0, with_regions=needs_regions(config))
    batches = train_batches(reader, config, samples_seen=0, rank=0, num_ranks=1)
    reports = list(fit(state, config, dataclasses.replace(data, batches=batches), Alone()))
    assert [report.num_skipped for report in reports] == [0] * len(reports)
    told = {training: given is not None for training, given in seen}
    assert told == {True: codec == "segpic" and regions == "corpus", False: False}
    for training, given in seen:
        if training and given is not None:
            assert given.shape == (4, 64, 64)
            assert set(given.unique().tolist()) <= {0, 1}
