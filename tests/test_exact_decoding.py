"""What a decoder's machine may do differently changes no decoded latent: threads, libraries, layouts, batches.

MTL-SCI is exact up to the pixels, so its pixels are compared; SegPIC up to the latent and the prototypes.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pipeline.base.store import Store
from pipeline.codecs import checkpoint, integer_net
from pipeline.codecs.integer_sequence import IntegerSequence
from pipeline.codecs.interface import AbstractCodec, SideInputs
from pipeline.codecs.segpic.codec import SegPic
from pipeline.codecs.segpic.frozen_rat import IntegerRat
from pipeline.codecs.threads import on_threads, torch_threads
from tests import test_mtl_sci, test_mtl_sci_charm, tiny_segpic
from tests.machines import CONDITIONS
from tests.test_coding import make_picture

SIZE = (150, 270)
CODECS: dict[str, AbstractCodec] = {
    "hyperprior": test_mtl_sci.CODEC,
    "charm": test_mtl_sci_charm.CODEC,
    "segpic": tiny_segpic.make_codec(),
}


def coded_pictures(codec: AbstractCodec, count: int = 3) -> list[dict[int, bytes]]:
    return [codec.compress(make_picture(*SIZE, seed=seed), SideInputs()).segments for seed in range(count)]


def decoded(codec: AbstractCodec, segments: dict[int, bytes]) -> bytes:
    """Return a digest of what must not change."""
    if isinstance(codec, SegPic):
        y_hat, prototypes, grid = codec.decode_latent(segments, height=SIZE[0], width=SIZE[1])
        assert prototypes is not None
        data = y_hat.numpy().tobytes() + prototypes.numpy().tobytes() + bytes([grid])
    else:
        data = codec.decompress(segments, height=SIZE[0], width=SIZE[1]).tobytes()
    return hashlib.sha256(data).digest()


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("name", CODECS)
def test_conditions_change_nothing(name: str, condition: str) -> None:
    codec = CODECS[name]
    for coded in coded_pictures(codec):
        expected = decoded(codec, coded)
        with CONDITIONS[condition]():
            assert decoded(codec, coded) == expected


@pytest.mark.parametrize("name", CODECS)
def test_memory_layout_of_the_weights_changes_nothing(name: str) -> None:
    codec = CODECS[name]
    coded = coded_pictures(codec, 1)[0]
    expected = decoded(codec, coded)
    try:
        codec.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        assert decoded(codec, coded) == expected
    finally:
        codec.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]


@pytest.mark.parametrize("name", CODECS)
def test_eight_at_once_change_nothing(name: str) -> None:
    codec = CODECS[name]
    coded = coded_pictures(codec, 8)
    alone = [decoded(codec, one) for one in coded]
    with torch_threads(4):
        assert on_threads(lambda one: decoded(codec, one), coded) == alone


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # the compiler's own
@pytest.mark.parametrize("by_digits", [True, False])
@pytest.mark.parametrize("name", ["charm", "segpic"])
def test_compiled_networks_change_nothing(name: str, by_digits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    codec = CODECS[name]
    coded = coded_pictures(codec, 1)[0]
    expected = decoded(codec, coded)
    if not by_digits:  # then the products themselves are compiled
        monkeypatch.setattr(integer_net, "is_fast_on", lambda _: False)
        assert decoded(codec, coded) == expected
    for kind in (IntegerSequence, IntegerRat):
        monkeypatch.setattr(kind, "forward", torch.compile(kind.forward, dynamic=True))
    assert decoded(codec, coded) == expected


SCRIPT = """
import json, sys
import torch
from pipeline.codecs.checkpoint import load
from tests.test_exact_decoding import decoded
torch.set_num_threads(3)
for folder in sys.argv[1:]:
    codec = load(folder + "/checkpoint").codec
    for coded, digest in json.load(open(folder + "/coded.json")):
        segments = {int(tag): bytes.fromhex(data) for tag, data in coded.items()}
        assert decoded(codec, segments).hex() == digest
    print("same")
"""


def test_another_process_with_older_instructions_decodes_the_same(tmp_path: Path) -> None:
    folders = []
    for name in ("charm", "segpic"):
        codec = CODECS[name]
        folder = tmp_path / name
        checkpoint.save(Store(folder / "checkpoint"), "segpic" if name == "segpic" else "mtl_sci", codec, provenance={})
        codec.eval()
        pairs = [
            ({tag: data.hex() for tag, data in coded.items()}, decoded(codec, coded).hex())
            for coded in coded_pictures(codec)
        ]
        (folder / "coded.json").write_text(json.dumps(pairs))
        folders.append(str(folder))
    older = {"ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2", "ONEDNN_MAX_CPU_ISA": "SSE41"}
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, *folders],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **older},
    )
    assert (run.stdout.split(), run.stderr) == (["same", "same"], "")
