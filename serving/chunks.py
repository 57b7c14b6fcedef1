"""Cutting a plan into chunks for workers. It decides who does what and when, never a byte."""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from PIL import Image

from pipeline.formats.archive_index import PlanRow
from pipeline.formats.picture import FORMATS, PILLOW_ERRORS
from serving.config import ArchiveConfig
from serving.engine import Task
from serving.inputs import local_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Inputs of one shard that go to a worker together."""

    shard: int
    tasks: tuple[Task, ...]


def cut_chunks(shards: Iterable[tuple[int, list[PlanRow]]], config: ArchiveConfig) -> Iterator[Chunk]:
    """Yield chunks in plan order, capped by pictures and by pixels; a picture over the cap goes alone."""
    for shard, rows in shards:
        tasks: list[Task] = []
        num_pixels = 0
        for row in rows:
            size = peek_num_pixels(row.location) if row.num_bytes else 0
            # An input that will be refused for its size costs nothing.
            size = size if size <= config.max_pixels else 0
            full = len(tasks) == config.pictures_per_chunk or num_pixels + size > config.pixels_per_chunk
            if tasks and full:
                yield Chunk(shard=shard, tasks=tuple(tasks))
                tasks, num_pixels = [], 0
            tasks.append(Task(name=row.name, location=row.location))
            num_pixels += size
        if tasks:
            yield Chunk(shard=shard, tasks=tuple(tasks))


def peek_num_pixels(location: str) -> int:
    """Return the number of pixels that a picture file's header states; 0 if it cannot be told."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(local_path(location), formats=FORMATS) as image:
                return image.width * image.height
    except (*PILLOW_ERRORS, Image.DecompressionBombError):
        # Whatever is wrong with the file, the engine will find and report it.
        return 0
