"""The archive's three jobs: create, verify, extract."""

import importlib.metadata
import platform
import time
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.base.errors import CheckpointError, MissingDependency
from pipeline.base.progress import Progress
from pipeline.base.store import Store, sha256_hex
from pipeline.formats.archive import write_shard
from pipeline.formats.archive_index import PLAN, PlanRow
from pipeline.formats.archive_records import (
    REJECTED,
    CommitRecord,
    Rejection,
    weights_name,
    write_info,
    write_rejected,
)
from serving import local, plan
from serving.config import ArchiveConfig, lasting_settings
from serving.destination import check, committed
from serving.extraction import ExtractSummary, extract
from serving.inputs import list_inputs
from serving.verification import VerifySummary, verify

if TYPE_CHECKING:
    from serving.engine import Coded

__all__ = ["CreateSummary", "ExtractSummary", "PlanSummary", "VerifySummary", "create", "describe", "extract", "verify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateSummary:
    """What an archive holds after `create`; shards that an earlier run had committed are counted in."""

    num_entries: int
    num_rejected: int
    rejected: dict[str, int]
    """How many inputs were refused, by reason."""
    num_not_listed: int
    """Files that were passed over in the folders: no picture's suffix, hidden, or temporary."""
    num_shards: int
    num_shards_resumed: int
    """Of these, committed by an earlier run."""
    input_bytes: int
    """Of the files whose pictures the archive holds."""
    bitstream_bytes: int
    archive_bytes: int
    """Of tars, indexes, plan and weights."""
    bpp: float
    """8 x bitstream_bytes / pixels; 0 if there is no picture."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSummary:
    """What `create` would do."""

    num_inputs: int
    input_bytes: int
    """Of the files listed; some may be rejected."""
    num_shards: int
    num_not_listed: int
    num_shards_committed: int
    """Of the shards, done by an earlier run; they would not be coded again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weights:
    path: Path
    sha256: str


def create(
    sources: Sequence[str], dest: str, *, config: ArchiveConfig, checkpoint: str, progress: Progress
) -> CreateSummary:
    """Code the pictures in `sources` into the archive `dest`; run again after a crash, go on where it stopped.

    The archive's bytes depend on the inputs, the weights and the config's lasting settings alone.
    Raises: UsageError: no pictures, a destination that is something else, an archive begun with other inputs, weights
    or settings, or that another process is writing; CheckpointError; StorageError.
    """
    started = time.monotonic()
    listing = list_inputs(sources)
    progress.total(len(listing.inputs))
    store = Store(dest)
    codec, weights = _load_weights(checkpoint, config.rate)
    labeller = _check_guidance(config, str(codec["name"]))
    with store.sole_writer():
        info = {"codecs": [codec], "settings": lasting_settings(config)}
        if labeller is not None:
            info["labeller_sha256"] = labeller.sha256
        _settle_archive(store, info, weights)
        rows = list(plan.make_rows(listing.inputs, pictures_per_shard=config.pictures_per_shard))
        plan_sha256 = plan.settle(store, rows)
        commits = committed(store, plan_sha256, num_shards=rows[-1].shard + 1)
        num_resumed = len(commits)
        for commit in commits.values():
            progress.advance(commit.num_pictures)
            for rejection in commit.rejected:
                progress.reject(rejection.reason)
        if num_resumed <= rows[-1].shard:
            # It says that all shards are committed; while that is not so, it may not be there.
            store.remove(REJECTED)
            missing = ((shard, inputs) for shard, inputs in plan.shards(store) if shard not in commits)
            coded = _code(missing, config, weights, labeller)
            # Closed at once if writing fails, so that no worker or replica outlives the job.
            with closing(coded):
                for shard, items in groupby(coded, key=itemgetter(0)):
                    told = _tell((item for _, item in items), progress)
                    commits[shard] = write_shard(store, shard, told, plan_sha256=plan_sha256)
        done = [commits[shard] for shard in sorted(commits)]
        write_rejected(store, done)
        return _summary(store, done, listing.num_not_listed, num_resumed, time.monotonic() - started)


def describe(sources: Sequence[str], dest: str, *, config: ArchiveConfig) -> PlanSummary:
    """Say what `create` would do with the same arguments; nothing is written, no picture is opened.

    Raises: UsageError: no pictures, a destination that is something else, an archive begun with other inputs or
    settings; ArchiveError, StorageError: what lies at the destination cannot be read.
    """
    listing = list_inputs(sources)
    store = Store(dest)
    rows = list(plan.make_rows(listing.inputs, pictures_per_shard=config.pictures_per_shard))
    num_shards = rows[-1].shard + 1
    num_committed = 0
    if check(store, {"settings": lasting_settings(config)}) and store.exists(PLAN):
        plan.compare(store, rows)
        num_committed = len(committed(store, plan.plan_sha256(store), num_shards=num_shards))
    return PlanSummary(
        num_inputs=len(rows),
        input_bytes=sum(row.num_bytes for row in rows),
        num_shards=num_shards,
        num_not_listed=listing.num_not_listed,
        num_shards_committed=num_committed,
    )


def _load_weights(checkpoint: str, rate: float | None) -> tuple[dict[str, Any], _Weights]:
    """Return how the archive's description names the codec, and where its weights lie, if they code at the rate."""
    try:
        from pipeline.codecs import checkpoint as checkpoints
        from pipeline.codecs.guidance import check_rate
    except ModuleNotFoundError as error:
        raise MissingDependency(f"{error.name} is not installed; pip install 'diptych[codecs]'") from error
    loaded = checkpoints.load(checkpoint)
    check_rate(rate, loaded)
    codec = {"name": loaded.spec.name, "wire_id": loaded.spec.wire_id, "weights_sha256": loaded.weights_sha256}
    path = Path(checkpoint)
    return codec, _Weights(path=path / checkpoints.WEIGHTS if path.is_dir() else path, sha256=loaded.weights_sha256)


def _check_guidance(config: ArchiveConfig, codec: str) -> _Weights | None:
    """Return the labeller, if there is one. Raises: UsageError: the codec has no use for what the config says."""
    from pipeline.codecs import checkpoint as checkpoints
    from pipeline.codecs.guidance import Guidance, check
    from pipeline.codecs.table import find_codec

    loaded = checkpoints.load(config.labeller) if config.labeller else None
    check(Guidance(exact=config.exact, background_step=config.background_step, labeller=loaded), find_codec(codec))
    if loaded is None:
        return None
    path = Path(config.labeller)
    return _Weights(path=path / checkpoints.WEIGHTS if path.is_dir() else path, sha256=loaded.weights_sha256)


def _settle_archive(store: Store, info: Mapping[str, Any], weights: _Weights) -> None:
    """Begin the archive, or check that it was begun the same way; the weights are in it afterwards."""
    if not check(store, info):
        write_info(store, {**info, "versions": _versions()})
    # Only now, when the folder is known to be an archive, may a killed run's leftovers be removed.
    store.sweep()
    _settle_weights(store, weights)


def _settle_weights(store: Store, weights: _Weights) -> None:
    name = weights_name(weights.sha256)
    data = Store(weights.path.parent).read_bytes(weights.path.name)
    if sha256_hex(data) != weights.sha256:
        raise CheckpointError(f"{weights.path}: the file was changed while it was read")
    if not store.exists(name) or sha256_hex(store.read_bytes(name)) != weights.sha256:
        store.write_bytes(name, data)


def _code(
    shards: Iterable[tuple[int, list[PlanRow]]], config: ArchiveConfig, weights: _Weights, labeller: _Weights | None
) -> Generator[tuple[int, "Coded"], None, None]:
    """Yield (shard, entry or rejection) in plan order, from the engine that the config names."""
    from serving import engine
    from serving.chunks import cut_chunks

    engine_config = engine.EngineConfig(
        # Workers and replicas have other working directories.
        weights_path=str(weights.path.resolve()),
        weights_sha256=weights.sha256,
        max_pixels=config.max_pixels,
        verify=config.verify,
        exact=config.exact,
        background_step=config.background_step,
        rate=config.rate,
        labeller_path="" if labeller is None else str(labeller.path.resolve()),
        labeller_sha256="" if labeller is None else labeller.sha256,
    )
    in_flight: deque[int] = deque()

    def tasks() -> Iterator[tuple[engine.Task, ...]]:
        for chunk in cut_chunks(shards, config):
            in_flight.append(chunk.shard)
            yield chunk.tasks

    if config.engine == "ray":
        from serving import app

        results = app.map_chunks(engine_config, tasks(), replicas=config.workers, address=config.ray_address)
    else:
        open_state = partial(engine.open_engine, engine_config)
        results = local.map_chunks(open_state, engine.code_chunk, tasks(), workers=config.workers)
    with closing(results):
        for coded in results:
            shard = in_flight.popleft()
            for item in coded:
                yield shard, item


def _tell(items: Iterable["Coded"], progress: Progress) -> Iterator["Coded"]:
    for item in items:
        yield item
        if isinstance(item, Rejection):
            progress.reject(item.reason)
        else:
            progress.advance()


def _summary(
    store: Store, commits: Sequence[CommitRecord], num_not_listed: int, num_resumed: int, seconds: float
) -> CreateSummary:
    rejected = Counter(rejection.reason for commit in commits for rejection in commit.rejected)
    num_pixels = sum(commit.num_pixels for commit in commits)
    bitstream_bytes = sum(commit.bitstream_bytes for commit in commits)
    held = sum(commit.tar_bytes + commit.index_bytes for commit in commits)
    return CreateSummary(
        num_entries=sum(commit.num_pictures for commit in commits),
        num_rejected=rejected.total(),
        rejected=dict(sorted(rejected.items())),
        num_not_listed=num_not_listed,
        num_shards=len(commits),
        num_shards_resumed=num_resumed,
        input_bytes=sum(commit.input_bytes for commit in commits),
        bitstream_bytes=bitstream_bytes,
        archive_bytes=held + store.size(PLAN) + sum(store.size(name) for name in store.names("weights")),
        bpp=8 * bitstream_bytes / num_pixels if num_pixels else 0.0,
        seconds=seconds,
    )


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("diptych", "numpy", "pillow", "pyarrow", "torch", "numba"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
