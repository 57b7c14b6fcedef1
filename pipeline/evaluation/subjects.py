"""The pictures an evaluation measures: a folder of picture files, or one split of a corpus.

Colour alone is measured: an alpha channel, which every codec here keeps losslessly or not at all, is left out.
"""

from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.base.errors import PictureError, ShardError, UsageError
from pipeline.base.store import Store
from pipeline.formats.corpus import CorpusSplit, open_split
from pipeline.formats.picture import SUFFIXES, Pixels, read_picture, to_rgb
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC
from pipeline.formats.shards import MANIFEST

# A shard unpacked with plain tar lies like this: label and region maps beside the pictures, no pictures themselves.
LABEL_ENDING = ".label.png"
_SIDE_ENDINGS = (LABEL_ENDING, ".regions.png")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One picture to measure."""

    name: str
    pixels: Pixels
    """(H, W, 3), RGB."""
    label: NDArray[np.uint8] | None
    """(H, W): SYNTHETIC, NATURAL or IGNORE."""
    label_source: str
    """Where `label` comes from: `corpus: compositor`, `file`, or `none`."""
    saliency: NDArray[np.uint8] | None = None
    """(H, W), larger where people look; only ratios count."""


class Subjects(Protocol):
    """Pictures by number."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of all pictures, in order."""

    def load(self, index: int) -> Subject:
        """Read one picture. Raises: PictureError: it cannot be measured; its reason is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderSubjects:
    """Picture files below a folder, in order of name."""

    folder: Path
    names: tuple[str, ...]

    def load(self, index: int) -> Subject:
        path = self.folder / self.names[index]
        pixels = to_rgb(read_picture(_read(path), where=str(path)).pixels)
        label = _label_beside(path, pixels)
        return Subject(
            name=printable(self.names[index]),
            pixels=pixels,
            label=label,
            label_source="none" if label is None else "file",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusSubjects:
    """One split of a corpus, in its own order."""

    split: CorpusSplit
    names: tuple[str, ...]
    indices: tuple[int, ...]

    def load(self, index: int) -> Subject:
        try:
            sample = self.split.sample(self.indices[index])
        except ShardError as error:
            raise PictureError("damaged_sample", str(error)) from error
        labelled = bool((sample.label != IGNORE).any())
        return Subject(
            name=self.names[index],
            pixels=sample.picture,
            label=sample.label if labelled else None,
            label_source=f"corpus: {sample.info.how_labelled}" if labelled else "none",
        )


def open_subjects(pictures: str, *, split: str, max_pictures: int | None) -> Subjects:
    """Open a corpus (a folder or URL with a manifest) or a folder of pictures; choose at most `max_pictures`.

    Raises: UsageError: no such folder, or nothing in it; ShardError: the corpus is damaged.
    """
    store = Store(pictures)
    if store.exists(MANIFEST):
        corpus = open_split(store, split)
        indices = tuple(spread(corpus.num_samples, max_pictures))
        names = tuple(str(corpus.row(index)["key"]) for index in indices)
        return CorpusSubjects(split=corpus, names=names, indices=indices)
    folder = store.local_path()
    if folder is None or not folder.is_dir():
        raise UsageError(f"{pictures}: neither a folder of pictures nor a finished corpus")
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if _is_picture(path))
    if not found:
        raise UsageError(f"{pictures}: no pictures here (looked for {', '.join(sorted(SUFFIXES))})")
    return FolderSubjects(folder=folder, names=tuple(found[place] for place in spread(len(found), max_pictures)))


def with_saliency(subject: Subject, folder: Path) -> Subject:
    """Add the map of the subject's name from a folder of maps, if it is there.

    Raises: PictureError: `bad_saliency`, not an 8-bit grey picture of the same size; or the map cannot be read.
    """
    file = folder / PurePosixPath(subject.name).with_suffix(".png")
    if not file.is_file():
        return subject
    found = read_picture(_read(file), where=str(file)).pixels
    if found.shape != (*subject.pixels.shape[:2], 1):
        raise PictureError("bad_saliency", f"{file}: not an 8-bit grey map of {subject.name}'s size")
    return replace(subject, saliency=found[:, :, 0])


def spread(num_items: int, num_chosen: int | None) -> list[int]:
    """Return at most `num_chosen` of 0..num_items-1, evenly spaced, the first included, ascending."""
    if num_chosen is None or num_chosen >= num_items:
        return list(range(num_items))
    return [place * num_items // num_chosen for place in range(num_chosen)]


def printable(name: str) -> str:
    """Return a file name as valid Unicode: bytes that no text holds, which file systems allow, are spelt out."""
    return name.encode("utf-8", "backslashreplace").decode()


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.endswith(_SIDE_ENDINGS) and path.is_file()


def _label_beside(path: Path, pixels: Pixels) -> NDArray[np.uint8] | None:
    file = path.with_name(path.stem + LABEL_ENDING)
    if not file.is_file():
        return None
    label = read_picture(_read(file), where=str(file)).pixels[:, :, 0]
    if label.shape != pixels.shape[:2] or not np.isin(label, (SYNTHETIC, NATURAL, IGNORE)).all():
        raise PictureError("bad_label", f"{file}: not a label map of {path.name} (0, 1, 255; same size)")
    return label


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PictureError("unreadable", f"{path}: {error.strerror or error}") from error
