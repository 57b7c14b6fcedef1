"""One shard, one sample: pure functions of the plan, so that anything can be made again."""

from collections.abc import Iterator, Mapping

from datagen.plan import Plan, Shard
from datagen.quality import REASONS, near_duplicate
from datagen.render import adopt, synthesize, visit
from pipeline.base.errors import DiptychError, PictureError
from pipeline.base.store import Store
from pipeline.formats.encoded import EncodedSample, encode
from pipeline.formats.sample import Sample
from pipeline.formats.shards import Rejection, ShardRecord, write_shard

CRASHED = "crashed"
"""Reason of a sample whose making raised what nobody expected."""


def make_shard(store: Store, plan: Plan, shard: Shard, plan_sha256: str) -> ShardRecord:
    """Draw, label and write one shard. Raises: StorageError."""
    return write_shard(store, shard.name, shard_items(store, plan, shard), plan_sha256=plan_sha256)


def shard_items(
    store: Store, plan: Plan, shard: Shard, kept: Mapping[str, EncodedSample] | None = None
) -> Iterator[EncodedSample | Rejection]:
    """Give a shard's samples and refusals in order; those in `kept` are not made again."""
    hashes: list[str] = []
    for index in range(shard.first, shard.first + shard.num_samples):
        key = f"{shard.name.split}-{index:06d}"
        for item in [kept[key]] if kept and key in kept else _make(store, plan, key, hashes):
            if isinstance(item, EncodedSample):
                hashes.append((item.row["perceptual_hash"] or b"").hex())
            yield item


def make_sample(plan: Plan, key: str, *, attempt: int = 0, store: Store | None = None) -> EncodedSample | Rejection:
    """Return the sample `key` (`{split}-{index:06d}`) of a plan, drawn at its `attempt`-th seed.

    `store` is the corpus's folder, which samples of recorded pages need.

    A sample's own attempt is in its `details`, 0 if it is not there. What a sample alone cannot know, that it is a
    near-duplicate of another in its shard, is not looked at.
    """
    return _encoded(store, plan, key, attempt)


def _make(store: Store, plan: Plan, key: str, hashes: list[str]) -> Iterator[EncodedSample | Rejection]:
    """Give a sample after the drawings that were refused, or the last refusal."""
    quality = plan.config.quality
    attempts = quality.attempts if plan.is_synthesized(key) else 1
    for attempt in range(attempts):
        item = _encoded(store, plan, key, attempt)
        if isinstance(item, EncodedSample):
            found = (item.row["perceptual_hash"] or b"").hex()
            if near_duplicate(quality, found, hashes) is not None:
                message = f"{key}: looks like an earlier sample of its shard"
                item = Rejection(key=key, reason="near_duplicate", message=message)
        if isinstance(item, EncodedSample) or item.reason not in REASONS or attempt + 1 == attempts:
            yield item
            return
        yield Rejection(key=key, reason=item.reason, message=item.message, redrawn=True)


def _encoded(store: Store | None, plan: Plan, key: str, attempt: int) -> EncodedSample | Rejection:
    try:
        return encode(_sample(store, plan, key, attempt), compress_level=plan.config.png_compress_level)
    except PictureError as error:
        return Rejection(key=key, reason=error.reason, message=str(error))
    except (DiptychError, MemoryError):
        raise
    except Exception as error:
        # The border of quarantine: one drawing that fails must not cost the other samples. It is counted, listed with
        # its reason, ends the run with a failing exit code, and `retry-failed` makes it again.
        return Rejection(key=key, reason=CRASHED, message=f"{key}: {type(error).__name__}: {error}")


def _sample(store: Store | None, plan: Plan, key: str, attempt: int) -> Sample:
    split, _, index = key.rpartition("-")
    if plan.is_synthesized(key):
        library = plan.writings(split)
        return synthesize(plan.config, plan.photos(split), key, plan.versions, library=library, attempt=attempt)
    place = int(index) - plan.config.num_samples.of(split)
    num_views = len(plan.config.sizes)
    pages, screens = plan.pages(split), plan.screens(split)
    if place < len(pages) * num_views:
        if store is None:
            raise ValueError(f"{key}: shows a recorded page, which lies in the corpus's folder")
        number, view = divmod(place, num_views)
        return visit(plan.config, store, pages[number], view, key, plan.versions)
    return adopt(plan.config, screens[place - len(pages) * num_views], key, plan.versions)
