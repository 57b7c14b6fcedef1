"""A training run on a Ray cluster to which things happen: `python -m tests.cluster_scenes FOLDER ACT ...`.

FOLDER holds `corpus` and `config.toml`; the run is written to `FOLDER/disk/run`, a tmpfs that can be filled. Acts
follow one another while the run is at work; each prints a JSON line with what the run had reached when it was over:

    full:S      the run's file system is full for S seconds
    kill        a worker ends by SIGKILL
    leave       the newest node ends without a word
    join        a node joins

Then the run is asked to stop, unless the last act is `ends:full` or `ends:kill`, which are to end it; what it says is
the last line. To be run in a network of its own (tests.isolation).
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.base.config import load
from pipeline.base.errors import DiptychError
from pipeline.base.progress import Tally
from pipeline.cluster import ENVIRONMENT
from training.config import TrainConfig
from training.events import read_events
from training.launch import run
from training.records import read_rows
from training.state import newest_complete, read_position
from training.stop import ask_to_stop

_PATIENCE_S = 400


class Nodes:
    """The cluster: a head and `num_nodes - 1` nodes more, one CPU each, each at an address of its own."""

    def __init__(self, num_nodes: int, *, num_cpus: int = 1) -> None:
        from ray.cluster_utils import Cluster

        self._num_cpus = num_cpus
        head = {"node_ip_address": "127.0.0.1", "num_cpus": num_cpus, "include_dashboard": False}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self._others: list[Any] = []
        self._number = 1
        for _ in range(num_nodes - 1):
            self.join()

    def join(self) -> None:
        self._number += 1
        self._others.append(self.cluster.add_node(node_ip_address=f"127.0.0.{self._number}", num_cpus=self._num_cpus))

    def leave(self) -> None:
        self.cluster.remove_node(self._others.pop(), allow_graceful=False)


def connect(num_nodes: int, *, num_cpus: int = 1) -> Nodes:
    """Start a cluster and join it."""
    for name, value in ENVIRONMENT.items():
        if name != "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S":
            os.environ[name] = value
    import ray

    nodes = Nodes(num_nodes, num_cpus=num_cpus)
    ray.init(address=nodes.cluster.address, log_to_driver=False)
    return nodes


class Scene:
    """One run and its acts."""

    def __init__(self, folder: Path, nodes: Nodes) -> None:
        self.out = folder / "disk" / "run"
        self._nodes = nodes
        self._ended: list[str] = []
        config = load(TrainConfig, str(folder / "config.toml"), presets=folder)
        self._thread = threading.Thread(target=self._run, args=(config, str(folder / "corpus")))
        self._thread.start()
        self._wait(lambda: self._step() > 0)

    def _run(self, config: TrainConfig, corpus: str) -> None:
        try:
            self._ended.append(str(run(config, corpus=corpus, out=str(self.out), resume=False, progress=Tally())))
        except DiptychError as error:
            self._ended.append(f"{type(error).__name__}: {error}")

    def _step(self) -> int:
        return max((row["step"] for row in read_rows(self.out)), default=0)

    def _saved(self) -> int:
        newest = newest_complete(self.out)
        return 0 if newest is None else int(read_position(newest)["step"])

    def _starts(self) -> list[dict[str, Any]]:
        return [row for row in read_events(self.out) if row["event"] == "started"]

    def _wait(self, until: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not until():
            if not self._thread.is_alive():
                raise AssertionError(f"the run ended: {self._ended}")
            if time.monotonic() > deadline:
                raise AssertionError(f"nothing happened; {read_events(self.out)}, step {self._step()}")
            time.sleep(0.1)

    def act(self, act: str) -> None:
        """Do it, and wait until the run has gone on for some steps."""
        name, _, value = act.partition(":")
        self._wait(lambda: self._saved() > 0)
        began, starts = time.monotonic(), len(self._starts())
        told = {"act": act, "step": self._step(), "saved": self._saved()}
        if name == "full":
            self._fill(float(value))
        else:
            getattr(self, f"_{name}")()
            self._wait(lambda: len(self._starts()) > starts)
        last = self._starts()[-1]["step"] if name != "full" else told["step"]
        self._wait(lambda: self._step() > last + 2)
        print(json.dumps({**told, "seconds": round(time.monotonic() - began, 1)}), flush=True)  # noqa: T201

    def ends(self, act: str) -> None:
        """Do what the run is to end by."""
        self._wait(lambda: self._saved() > 0)
        if act == "kill":
            self._kill()
        else:
            self._fill(_PATIENCE_S)
        self._told(self._step())

    def _fill(self, seconds: float) -> None:
        filler = self.out.parent / "filler"
        end = time.monotonic() + seconds
        try:
            with open(filler, "wb", buffering=0) as file:
                while time.monotonic() < end and self._thread.is_alive():
                    try:
                        file.write(b"\0" * 4096)
                    except OSError:
                        time.sleep(0.02)
        finally:
            filler.unlink()

    def _kill(self) -> None:
        pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal() and _is_worker(path)]
        os.kill(max(pids), signal.SIGKILL)

    def _leave(self) -> None:
        self._nodes.leave()

    def _join(self) -> None:
        self._nodes.join()

    def end(self) -> None:
        """Ask the run to stop; print what it said and its events."""
        step = self._step()
        ask_to_stop(self.out)
        self._told(step)

    def _told(self, step: int) -> None:
        self._thread.join(_PATIENCE_S)
        said = self._ended[0] if self._ended else "did not end"
        print(json.dumps({"said": said, "step": step, "events": read_events(self.out)}), flush=True)  # noqa: T201


def _is_worker(process: Path) -> bool:
    try:
        return b"RayTrainWorker" in (process / "cmdline").read_bytes()
    except OSError:
        return False


def curves(folder: Path) -> None:
    """Train with 1, 2 and 4 workers on two nodes and on three; print a JSON line of losses for each."""
    config = load(TrainConfig, str(folder / "config.toml"), presets=folder)
    nodes = connect(2, num_cpus=2)
    for count in (1, 2, 4, 5):
        if count == 5:
            nodes.join()
        out = folder / f"run-{count}"
        wanted = replace(config, num_workers=min(4, count), placement="SPREAD")
        run(wanted, corpus=str(folder / "corpus"), out=str(out), resume=False, progress=Tally())
        losses = {f"{row['split']} {row['step']}": row["loss"] for row in read_rows(out)}
        print(json.dumps({"num_workers": wanted.num_workers, "losses": losses}), flush=True)  # noqa: T201
    os._exit(0)


def main(folder: Path, *acts: str) -> None:
    """Play the acts on two nodes."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "none", str(disk)], check=True)
    nodes = connect(2)
    scene = Scene(folder, nodes)
    for act in acts:
        if act.startswith("ends:"):
            scene.ends(act.removeprefix("ends:"))
            break
        scene.act(act)
    else:
        scene.end()
    # Ray's exit handlers fail over nodes that were removed; all processes end with this namespace.
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
