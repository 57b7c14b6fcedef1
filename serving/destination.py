"""Where an archive is made: whether what lies there fits what is asked for."""

from collections.abc import Mapping
from typing import Any

from pipeline.base.errors import ArchiveError, UsageError
from pipeline.base.store import TEMPORARY_PREFIX, Store
from pipeline.formats.archive import tar_name
from pipeline.formats.archive_index import index_name
from pipeline.formats.archive_records import ARCHIVE, CommitRecord, read_commit, read_info


def check(store: Store, info: Mapping[str, Any]) -> bool:
    """Return whether an archive was begun here; compare the parts of its description that `info` holds.

    Raises: UsageError: it was begun with others, or something else lies here; ArchiveError: the description is damaged.
    """
    if not store.exists(ARCHIVE):
        _refuse_other_contents(store)
        return False
    begun = read_info(store)
    for part, now in info.items():
        if begun.get(part) != now:
            raise UsageError(
                f"{store.where(ARCHIVE)}: the archive was begun with {part} {begun.get(part)}, now it is {now}. "
                "Use the same, or another destination"
            )
    return True


def committed(store: Store, plan_sha256: str, *, num_shards: int) -> dict[int, CommitRecord]:
    """Return the records of the shards that need not be done again; no tar is opened."""
    commits = {}
    for shard in range(num_shards):
        try:
            commit = read_commit(store, shard)
        except ArchiveError:
            # A damaged record stands for nothing; the shard is coded again, to the same bytes.
            continue
        if commit is not None and commit.plan_sha256 == plan_sha256 and _has_files(store, commit):
            commits[shard] = commit
    return commits


def _has_files(store: Store, commit: CommitRecord) -> bool:
    sizes = ((tar_name(commit.shard), commit.tar_bytes), (index_name(commit.shard), commit.index_bytes))
    return all(store.exists(name) and store.size(name) == size for name, size in sizes)


def _refuse_other_contents(store: Store) -> None:
    folder = store.local_path()
    others = store.names() if folder is None else [path.name for path in folder.iterdir()] if folder.is_dir() else []
    others = sorted(name for name in others if not name.startswith(TEMPORARY_PREFIX))
    if others:
        raise UsageError(f"{store.url}: not empty and not an archive (holds {others[0]!r}); give another destination")
