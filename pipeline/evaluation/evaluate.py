"""Checkpoints and peers over pictures: real bytes, pictures decoded from those bytes, one row each."""

import json
import os
import platform
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from pipeline.base.config import to_table, to_toml
from pipeline.base.errors import CheckpointError, PictureError, UsageError
from pipeline.base.progress import Progress
from pipeline.base.store import Store
from pipeline.codecs import checkpoint as checkpoints
from pipeline.codecs.checkpoint import LoadedCodec
from pipeline.codecs.coding import compress_picture, decompress_picture
from pipeline.codecs.guidance import Segmenter
from pipeline.codecs.threads import torch_threads
from pipeline.evaluation.config import EvaluateConfig
from pipeline.evaluation.libraries import check_libraries, versions
from pipeline.evaluation.metrics import measure_classes
from pipeline.evaluation.peers import Peer, at_most, find_peer
from pipeline.evaluation.perceptual import measure_perceptual
from pipeline.evaluation.perceptual_results import describe_undefined, tabulate_scores
from pipeline.evaluation.results import (
    SUMMARY,
    EvaluateSummary,
    Rejected,
    Row,
    pooled,
    tabulate,
    write_results,
    write_summary,
)
from pipeline.evaluation.subjects import Subject, Subjects, open_subjects, printable, spread, with_saliency
from pipeline.formats.picture import Pixels, digest_pixels, write_png
from pipeline.formats.sample import NATURAL, SYNTHETIC

EXAMPLES = "examples"
_WARM_UP_SIDE = 64

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class _Evaluation:
    """One evaluation under way."""

    config: EvaluateConfig
    loaded: list[LoadedCodec]
    segmenter: "Segmenter | None"
    store: Store
    rows: list[Row] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    examples: list[dict[str, Any]] = field(default_factory=list)


def run(
    config: EvaluateConfig, *, checkpoints: Sequence[str], pictures: str, out: str, progress: Progress
) -> EvaluateSummary:
    """Measure checkpoints and peers on a folder of pictures or a corpus; write `results.parquet`, `summary.json`.

    Pictures that cannot be read are listed with their reason and counted; the others are measured.
    Raises: UsageError: no checkpoint, no pictures, none that can be read; MissingDependency: of a peer or a metric;
    CheckpointError; ShardError; StorageError;
    ReconstructionMismatch: a checkpoint's decoder does not give what its encoder promised.
    """
    if not checkpoints:
        raise UsageError("evaluate: no checkpoint given, expected at least one")
    check_libraries(config)
    if config.saliency is not None and not Path(config.saliency).is_dir():
        raise UsageError(f"saliency {config.saliency}: no such folder")
    subjects = open_subjects(pictures, split=config.split, max_pictures=config.max_pictures)
    with torch_threads(config.threads):
        loaded = _load_all(checkpoints, config.device)
        segmenter = _segmenter(loaded[0]) if config.labels == "auto" else None
        state = _Evaluation(config=config, loaded=loaded, segmenter=segmenter, store=Store(out))
        # Without its summary an older evaluation in this folder counts as unfinished, should this one end early.
        state.store.remove(SUMMARY)
        _measure_all(state, subjects, progress)
    if not state.rows:
        raise UsageError(f"{pictures}: none of {len(subjects.names)} pictures could be read: {_reasons(state)}")
    return _finish(state, pictures)


def _measure_all(state: _Evaluation, subjects: Subjects, progress: Progress) -> None:
    progress.total(len(subjects.names))
    example_places = spread(len(subjects.names), state.config.num_examples)
    for index, name in enumerate(subjects.names):
        # A picture that cannot be read or coded gives its turn as an example to the next one.
        taken = len(state.examples)
        keep = taken < len(example_places) and index >= example_places[taken]
        try:
            subject = _labelled(subjects.load(index), state)
            if state.config.saliency is not None:
                subject = with_saliency(subject, Path(state.config.saliency))
            _measure(state, subject, keep=keep)
        except PictureError as error:
            _reject(state, printable(name), None, error)
            progress.reject(error.reason)
            continue
        progress.note(subject.name)
        progress.advance()


def coder_name(loaded: LoadedCodec) -> str:
    """Return `codec@1a2b3c4d`: the codec and the first 8 digits of its weights' SHA-256."""
    return f"{loaded.spec.name}@{loaded.weights_sha256[:8]}"


def _load_all(paths: Sequence[str], device: str) -> list[LoadedCodec]:
    loaded = [checkpoints.load(path, device=device) for path in paths]
    names = [coder_name(one) for one in loaded]
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        raise UsageError(f"evaluate: {doubled[0]} was given more than once")
    for one in loaded:
        # The first call compiles and allocates; its seconds are no property of the codec.
        blank = np.zeros((_WARM_UP_SIDE, _WARM_UP_SIDE, 3), np.uint8)
        decompress_picture(one, compress_picture(one, blank).data)
    return loaded


def _segmenter(loaded: LoadedCodec) -> Segmenter | None:
    """Return the codec if it can tell natural from synthetic pixels."""
    if not isinstance(loaded.codec, Segmenter):
        return None
    try:
        loaded.codec.label_probability(np.zeros((1, 1, 3), np.uint8))
    except CheckpointError:
        # Its kind of codec has a head, these weights have none.
        return None
    return loaded.codec


def _labelled(subject: Subject, state: _Evaluation) -> Subject:
    if state.config.labels == "none":
        return replace(subject, label=None, label_source="none")
    if subject.label is not None or state.segmenter is None:
        return subject
    natural = state.segmenter.label_probability(subject.pixels) >= 0.5
    label = np.where(natural, NATURAL, SYNTHETIC).astype(np.uint8)
    return replace(subject, label=label, label_source=f"head of {coder_name(state.loaded[0])}")


