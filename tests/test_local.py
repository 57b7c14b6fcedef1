"""The local engine: order, bounded flight, errors, and workers that end with their parent."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.base.errors import UsageError
from serving.local import map_chunks


def doubled(state, chunk):
    return [state["factor"] * item for item in chunk]


def make_state():
    return {"factor": 2}


def refuse():
    raise UsageError("no state")


def die(_state, _chunk):
    os._exit(3)


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order_and_chunks_are_taken_as_needed(workers):
    taken = []

    def chunks():
        for i in range(12):
            taken.append(i)
            yield [i, i + 100]

    results = map_chunks(make_state, doubled, chunks(), workers=workers)
    assert next(results) == [0, 200]
    assert len(taken) <= 2 * workers
    assert list(results) == [[2 * i, 2 * i + 200] for i in range(1, 12)]


@pytest.mark.parametrize("workers", [1, 2])
def test_what_goes_wrong_in_a_worker_keeps_its_type(workers):
    with pytest.raises(UsageError, match="no state"):
        list(map_chunks(refuse, doubled, [[1]], workers=workers))


def test_a_dead_worker_is_one_clear_error():
    with pytest.raises(UsageError, match="a worker process died"):
        list(map_chunks(make_state, die, [[1], [2]], workers=2))


HANGING = """
import sys, time
from serving.local import map_chunks

def work(state, chunk):
    time.sleep(1000)

if __name__ == "__main__":
    list(map_chunks(dict, work, [1, 2, 3, 4], workers=2))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_workers_end_with_a_killed_parent(tmp_path):
    script = tmp_path / "hanging.py"
    script.write_text(HANGING)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.Popen([sys.executable, script], env=environment, start_new_session=True)
    deadline = time.monotonic() + 100
    # The parent, multiprocessing's resource tracker and two workers.
    while len(session_members(child.pid)) < 4 and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(session_members(child.pid)) == 4
    time.sleep(1)
    child.kill()
    child.wait()
    while session_members(child.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not session_members(child.pid)


def session_members(session):
    members = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                state, _, _, found = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            except OSError:
                continue
            if int(found) == session and state != "Z":
                members.append(int(folder.name))
    return members
