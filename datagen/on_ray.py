"""Shards as Ray tasks, on a cluster whose nodes come and go; the only file of datagen that imports Ray.

A task reads the plan by the corpus's URL, so all nodes see the corpus (and local photographs) under one path. Ray
places the tasks; what is done is said by the commit records on disk.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from datagen import plan as plans
from datagen.engines import ATTEMPTS, Failure, Make, Outcome, crashed
from datagen.plan import Plan, Shard
from pipeline.base.errors import DiptychError, MissingDependency
from pipeline.base.store import Store
from pipeline.cluster import connect
from pipeline.formats.shards import ShardRecord

_TASKS_A_CPU = 2
"""Tasks submitted ahead for each CPU: enough to keep it busy, few enough that a million shards stay on our side."""
_LOST_NODES = 20
"""How often a shard may lose its node before that counts as the shard's fault."""
_POLL_S = 1.0


def cluster(
    store: Store, shards: Sequence[Shard], make: Make, *, workers: int, address: str | None
) -> Iterator[Outcome]:
    """Make the shards as tasks of one CPU each on the cluster at `address`, else on a new local one of `workers` CPUs.

    Raises: MissingDependency; UsageError: no cluster answers.
    """
    if not shards:
        return
    with connect(address=address, num_cpus=workers):
        yield from _run(store.absolute_url, shards, make)


def _run(url: str, shards: Sequence[Shard], make: Make) -> Iterator[Outcome]:
    try:
        import ray
        from ray import exceptions
    except ModuleNotFoundError as error:
        raise MissingDependency("ray is not installed; pip install 'diptych[train]'") from error

    # Retries are ours: Ray's own would not tell a node that went away from a shard that kills its process.
    task = ray.remote(num_cpus=1, max_retries=0)(_make_shard)
    resources: Callable[[], dict[str, float]] = ray.cluster_resources
    waiting = deque((shard, 1, 0) for shard in shards)
    working: dict[Any, tuple[Shard, int, int]] = {}
    while waiting or working:
        # Asked again each time: nodes join and leave.
        ahead = _TASKS_A_CPU * max(1, int(resources().get("CPU", 1)))
        while waiting and len(working) < ahead:
            shard, attempt, losses = waiting.popleft()
            working[task.remote(url, make, shard)] = (shard, attempt, losses)
        ready, _ = ray.wait(list(working), timeout=_POLL_S)
        for reference in ready:
            shard, attempt, losses = working.pop(reference)
            try:
                yield ray.get(reference)
            except exceptions.RayTaskError as error:
                cause = error.cause
                if isinstance(cause, DiptychError):
                    raise cause from error
                if attempt < ATTEMPTS:
                    waiting.append((shard, attempt + 1, losses))
                else:
                    yield crashed(shard, attempt, cause)
            except exceptions.NodeDiedError as error:
                if losses < _LOST_NODES:
                    waiting.append((shard, attempt, losses + 1))
                else:
                    yield _died(shard, attempt, error)
            except (exceptions.WorkerCrashedError, exceptions.OutOfMemoryError, exceptions.ObjectLostError) as error:
                if attempt < ATTEMPTS:
                    waiting.append((shard, attempt + 1, losses))
                else:
                    yield _died(shard, attempt, error)


def _died(shard: Shard, attempts: int, error: Exception) -> Failure:
    message = f"{shard.name.stem}: its process died {attempts} times ({type(error).__name__})"
    return Failure(shard=shard, attempts=attempts, reason="worker_died", message=message)


def _make_shard(url: str, make: Make, shard: Shard) -> ShardRecord:
    store, plan, plan_sha256 = _opened(url)
    return make(store, plan, shard, plan_sha256)


@lru_cache(maxsize=2)
def _opened(url: str) -> tuple[Store, Plan, str]:
    """Return a corpus's plan, read once a process. A plan in a folder never changes once it is written."""
    store = Store(url)
    return store, *plans.read(store)
