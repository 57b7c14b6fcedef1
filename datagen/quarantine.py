"""Shards that kept failing: `NAME.failed.json` beside where the shard would be, until it is made."""

import json

from datagen.engines import Failure
from datagen.plan import Shard
from pipeline.base.errors import ShardError
from pipeline.base.store import Store, canonical_json


def write_failure(store: Store, failure: Failure, plan_sha256: str) -> None:
    """Record a shard's failure. Raises: StorageError."""
    row = {"stem": failure.shard.name.stem, "num_samples": failure.shard.num_samples, "plan_sha256": plan_sha256}
    row |= {"attempts": failure.attempts, "reason": failure.reason, "message": failure.message}
    store.write_bytes(_name(failure.shard), canonical_json(row))


def read_failure(store: Store, shard: Shard, plan_sha256: str) -> Failure | None:
    """Return a shard's failure under this plan, or None. Raises: ShardError: the file is damaged."""
    if not store.exists(_name(shard)):
        return None
    try:
        row = json.loads(store.read_bytes(_name(shard)))
        if row["plan_sha256"] != plan_sha256:
            return None
        return Failure(
            shard=shard, attempts=int(row["attempts"]), reason=str(row["reason"]), message=str(row["message"])
        )
    except (ValueError, TypeError, KeyError) as error:
        raise ShardError(f"{store.where(_name(shard))}: not a shard's quarantine record ({error})") from error


def forget_failure(store: Store, shard: Shard) -> None:
    """Remove a shard's failure: it was made, or is to be tried again. Raises: StorageError."""
    store.remove(_name(shard))


def _name(shard: Shard) -> str:
    return f"{shard.name.stem}.failed.json"
