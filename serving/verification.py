"""Verification of an archive: digests of its files, checksum of every entry, and that it decodes as promised."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from pipeline.base.errors import ArchiveError, DiptychError, StorageError
from pipeline.base.progress import Progress
from pipeline.base.store import Store, sha256_file, sha256_hex
from pipeline.formats.archive import Archive, check_files, open_archive, read_bitstream
from pipeline.formats.archive_index import PLAN, Entry
from pipeline.formats.archive_records import REJECTED, Problem, commit_name, weights_name
from pipeline.formats.archive_salvage import committed_entries
from serving import plan
from serving.decoding import Decoder, as_problem, open_decoder
from serving.local import map_chunks

_ENTRIES_A_CHUNK = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifySummary:
    """What verification found."""

    num_entries: int
    """Pictures that the commit records list."""
    num_verified: int
    """Of these, pictures whose bitstream is intact and, if `decoded`, decodes to the promised pixels."""
    decoded: bool
    num_shards: int
    num_shards_missing: int
    """Planned, not committed: `create` was interrupted; a problem only if it had finished before."""
    problems: tuple[Problem, ...]
    seconds: float


@dataclass(slots=True, kw_only=True)
class _State:
    """What a worker holds; the decoder is None for checksums alone, which need no torch."""

    store: Store
    decoder: Decoder | None = field(default=None)


def verify(archive: str, *, decode: bool, progress: Progress, workers: int = 1) -> VerifySummary:
    """Check every committed shard and entry of an archive; report what is wrong and go on.

    Where a shard's index is lost, its entries are found in the tar and checked all the same.
    Raises: ArchiveError: not an archive; MissingDependency: `decode` without torch.
    """
    started = time.monotonic()
    opened = open_archive(Store(archive))
    progress.total(opened.num_pictures)
    problems = [*opened.problems, *_check_weights(opened)]
    num_missing = _check_plan(opened, problems)
    num_verified = 0
    open_state = partial(_open_state, archive, decode=decode)
    chunks = _chunks(opened, problems, progress)
    for found in map_chunks(open_state, _check_chunk, chunks, workers=workers):
        for problem in found:
            if problem is None:
                num_verified += 1
                progress.advance()
            else:
                problems.append(problem)
                progress.reject(problem.reason)
    return VerifySummary(
        num_entries=opened.num_pictures,
        num_verified=num_verified,
        decoded=decode,
        num_shards=len(opened.commits),
        num_shards_missing=num_missing,
        problems=tuple(problems),
        seconds=time.monotonic() - started,
    )


def _open_state(url: str, *, decode: bool) -> _State:
    return _State(store=Store(url), decoder=open_decoder(url) if decode else None)


def _check_chunk(state: _State, chunk: Sequence[Entry]) -> list[Problem | None]:
    return [_check_entry(state, entry) for entry in chunk]


def _check_entry(state: _State, entry: Entry) -> Problem | None:
    try:
        if state.decoder is not None:
            state.decoder.decode(entry)
        else:
            read_bitstream(state.store, entry)
    except DiptychError as error:
        return as_problem(entry.name, error)
    return None


def _chunks(archive: Archive, problems: list[Problem], progress: Progress) -> Iterator[list[Entry]]:
    """Yield the entries of all committed shards; what is wrong with the shards' files goes to `problems`."""
    for commit in archive.commits:
        problems += check_files(archive.store, commit)
        try:
            found = committed_entries(archive, commit)
        except StorageError:
            # Both index and tar are gone; check_files has said so.
            progress.reject("missing_file", commit.num_pictures)
            continue
        problems += found.problems
        num_lost = commit.num_pictures - len(found.entries)
        if num_lost:
            message = f"{commit.num_pictures} pictures were committed, {len(found.entries)} are found"
            problems.append(Problem(where=f"shard {commit.shard:06d}", reason="number_differs", message=message))
        if num_lost > 0:
            progress.reject("lost", num_lost)
        for start in range(0, len(found.entries), _ENTRIES_A_CHUNK):
            yield list(found.entries[start : start + _ENTRIES_A_CHUNK])


def _check_weights(archive: Archive) -> list[Problem]:
    problems = []
    for codec in archive.info.get("codecs", []):
        name = weights_name(codec["weights_sha256"])
        if not archive.store.exists(name):
            if not archive.commits:
                # `create` was stopped between the archive's description and its weights; nothing needs them yet.
                continue
            message = f"{archive.store.where(name)}: missing; entries coded with it cannot be decoded"
            problems.append(Problem(where=name, reason="missing_file", message=message))
            continue
        path = archive.store.local_path(name)
        found = sha256_file(path) if path is not None else sha256_hex(archive.store.read_bytes(name))
        if found != codec["weights_sha256"]:
            message = f"{archive.store.where(name)}: sha256 is {found[:16]}..."
            problems.append(Problem(where=name, reason="digest_differs", message=message))
    return problems


def _check_plan(archive: Archive, problems: list[Problem]) -> int:
    """Compare the plan with the commit records; return how many planned shards are not committed."""
    if not archive.store.exists(PLAN):
        if archive.commits or archive.store.exists(REJECTED):
            message = f"{archive.store.where(PLAN)}: missing; pictures can be read, but `create` cannot go on"
            problems.append(Problem(where=PLAN, reason="missing_file", message=message))
        return 0
    found = plan.plan_sha256(archive.store)
    others = [commit.shard for commit in archive.commits if commit.plan_sha256 != found]
    if others:
        message = f"{archive.store.where(PLAN)}: not the plan that {len(others)} shards were committed under"
        problems.append(Problem(where=PLAN, reason="digest_differs", message=message))
    try:
        planned = {shard for shard, _ in plan.shards(archive.store)}
    except ArchiveError as error:
        if not others:
            problems.append(Problem(where=PLAN, reason="damaged_plan", message=str(error)))
        return 0
    missing = planned - {commit.shard for commit in archive.commits}
    if archive.store.exists(REJECTED):
        problems += _lost_commits(archive, missing)
    return len(missing)


def _lost_commits(archive: Archive, missing: Iterable[int]) -> Iterator[Problem]:
    """Yield a problem for each shard of a finished archive that has no commit record; damaged ones are known."""
    known = {problem.where for problem in archive.problems}
    for name in map(commit_name, sorted(missing)):
        if name not in known:
            message = f"{archive.store.where(name)}: missing, though {REJECTED} says that all shards were committed"
            yield Problem(where=name, reason="missing_commit", message=message)
