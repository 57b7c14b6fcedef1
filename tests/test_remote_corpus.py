"""Training on corpora behind URLs: members read by offset from tars that are never fetched whole."""

import shutil
import uuid
from itertools import islice
from pathlib import Path

import fsspec
import pytest
import torch

from pipeline.base import remote
from pipeline.base.errors import ShardError, StorageError
from pipeline.base.store import Store
from pipeline.formats import corpus as corpus_module
from pipeline.formats.corpus import open_split
from tests.http_folder import serve
from tests.s3_server import serve_bucket
from tests.training_corpus import small_config, write_corpus
from training.data import Batch, train_batches
from training.decoders import decoders_for
from training.loop import Alone
from training.plan import plan
from training.rank import Job, run_rank
from training.samples import SampleReader

CONFIG = small_config(batch_size=8)


@pytest.fixture
def local(tmp_path: Path) -> Path:
    return Path(write_corpus(tmp_path / "corpus", num_train=9, shard_size=3))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(remote, "DELAYS", (0.01, 0.01, 0.01))
    corpus_module._sidecar.clear()


def batches(corpus: str, count: int = 6) -> list[Batch]:
    reader = SampleReader(open_split(Store(corpus), "train"), cache_bytes=0)
    return list(islice(train_batches(reader, CONFIG, samples_seen=0, rank=0, num_ranks=1), count))


def assert_equal(one: list[Batch], other: list[Batch]) -> None:
    assert all(torch.equal(a.pictures, b.pictures) for a, b in zip(one, other, strict=True))
    assert all(torch.equal(a.labels, b.labels) for a, b in zip(one, other, strict=True))


def test_members_are_read_by_range_over_http(local: Path):
    with serve(local) as served:
        reader = SampleReader(open_split(Store(served.url), "train"), cache_bytes=0)
        reader.read(4)
        row = reader.split.row(4)
        tar = row["tar"]
        assert served.num_requests[tar] == 1, "one request a sample"
        members = sum(row[f"{name}_size"] for name in ("picture", "label", "regions", "info"))
        assert members <= served.num_bytes[tar] < members + 4 * 1024
        assert served.num_bytes[tar] < (local / tar).stat().st_size / 2
        first = served.num_bytes[tar]
        reader.read(4)
        # The digest was compared; what is not decoded is not read again.
        assert served.num_bytes[tar] - first <= first - row["regions_size"] - row["info_size"]


def test_batches_over_http_are_those_of_the_folder_though_the_server_stumbles(local: Path):
    expected = batches(str(local))
    with serve(local) as served:
        # No more than three in a row: each request is tried four times.
        served.failures = [503, "drop", 429]
        split = open_split(Store(served.url), "train")
        reader = SampleReader(split, cache_bytes=0)
        found = train_batches(reader, CONFIG, samples_seen=0, rank=0, num_ranks=1)
        for batch in expected:
            served.failures = ["drop", 503, "drop"]
            assert_equal([next(found)], [batch])
            assert not served.failures


def test_batches_of_an_object_store_are_those_of_the_folder(local: Path):
    url = f"memory://{uuid.uuid4().hex}"
    files = fsspec.filesystem("memory")
    files.put(f"{local}/", url.removeprefix("memory:/") + "/", recursive=True)
    assert_equal(batches(url), batches(str(local)))


def test_batches_of_s3_are_those_of_the_folder(local: Path, monkeypatch: pytest.MonkeyPatch):
    expected = batches(str(local))
    with serve_bucket(local, monkeypatch) as url:
        assert plan(CONFIG, url).num_train_samples == 9
        assert_equal(batches(url), expected)
        with pytest.raises(ShardError, match="not a finished corpus"):
            plan(CONFIG, "s3://corpora/elsewhere")


def test_decoders_read_over_http(local: Path):
    config = small_config(batch_size=8, decode_workers=2)
    with serve(local) as served:
        decoders = decoders_for(served.url, config, visits_per_batch=4, with_regions=False, class_names=())
        reader = SampleReader(open_split(Store(served.url), "train"), cache_bytes=0)
        with decoders:
            found = train_batches(reader, config, samples_seen=0, rank=0, num_ranks=1, decoders=decoders)
            assert_equal(list(islice(found, 6)), batches(str(local)))


def test_a_run_over_http_gives_the_weights_of_a_run_from_the_folder(local: Path, tmp_path: Path):
    digests = []
    with serve(local) as served:
        for name, corpus in (("disk", str(local)), ("http", served.url)):
            config = small_config(steps=2)
            out = tmp_path / name
            out.mkdir()
            sha256 = plan(config, corpus).corpus_sha256
            list(
                run_rank(Job(config=config, corpus=corpus, corpus_sha256=sha256, out=out), Alone(), torch.device("cpu"))
            )
            digests.append((out / "checkpoints" / "step-00000002" / "weights.safetensors").read_bytes())
    assert digests[0] == digests[1]


def test_what_is_wrong_with_a_url_is_one_clear_line(local: Path):
    with serve(local) as served:
        with pytest.raises(ShardError, match=r"no manifest\.json; not a finished corpus"):
            plan(CONFIG, f"{served.url}/nowhere")
        served.ranges = False
        with pytest.raises(StorageError, match="does not serve ranges"):
            batches(served.url)
        served.ranges = True
        tar = next(path for path in local.glob("*-train-000001.tar"))
        shutil.move(tar, tar.with_suffix(".gone"))
        with pytest.raises(StorageError, match=r"000001\.tar: not found \(HTTP 404\)"):
            batches(served.url)


def test_side_cars_in_memory_are_bounded_by_their_bytes(local: Path, monkeypatch: pytest.MonkeyPatch):
    with serve(local) as served:
        split = open_split(Store(served.url), "train")

        def requests() -> int:
            return sum(count for name, count in served.num_requests.items() if name.endswith("0.parquet"))

        for index in (0, 4, 8, 0, 4, 8):
            split.row(index)
        assert requests() == 1
        corpus_module._sidecar.clear()
        monkeypatch.setattr(corpus_module, "_MAX_HELD", 1)
        for index in (4, 8, 0, 0, 4, 8, 0):
            split.row(index)
        assert requests() == 3
