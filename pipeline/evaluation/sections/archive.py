"""The archive: what it holds, what it refused, and whether its bitstreams are whole."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.base.errors import ArchiveError, BitstreamError, StorageError
from pipeline.base.store import Store
from pipeline.evaluation.page import Section, Tile, absent, facts, folded, paragraph, table
from pipeline.evaluation.sections.words import count, settings, size
from pipeline.formats.archive import Archive, open_archive, read_bitstream
from pipeline.formats.archive_index import Entry, read_index
from pipeline.formats.archive_records import Rejection

ANCHOR, TITLE = "archive", "Archive"
MAX_CHECKED = 10_000
"""Bitstreams whose checksums are verified for the page."""
MAX_LISTED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """The bitstreams that were read back."""

    entries: tuple[Entry, ...]
    num_whole: int
    damage: tuple[str, ...]


def archive_section(folder: str | None) -> Section:
    """Return the part of the page about the archive in `folder`. Raises: ArchiveError: it is none."""
    if folder is None:
        return Section(anchor=ANCHOR, title=TITLE, body=absent("No archive was given."))
    archive = open_archive(Store(folder))
    checked = _check(archive)
    rejected = [row for commit in archive.commits for row in commit.rejected]
    input_bytes = sum(commit.input_bytes for commit in archive.commits)
    shard_bytes = sum(commit.tar_bytes + commit.index_bytes for commit in archive.commits)
    weights_bytes = sum(archive.store.size(name) for name in archive.store.names("weights"))
    verified = f"{checked.num_whole:,} of {archive.num_pictures:,}"
    parts = [
        *(paragraph(f"{problem.where}: {problem.message}", kind="alert") for problem in archive.problems),
        *(paragraph(message, kind="alert") for message in checked.damage),
        paragraph(f"Checksums of {verified} bitstreams were verified while this page was written."),
        facts(_facts(archive, len(rejected), weights_bytes)),
        _rejections(rejected),
        _entries(checked.entries),
        settings("How the archive was made (archive.json)", dict(archive.info)),
    ]
    ratio = f"{input_bytes / shard_bytes:.1f} : 1" if shard_bytes and input_bytes else "-"
    note = f"{size(input_bytes)} of files in {size(shard_bytes)}"
    note += f", beside {size(weights_bytes)} of weights" if weights_bytes else ""
    tiles = (
        Tile(label="Archive", value=ratio, note=note),
        Tile(label="Verified entries", value=verified, note=f"{count(len(rejected), 'input')} rejected"),
    )
    return Section(anchor=ANCHOR, title=TITLE, body="".join(parts), tiles=tiles)


def _check(archive: Archive) -> _Checked:
    """Read back every bitstream, up to MAX_CHECKED; damage is told, and the next shard is gone on with."""
    entries: list[Entry] = []
    damage: list[str] = []
    num_whole = 0
    for commit in archive.commits:
        try:
            entries += read_index(archive.store, commit.shard)[: MAX_CHECKED - len(entries)]
        except (ArchiveError, StorageError) as error:
            damage.append(str(error))
    for entry in entries:
        try:
            read_bitstream(archive.store, entry)
        except (BitstreamError, ArchiveError, StorageError) as error:
            damage.append(str(error))
        else:
            num_whole += 1
    return _Checked(entries=tuple(entries), num_whole=num_whole, damage=tuple(damage))


def _facts(archive: Archive, num_rejected: int, weights_bytes: int) -> dict[str, object]:
    commits = archive.commits
    bitstreams = sum(commit.bitstream_bytes for commit in commits)
    pixels = sum(commit.num_pixels for commit in commits)
    containers = sum(commit.tar_bytes + commit.index_bytes for commit in commits) - bitstreams
    found: dict[str, object] = {
        "Pictures": f"{archive.num_pictures:,}",
        "Rejected inputs": f"{num_rejected:,}",
        "Shards": f"{len(commits):,}",
        "Files that went in": size(sum(commit.input_bytes for commit in commits)),
        "Bitstreams": size(bitstreams),
        "Tar and index around them": size(containers),
    }
    if pixels:
        found["Rate"] = f"{8 * bitstreams / pixels:.3f} bits per pixel"
    if weights_bytes:
        found["Weights that decode it, kept inside"] = size(weights_bytes)
    return found


def _rejections(rejected: Sequence[Rejection]) -> str:
    if not rejected:
        return paragraph("Nothing was rejected.")
    reasons = ", ".join(f"{reason} {n}" for reason, n in Counter(row.reason for row in rejected).most_common())
    rows = [(row.name, row.reason, row.message) for row in rejected[:MAX_LISTED]]
    more = f" The first {MAX_LISTED} are listed." if len(rejected) > MAX_LISTED else ""
    return paragraph(f"{count(len(rejected), 'input')} rejected: {reasons}.{more}") + table(
        ("Input", "Reason", "Message"), rows, text_columns=3
    )


def _entries(entries: Sequence[Entry]) -> str:
    rows = [
        (
            entry.name,
            entry.codec or "-",
            f"{entry.width}x{entry.height}",
            f"{entry.length:,}",
            f"{8 * entry.length / (entry.width * entry.height):.3f}",
            "-" if entry.psnr_db is None else f"{entry.psnr_db:.2f}",
        )
        for entry in entries[:MAX_LISTED]
    ]
    title = "All entries" if len(entries) <= MAX_LISTED else f"The first {MAX_LISTED} entries"
    head = ("Name", "Codec", "Size", "Bytes", "bpp", "PSNR dB")
    return folded(title, table(head, rows, text_columns=2)) if rows else ""
