"""The training run: what was learned, how long it took, and its curves."""

import json
import math
from collections.abc import Sequence
from typing import Any

from pipeline.base.errors import UsageError
from pipeline.base.store import Store
from pipeline.evaluation.charts import Line, line_chart
from pipeline.evaluation.page import Section, Tile, absent, facts, grid, paragraph
from pipeline.evaluation.sections.words import duration, settings

ANCHOR, TITLE = "training", "Training"
METRICS, CONFIG, CHECKPOINT = "metrics.jsonl", "config.toml", "final/checkpoint.json"

_CURVES = {
    "loss": "Loss",
    "bpp": "Rate in bits per pixel (estimated from likelihoods)",
    "psnr": "PSNR of the crops in dB",
    "label_iou": "IoU of the predicted natural pixels",
}
_SPLITS = {"train": "series-1", "val": "series-2"}
_MAX_POINTS = 400


def training_section(folder: str | None) -> Section:
    """Return the part of the page about the training run in `folder`. Raises: UsageError: it is no run."""
    if folder is None:
        return Section(anchor=ANCHOR, title=TITLE, body=absent("No training run was given."))
    store = Store(folder)
    if not store.exists(METRICS):
        raise UsageError(f"{folder}: no {METRICS}; not a training run, or one that has not reported yet")
    rows = _rows(store)
    provenance = _json(store, CHECKPOINT)
    seconds = _step_seconds(rows)
    last = {split: next((row for row in reversed(rows) if row.get("split") == split), None) for split in _SPLITS}
    steps = max((row["step"] for row in rows), default=0)
    parts = [
        paragraph(
            f"{steps:,} steps; {duration(seconds)} inside steps (reading, forward, backward, averaging, update), "
            "start-up and validation left out."
        ),
        facts(_facts(last, provenance)),
        grid(_charts(rows), kind="charts"),
        _config(store),
    ]
    if not provenance:
        parts.insert(
            0, paragraph(f"The run has exported no checkpoint ({CHECKPOINT}): it is not finished.", kind="alert")
        )
    tile = Tile(label="Training", value=f"{steps:,} steps", note=f"{duration(seconds)} inside steps")
    return Section(anchor=ANCHOR, title=TITLE, body="".join(parts), tiles=(tile,))


def _rows(store: Store) -> list[dict[str, Any]]:
    """Return the whole lines of `metrics.jsonl`; a line cut short by a crash is left out, later ones win a step."""
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    for line in store.read_bytes(METRICS).decode("utf-8", "replace").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and isinstance(row.get("step"), int):
            rows[(str(row.get("split")), row["step"])] = row
    return sorted(rows.values(), key=lambda row: row["step"])


def _step_seconds(rows: Sequence[dict[str, Any]]) -> float:
    """Sum the steps' milliseconds: each train row gives its mean since the one before."""
    seconds, before = 0.0, 0
    for row in rows:
        if row.get("split") == "train":
            step_ms = sum(float(row[name]) for name in ("read_ms", "model_ms") if _finite(row.get(name)))
            seconds += (row["step"] - before) * step_ms / 1000
            before = row["step"]
    return seconds


def _facts(last: dict[str, dict[str, Any] | None], provenance: dict[str, Any]) -> dict[str, object]:
    found: dict[str, object] = {}
    for split, row in last.items():
        for name, title in (
            ("loss", "loss"),
            ("bpp", "bpp, estimated"),
            ("psnr", "PSNR dB"),
            ("label_iou", "label IoU"),
        ):
            if row is not None and _finite(row.get(name)):
                found[f"Last {split} {title}"] = f"{row[name]:.4g}"
    if "weights_sha256" in provenance:
        found["Codec"] = provenance.get("codec", "unknown")
        found["Weights"] = f"sha256 {str(provenance['weights_sha256'])[:16]}..."
    return found


def _charts(rows: Sequence[dict[str, Any]]) -> list[str]:
    charts = []
    for name, title in _CURVES.items():
        lines = []
        for split, colour in _SPLITS.items():
            points = [(row["step"], row[name]) for row in rows if row.get("split") == split and _finite(row.get(name))]
            points = points[:: max(1, math.ceil(len(points) / _MAX_POINTS))]
            if points:
                x, y = zip(*points, strict=True)
                lines.append(Line(name=split, x=x, y=y, colour=colour, dots=len(points) < 30))
        if lines:
            charts.append(line_chart(lines, title=title, x_label="step"))
    return charts or [absent(f"{METRICS} holds no figures yet.")]


def _config(store: Store) -> str:
    if not store.exists(CONFIG):
        return absent(f"No {CONFIG} in the run.")
    return settings("Config of the run", store.read_bytes(CONFIG).decode("utf-8", "replace"))


def _json(store: Store, name: str) -> dict[str, Any]:
    if not store.exists(name):
        return {}
    try:
        table = json.loads(store.read_bytes(name))
    except ValueError as error:
        raise UsageError(f"{store.where(name)}: not JSON ({error})") from error
    return table if isinstance(table, dict) else {}


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
