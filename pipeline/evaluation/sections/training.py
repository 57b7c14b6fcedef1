"""The training run: what was learned, how long it took, and its curves."""

import json
import math
from collections.abc import Sequence
from typing import Any

from pipeline.base.errors import UsageError
from pipeline.base.store import Store
from pipeline.evaluation.charts import CLASS_COLOURS, Line, line_chart
from pipeline.evaluation.page import Section, Tile, absent, grid, paragraph, table
from pipeline.evaluation.sections.words import duration, settings

ANCHOR, TITLE = "training", "Training"
METRICS, CONFIG, CHECKPOINT = "metrics.jsonl", "config.toml", "final/checkpoint.json"

_CURVES = {
    "loss": "Loss",
    "estimated_bpp": "Rate in bpp, estimated",
    "psnr": "PSNR of the crops in dB",
    "label_iou": "IoU of the labels, mean over classes",
}
_FIGURES = {
    "loss": "Loss",
    "estimated_bpp": "bpp (est.)",
    "psnr": "PSNR",
    "psnr_synthetic": "Synthetic",
    "psnr_natural": "Natural",
    "label_iou": "Label IoU",
}
_SPLITS = {"train": "series-1", "val": "series-2"}
_MAX_POINTS = 400
_FEW_POINTS = 30


def training_section(folder: str | None) -> Section:
    """Return the part of the page about the training run in `folder`. Raises: UsageError: it is no run."""
    if folder is None:
        return Section(anchor=ANCHOR, title=TITLE, body=absent("No training run was given."))
    store = Store(folder)
    if not store.exists(METRICS):
        raise UsageError(f"{folder}: no {METRICS}; not a training run, or one that has not reported yet")
    rows = _rows(store)
    seconds = _step_seconds(rows)
    steps = max((row["step"] for row in rows), default=0)
    parts = [
        paragraph(
            f"{steps:,} steps; {duration(seconds)} inside steps (reading, forward, backward, averaging, update), "
            "start-up and validation left out."
        ),
        _last(rows),
        _weights(_json(store, CHECKPOINT)),
        grid(_charts(rows), kind="charts"),
        _config(store),
    ]
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


def _last(rows: Sequence[dict[str, Any]]) -> str:
    """Return the last figures of each split as a table."""
    head = ("Last report", "Step", *_FIGURES.values())
    cells = []
    for split in _SPLITS:
        row = next((row for row in reversed(rows) if row.get("split") == split), None)
        if row is not None:
            numbers = [f"{row[name]:.3f}" if _finite(row.get(name)) else "-" for name in _FIGURES]
            cells.append((split, f"{row['step']:,}", *numbers))
    return table(head, cells) if cells else ""


def _weights(provenance: dict[str, Any]) -> str:
    if not provenance:
        return paragraph(f"The run has exported no checkpoint ({CHECKPOINT}): it is not finished.", kind="alert")
    digest = str(provenance.get("weights_sha256", "unknown"))
    return paragraph(
        f"Exported checkpoint: {provenance.get('codec', 'unknown')}, weights sha256 {digest}.", kind="note"
    )


def _charts(rows: Sequence[dict[str, Any]]) -> list[str]:
    charts = []
    for name, title in _CURVES.items():
        lines = []
        for split, colour in _SPLITS.items():
            points = [(row["step"], row[name]) for row in rows if row.get("split") == split and _finite(row.get(name))]
            points = points[:: max(1, math.ceil(len(points) / _MAX_POINTS))]
            if points:
                x, y = zip(*points, strict=True)
                lines.append(Line(name=split, x=x, y=y, colour=colour, dots=len(points) < _FEW_POINTS))
        if lines:
            charts.append(line_chart(lines, title=title, x_label="step"))
    charts += _class_chart(rows)
    return charts or [absent(f"{METRICS} holds no figures yet.")]


def _class_chart(rows: Sequence[dict[str, Any]]) -> list[str]:
    validated = [row for row in rows if row.get("split") == "val"]
    lines = []
    for name in ("synthetic", "natural"):
        points = [(row["step"], row[f"psnr_{name}"]) for row in validated if _finite(row.get(f"psnr_{name}"))]
        if points:
            x, y = zip(*points, strict=True)
            lines.append(Line(name=name, x=x, y=y, colour=CLASS_COLOURS[name], dots=len(points) < _FEW_POINTS))
    return [line_chart(lines, title="Validation PSNR by class in dB", x_label="step")] if lines else []


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
