"""The plans that drew a corpus's samples: its own, or, of a corpus made from others, those it keeps a copy of.

A corpus that is dealt from others (`deal.parquet`) names a plan and a key for every sample. One that another stage made
sample by sample (labels, region maps) names in its `plan.json` the one plan that drew them, as `origin`, or keeps the
`deal.parquet` of the corpus that it was made from.
"""

import json
from typing import Any

from pipeline.base.errors import ShardError
from pipeline.base.store import Store, sha256_hex
from pipeline.formats.shards import read_parquet

PLAN, SOURCES, CONFIG = "plan.json", "sources.parquet", "config.toml"
"""The names of a drawn corpus's plan, so that no kind is written into a folder of another."""
DEAL, ORIGINS = "deal.parquet", "origins"


def origin_folder(origin: str) -> str:
    """Return the folder inside a corpus that keeps the plan of digest `origin`."""
    return f"{ORIGINS}/{origin[:16]}"


def read_plan(store: Store) -> dict[str, Any]:
    """Return the table in a corpus's `plan.json`, whatever stage wrote it. Raises: ShardError: it is damaged."""
    try:
        table = json.loads(store.read_bytes(PLAN))
        if not isinstance(table, dict) or not isinstance(table["format"], str):
            raise ValueError("no format")
    except (ValueError, KeyError) as error:
        raise ShardError(f"{store.where(PLAN)}: not a corpus plan ({error})") from error
    return table


def origins_of(store: Store) -> dict[str, str]:
    """Return where the plans lie that drew a corpus's samples: by their SHA-256, the folder with its slash or "".

    Raises: ShardError: the plan or the table is damaged.
    """
    if store.exists(DEAL):
        origins = read_parquet(store, DEAL, columns=["origin"]).column("origin").unique().to_pylist()
        return {origin: f"{origin_folder(origin)}/" for origin in origins if origin}
    if not store.exists(PLAN):
        return {}
    origin = read_plan(store).get("origin")
    return {sha256_hex(store.read_bytes(PLAN)): ""} if origin is None else {origin: f"{origin_folder(origin)}/"}


def origin_files(store: Store) -> dict[str, bytes]:
    """Return the files of these plans, as far as they are there, by the name under which another corpus keeps them."""
    return {
        f"{origin_folder(origin)}/{name}": store.read_bytes(f"{folder}{name}")
        for origin, folder in origins_of(store).items()
        for name in (PLAN, SOURCES, CONFIG)
        if store.exists(f"{folder}{name}")
    }


def kept_origins(store: Store) -> list[str]:
    """Return the digests of the plans that a corpus keeps a copy of."""
    return [origin for origin, folder in origins_of(store).items() if folder and store.exists(f"{folder}{PLAN}")]
