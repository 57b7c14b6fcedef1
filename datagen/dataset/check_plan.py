"""Re-reading the plan of a corpus, drawn or dealt from others: what was to be made, and from what."""

import json
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import tomli_w

from datagen.dataset.deal import FORMAT
from datagen.dataset.findings import Finding
from datagen.dataset.origins import CONFIG, DEAL, PLAN, SOURCES, kept_origins, origin_folder
from datagen.derived import FORMATS as DERIVED
from datagen.plan import PAGE_INDEX, PAGES, PLACES
from datagen.sources import SEEN
from pipeline.base.errors import FormatError, StorageError
from pipeline.base.store import Store, sha256_hex
from pipeline.formats.shards import MANIFEST, ShardName, read_parquet


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a corpus's plan says; empty where it cannot be read."""

    plan_sha256: str
    num_samples: dict[str, int]
    """Samples planned for each shard, by its stem."""
    files: tuple[str, ...]
    """The plan and what belongs to it, by name."""
    findings: tuple[Finding, ...]


def check_plan(store: Store, manifest: Mapping[str, Any] | None) -> Planned:
    """Read the plan and the files that it lists, and compare its settings with the manifest's."""
    if not store.exists(PLAN):
        message = "not there; nothing says what was to be made, and no sample can be drawn again"
        missing = Finding(kind="missing_file", where=PLAN, message=message)
        return Planned(plan_sha256="", num_samples={}, files=(SOURCES, CONFIG), findings=(missing,))
    data = store.read_bytes(PLAN)
    try:
        plan = json.loads(data)
        dealt = plan["format"] == FORMAT
        derived = plan["format"] in DERIVED
        if derived:
            num_samples = {str(stem): int(count) for stem, count in plan["num_samples"].items()}
        else:
            num_samples = _dealt_samples(store, plan) if dealt else _drawn_samples(plan)
        findings = list(_check_tables(store, plan))
        if manifest is not None:
            findings += _check_settings(store, plan, manifest)
        origins = kept_origins(store)
        findings += _check_origins(store, origins)
        pages = list(_pages(store))
        findings += _check_pages(store, pages)
    except (ValueError, TypeError, KeyError, AttributeError, FormatError, StorageError) as error:
        finding = Finding(kind="plan", where=PLAN, message=f"not a corpus plan ({error})")
        files = (PLAN, SOURCES, CONFIG, DEAL)
        return Planned(plan_sha256=sha256_hex(data), num_samples={}, files=files, findings=(finding,))
    own = (PLAN, SOURCES, DEAL) if dealt or derived else (PLAN, SOURCES, CONFIG, SEEN)
    if pages:
        own = (*own, *pages, PAGE_INDEX)
    return Planned(
        plan_sha256=sha256_hex(data),
        num_samples=num_samples,
        files=(*own, *(f"{origin_folder(origin)}/{name}" for origin in origins for name in (PLAN, SOURCES, CONFIG))),
        findings=tuple(findings),
    )


def _drawn_samples(plan: Mapping[str, Any]) -> dict[str, int]:
    name, size = plan["config"]["name"], int(plan["config"]["samples_per_shard"])
    return {
        ShardName(corpus=name, split=split, index=first // size).stem: min(size, count - first)
        for split, count in plan["num_samples"].items()
        for first in range(0, int(count), size)
    }


def _dealt_samples(store: Store, plan: Mapping[str, Any]) -> dict[str, int]:
    table = read_parquet(store, DEAL, columns=["split", "shard"])
    shards = Counter(zip(table.column("split").to_pylist(), table.column("shard").to_pylist(), strict=True))
    name = plan["config"]["name"]
    return {ShardName(corpus=name, split=split, index=index).stem: n for (split, index), n in shards.items()}


def _check_tables(store: Store, plan: Mapping[str, Any]) -> Iterator[Finding]:
    for name, digest in ((SOURCES, plan["sources_sha256"]), (DEAL, plan.get("deal_sha256"))):
        if digest is None:
            continue
        if not store.exists(name):
            yield Finding(kind="missing_file", where=name, message=f"not there, {PLAN} lists it")
        elif sha256_hex(store.read_bytes(name)) != digest:
            yield Finding(kind="file_digest", where=name, message=f"not the table that {PLAN} was written over")


def _pages(store: Store) -> Iterator[str]:
    """Give the recorded pages' files, which are named by their digests."""
    if store.exists(SOURCES):
        table = read_parquet(store, SOURCES, columns=["kind", "path"])
        for kind, path in zip(table.column("kind").to_pylist(), table.column("path").to_pylist(), strict=True):
            if kind == "page" and path.startswith(f"{PAGES}/"):
                yield path


def _check_pages(store: Store, pages: list[str]) -> Iterator[Finding]:
    for name in pages:
        if not store.exists(name):
            yield Finding(kind="missing_file", where=name, message=f"not there, {SOURCES} lists it")
        elif sha256_hex(store.read_bytes(name)) != name.removeprefix(f"{PAGES}/").removesuffix(".zip"):
            yield Finding(kind="file_digest", where=name, message="its bytes are not those that it is named by")


def _check_settings(store: Store, plan: Mapping[str, Any], manifest: Mapping[str, Any]) -> Iterator[Finding]:
    for name in ("config", "versions"):
        if name in plan and plan[name] != manifest.get(name):
            yield Finding(kind="manifest", where=MANIFEST, message=f"{name} is not what {PLAN} says")
    if plan["format"] in (FORMAT, *DERIVED):
        return
    if not store.exists(CONFIG):
        yield Finding(kind="missing_file", where=CONFIG, message="not there")
        return
    try:
        text = store.read_bytes(CONFIG).decode()
        config = tomllib.loads(text)
    except ValueError as error:
        yield Finding(kind="plan", where=CONFIG, message=f"not TOML ({error})")
        return
    decisive = {name: value for name, value in config.items() if name not in PLACES}
    # A byte may change what is written and not what it means.
    if decisive != plan["config"] or tomli_w.dumps(config) != text:
        yield Finding(kind="plan", where=CONFIG, message=f"not the config that {PLAN} says")


def _check_origins(store: Store, origins: list[str]) -> Iterator[Finding]:
    for origin in origins:
        name = f"{origin_folder(origin)}/{PLAN}"
        data = store.read_bytes(name)
        if sha256_hex(data) != origin:
            yield Finding(kind="file_digest", where=name, message=f"sha256 is not {origin[:16]}..., as {DEAL} says")
            continue
        digest, sources = json.loads(data)["sources_sha256"], f"{origin_folder(origin)}/{SOURCES}"
        if not store.exists(sources):
            yield Finding(kind="missing_file", where=sources, message="not there")
        elif sha256_hex(store.read_bytes(sources)) != digest:
            yield Finding(kind="file_digest", where=sources, message=f"not the table that {name} was written over")
