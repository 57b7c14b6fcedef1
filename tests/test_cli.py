"""The command line: one clear line and exit code 2 for a mistake, results on stdout, nothing lost."""

import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from pipeline.base.store import Store
from pipeline.cli import main
from pipeline.codecs import checkpoint as checkpoints
from pipeline.codecs.mtl_sci.config import MtlSciConfig
from pipeline.formats.picture import read_picture, write_png
from pipeline.formats.shards import ShardName, write_manifest, write_shard
from tests.small_corpus import noise
from tests.test_sample import make_sample

GRADIENT = np.dstack([np.add.outer(np.arange(40), np.arange(56)) * 2 + shift for shift in (0, 20, 40)]).astype(np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    returncode: object
    stdout: str
    stderr: str


def diptych(*arguments: object) -> Done:
    """Run the command in this process (importing torch takes seconds in each new one); return how it ended."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err, pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return Done(returncode=ended.value.code or 0, stdout=out.getvalue(), stderr=err.getvalue())


def assert_one_line(done: Done, *parts: str) -> None:
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert done.stdout == ""
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("diptych: error: ")
    for part in parts:
        assert part in line


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    codec = checkpoints.build_codec("mtl_sci", MtlSciConfig(num_channels=8, num_latents=8))
    checkpoints.save(Store(folder), "mtl_sci", codec, provenance={"step": 0})
    return folder


def test_one_picture_goes_to_bytes_and_back(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "shot.png").write_bytes(write_png(GRADIENT))
    done = diptych("compress", tmp_path / "shot.png", "--checkpoint", checkpoint, "--json")
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    size = (tmp_path / "shot.png.dpt").stat().st_size
    assert (row["width"], row["height"], row["bytes"]) == (56, 40, size)
    assert row["bpp"] == pytest.approx(8 * size / (40 * 56), abs=1e-4)
    done = diptych("decompress", tmp_path / "shot.png.dpt", tmp_path / "back.png", "--checkpoint", checkpoint)
    assert done.returncode == 0, done.stderr
    assert read_picture((tmp_path / "back.png").read_bytes(), where="back").pixels.shape == (40, 56, 3)


def test_a_lossy_copy_is_not_put_over_the_original(checkpoint: Path, tmp_path: Path) -> None:
    shot = tmp_path / "shot.png"
    shot.write_bytes(write_png(GRADIENT))
    diptych("compress", shot, "--checkpoint", checkpoint)
    diptych("decompress", f"{shot}.dpt", "--checkpoint", checkpoint)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shot.decoded.png", "shot.png", "shot.png.dpt"]
    for verb, source, out in (("decompress", f"{shot}.dpt", shot), ("compress", shot, f"{shot}.dpt")):
        assert_one_line(diptych(verb, source, out, "--checkpoint", checkpoint), "exists", "--overwrite")
    assert shot.read_bytes() == write_png(GRADIENT)
    done = diptych("decompress", f"{shot}.dpt", shot, "--checkpoint", checkpoint, "--overwrite")
    assert (done.returncode, shot.read_bytes() == write_png(GRADIENT)) == (0, False)


@pytest.mark.parametrize(("change", "part"), [("device=nonsense", "device nonsense"), ("treads=2", "'threads'")])
def test_a_config_of_single_pictures_is_checked(checkpoint: Path, tmp_path: Path, change: str, part: str) -> None:
    (tmp_path / "shot.png").write_bytes(write_png(GRADIENT))
    done = diptych("compress", tmp_path / "shot.png", "--checkpoint", checkpoint, "--set", change)
    assert_one_line(done, part)


def test_a_damaged_bitstream_leaves_no_picture(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "shot.png").write_bytes(write_png(GRADIENT))
    diptych("compress", tmp_path / "shot.png", "--checkpoint", checkpoint)
    data = bytearray((tmp_path / "shot.png.dpt").read_bytes())
    data[len(data) // 2] ^= 4
    (tmp_path / "shot.png.dpt").write_bytes(data)
    done = diptych("decompress", tmp_path / "shot.png.dpt", tmp_path / "back.png", "--checkpoint", checkpoint)
    assert_one_line(done, "shot.png.dpt", "checksum")
    assert not (tmp_path / "back.png").exists()


def test_a_checkpoint_of_another_codec_or_damaged_is_named(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "shot.png").write_bytes(write_png(GRADIENT))
    shot = tmp_path / "shot.png"
    assert_one_line(diptych("compress", shot, "--checkpoint", tmp_path / "none"), "none", "no checkpoint here")
    other = tmp_path / "other"
    codec = checkpoints.build_codec("mtl_sci", MtlSciConfig(num_channels=4, num_latents=4))
    checkpoints.save(Store(other), "mtl_sci", codec, provenance={})
    diptych("compress", shot, "--checkpoint", checkpoint)
    assert_one_line(diptych("decompress", f"{shot}.dpt", "--checkpoint", other), "shot.png.dpt", "needs codec 1")
    weights = bytearray((other / checkpoints.WEIGHTS).read_bytes())
    weights[-1] ^= 1
    (other / checkpoints.WEIGHTS).write_bytes(weights)
    done = diptych("compress", shot, "--checkpoint", other, "--overwrite")
    assert_one_line(done, "weights.safetensors", "sha256")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["datagen", "demo", "--out", "x", "--photos", "nowhere"], ["nowhere"]),
        (["datagen", "demo", "--out", "x", "--set", "sead=1"], ["unknown key 'sead'", "did you mean 'seed'"]),
        (["datagen", "dmeo", "--out", "x"], ["dmeo", "presets here:", "demo"]),
        (["datagen", "demo", "--out", "x", "--set", "scenes={chta=1.0}"], ["unknown scene 'chta'", "chat"]),
        (["datagen", "demo", "--out", "x", "--set", 'sizes=["360x640"]', "--set", "scenes={chat=1.0}"], ["360x640"]),
        (["datagen", "demo", "--out", "x", "--set", 'sizes=["big"]'], ["'big' is not WIDTHxHEIGHT"]),
        (["datagen", "import", "--out", "x", "--pages", "nowhere"], ["nowhere"]),
        (["import", "nowhere", "--out", "x"], ["nowhere"]),
        (["label", "nowhere", "--out", "x", "--checkpoint", "y"], ["nowhere"]),
        (["dataset", "stats", "nowhere"], ["nowhere"]),
        (["dataset", "check", "nowhere"], ["nowhere"]),
        (["dataset", "merge", "nowhere"], ["CORPUS... OUT"]),
        (["dataset", "retry-failed", "nowhere"], ["plan.json: not there"]),
        (["capture", "demo", "--out", "x"], ["display"]),
        (["train", "tiny", "--corpus", "nowhere", "--out", "x"], ["nowhere", "not a finished corpus"]),
        (["train", "tiny", "--corpus", "y", "--out", "x", "--set", "codec=mlt_sci"], ["mlt_sci", "mtl_sci"]),
        (["archive", "list", "nowhere"], ["nowhere"]),
        (["archive", "verify", "nowhere"], ["nowhere"]),
        (["archive", "extract", "nowhere", "x"], ["nowhere"]),
        (["archive", "create", "only", "--checkpoint", "x"], ["SRC... DEST"]),
        (["compress", "nothing.png", "--checkpoint", "x"], ["nothing.png", "No such file"]),
        (["evaluate", "default", "--checkpoint", "x", "--pictures", "y", "--out", "z"], ["y", "neither a folder"]),
        (["report", "--out", "r.html", "--corpus", "nowhere"], ["nowhere"]),
        (["report", "--out", "r.html", "--corpus", "nowhere", "--set", "titel=x"], ["'title'"]),
        (["compress", "x" * 300, "--checkpoint", "x"], ["File name too long"]),
        (["train", "x" * 300, "--corpus", "y", "--out", "x"], ["File name too long"]),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    arguments: list[str], parts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    assert_one_line(diptych(*arguments), *parts)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_the_installed_command_reports_a_mistake_the_same_way(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("diptych")), "archive", "list", "nowhere"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert_one_line(Done(returncode=done.returncode, stdout=done.stdout, stderr=done.stderr), "nowhere")


def test_a_message_stays_one_line_whatever_the_file_is_called(tmp_path: Path) -> None:
    (tmp_path / "evil\nname\x1b[31m.png").write_bytes(b"x")
    done = diptych("compress", tmp_path / "evil\nname\x1b[31m.png", "--checkpoint", "x")
    assert_one_line(done, "no picture format")
    assert "\x1b" not in done.stderr


def test_an_archive_with_something_rejected_exits_with_1_and_lists_it(checkpoint: Path, tmp_path: Path) -> None:
    source, archive = tmp_path / "in", tmp_path / "archive"
    source.mkdir()
    (source / "good.png").write_bytes(write_png(GRADIENT))
    (source / "words.png").write_text("these are words")
    done = diptych("archive", "create", source, archive, "--checkpoint", checkpoint, "--json")
    assert done.returncode == 1, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["num_entries"], summary["rejected"]) == (1, {"not_a_picture": 1})
    assert [json.loads(line)["name"] for line in (archive / "rejected.jsonl").read_text().splitlines()] == ["words.png"]
    listed = json.loads(diptych("archive", "list", archive, "--json").stdout)
    assert [entry["name"] for entry in listed] == ["good.png"]
    assert diptych("archive", "list", archive).stdout.startswith("good.png\t56\t40\t")
    assert diptych("archive", "verify", archive).returncode == 0
    assert diptych("archive", "extract", archive, tmp_path / "out").returncode == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good.png"]


def test_the_archives_plan_is_printed_and_nothing_is_written(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "shot.png").write_bytes(write_png(GRADIENT))
    done = diptych("archive", "create", tmp_path / "in", tmp_path / "a", "--checkpoint", checkpoint, "--plan", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["num_inputs"], summary["num_shards"]) == (1, 1)
    assert not (tmp_path / "a").exists()


def test_the_training_plan_is_printed_and_nothing_is_started(tmp_path: Path) -> None:
    store = Store(tmp_path / "corpus")
    records = [
        write_shard(
            store,
            ShardName(corpus="c", split=split, index=0),
            [make_sample(f"{split}-{number:06d}", seed=number) for number in range(5)],
            plan_sha256="",
        )
        for split in ("train", "val")
    ]
    write_manifest(store, records, config={}, versions={})
    done = diptych("train", "tiny", "--corpus", tmp_path / "corpus", "--out", tmp_path / "run", "--plan", "--json")
    assert done.returncode == 0, done.stderr
    ranks = json.loads(done.stdout)["ranks"]
    assert [rank["rank"] for rank in ranks] == [0, 1]
    assert len({rank["num_batches"] for rank in ranks}) == 1
    assert not (tmp_path / "run").exists()


def test_screenshots_are_imported_and_a_corpus_with_refusals_exits_with_1(tmp_path: Path) -> None:
    folder = tmp_path / "shots"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.png").write_bytes(write_png(noise(number)))
    arguments = ["--out", tmp_path / "corpus", "--set", "masks.engine=none", "--json"]
    done = diptych("import", folder, *arguments)
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert json.loads(done.stdout)["num_samples"] == 3
    (folder / "blank.png").write_bytes(write_png(np.full((40, 50, 3), 7, dtype=np.uint8)))
    (folder / "text.png").write_text("not a picture")
    done = diptych("import", folder, "--out", tmp_path / "other", "--set", "masks.engine=none", "--json")
    assert done.returncode == 1
    summary = json.loads(done.stdout)
    assert summary["rejected"] == {"blank": 1, "not_a_picture": 1} and len(summary["examples"]) == 2
    listed = diptych("dataset", "stats", tmp_path / "other", "--json")
    assert listed.returncode == 0 and json.loads(listed.stdout)
