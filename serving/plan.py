"""The plan of an archive: which input goes into which shard; written before any shard, read again on resume."""

from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest

from pipeline.base.errors import UsageError
from pipeline.base.store import Store, sha256_file, sha256_hex
from pipeline.formats.archive_index import PLAN, PlanRow, iter_plan, write_plan
from serving.inputs import Input

_SHOWN = 3


def make_rows(inputs: Sequence[Input], *, pictures_per_shard: int) -> Iterator[PlanRow]:
    """Yield the plan's rows: inputs in order, so many a shard."""
    for number, item in enumerate(inputs):
        yield PlanRow(
            name=item.name,
            root=item.root,
            path=None if item.path == item.name else item.path,
            num_bytes=item.num_bytes,
            mtime=item.mtime,
            shard=number // pictures_per_shard,
        )


def settle(store: Store, rows: Sequence[PlanRow]) -> str:
    """Write the plan, or, if the archive has one, compare; return its SHA-256, hexadecimal.

    Raises: UsageError: the inputs are not those that the archive was begun with; ArchiveError: its plan is damaged.
    """
    if store.exists(PLAN):
        compare(store, rows)
    else:
        with store.writing(PLAN) as path:
            write_plan(path, rows)
    return plan_sha256(store)


def plan_sha256(store: Store) -> str:
    """Return the digest of the plan as it is stored."""
    path = store.local_path(PLAN)
    return sha256_file(path) if path is not None else sha256_hex(store.read_bytes(PLAN))


def shards(store: Store) -> Iterator[tuple[int, list[PlanRow]]]:
    """Yield (shard number, its inputs), a few shards in memory at a time."""
    for shard, rows in groupby(iter_plan(store), key=lambda row: row.shard):
        yield shard, list(rows)


def compare(store: Store, rows: Sequence[PlanRow]) -> None:
    """Compare the archive's plan with the rows found now. Raises: UsageError: they differ; ArchiveError: damaged."""
    pairs = zip_longest(iter_plan(store), rows)
    if all(planned == found for planned, found in pairs):
        return
    planned = {row.name: row for row in iter_plan(store)}
    found = {row.name: row for row in rows}
    differences = [
        _some("new", [name for name in found if name not in planned]),
        _some("gone", [name for name in planned if name not in found]),
        _some(
            "changed",
            [name for name in found if name in planned and _identity(found[name]) != _identity(planned[name])],
        ),
    ]
    raise UsageError(
        f"{store.where(PLAN)}: the archive was begun with other inputs: {'; '.join(filter(None, differences))}. "
        "Give the inputs that it was begun with, or another destination"
    )


def _identity(row: PlanRow) -> tuple[str, int, int]:
    return row.location, row.num_bytes, row.mtime


def _some(what: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    more = ", ..." if len(names) > _SHOWN else ""
    return f"{len(names)} {what} ({', '.join(names[:_SHOWN])}{more})"
