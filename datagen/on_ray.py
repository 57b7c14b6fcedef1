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
from datagen.remask import Task, mask_shard
from pipeline.base.errors import DiptychError, MissingDependency, StorageError
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


def masked(tasks: Sequence[Task], *, workers: int, address: str | None) -> Iterator[ShardRecord]:
    """Make the region maps of shards in actors that hold a network each: on a GPU each if that is where it runs.

    A shard whose actor or node dies is given to another one. Raises: MissingDependency; UsageError: no cluster answers;
    StorageError: shards keep losing their actors.
    """
    if not tasks:
        return
    with connect(address=address, num_cpus=workers):
        import ray

        resources: Callable[[], dict[str, float]] = ray.cluster_resources
        on_gpu = tasks[0].config.sam_device != "cpu" and resources().get("GPU", 0) > 0
        actor = ray.remote(num_cpus=0 if on_gpu else 1, num_gpus=1 if on_gpu else 0)(_Masker)
        total = resources().get("GPU" if on_gpu else "CPU", 1)
        yield from _by_actors(tasks, actor.remote, num_actors=max(1, min(len(tasks), int(total))))


class _Masker:
    """An actor; its process holds the network that its first shard needs."""

    def make(self, task: Task) -> ShardRecord:
        return mask_shard(task)


def _by_actors(tasks: Sequence[Task], start: Callable[[], Any], *, num_actors: int) -> Iterator[ShardRecord]:
    import ray
    from ray import exceptions

    idle = [start() for _ in range(num_actors)]
    waiting = deque((task, 0) for task in tasks)
    working: dict[Any, tuple[Any, Task, int]] = {}
    while waiting or working:
        while waiting and idle:
            (task, losses), actor = waiting.popleft(), idle.pop()
            working[actor.make.remote(task)] = (actor, task, losses)
        ready, _ = ray.wait(list(working))
        for reference in ready:
            actor, task, losses = working.pop(reference)
            try:
                record = ray.get(reference)
            except exceptions.RayTaskError as error:
                raise error.cause if isinstance(error.cause, DiptychError) else error from error
            except exceptions.RayActorError as error:
                if losses + 1 >= ATTEMPTS:
                    raise StorageError(f"{task.stem}: its actor died {losses + 1} times ({error})") from error
                waiting.append((task, losses + 1))
                # A new one, which takes tasks from now on: an actor that Ray restarts refuses them until it is there.
                idle.append(start())
            else:
                idle.append(actor)
                yield record


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
