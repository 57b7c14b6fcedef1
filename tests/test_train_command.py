"""`diptych train` itself, on Ray: interrupted, killed and gone on with, it learns the bits of a run left in peace."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from pipeline.base.config import to_toml
from pipeline.codecs.checkpoint import read_provenance
from tests.isolation import run_isolated
from tests.test_launch import train_alone
from tests.training_corpus import small_config, write_corpus
from training.records import read_rows
from training.state import newest_complete, read_position

ROOT = Path(__file__).parent.parent
CONFIG = small_config(
    steps=300, checkpoint_every=50, report_every=5, validate_every=100, validate_bitstreams=1, ema_decay=0.99
)


@pytest.mark.ray
@pytest.mark.timeout(900)
def test_a_run_is_interrupted_then_killed_then_finished(tmp_path: Path):
    corpus = write_corpus(tmp_path / "corpus")
    (tmp_path / "config.toml").write_text(to_toml(CONFIG))
    script = "from tests.test_train_command import lives; lives()"
    child = run_isolated(
        sys.executable, "-c", script, str(tmp_path), env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout_s=850
    )
    assert child.returncode == 0, child.stdout + child.stderr
    interrupted, killed, finished = (json.loads(line) for line in child.stdout.splitlines() if line.startswith("{"))

    out = tmp_path / "run"
    assert interrupted["code"] == 130
    lines = [line for line in interrupted["stderr"].splitlines() if line.startswith("diptych:")]
    assert lines == [
        f"diptych: interrupted: {out}: saved at step {interrupted['step']} of 300; the same with --resume goes on"
    ]
    assert "Traceback" not in interrupted["stderr"]
    assert 0 < interrupted["step"] < 300
    assert killed["code"] == -signal.SIGKILL
    assert interrupted["step"] < killed["step"] < 300
    assert finished["code"] == 0
    assert json.loads(finished["stdout"])["steps"] == 300

    before = torch.get_num_threads()
    torch.set_num_threads(CONFIG.threads_per_worker)
    try:
        train_alone(CONFIG, corpus, tmp_path / "peace")
    finally:
        torch.set_num_threads(before)
    newest = newest_complete(tmp_path / "peace")
    assert newest is not None
    assert read_provenance(out / "final")["weights_sha256"] == read_provenance(newest)["weights_sha256"]
    assert (out / "best" / "weights.safetensors").read_bytes() == (
        tmp_path / "peace" / "best" / "weights.safetensors"
    ).read_bytes()


def lives() -> None:
    """Interrupt the command, kill it when it goes on, let it finish; print a JSON line for each."""
    folder = Path(sys.argv[1])
    out = folder / "run"
    base = [sys.executable, "-m", "pipeline.cli", "train", str(folder / "config.toml")]
    base += ["--corpus", str(folder / "corpus"), "--out", str(out), "--json"]

    def live(number: int | None, *, after_step: int, resume: bool) -> None:
        command = [*base, *(["--resume"] if resume else [])]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while number is not None and child.poll() is None and _step(out) < after_step:
            time.sleep(0.05)
        if number is not None:
            child.send_signal(number)
        stdout, stderr = child.communicate()
        newest = newest_complete(out)
        step = 0 if newest is None else read_position(newest)["step"]
        print(json.dumps({"code": child.returncode, "stdout": stdout, "stderr": stderr, "step": step}))  # noqa: T201

    live(signal.SIGINT, after_step=10, resume=False)
    newest = newest_complete(out)
    assert newest is not None
    live(signal.SIGKILL, after_step=int(read_position(newest)["step"]) + 70, resume=True)
    live(None, after_step=0, resume=True)


def _step(out: Path) -> int:
    return max((row["step"] for row in read_rows(out)), default=0)
