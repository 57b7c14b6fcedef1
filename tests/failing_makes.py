"""Ways in which the making of a shard fails for real; worker processes receive these functions by name."""

import os
import signal
from pathlib import Path

from datagen.plan import Plan, Shard
from datagen.work import make_shard
from pipeline.base.errors import StorageError
from pipeline.base.store import Store
from pipeline.formats.shards import ShardRecord

VICTIM = "small-train-000001"


def dies(store: Store, plan: Plan, shard: Shard, plan_sha256: str) -> ShardRecord:
    """Kill the process that works on the victim, every time, as the kernel does when memory is short."""
    if shard.name.stem == VICTIM:
        os.kill(os.getpid(), signal.SIGKILL)
    return make_shard(store, plan, shard, plan_sha256)


def dies_once(store: Store, plan: Plan, shard: Shard, plan_sha256: str) -> ShardRecord:
    """Kill the process that works on the victim, the first time only."""
    mark = Path(store.url).with_name("died")
    if shard.name.stem == VICTIM and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return make_shard(store, plan, shard, plan_sha256)


def raises(store: Store, plan: Plan, shard: Shard, plan_sha256: str) -> ShardRecord:
    """Raise what nobody expected on the victim, every time."""
    if shard.name.stem == VICTIM:
        raise ZeroDivisionError("of all things")
    return make_shard(store, plan, shard, plan_sha256)


def disk_full(store: Store, plan: Plan, shard: Shard, plan_sha256: str) -> ShardRecord:
    """Fail as every shard would."""
    raise StorageError(f"{store.url}: no space left on device")
