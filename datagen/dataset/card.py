"""The dataset card: README.md for the Hugging Face hub and croissant.json, both from what the corpus itself says.

Every figure comes from the manifest, the side-cars and the table of sources; nothing is typed twice. The same corpus
gives the same bytes.
"""

import json
import re
from dataclasses import asdict, dataclass
from datetime import date

from datagen.config import SPLITS
from datagen.dataset.card_text import Facts, readme
from datagen.dataset.croissant import croissant
from datagen.dataset.listing import read_shard_table
from datagen.dataset.stats import measure
from pipeline.base.errors import ShardError, UsageError
from pipeline.base.progress import Progress, Tally
from pipeline.base.store import Store, canonical_json
from pipeline.formats.shards import read_manifest

README, CROISSANT = "README.md", "croissant.json"
_FIELDS = {
    "name": "name",
    "licence": "license",
    "url": "url",
    "version": "version",
    "date": "datePublished",
    "citation": "citeAs",
}
"""Where croissant.json keeps what a person said of the corpus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardConfig:
    """What a corpus does not say of itself."""

    name: str = ""
    """Default: the name in the corpus's config."""
    licence: str = ""
    """Identifier as the Hugging Face hub knows them, such as cc-by-4.0; "" = other: each source has its own."""
    url: str = ""
    """Where the corpus can be had."""
    version: str = "1.0.0"
    date: str = ""
    """Of publication, such as 2025-06-01; never today's by itself, so that the same corpus gives the same bytes."""
    citation: str = ""
    """How to cite the corpus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSummary:
    """What was written."""

    readme: str
    croissant: str
    num_samples: int
    num_files: int
    """That croissant.json lists with their digests."""


def write_card(store: Store, config: CardConfig, *, progress: Progress) -> CardSummary:
    """Write README.md and croissant.json into a finished corpus.

    Raises: UsageError: no such licence or date can be; ShardError: the corpus is damaged; StorageError.
    """
    _check(config)
    files = make_card(store, config, progress=progress)
    for name, data in files.items():
        store.write_bytes(name, data)
    listed = json.loads(files[CROISSANT])["distribution"]
    return CardSummary(
        readme=store.where(README),
        croissant=store.where(CROISSANT),
        num_samples=sum(shard.num_samples for shard in read_shard_table(store)),
        num_files=sum(entry["@type"] == "cr:FileObject" for entry in listed),
    )


def _check(config: CardConfig) -> None:
    if config.licence and not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", config.licence):
        raise UsageError(f"licence {config.licence!r}: expected an identifier of the hub, such as cc-by-4.0")
    try:
        date.fromisoformat(config.date or "2000-01-01")
    except ValueError as error:
        raise UsageError(f"date {config.date!r}: expected YYYY-MM-DD") from error


def make_card(store: Store, config: CardConfig, *, progress: Progress) -> dict[str, bytes]:
    """Return the bytes of README.md and croissant.json by name. Raises: ShardError: the corpus is damaged."""
    manifest, shards = read_manifest(store), read_shard_table(store)
    statistics = measure(store, progress=progress)
    settings = manifest.get("config", {})
    # The manifest sorts names; people expect train first.
    splits = sorted(manifest["splits"], key=lambda name: (SPLITS.index(name) if name in SPLITS else len(SPLITS), name))
    facts = Facts(
        name=config.name or str(settings.get("name", "corpus")),
        licence=config.licence or "other",
        statistics=statistics,
        splits={name: dict(manifest["splits"][name]) for name in splits},
        stems={name: _common_start([s.stem for s in shards if s.split == name]) for name in splits},
        settings=settings,
        versions=dict(manifest.get("versions", {})),
        plan_sha256=str(manifest.get("plan_sha256", "")),
        quarantined=len(manifest.get("quarantined", {})),
    )
    about = {
        "name": facts.name,
        "description": facts.description,
        "license": facts.licence,
        "version": config.version,
        "keywords": ["screen content", "image segmentation", "synthetic", "webdataset"],
    }
    about |= {"url": config.url} if config.url else {}
    about |= {"datePublished": config.date} if config.date else {}
    about |= {"citeAs": config.citation} if config.citation else {}
    sizes = {f"{shard.stem}.parquet": store.size(f"{shard.stem}.parquet") for shard in shards}
    return {
        README: readme(facts).encode(),
        CROISSANT: canonical_json(croissant(about, shards, sizes, classed=statistics.classed_splits)),
    }


def stale_files(store: Store) -> tuple[str, ...]:
    """Return which of README.md and croissant.json there are and do not describe the corpus as it is.

    Raises: ShardError: the corpus is damaged, so nothing can be said.
    """
    present = [name for name in (README, CROISSANT) if store.exists(name)]
    if not present:
        return ()
    config = CardConfig()
    if CROISSANT in present:
        try:
            written = json.loads(store.read_bytes(CROISSANT))
            said = {field: str(written[key]) for field, key in _FIELDS.items() if key in written}
        except (ValueError, TypeError) as error:
            raise ShardError(f"{store.where(CROISSANT)}: not JSON ({error})") from error
        config = CardConfig(**asdict(config) | said)
    expected = make_card(store, config, progress=Tally())
    return tuple(name for name in present if store.read_bytes(name) != expected[name])


def _common_start(stems: list[str]) -> str:
    """Return what all shards of a split are called before their number."""
    return stems[0].rpartition("-")[0] if stems else ""
