"""Region maps by actors of a Ray cluster: the bytes of one process, also when an actor dies."""

import os
import sys
from pathlib import Path

import pytest

from datagen import build, remask
from datagen.config import Counts, MasksConfig
from pipeline.base.progress import Tally
from tests.isolation import run_isolated
from tests.small_corpus import photo_folder, small_config
from tests.test_remask import contents
from tests.tiny_sam import save_tiny_sam

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]
ROOT = Path(build.__file__).parents[1]

JOB = r"""
import os, signal, sys
from pathlib import Path

from pipeline import cluster as ours

for name, value in ours.ENVIRONMENT.items():
    os.environ.setdefault(name, value)

from datagen import on_ray, remask
from datagen.build import Workers
from datagen.config import MasksConfig
from pipeline.base.progress import Tally

folder = Path(sys.argv[1])
config = MasksConfig(sam_checkpoint=str(folder / "tiny.pth"), sam_points_per_side=2, sam_device="cpu")

make = on_ray._Masker.make


def dying(self, task):
    # The first actor that gets this shard is killed with it, as by the kernel when memory is short.
    mark = folder / "died"
    if task.stem.endswith("000001") and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return make(self, task)


on_ray._Masker.make = dying
crew = Workers(engine="ray", num_workers=2)
summary = remask.run(str(folder / "corpus"), str(folder / "ray"), config=config, workers=crew, progress=Tally())
assert summary.engines == {"sam": 6} and (folder / "died").exists(), summary
print("passed")
sys.stdout.flush()
os._exit(0)
"""


def test_actors_make_the_bytes_of_one_process_and_a_dead_one_costs_nothing(tmp_path: Path) -> None:
    checkpoint = save_tiny_sam(tmp_path / "tiny.pth")
    small = small_config(photo_folder(tmp_path / "photos", 4), samples_per_shard=2, num_samples=Counts(train=6))
    build.run(small, str(tmp_path / "corpus"), workers=1, progress=Tally())
    (tmp_path / "job.py").write_text(JOB)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = run_isolated(sys.executable, str(tmp_path / "job.py"), str(tmp_path), env=environment, timeout_s=500)
    assert ran.returncode == 0 and "passed" in ran.stdout, ran.stdout[-2000:] + ran.stderr[-4000:]
    config = MasksConfig(sam_checkpoint=str(checkpoint), sam_points_per_side=2, sam_device="cpu")
    remask.run(str(tmp_path / "corpus"), str(tmp_path / "local"), config=config, workers=1, progress=Tally())
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")
