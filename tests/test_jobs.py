"""The archive's jobs from end to end, with a small untrained codec: its bytes are as real as a trained one's."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.base.errors import ArchiveError, CheckpointError, StorageError, UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store, sha256_hex
from pipeline.codecs.checkpoint import build_codec, load, save
from pipeline.codecs.coding import decompress_picture
from pipeline.codecs.interface import AbstractCodec
from pipeline.formats.archive import find_entry, open_archive, read_bitstream, tar_name
from pipeline.formats.archive_index import index_name
from pipeline.formats.archive_records import commit_name, weights_name
from pipeline.formats.picture import read_picture, write_png
from serving import jobs
from serving.config import PRESETS, ArchiveConfig
from serving.engine import Engine, EngineConfig, code_picture, measure_psnr, open_engine
from serving.extraction import TargetNames

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
SMALL = ArchiveConfig(pictures_per_shard=4, pictures_per_chunk=2)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoint")
    save_checkpoint(folder, seed=0)
    return str(folder)


def save_checkpoint(folder, *, seed):
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        codec = build_codec("mtl_sci", {"num_channels": 8, "num_latents": 8})
    return save(Store(folder), "mtl_sci", codec, provenance={})


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Ten small pictures of all shapes in two folders."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for i in range(10):
        shape = (20 + i, 30 + 3 * i, (1, 2, 3, 4)[i % 4])
        path = folder / ("odd" if i % 2 else "even") / f"p{i:02d}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(write_png(rng.integers(0, 256, shape, dtype=np.uint8)))
    return str(folder)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, pictures, checkpoint):
    dest = tmp_path_factory.mktemp("finished") / "archive"
    create(pictures, dest, checkpoint)
    return dest


@pytest.fixture
def archive(tmp_path, finished):
    """A copy of a finished archive that a test may damage."""
    return shutil.copytree(finished, tmp_path / "archive")


def create(source, dest, checkpoint, config=SMALL):
    return jobs.create([str(source)], str(dest), config=config, checkpoint=str(checkpoint), progress=Tally())


def verify(archive, *, decode=True, **options):
    return jobs.verify(str(archive), decode=decode, progress=Tally(), **options)


def extract(archive, out, names=None, **options):
    return jobs.extract(str(archive), str(out), names=names, progress=Tally(), **options)


def all_files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def flip(path, position):
    data = bytearray(path.read_bytes())
    data[position] ^= 0xFF
    path.write_bytes(data)


def test_create_verify_extract(tmp_path, pictures, checkpoint):
    progress = Tally()
    summary = jobs.create([pictures], str(tmp_path / "archive"), config=SMALL, checkpoint=checkpoint, progress=progress)
    assert (summary.num_entries, summary.num_rejected, summary.num_shards) == (10, 0, 3)
    assert (progress.num_total, progress.num_done) == (10, 10)
    entries = list(open_archive(Store(tmp_path / "archive")).entries())
    pixels = sum(entry.width * entry.height for entry in entries)
    assert summary.bitstream_bytes == sum(entry.length for entry in entries)
    assert summary.bpp == pytest.approx(8 * summary.bitstream_bytes / pixels)

    verified = verify(tmp_path / "archive")
    assert (verified.num_entries, verified.num_verified, verified.problems) == (10, 10, ())

    extracted = extract(tmp_path / "archive", tmp_path / "out")
    assert extracted.num_extracted == 10 and not extracted.problems
    loaded = load(checkpoint)
    for entry in entries:
        original = read_picture((tmp_path / "out" / entry.name).read_bytes(), where=entry.name)
        data = read_bitstream(Store(tmp_path / "archive"), entry)
        assert np.array_equal(original.pixels, decompress_picture(loaded, data))
        source = read_picture(Path(pictures, entry.name).read_bytes(), where=entry.name)
        assert entry.pixels_sha256.hex() == source.pixels_sha256 and entry.file_sha256.hex() == source.file_sha256
        assert entry.psnr_db == pytest.approx(measure_psnr(source.pixels, original.pixels), abs=0.006)
        if source.pixels.shape[2] in (2, 4):
            assert np.array_equal(source.pixels[:, :, -1], original.pixels[:, :, -1])


def test_extract_takes_chosen_names(tmp_path, finished):
    summary = extract(finished, tmp_path / "out", ["odd/p01.png", "even/p08.png"])
    assert summary.num_extracted == 2
    assert sorted(all_files(tmp_path / "out")) == ["even/p08.png", "odd/p01.png"]
    with pytest.raises(UsageError, match=r"no picture named 'odd/p02\.png'"):
        extract(finished, tmp_path / "out", ["odd/p02.png"])


def test_two_workers_give_the_bytes_of_one(tmp_path, pictures, checkpoint, finished):
    create(pictures, tmp_path / "archive", checkpoint, replace(SMALL, workers=2, pictures_per_chunk=3))
    assert all_files(tmp_path / "archive") == all_files(finished)
    assert extract(finished, tmp_path / "out", workers=2).num_extracted == 10


def test_bytes_do_not_depend_on_the_number_of_threads(tmp_path, pictures, checkpoint, finished):
    import torch

    num_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        create(pictures, tmp_path / "archive", checkpoint)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(num_threads)
    assert all_files(tmp_path / "archive") == all_files(finished)


def test_committed_shards_are_not_coded_again(tmp_path, pictures, checkpoint, archive):
    before = {path: path.stat().st_mtime_ns for path in archive.rglob("*.tar")}
    Store(archive).remove(commit_name(1))
    summary = create(pictures, archive, checkpoint)
    assert (summary.num_shards_resumed, summary.num_entries) == (2, 10)
    after = {path: path.stat().st_mtime_ns for path in archive.rglob("*.tar")}
    assert {path.name for path in before if before[path] != after[path]} == {"000001.tar"}


@pytest.mark.parametrize("lost", [tar_name(0), index_name(2), commit_name(1), "rejected.jsonl"])
def test_create_makes_lost_files_again(lost, pictures, checkpoint, archive, finished):
    Store(archive).remove(lost)
    create(pictures, archive, checkpoint)
    assert all_files(archive) == all_files(finished)


class _Stopped(Exception):
    pass


class _Stopping(Tally):
    """Stops the job in the second shard that it codes."""

    def advance(self, n=1):
        super().advance(n)
        if self.num_done > 6:
            raise _Stopped


def test_archive_whose_continuation_was_interrupted_counts_as_unfinished(pictures, checkpoint, archive, finished):
    Store(archive).remove(commit_name(1))
    Store(archive).remove(commit_name(0))
    with pytest.raises(_Stopped):
        jobs.create([pictures], str(archive), config=SMALL, checkpoint=checkpoint, progress=_Stopping())
    found = verify(archive)
    assert (found.num_shards_missing, found.problems) == (1, ())
    create(pictures, archive, checkpoint)
    assert all_files(archive) == all_files(finished)


def test_second_writer_is_refused_and_disturbs_nothing(tmp_path, pictures, checkpoint, finished):
    dest = tmp_path / "archive"
    with Store(dest).sole_writer():
        (dest / ".tmp-of-the-first").write_text("half written")
        with pytest.raises(UsageError, match="another process is writing"):
            create(pictures, dest, checkpoint)
        assert sorted(all_files(dest)) == [".tmp-of-the-first"]
    create(pictures, dest, checkpoint)
    assert all_files(dest) == all_files(finished)


def test_describe_says_what_create_would_do_and_writes_nothing(tmp_path, pictures, checkpoint, archive):
    size = sum(len(data) for data in all_files(Path(pictures)).values())
    dest = tmp_path / "new"
    planned = jobs.describe([pictures], str(dest), config=SMALL)
    assert planned == jobs.PlanSummary(
        num_inputs=10, input_bytes=size, num_shards=3, num_not_listed=0, num_shards_committed=0
    )
    assert not dest.exists()
    Store(archive).remove(commit_name(1))
    before = all_files(archive)
    assert jobs.describe([pictures], str(archive), config=SMALL) == replace(planned, num_shards_committed=2)
    assert all_files(archive) == before
    with pytest.raises(UsageError, match="no such file"):
        jobs.describe([str(tmp_path / "missing")], str(dest), config=SMALL)
    with pytest.raises(UsageError, match="settings"):
        jobs.describe([pictures], str(archive), config=replace(SMALL, pictures_per_shard=5))
    with pytest.raises(UsageError, match="begun with other inputs"):
        jobs.describe([f"{pictures}/odd"], str(archive), config=SMALL)
    with pytest.raises(UsageError, match="not an archive"):
        jobs.describe([pictures], pictures, config=SMALL)


# One process that has loaded everything forks the jobs that are killed, so that a round costs no import.
KILLER = """
import os, random, signal, sys, time
import torch
from pipeline.base.progress import Tally
from serving import jobs
from serving.config import ArchiveConfig

