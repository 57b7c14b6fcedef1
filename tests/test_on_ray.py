"""The Ray engine: the same bytes as one process, on nodes that come and go; what keeps failing is quarantined."""

import os
import sys
from pathlib import Path

import pytest

from datagen import build
from pipeline.base.progress import Tally
from tests.isolation import run_isolated
from tests.small_corpus import photo_folder, small_config

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]
ROOT = Path(build.__file__).parents[1]

JOB = r"""
import os, sys, threading, time
from pathlib import Path

from pipeline import cluster as ours

for name, value in ours.ENVIRONMENT.items():
    os.environ.setdefault(name, value)

import ray
from ray.cluster_utils import Cluster

from datagen import build, on_ray, plan, planning
from datagen.build import Workers
from datagen.config import CorpusConfig
from pipeline.base.config import load
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from tests import failing_makes

folder = Path(sys.argv[1])
small = load(CorpusConfig, str(folder / "small.toml"), presets=folder)
large = load(CorpusConfig, str(folder / "large.toml"), presets=folder)
crew = Workers(engine="ray", num_workers=2)

head = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "include_dashboard": False}
cluster = Cluster(initialize_head=True, head_node_args=head)
leaving = cluster.add_node(node_ip_address="127.0.0.2", num_cpus=1)
ray.init(address=cluster.address, log_to_driver=False)


def done():
    return len(list((folder / "ray").glob("*.done.json")))


summaries = []
work = {"workers": crew, "progress": Tally()}
builder = threading.Thread(target=lambda: summaries.append(build.run(large, str(folder / "ray"), **work)))
builder.start()
while done() < 3:
    assert builder.is_alive()
    time.sleep(0.02)
cluster.remove_node(leaving, allow_graceful=False)
(folder / "left").write_text(str(done()))
cluster.add_node(node_ip_address="127.0.0.3", num_cpus=1)
builder.join()
(summary,) = summaries
assert summary.num_samples == large.num_samples.total and summary.quarantined == (), summary

store = Store(folder / "quarantined")
plan.write(store, planning.make(small))
shards = plan.read(store)[0].shards()
for make, reason in ((failing_makes.dies, "worker_died"), (failing_makes.raises, "crashed")):
    outcomes = list(on_ray.cluster(store, shards, make, workers=1, address=None))
    failures = [outcome for outcome in outcomes if isinstance(outcome, on_ray.Failure)]
    assert [failure.shard.name.stem for failure in failures] == [failing_makes.VICTIM], outcomes
    assert failures[0].reason == reason
    assert len(outcomes) == len(shards)
ray.shutdown()
cluster.shutdown()
print("passed", flush=True)
os._exit(0)  # Ray's exit handlers fail over the node that was removed
"""


def test_nodes_that_come_and_go_change_no_byte_and_failing_shards_are_quarantined(tmp_path: Path) -> None:
    from datagen.config import Counts
    from pipeline.base.config import to_toml

    photos = photo_folder(tmp_path / "photos", 5)
    large = small_config(photos, samples_per_shard=1, num_samples=Counts(train=24))
    (tmp_path / "large.toml").write_text(to_toml(large))
    (tmp_path / "small.toml").write_text(to_toml(small_config(photos)))
    (tmp_path / "job.py").write_text(JOB)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = run_isolated(sys.executable, str(tmp_path / "job.py"), str(tmp_path), env=environment, timeout_s=500)
    assert ran.returncode == 0 and "passed" in ran.stdout, ran.stdout[-2000:] + ran.stderr[-4000:]
    assert int((tmp_path / "left").read_text()) < 24, "the work was over before the node left"
    build.run(large, str(tmp_path / "local"), workers=1, progress=Tally())
    made, expected = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("ray", "local")
    )
    assert made == expected
