"""The whole road by the one command a newcomer types, on a real Ray cluster, only shorter."""

import json
import os
import re
import sys
from pathlib import Path

import pytest

from pipeline.base.store import Store
from pipeline.formats.corpus import open_split
from pipeline.formats.picture import read_picture
from tests.isolation import run_isolated

SHORTER = (
    "capture.num_frames=2",
    "capture.interval_s=0.2",
    "datagen.num_samples.train=4",
    "datagen.num_samples.val=1",
    "datagen.num_samples.test=2",
    "train.steps=6",
    "train.validate_every=3",
    "train.checkpoint_every=3",
)


@pytest.mark.ray
@pytest.mark.browser
@pytest.mark.timeout(900)
def test_the_demo_walks_from_screen_to_archive_and_goes_on_when_started_again(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    arguments = [part for change in SHORTER for part in ("--set", change)]
    program = str(Path(sys.executable).with_name("diptych"))
    command = [program, "demo", "--out", str(out), *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
    done = run_isolated(*command, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"Report: {out}/report.html" in done.stdout
    assert "raylet" not in done.stdout + done.stderr
    if os.environ.get("CI"):
        assert "screens of display" in " ".join(done.stdout.split()), done.stdout

    held_out = open_split(Store(out / "corpus"), "test")
    labels = held_out.sample(0).label
    assert set(labels.ravel()) <= {0, 1, 255}
    assert json.loads((out / "run" / "final" / "checkpoint.json").read_text())["step"] == 6
    extracted = sorted((out / "extracted").glob("*.png"))
    assert len(extracted) == held_out.num_samples
    assert read_picture(extracted[0].read_bytes(), where="x").pixels.shape == (720, 1280, 3)
    report = (out / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)=["']?https?:""", report)

    made = contents(out)
    again = run_isolated(*command, env=environment)
    assert again.returncode == 0, again.stderr[-3000:]
    assert contents(out) == made


def contents(out: Path) -> dict[Path, bytes]:
    """Return what the stages have made for good: nothing of it may be made anew."""
    folders = [out / name for name in ("captured", "corpus", "run/final", "archive", "extracted")]
    return {path: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}
