"""Drawing a share of a corpus's samples again, from its plan and their keys, and comparing the bytes."""

import importlib.metadata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import pyarrow.compute as pc

from datagen import plan as plans
from datagen.dataset.copying import rename
from datagen.dataset.findings import Finding
from datagen.dataset.listing import ShardRow, read_sidecar
from datagen.dataset.origins import DEAL, origin_folder, origins_of
from datagen.derived import is_tiled
from datagen.plan import Plan
from datagen.work import make_sample
from pipeline.base.errors import DiptychError, UsageError
from pipeline.base.seeds import derive_seed
from pipeline.base.store import Store
from pipeline.formats.encoded import COLUMN
from pipeline.formats.sample import FIELDS, REGION_DETAILS, decode_info, encode_info
from pipeline.formats.shards import Rejection, read_parquet

_PLANS_HELD = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrawn:
    """What drawing some of a shard's samples again gave."""

    num_samples: int
    num_expected: int
    """Samples that differ, drawn with other versions than those here: no damage."""
    findings: tuple[Finding, ...]


def version_changes(store: Store) -> tuple[str, ...]:
    """Return what differs between the recorded versions and those here, such as `numpy 1.26.4, here 2.0.0`.

    Raises: UsageError: the corpus holds no plan; ShardError: it is damaged.
    """
    if is_tiled(store):
        raise UsageError(f"{store.url}: tiles are cut, not drawn; draw samples of the corpus that they were cut from")
    folders = origins_of(store).values() or [""]
    changes = {change for folder in folders for change in _changes(_plan(store.url, folder))}
    return tuple(sorted(changes))


def regenerate_shard(store: Store, shard: ShardRow, *, share: float) -> Redrawn:
    """Draw `share` (0..1) of a shard's synthesized samples again; a hash of the key chooses them.

    What hinders is a finding. Raises: ShardError: the side-car is damaged.
    """
    findings: list[Finding] = []
    num_samples = num_expected = 0
    for row in read_sidecar(store, shard.stem).to_pylist():
        key = row["key"]
        if not chosen(key, share):
            continue
        where = f"{shard.stem}.tar: {key}"
        try:
            folder, origin_key = _origin(store.url, shard.split, key)
            plan = _plan(store.url, folder)
            if not plan.is_synthesized(origin_key):
                continue
            members = {
                ending: store.read_bytes(
                    f"{shard.stem}.tar", start=row[f"{COLUMN[ending]}_offset"], size=row[f"{COLUMN[ending]}_size"]
                )
                for ending in FIELDS
            }
            different = _compare(plan, origin_key, key, members)
        except DiptychError as error:
            findings.append(Finding(kind="cannot_draw", where=where, message=str(error)))
            continue
        num_samples += 1
        if different and list(_changes(plan)):
            num_expected += 1
        elif different:
            findings.append(Finding(kind="not_the_same", where=where, message=different))
    return Redrawn(num_samples=num_samples, num_expected=num_expected, findings=tuple(findings))


def chosen(key: str, share: float) -> bool:
    """Return whether `key` is among the `share` (0..1) of samples that are drawn again: the same every time."""
    return bool(derive_seed(0, "regenerate", key) < share * 2**63)


def _compare(plan: Plan, origin_key: str, key: str, members: Mapping[str, bytes]) -> str:
    """Return how the members differ from those drawn again; "" if they do not. Raises: DiptychError."""
    attempt = decode_info(members["json"], where=key).details.get("attempt", 0)
    drawn = make_sample(plan, origin_key, attempt=attempt)
    if isinstance(drawn, Rejection):
        raise UsageError(f"{drawn.reason}: {drawn.message}")
    again = _with_later_regions(rename(drawn, key).members, members)
    different = [f".{ending}" for ending in FIELDS if again[ending] != members[ending]]
    return f"{', '.join(different)} differ when drawn again" if different else ""


def _with_later_regions(drawn: Mapping[str, bytes], found: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return the drawn members, with the found region map where another engine than the drawing's made it later."""
    own, later = (decode_info(members["json"], where="sample") for members in (drawn, found))
    if own.how_masked == later.how_masked:
        return drawn
    details = {name: value for name, value in own.details.items() if name != REGION_DETAILS}
    if REGION_DETAILS in later.details:
        details[REGION_DETAILS] = later.details[REGION_DETAILS]
    info = replace(own, how_masked=later.how_masked, details=details)
    return {**drawn, "regions.png": found["regions.png"], "json": encode_info(info)}


def _changes(plan: Plan) -> Iterator[str]:
    for name, version in plan.versions.items():
        here = _version_here(name)
        # What cannot be asked here, such as the digest of a checkpoint, drawing checks by itself.
        if here is not None and here != version:
            yield f"{name} {version}, here {here}"


@cache
def _version_here(name: str) -> str | None:
    if name == "chromium":
        # Imported here: it needs playwright, and starts a browser.
        from datagen.pages import chromium_version

        try:
            return chromium_version()
        except UsageError:
            return "none"
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


@lru_cache(maxsize=_PLANS_HELD)
def _plan(url: str, folder: str) -> Plan:
    store = Store(url)
    if not store.exists(f"{folder}{plans.PLAN}"):
        raise UsageError(f"{store.where(folder + plans.PLAN)}: not there; without a plan nothing can be drawn again")
    return plans.read(Store(store.where(folder)) if folder else store)[0]


def _origin(url: str, split: str, key: str) -> tuple[str, str]:
    """Return the folder of the plan that drew a sample, and the sample's key there. Raises: UsageError: not known."""
    origins = _deal(url, split)
    if origins is None:
        return next(iter(origins_of(Store(url)).values()), ""), key
    origin, origin_key = origins.get(key, ("", key))
    if not origin:
        raise UsageError(f"{key}: nothing says which plan drew it")
    return f"{origin_folder(origin)}/", origin_key


@lru_cache(maxsize=_PLANS_HELD)
def _deal(url: str, split: str) -> Mapping[str, tuple[str, str]] | None:
    """Return (plan's digest, key there) by key of a dealt split; None if the corpus was drawn."""
    store = Store(url)
    if not store.exists(DEAL):
        return None
    table = read_parquet(store, DEAL, columns=["split", "key", "origin", "origin_key"])
    table = table.filter(pc.equal(table.column("split"), split))
    return {row["key"]: (row["origin"], row["origin_key"]) for row in table.to_pylist()}