def _measure(state: _Evaluation, subject: Subject, *, keep: bool) -> None:
    """Add the rows of one picture, and the picture as an example if it is to be kept."""
    coded: list[tuple[Row, Pixels]] = [_through_checkpoint(loaded, subject) for loaded in state.loaded]
    budget = coded[0][0]
    for name in (*state.config.peers, *state.config.references):
        try:
            coded.append(_through_peer(find_peer(name), subject, budget))
        except PictureError as error:
            _reject(state, subject.name, name, error)
    if state.config.metrics == "all":
        coded = [
            (replace(row, scores=measure_perceptual(subject.pixels, decoded, subject.saliency)), decoded)
            for row, decoded in coded
        ]
    rows = [row for row, _ in coded]
    state.rows += rows
    if keep:
        state.examples.append(_keep(state, subject, coded))


def _through_checkpoint(loaded: LoadedCodec, subject: Subject) -> tuple[Row, Pixels]:
    encoded, encode_seconds = _timed(lambda: compress_picture(loaded, subject.pixels))
    decoded, decode_seconds = _timed(lambda: decompress_picture(loaded, encoded.data, where=subject.name))
    row = _row(
        subject,
        decoded,
        coder=coder_name(loaded),
        kind="checkpoint",
        version=f"diptych {version('diptych')}",
        settings=json.dumps(to_table(loaded.codec.config), sort_keys=True),
        weights_sha256=loaded.weights_sha256,
        num_bytes=len(encoded.data),
        encode_seconds=encode_seconds,
        decode_seconds=decode_seconds,
    )
    return row, decoded


def _through_peer(peer: Peer, subject: Subject, budget: Row) -> tuple[Row, Pixels]:
    quality, matched_to, over_budget = None, None, False
    if peer.qualities is not None:
        matched = at_most(peer, subject.pixels, budget.num_bytes)
        quality, matched_to, over_budget = matched.quality, budget.coder, matched.over_budget
    # Encoded once more, so that the seconds are one encoding's and not the search's.
    data, encode_seconds = _timed(lambda: peer.encode(subject.pixels, quality or 0))
    decoded, decode_seconds = _timed(lambda: peer.decode(data))
    row = _row(
        subject,
        decoded,
        coder=peer.name,
        kind="reference" if matched_to is None else "peer",
        version=peer.version,
        settings=peer.settings,
        quality=quality,
        matched_to=matched_to,
        over_budget=over_budget,
        num_bytes=len(data),
        encode_seconds=encode_seconds,
        decode_seconds=decode_seconds,
    )
    return row, decoded


def _row(subject: Subject, decoded: Pixels, **values: Any) -> Row:
    height, width = subject.pixels.shape[:2]
    given = {"weights_sha256": None, "quality": None, "matched_to": None, "over_budget": False, **values}
    return Row(
        picture=subject.name,
        pixels_sha256=digest_pixels(subject.pixels),
        width=width,
        height=height,
        label_source=subject.label_source,
        distortion=measure_classes(subject.pixels, decoded, subject.label),
        **given,
    )


def _keep(state: _Evaluation, subject: Subject, coded: Iterable[tuple[Row, Pixels]]) -> dict[str, Any]:
    """Write an example's pictures as PNG; return its entry in the summary."""
    folder = f"{EXAMPLES}/{len(state.examples):04d}"
    files = {"original": subject.pixels}
    files |= {row.coder: decoded for row, decoded in coded if row.kind != "reference"}
    if subject.label is not None:
        files["label"] = subject.label[:, :, None]
    names = {}
    for place, (name, pixels) in enumerate(files.items()):
        names[name] = f"{folder}/{place}.png"
        state.store.write_bytes(names[name], write_png(pixels))
    # A list, since the order matters (the first checkpoint comes first) and JSON objects here are sorted.
    listed = [{"shows": name, "file": file} for name, file in names.items()]
    return {"picture": subject.name, "label_source": subject.label_source, "files": listed}


def _finish(state: _Evaluation, pictures: str) -> EvaluateSummary:
    first = coder_name(state.loaded[0])
    sources = Counter(row.label_source for row in state.rows if row.coder == first)
    scored = [(row.coder, row.scores) for row in state.rows if row.scores is not None]
    summary = EvaluateSummary(
        out=state.store.url,
        pictures=pictures,
        num_pictures=sources.total(),
        labels=", ".join(f"{source} ({count})" for source, count in sorted(sources.items())),
        matched_to=first,
        table=tabulate(state.rows),
        rejected=tuple(state.rejected),
        perceptual=tabulate_scores(scored),
        undefined=describe_undefined(scored) if scored else "",
    )
    machine = {
        "device": state.config.device,
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "threads": state.config.threads,
    }
    details = {
        "config": to_table(state.config),
        "versions": versions(state.config),
        "machine": machine,
        "examples": state.examples,
        "pooled_psnr": pooled(state.rows),
    }
    metadata = {
        "config": to_toml(state.config),
        "versions": json.dumps(versions(state.config)),
        "machine": json.dumps(machine),
    }
    write_results(state.store, state.rows, metadata=metadata)
    write_summary(state.store, summary, details)
    return summary


def _reject(state: _Evaluation, picture: str, coder: str | None, error: PictureError) -> None:
    state.rejected.append(Rejected(picture=picture, coder=coder, reason=error.reason, message=printable(str(error))))


def _reasons(state: _Evaluation) -> str:
    counts = Counter(rejected.reason for rejected in state.rejected)
    return ", ".join(f"{reason} {count}" for reason, count in counts.most_common())


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started
