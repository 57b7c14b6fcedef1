"""The Ray engine: same bytes as the local one, nothing listens beyond loopback, nothing is left running."""

import os
import sys

import pytest

from tests.isolation import run_isolated

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]

JOB = r"""
import sys
from pathlib import Path

import os, signal
import numpy as np

from pipeline import cluster
from pipeline.base.errors import UsageError
from pipeline.base.progress import Tally
from pipeline.base.store import Store
from pipeline.codecs.checkpoint import build_codec, save
from pipeline.formats.picture import write_png
from serving import app, jobs
from serving.config import ArchiveConfig

folder = Path(sys.argv[1])
LOOPBACK = ("0100007F", "0" * 24 + "01000000", "0000000000000000FFFF00000100007F")
seen, results = set(), []


def listening():
    # The test runs in a network namespace of its own, so that every listener in it belongs to this job.
    tables = [Path("/proc/net", name).read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    return {line.split()[1] for table in tables for line in table if line.split()[3] == "0A"}


def replicas():
    found = []
    for process in Path("/proc").iterdir():
        try:
            ours = os.readlink(process / "ns/net") == os.readlink("/proc/self/ns/net")
            if ours and "ServeReplica" in (process / "cmdline").read_text():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def all_files(where):
    return {str(path.relative_to(where)): path.read_bytes() for path in where.rglob("*") if path.is_file()}


def create(name, **options):
    config = ArchiveConfig(pictures_per_shard=4, pictures_per_chunk=2, **options)
    return jobs.create(
        [str(folder / "pictures")],
        str(folder / name),
        config=config,
        checkpoint=str(folder / "checkpoint"),
        progress=Tally(),
    )


def watching(*pending, real=app._result):
    # Looks at the ports while requests are in flight, and kills a replica under one of them.
    seen.update(listening())
    results.append(1)
    if len(results) == 2:
        assert len(replicas()) == 2, replicas()
        os.kill(replicas()[0], signal.SIGKILL)
    return real(*pending)


def main():
    codec = build_codec("mtl_sci", {"num_channels": 8, "num_latents": 8})
    save(Store(folder / "checkpoint"), "mtl_sci", codec, provenance={})
    rng = np.random.default_rng(0)
    for i in range(10):
        pixels = rng.integers(0, 256, (30 + i, 40, 3), dtype=np.uint8)
        Store(folder / "pictures").write_bytes(f"p{i:02d}.png", write_png(pixels))
    Store(folder / "pictures").write_bytes("bad.png", b"text")
    with cluster.connect(num_cpus=2):
        before = listening()
        try:
            create("too-many", engine="ray", workers=3)
        except UsageError as error:
            assert "workers = 3, but the Ray cluster has 2 CPUs" in str(error), error
        else:
            raise AssertionError("3 replicas on 2 CPUs were not refused")
        app._result = watching
        summary = create("ray", engine="ray", workers=2)
        assert (summary.num_entries, summary.rejected) == (10, {"not_a_picture": 1}), summary
        assert not app._is_serve_running()
        import ray
        assert ray.is_initialized()
    assert len(seen - before) >= 2, "the replicas' own ports were not seen"
    strangers = [address for address in before | seen if address.partition(":")[0] not in LOOPBACK]
    assert not strangers, strangers
    create("local", engine="local", workers=1)
    assert all_files(folder / "ray") == all_files(folder / "local")
    print("all held")


if __name__ == "__main__":
    main()
"""


def test_ray_engine_gives_the_local_bytes_on_loopback_and_survives_a_killed_replica(tmp_path):
    script = tmp_path / "job.py"
    script.write_text(JOB)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = run_isolated(sys.executable, str(script), str(tmp_path), env=environment, timeout_s=580)
    assert ran.returncode == 0 and "all held" in ran.stdout, ran.stdout[-2000:] + ran.stderr[-6000:]
