"""Photographs, screens, texts and source code that samples are made from, each with its provenance."""

from datagen.sources.bundled import BUNDLED
from datagen.sources.captured import CAPTURE_LOG, find_captured
from datagen.sources.dealing import deal_by_hash, deal_in_order, neighbourhood
from datagen.sources.examine import MIN_PHOTO_SIDE
from datagen.sources.loading import Photo, Shelf, load_bytes, load_pixels
from datagen.sources.model import Found, PlannedSource, RefusedSource
from datagen.sources.photos import find_photos
from datagen.sources.seen import SEEN, Seen
from datagen.sources.written import find_code, find_texts

__all__ = [
    "BUNDLED",
    "CAPTURE_LOG",
    "MIN_PHOTO_SIDE",
    "SEEN",
    "Found",
    "Photo",
    "PlannedSource",
    "RefusedSource",
    "Seen",
    "Shelf",
    "deal_by_hash",
    "deal_in_order",
    "find_captured",
    "find_code",
    "find_photos",
    "find_texts",
    "load_bytes",
    "load_pixels",
    "neighbourhood",
]
