"""What two splits show alike: a source, equal pixels, nearly equal pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from datagen.dataset.groups import Numbers, Rows, binds, near_clusters, pixel_numbers
from pipeline.formats.sample import Source

KEEPERS = ("test", "val", "train")
"""Who keeps what several splits show: what a model is judged by stays whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Something that two splits show."""

    what: str
    """`photo coffee.png`, `equal pixels` or `nearly equal pictures`."""
    places: str
    """A key of each split, with the corpus that it is in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaks:
    """All that the splits of some rows share, and the samples that have to go for it."""

    leaks: tuple[Leak, ...]
    left_out: dict[int, tuple[str, str]]
    """Reason (`leak`) and message by sample: without these no two splits share anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Links:
    """One way for samples to have something in common: link i ties `sample[i]` to the thing numbered `thing[i]`."""

    sample: Numbers
    thing: Numbers
    names: Sequence[str] | str
    """What each thing is called, or all of them."""

    def name(self, thing: int) -> str:
        return self.names if isinstance(self.names, str) else self.names[thing]


def find_leaks(rows: Rows, sources: Sequence[Source], labels: Mapping[str, str], *, near_bits: int) -> Leaks:
    """Return what splits share; `labels` names the corpora by the URLs of their stores.

    A source, a picture or a cluster of nearly equal pictures stays with the first of KEEPERS that shows it; samples of
    other splits that show it are left out.
    """
    leaks: list[Leak] = []
    left_out: dict[int, tuple[str, str]] = {}
    names = [split.split for split in rows.splits]
    ranks = np.asarray([KEEPERS.index(name) if name in KEEPERS else len(KEEPERS) for name in names])[rows.split]
    for links in _all_links(rows, sources, near_bits=near_bits):
        size = int(links.thing.max(initial=-1)) + 1
        owner = np.full(size, len(KEEPERS) + 1)
        np.minimum.at(owner, links.thing, ranks[links.sample])
        astray = np.flatnonzero(ranks[links.sample] > owner[links.thing])
        # A leak that an earlier kind of link has told already is not told again.
        news = [link for link in astray.tolist() if int(links.sample[link]) not in left_out]
        told: dict[int, int] = {}
        for link in news:
            told.setdefault(int(links.thing[link]), int(links.sample[link]))
        kept = _first_samples(links, ranks, owner, told)
        for thing, sample in told.items():
            places = f"{_place(rows, labels, sample)}, {_place(rows, labels, kept[thing])}"
            leaks.append(Leak(what=links.name(thing), places=places))
        for link in news:
            thing, sample = int(links.thing[link]), int(links.sample[link])
            message = f"{links.name(thing)} also in {_place(rows, labels, kept[thing])}"
            left_out.setdefault(sample, ("leak", message))
    return Leaks(leaks=tuple(leaks), left_out=left_out)


def _all_links(rows: Rows, sources: Sequence[Source], *, near_bits: int) -> list[_Links]:
    binding = np.asarray([binds(source) for source in sources], dtype=bool)
    links = binding[rows.link_source] if len(binding) else np.zeros(0, dtype=bool)
    everyone = np.arange(rows.num_samples)
    return [
        _Links(
            sample=rows.link_sample[links],
            thing=rows.link_source[links],
            names=[f"{source.kind} {source.name}" for source in sources],
        ),
        _Links(sample=everyone, thing=pixel_numbers(rows.table), names="equal pixels"),
        _Links(sample=everyone, thing=near_clusters(rows.table, near_bits=near_bits), names="nearly equal pictures"),
    ]


def _first_samples(links: _Links, ranks: Numbers, owner: Numbers, things: Mapping[int, int]) -> dict[int, int]:
    """Return, for each of `things`, the first sample that shows it in the split that keeps it."""
    wanted = np.zeros(len(owner), dtype=bool)
    wanted[list(things)] = True
    keeping = wanted[links.thing] & (ranks[links.sample] == owner[links.thing])
    found: dict[int, int] = {}
    for thing, sample in zip(links.thing[keeping].tolist(), links.sample[keeping].tolist(), strict=True):
        found.setdefault(thing, sample)
    return found


def _place(rows: Rows, labels: Mapping[str, str], sample: int) -> str:
    split = rows.splits[rows.split[sample]]
    return f"{rows.key(sample)} ({split.split}, {labels[split.store.url]})"