source, dest, checkpoint = sys.argv[1:]
torch.set_num_threads(1)

def run(folder):
    config = ArchiveConfig(pictures_per_shard=4, pictures_per_chunk=2)
    jobs.create([source], folder, config=config, checkpoint=checkpoint, progress=Tally())

def fork(folder):
    pid = os.fork()
    if not pid:
        run(folder)
        os._exit(0)
    return pid

run(dest + "-warm")
started = time.monotonic()
os.waitpid(fork(dest + "-undisturbed"), 0)
span = time.monotonic() - started
rng = random.Random(0)
for i in range(12):
    pid = fork(f"{dest}{i}")
    time.sleep(span * (i + rng.random()) / 12)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
"""


def test_killed_at_any_instant_and_run_again_gives_the_same_bytes(tmp_path, pictures, checkpoint, finished):
    arguments = [pictures, tmp_path / "archive", checkpoint]
    subprocess.run([sys.executable, "-c", KILLER, *map(str, arguments)], env=ENVIRONMENT, check=True)
    stages = set()
    for i in range(12):
        dest = tmp_path / f"archive{i}"
        stages.add(frozenset(all_files(dest)) if dest.exists() else None)
        if (dest / "archive.json").exists():
            assert not verify(dest).problems
        create(pictures, dest, checkpoint)
        assert all_files(dest) == all_files(finished)
    assert len(stages) > 3, "the kills came at too few different stages; the test proves little"


FULL_DISK = """
import resource, sys
from pipeline.base.errors import StorageError
from pipeline.base.progress import Tally
from serving import jobs
from serving.config import ArchiveConfig

