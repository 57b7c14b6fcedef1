"""Re-reading what stands over the shards: manifest, shard table, commit records, and what files there are.

Every statement stands in two places, so a byte that flipped in one of them is seen.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from datagen.dataset.check_plan import Planned, check_plan
from datagen.dataset.findings import Finding
from datagen.dataset.listing import ShardRow, to_shard_rows
from pipeline.base.errors import FormatError, StorageError
from pipeline.base.store import Store, canonical_json, sha256_hex
from pipeline.formats.shards import MANIFEST, SHARD_TABLE, ShardRecord, read_manifest, read_parquet, read_record

DONE, FAILED = ".done.json", ".failed.json"
CARD_FILES = ("README.md", "croissant.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What a corpus folder claims to hold."""

    shards: tuple[ShardRow, ...]
    """From the shard table, else from the commit records."""
    findings: tuple[Finding, ...]


def check_folder(store: Store) -> Listed:
    """Compare manifest, shard table, commit records, plan and folder with one another; opens no shard."""
    findings: list[Finding] = []
    names = set(store.names())
    manifest = _manifest(store, findings)
    table = _shard_table(store, manifest, findings)
    stems = [row.stem for row in table]
    found = sorted(name.removesuffix(DONE) for name in names if name.endswith(DONE))
    records = _records(store, [*stems, *(stem for stem in found if stem not in set(stems))], findings)
    shards = {row.stem: row for row in table} or {stem: _row(record) for stem, record in records.items()}
    findings += _compare_records(shards, records, listed=bool(table))
    planned = check_plan(store, manifest)
    findings += planned.findings
    if manifest is not None:
        findings += _compare_manifest(manifest, shards, records)
    findings += _compare_plan(planned, shards, records, manifest or {})
    findings += _unlisted(store, names, shards, planned)
    return Listed(shards=tuple(shards.values()), findings=tuple(findings))


def _manifest(store: Store, findings: list[Finding]) -> dict[str, Any] | None:
    if not store.exists(MANIFEST):
        findings.append(Finding(kind="missing_file", where=MANIFEST, message="not there: the corpus is not finished"))
        return None
    try:
        manifest = read_manifest(store)
    except (FormatError, StorageError) as error:
        findings.append(Finding(kind="manifest", where=MANIFEST, message=str(error)))
        return None
    if canonical_json(manifest) != store.read_bytes(MANIFEST):
        findings.append(Finding(kind="manifest", where=MANIFEST, message="not in the form in which it is written"))
    return manifest


def _shard_table(store: Store, manifest: Mapping[str, Any] | None, findings: list[Finding]) -> tuple[ShardRow, ...]:
    if not store.exists(SHARD_TABLE):
        findings.append(Finding(kind="missing_file", where=SHARD_TABLE, message="not there"))
        return ()
    if manifest is not None and sha256_hex(store.read_bytes(SHARD_TABLE)) != manifest["shard_table_sha256"]:
        message = f"not the table that {MANIFEST} was written over"
        findings.append(Finding(kind="file_digest", where=SHARD_TABLE, message=message))
    try:
        return to_shard_rows(read_parquet(store, SHARD_TABLE), where=SHARD_TABLE)
    except (FormatError, StorageError, TypeError) as error:
        findings.append(Finding(kind="shard_table", where=SHARD_TABLE, message=str(error)))
        return ()


def _records(store: Store, stems: Iterable[str], findings: list[Finding]) -> dict[str, ShardRecord]:
    records: dict[str, ShardRecord] = {}
    for stem in stems:
        name = f"{stem}{DONE}"
        try:
            record = read_record(store, stem)
        except (FormatError, StorageError) as error:
            findings.append(Finding(kind="record", where=name, message=str(error)))
            continue
        if record is None:
            findings.append(Finding(kind="missing_file", where=name, message=f"not there, {SHARD_TABLE} lists it"))
            continue
        if canonical_json(asdict(record)) != store.read_bytes(name):
            message = "not in the form in which it is written"
            findings.append(Finding(kind="record", where=name, message=message))
        records[stem] = record
    return records


def _row(record: ShardRecord) -> ShardRow:
    values: dict[str, Any] = {field.name: getattr(record, field.name, "") for field in fields(ShardRow)}
    values["record_sha256"] = sha256_hex(canonical_json(asdict(record)))
    return ShardRow(**values)


