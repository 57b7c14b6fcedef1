"""The evaluation: checkpoints beside the usual codecs at the same bytes, in a table, in charts and in pixels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.base.errors import FormatError
from pipeline.base.store import Store
from pipeline.evaluation.charts import CLASS_COLOURS, SERIES, Dots, Line, dot_chart, scatter_chart
from pipeline.evaluation.page import Section, Tile, absent, bullets, folded, grid, paragraph, table
from pipeline.evaluation.perceptual import SCORES
from pipeline.evaluation.perceptual_results import HEADINGS, score_cell
from pipeline.evaluation.results import CLASSES, RESULTS, read_summary
from pipeline.evaluation.sections.examples import example
from pipeline.evaluation.sections.words import count, decibels, library_versions, settings
from pipeline.formats.shards import read_parquet

ANCHOR, TITLE = "evaluation", "Evaluation"
MAX_LISTED = 50

Row = dict[str, Any]


def coding_section(folder: str | None, *, num_examples: int = 3) -> Section:
    """Return the part of the page about the evaluation in `folder`, with at most so many examples.

    Raises: UsageError, FormatError, ShardError.
    """
    if folder is None:
        return Section(anchor=ANCHOR, title=TITLE, body=absent("No evaluation was given."))
    store = Store(folder)
    summary = read_summary(store)
    rows: list[Row] = read_parquet(store, RESULTS).to_pylist()
    try:
        return _section(store, {**summary, "examples": summary["examples"][:num_examples]}, rows)
    except (KeyError, TypeError) as error:
        raise FormatError(f"{folder}: the summary and the results do not fit each other ({error!r})") from error


def _section(store: Store, summary: Mapping[str, Any], rows: Sequence[Row]) -> Section:
    by_coder: dict[str, list[Row]] = {}
    for row in rows:
        by_coder.setdefault(row["coder"], []).append(row)
    shown = [example(store, entry, rows) for entry in summary["examples"]]
    parts = [
        paragraph(_lead(summary)),
        _table(summary["table"]),
        *_perceptual(summary),
        bullets(summary["notes"]),
        grid(_charts(summary["table"], by_coder), kind="charts"),
        _rejections(summary["rejected"]),
        *(shown or [absent("The evaluation kept no examples.")]),
        _coders(by_coder),
        settings("Config of the evaluation", summary["config"]),
        library_versions({**summary["versions"], **summary["machine"]}),
    ]
    return Section(anchor=ANCHOR, title=TITLE, body="".join(parts), tiles=_tiles(summary))


def _lead(summary: Mapping[str, Any]) -> str:
    return (
        f"{count(summary['num_pictures'], 'picture')}. Classes of pixels: {summary['labels']}. Lossy peers are given "
        f"the bytes that {summary['matched_to']} needed for the same picture."
    )


def _tiles(summary: Mapping[str, Any]) -> tuple[Tile, ...]:
    first = summary["table"][0]
    classes = f"synthetic {decibels(first['psnr_synthetic'])}, natural {decibels(first['psnr_natural'])} dB"
    value = f"{decibels(first['psnr_whole'])} dB"
    return (Tile(label=f"PSNR at {first['bpp']:.3f} bpp", value=value, note=classes),)


def _table(rows: Sequence[Row]) -> str:
    head = ("Codec", "Pictures", "bpp", "PSNR", "Synthetic", "Natural", "Exact", "Over budget", "Encode s", "Decode s")
    cells = [
        (
            row["coder"],
            f"{row['pictures']:,}",
            f"{row['bpp']:.3f}",
            *(decibels(row[f"psnr_{name}"]) for name in CLASSES),
            row["exact"],
            row["over_budget"],
            f"{row['encode_s']:.3f}",
            f"{row['decode_s']:.3f}",
        )
        for row in rows
    ]
    return table(head, cells, caption="Mean over pictures; PSNR in dB")


def _perceptual(summary: Mapping[str, Any]) -> list[str]:
    """Return the table of perceptual scores; nothing if they were not asked for, or by a release without them."""
    rows = summary.get("perceptual", ())
    if not rows:
        return []
    head = ("Codec", *(HEADINGS[name] for name in SCORES))
    cells = [(row["coder"], *(score_cell(name, row[name]) for name in SCORES)) for row in rows]
    undefined = summary["undefined"]
    return [
        table(head, cells, caption="Mean over pictures, of the luma"),
        *([paragraph(f"Not defined: {undefined}.", kind="note")] if undefined else []),
    ]


def _charts(summary_rows: Sequence[Row], by_coder: Mapping[str, Sequence[Row]]) -> list[str]:
    lossy = [row for row in summary_rows if by_coder[row["coder"]][0]["kind"] != "reference"]
    series = [
        Dots(name=name, values=tuple(row[f"psnr_{name}"] for row in lossy), colour=CLASS_COLOURS[name])
        for name in CLASSES
        if any(row[f"psnr_{name}"] is not None for row in lossy)
    ]
    charts = []
    if series:
        names = [row["coder"] for row in lossy]
        charts.append(dot_chart(names, series, title="Mean PSNR by class of pixel", x_label="dB"))
    points = [_points(row["coder"], by_coder[row["coder"]], place) for place, row in enumerate(lossy)]
    points = [line for line in points if line.x]
    if points:
        charts.append(scatter_chart(points, title="Every picture", x_label="bits per pixel", y_label="PSNR dB"))
    return charts


def _points(coder: str, rows: Sequence[Row], place: int) -> Line:
    finite = [row for row in rows if row["psnr_whole"] is not None and row["psnr_whole"] != float("inf")]
    return Line(
        name=coder,
        x=tuple(row["bpp"] for row in finite),
        y=tuple(row["psnr_whole"] for row in finite),
        colour=SERIES[place % len(SERIES)],
    )


def _rejections(rejected: Sequence[Row]) -> str:
    if not rejected:
        return ""
    reasons = ", ".join(f"{reason} {number}" for reason, number in Counter(r["reason"] for r in rejected).most_common())
    cells = [(row["picture"], row["coder"] or "all", row["reason"], row["message"]) for row in rejected[:MAX_LISTED]]
    more = f" The first {MAX_LISTED} are listed." if len(rejected) > MAX_LISTED else ""
    return paragraph(f"Not measured: {reasons}.{more}") + table(
        ("Picture", "By", "Reason", "Message"), cells, text_columns=4
    )


def _coders(by_coder: Mapping[str, Sequence[Row]]) -> str:
    cells = [(coder, rows[0]["version"], rows[0]["settings"]) for coder, rows in by_coder.items()]
    return folded("Codecs and their settings", table(("Codec", "Version", "Settings"), cells, text_columns=3))