source, dest, checkpoint, limit = sys.argv[1:]

def run(folder):
    config = ArchiveConfig(pictures_per_shard=4, pictures_per_chunk=2)
    jobs.create([source], folder, config=config, checkpoint=checkpoint, progress=Tally())

run(dest + "-warm")  # numba's compiled kernels are written to its cache before the disk is full
resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
try:
    run(dest)
except StorageError as error:
    print(error)
"""


def test_full_disk_is_one_clear_error_and_the_archive_goes_on(tmp_path, pictures, checkpoint, finished):
    tar_bytes = max(path.stat().st_size for path in finished.rglob("*.tar"))
    other = max(path.stat().st_size for path in finished.rglob("*") if path.suffix in (".parquet", ".json"))
    assert other < tar_bytes
    dest = tmp_path / "archive"
    shutil.copytree(finished, dest)
    for shard in range(3):
        for name in (tar_name(shard), index_name(shard), commit_name(shard)):
            Store(dest).remove(name)
    ran = subprocess.run(
        [sys.executable, "-c", FULL_DISK, pictures, dest, checkpoint, str(tar_bytes - 1)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "File too large" in ran.stdout and ".tar" in ran.stdout
    assert not list(dest.rglob(".tmp-*"))
    assert not verify(dest).problems
    create(pictures, dest, checkpoint)
    assert all_files(dest) == all_files(finished)


def test_other_inputs_weights_or_settings_are_refused(tmp_path, pictures, checkpoint, archive):
    with pytest.raises(UsageError, match="settings"):
        create(pictures, archive, checkpoint, replace(SMALL, pictures_per_shard=5))
    save_checkpoint(tmp_path / "other", seed=1)
    with pytest.raises(UsageError, match="begun with codecs"):
        create(pictures, archive, tmp_path / "other")
    copy = shutil.copytree(pictures, tmp_path / "copy")
    (copy / "odd" / "p01.png").unlink()
    (copy / "new.png").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"1 new \(new.png\); 1 gone \(odd/p01.png\); 9 changed"):
        create(copy, archive, checkpoint)
    assert verify(archive).num_verified == 10


def test_destination_that_is_something_else_is_refused_untouched(tmp_path, pictures, checkpoint):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    (tmp_path / "mine" / ".tmp-mine").write_text("x")
    with pytest.raises(UsageError, match="not empty and not an archive"):
        create(pictures, tmp_path / "mine", checkpoint)
    assert sorted(all_files(tmp_path / "mine")) == [".tmp-mine", "thesis.tex"]


def test_missing_source_or_checkpoint_leaves_no_archive(tmp_path, pictures, checkpoint):
    with pytest.raises(UsageError, match="no such file"):
        create(tmp_path / "missing", tmp_path / "archive", checkpoint)
    with pytest.raises(CheckpointError):
        create(pictures, tmp_path / "archive", tmp_path)
    assert not (tmp_path / "archive").exists()


def test_verify_reports_every_bad_entry_and_goes_on(tmp_path, archive):
    opened = open_archive(Store(archive))
    for name in ("even/p02.png", "odd/p05.png"):
        entry = find_entry(opened, name)
        flip(archive / tar_name(entry.shard), entry.offset + entry.length // 2)
    for decode in (True, False):
        found = verify(archive, decode=decode)
        assert found.num_verified == 8
        named = {problem.where: problem.reason for problem in found.problems if problem.where.endswith(".png")}
        assert set(named) == {"even/p02.png", "odd/p05.png"} and "corrupt_bitstream" in named.values()
        assert [problem.reason for problem in found.problems].count("digest_differs") == 2
    extracted = extract(archive, tmp_path / "out")
    assert extracted.num_extracted == 8 and len(extracted.problems) == 2


def test_index_lost_loses_no_picture(tmp_path, archive, finished):
    shutil.rmtree(archive / "index")
    found = verify(archive)
    assert found.num_verified == 10
    assert {problem.reason for problem in found.problems} == {"missing_file", "index_unreadable"}
    assert extract(archive, tmp_path / "out").num_extracted == 10
    extract(finished, tmp_path / "expected")
    assert all_files(tmp_path / "out") == all_files(tmp_path / "expected")


@pytest.mark.parametrize("lost", ["plan.parquet", "weights", "tar", "tar and index"])
def test_verify_reports_lost_files(lost, archive):
    store = Store(archive)
    if lost == "weights":
        store.remove(store.names("weights")[0])
    elif lost == "plan.parquet":
        store.remove(lost)
    else:
        store.remove(tar_name(0))
        if lost == "tar and index":
            store.remove(index_name(0))
    found = verify(archive)
    assert "missing_file" in {problem.reason for problem in found.problems}
    assert found.num_verified == {"plan.parquet": 10, "weights": 0, "tar": 6, "tar and index": 6}[lost]


def test_changed_weights_are_never_used(archive):
    name = Store(archive).names("weights")[0]
    flip(archive / name, (archive / name).stat().st_size - 1)
    found = verify(archive)
    assert found.num_verified == 0
    assert {problem.reason for problem in found.problems} == {"digest_differs", "weights_unusable"}


def test_commit_record_lost_from_a_finished_archive_is_a_problem(archive):
    Store(archive).remove(commit_name(2))
    flip(archive / commit_name(0), 10)
    found = verify(archive)
    assert (found.num_shards, found.num_shards_missing) == (1, 2)
    assert {problem.where: problem.reason for problem in found.problems} == {
        commit_name(0): "damaged_commit",
        commit_name(2): "missing_commit",
    }
    shutil.rmtree(archive / "commits")
    assert [problem.reason for problem in verify(archive).problems] == ["missing_commit"] * 3


def test_unfinished_archive_verifies_and_says_what_is_missing(archive):
    Store(archive).remove(commit_name(2))
    Store(archive).remove("rejected.jsonl")
    found = verify(archive)
    assert (found.num_verified, found.num_shards, found.num_shards_missing, found.problems) == (8, 2, 1, ())


def test_not_an_archive(tmp_path):
    for job in (verify, lambda archive: extract(archive, tmp_path / "out")):
        with pytest.raises(ArchiveError, match="not an archive"):
            job(tmp_path)


def test_extraction_that_cannot_write_stops_with_one_error(tmp_path, finished):
    (tmp_path / "out").write_text("a file, not a folder")
    with pytest.raises(StorageError):
        extract(finished, tmp_path / "out")


def test_archive_holds_the_weights_under_their_digest(finished):
    (name,) = Store(finished).names("weights")
    assert name == weights_name(sha256_hex((finished / name).read_bytes()))


def test_presets_load():
    from pipeline.base.config import load as load_config

    assert load_config(ArchiveConfig, "default", presets=PRESETS) == ArchiveConfig()
    assert load_config(ArchiveConfig, "demo", presets=PRESETS).engine == "ray"
    with pytest.raises(ValueError, match="workers"):
        ArchiveConfig(workers=0)


class _Lying:
    """A decoder that flips one pixel: what a broken build would do."""

    def __call__(self, loaded, data, *, where):
        pixels = decompress_picture(loaded, data, where=where).copy()
        pixels[0, 0, 0] ^= 1
        return pixels


def test_picture_that_does_not_decode_as_promised_never_counts(checkpoint):
    from pipeline.base.errors import PictureError

    digest = load(checkpoint).weights_sha256
    config = EngineConfig(
        weights_path=f"{checkpoint}/weights.safetensors", weights_sha256=digest, max_pixels=100_000, verify=True
    )
    engine = open_engine(config)
    assert isinstance(engine, Engine) and isinstance(engine.loaded.codec, AbstractCodec)
    data = write_png(np.zeros((4, 4, 3), dtype=np.uint8))
    assert code_picture(engine, "a.png", data).name == "a.png"
    with pytest.raises(PictureError) as caught:
        code_picture(engine, "a.png", data, decode=_Lying())
    assert caught.value.reason == "verify_failed"
    with pytest.raises(CheckpointError, match="the job began with"):
        open_engine(replace(config, weights_sha256="0" * 64))


def test_psnr_of_known_errors():
    black = np.zeros((300, 5, 3), dtype=np.uint8)
    assert measure_psnr(black, black) == float("inf")
    assert measure_psnr(black, black + 255) == pytest.approx(0.0)
    grey_alpha = np.zeros((4, 4, 2), dtype=np.uint8)
    other = grey_alpha.copy()
    other[:, :, 0] = 5
    other[:, :, 1] = 99
    assert measure_psnr(grey_alpha, other) == pytest.approx(20 * np.log10(255 / 5))


def test_extracted_names_end_in_png_and_never_meet():
    names = TargetNames()
    given = ["a", "a.jpg", "a.jpg.png", "a.png", "b/c.png", "b", "d.png", "d.png/e.jpg", "b.png/x.png"]
    assert [names.assign(name) for name in given] == [
        "a.png",
        "a.jpg.png",
        "a.jpg~2.png",
        "a~2.png",
        "b/c.png",
        "b.png",
        "d.png",
        "d.png_e.jpg~2.png",
        "b.png_x~2.png",
    ]
    assert names.num_renamed == 4
    with pytest.raises(ArchiveError):
        names.assign("../a.png")