def _compare_records(
    shards: Mapping[str, ShardRow], records: Mapping[str, ShardRecord], *, listed: bool
) -> Iterable[Finding]:
    for stem, record in records.items():
        if stem not in shards:
            message = f"{SHARD_TABLE} does not list this shard"
            yield Finding(kind="shard_table", where=f"{stem}{DONE}", message=message)
            continue
        wrong = [
            field.name
            for field in fields(ShardRow)
            if field.name != "record_sha256" and getattr(shards[stem], field.name) != getattr(record, field.name)
        ]
        expected = shards[stem].record_sha256
        if listed and not wrong and expected and expected != _row(record).record_sha256:
            wrong = ["record_sha256"]
        if wrong:
            message = f"{', '.join(wrong)} not as {SHARD_TABLE} says"
            yield Finding(kind="record", where=f"{stem}{DONE}", message=message)


def _compare_manifest(
    manifest: Mapping[str, Any], shards: Mapping[str, ShardRow], records: Mapping[str, ShardRecord]
) -> Iterable[Finding]:
    splits: dict[str, Counter[str]] = {}
    for row in shards.values():
        counts = {"num_shards": 1, "num_samples": row.num_samples, "tar_bytes": row.tar_bytes}
        splits.setdefault(row.split, Counter()).update(counts)
    expected: dict[str, Any] = {"splits": {name: dict(counts) for name, counts in splits.items()}}
    if set(records) == set(shards):
        rejected, redrawn = Counter[str](), Counter[str]()
        for record in records.values():
            rejected.update(rejection.reason for rejection in record.rejected)
            redrawn.update(record.redrawn)
        plans = {record.plan_sha256 for record in records.values()}
        expected |= {"rejected": dict(rejected), "redrawn": dict(redrawn)}
        expected |= {"plan_sha256": plans.pop()} if len(plans) == 1 else {}
    for name, value in expected.items():
        # What an older release did not write is no finding.
        if manifest.get(name, value) != value:
            message = f"{name} is {_brief(manifest[name])}, the commit records say {_brief(value)}"
            yield Finding(kind="manifest", where=MANIFEST, message=message)


def _compare_plan(
    planned: Planned, shards: Mapping[str, ShardRow], records: Mapping[str, ShardRecord], manifest: Mapping[str, Any]
) -> Iterable[Finding]:
    quarantined = dict(manifest.get("quarantined", {}))
    for stem, count in planned.num_samples.items():
        if stem in quarantined:
            yield Finding(kind="quarantined", where=f"{stem}.tar", message=str(quarantined[stem]))
        elif stem not in shards:
            yield Finding(kind="missing_file", where=f"{stem}.tar", message=f"planned with {count} samples, not made")
        elif stem in records:
            found = records[stem].num_samples + len(records[stem].rejected)
            if found != count:
                message = f"{found} samples made or rejected, {count} were planned"
                yield Finding(kind="missing_sample", where=f"{stem}.tar", message=message)
    for stem, record in records.items():
        if planned.plan_sha256 and record.plan_sha256 != planned.plan_sha256:
            message = f"made for plan {record.plan_sha256[:16]}..., the folder holds plan {planned.plan_sha256[:16]}..."
            yield Finding(kind="plan", where=f"{stem}{DONE}", message=message)
    for stem in set(shards) - set(planned.num_samples) if planned.num_samples else ():
        yield Finding(kind="plan", where=f"{stem}.tar", message="the plan knows no such shard")


def _unlisted(store: Store, names: set[str], shards: Mapping[str, ShardRow], planned: Planned) -> Iterable[Finding]:
    known = {MANIFEST, SHARD_TABLE, *CARD_FILES, *planned.files}
    known |= {f"{stem}{ending}" for stem in shards for ending in (".tar", ".parquet", DONE)}
    # Quarantine records of shards that are still missing; once made, their record is removed.
    known |= {f"{stem}{FAILED}" for stem in planned.num_samples if stem not in shards}
    folders = {name.partition("/")[0] for name in planned.files if "/" in name}
    local = store.local_path()
    if local is not None and local.is_dir():
        names = names | {f"{entry.name}/" for entry in local.iterdir() if entry.is_dir() and entry.name not in folders}
    for name in sorted(names - known):
        # A record that the shard table does not list is told of there.
        if not name.endswith(DONE):
            yield Finding(kind="unlisted_file", where=name, message="nothing lists it")


def _brief(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= 120 else f"{text[:117]}..."
